import { HttpClient, until } from '@chat-realtime/testkit';
import type { Page } from 'playwright-core';
import { afterAll, describe, expect, it } from 'vitest';
import { type StandaloneTarget, startStandalone } from '../support/standalone-target.ts';
import { accessibilityProblems } from './accessibility.ts';
import { useBrowser } from './browser.ts';

const OBSERVERS = ['customer', 'operator'] as const;
const FAULTS = ['lost', 'doubled', 'disordered'] as const;
/** What is promised while parts are down is 15 s; the machine may be busy with other things. */
const SETTLED = { timeout: 60_000, interval: 250 };
const VIEW = { viewport: { width: 1280, height: 860 } };
const EXPERIMENTS = { messages: 100, drop: 1, wipe: 20, network: 10, dispatcher: 10 } as const;

class TryPage {
  readonly page: Page;
  /** The greeting is there from the beginning. */
  #expected = 1;
  #settled = 1;

  constructor(page: Page) {
    this.page = page;
  }

  static async open(page: Page, chat: StandaloneTarget): Promise<TryPage> {
    await page.goto(chat.baseUrl + (await chat.tryPath()));
    // What opens the page stands neither in the bar nor behind the way back.
    expect(await page.evaluate(() => [location.search, document.cookie, history.length])).toEqual(['', '', 2]);
    await page.waitForSelector('#stage[aria-busy=false]', { timeout: 30_000 });
    await page.frameLocator('#operator').locator('.chat-head').waitFor();
    await expect.poll(() => page.textContent('#transport'), SETTLED).toBe('WebSocket');
    return new TryPage(page);
  }

  async press(name: keyof typeof EXPERIMENTS): Promise<void> {
    this.#expected += EXPERIMENTS[name];
    await this.page.click(`[data-experiment=${name}]`);
  }

  async force(transport: 'websocket' | 'sse' | 'poll', label: string): Promise<void> {
    await this.page.click(`[data-transport=${transport}]`);
    await expect.poll(() => this.page.textContent('#transport'), SETTLED).toBe(label);
  }

  async cells(): Promise<Readonly<Record<string, string>>> {
    return this.page.evaluate(() =>
      Object.fromEntries(
        Array.from(document.querySelectorAll<HTMLElement>('[data-cell]'), (cell) => [
          cell.dataset['cell'] ?? '',
          cell.textContent,
        ]),
      ),
    );
  }

  /** Everything that was sent is stored and stands on both pages; nothing was lost, doubled or out of order. */
  async settle(): Promise<void> {
    const wanted = OBSERVERS.flatMap((observer) => [
      ...(['stored', 'shown'] as const).map((row) => [`${observer}-${row}`, String(this.#expected)]),
      ...FAULTS.map((row) => [`${observer}-${row}`, '0']),
    ]);
    await expect.poll(() => this.cells(), SETTLED).toMatchObject(Object.fromEntries(wanted));
    await expect.poll(() => this.page.locator('[data-experiment][aria-disabled=true]').count(), SETTLED).toBe(0);
    this.#settled = this.#expected;
  }

  async count(observer: 'customer' | 'listener', row: string): Promise<number> {
    return Number((await this.cells())[`${observer}-${row}`]);
  }

  async countedSinceSettling(): Promise<number> {
    return (await this.count('customer', 'stored')) - this.#settled;
  }

  /** Messages counted since the last settling, as long as the experiment goes on; afterwards -1. */
  async countedMeanwhile(name: keyof typeof EXPERIMENTS): Promise<number> {
    const [running, stored] = await this.page.evaluate((button) => {
      const disabled = document.querySelector(`[data-experiment=${button}][aria-disabled=true]`) !== null;
      return [disabled, document.querySelector('[data-cell=customer-stored]')?.textContent] as const;
    }, name);
    return running ? Number(stored) - this.#settled : -1;
  }
}

describe('the page that breaks the chat and counts', async () => {
  const settings = { HEAD_CHECK_SECONDS: '2', LOG_LEVEL: 'debug' };
  const start = (more: Readonly<Record<string, string>>) =>
    startStandalone({ profile: 'main', webhookUrl: 'http://127.0.0.1:9/', siteOrigin: '' }, { ...settings, ...more });
  const [demo, plain] = await Promise.all([start({}), start({ DEMO: 'off' })]);
  afterAll(() => Promise.all([demo.stop(), plain.stop()]));
  const { open } = useBrowser();

  it('shows both people everything once and in order, whatever is pressed, while a listener without a cursor loses', async () => {
    const first = await TryPage.open((await open(VIEW)).page, demo);
    await first.press('drop');
    expect(await accessibilityProblems(first.page)).toEqual([]);
    await first.settle();

    await first.force('sse', 'SSE');
    await first.press('messages');
    await expect.poll(() => first.countedMeanwhile('messages'), SETTLED).toBeGreaterThan(0);
    // All at once: none of them may keep a connection that the chat or the counters need.
    for (const name of ['wipe', 'dispatcher', 'drop'] as const) await first.press(name);
    await expect.poll(() => first.countedSinceSettling(), SETTLED).toBeGreaterThan(40);
    await first.page.getByText('Диспетчер остановлен').waitFor();

    // Another visit meanwhile: a widget that has been led down once takes its time to find the next way.
    const { page } = await open(VIEW);
    const shown = await TryPage.open(page, demo);
    await shown.force('poll', 'Long poll');

    await first.settle();
    // The queue's content is published again; who has no numbers takes it for new.
    await expect.poll(() => first.count('listener', 'doubled'), SETTLED).toBeGreaterThan(0);
    await expect.poll(() => first.count('listener', 'lost'), SETTLED).toBeGreaterThan(0);
    expect(await first.page.locator('#failure').isVisible()).toBe(false);
    await first.page.close();

    await page.getByText('Все части работают.').waitFor();
    await shown.press('network');
    await page.getByText('Сеть оборвана').waitFor();
    await page.getByText('Все части работают.').waitFor();
    await shown.force('websocket', 'WebSocket');
    await shown.settle();
    // Some have passed the fan-out by then, and whoever was not there has missed them.
    await expect.poll(() => shown.count('listener', 'lost'), SETTLED).toBeGreaterThan(0);
    await expect.poll(() => page.textContent('#verdict'), SETTLED).toContain('Показано 11 из 11');

    // In one step: what is left to a later moment shows.
    const words = await page.evaluate(() => {
      document.getElementById('language')?.click();
      return document.body.innerText;
    });
    // Of Russian there remain the way back and the operator's name.
    expect(words.split('\n').filter((line) => /[А-ЯЁ]/i.test(line.replace(/Русский|Анна/g, '')))).toEqual([]);
    expect(await page.title()).toBe('Chat Realtime: break it and count');
    await page.frameLocator('#customer').getByText('The customer’s page').waitFor();
    await page.frameLocator('#operator').locator('html[lang=en] .chat-head').waitFor();

    await page.emulateMedia({ colorScheme: 'dark' });
    await page.setViewportSize({ width: 390, height: 844 });
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390);
    expect(await accessibilityProblems(page)).toEqual([]);
    await shown.press('drop');
    await shown.settle();
    expect(await page.locator('#failure').isVisible()).toBe(false);
  }, 240_000);

  it('[OPS21] opens in demo mode, and only with the key from the terminal', async () => {
    const http = new HttpClient(demo.baseUrl);
    const elsewhere = new HttpClient(plain.baseUrl);
    const statusOf = async (path: string, headers = {}, from = http): Promise<number> =>
      (await from.get(path, { headers })).status;
    const paths = ['/try/', '/try/customer/', '/try/listener?session=1', '/try/api/path?session=1'];
    // As a proxy makes a request that forgets to say for whom, and as somebody makes it who says that they sit here.
    const disguises = [{}, { host: 'localhost' }, { 'x-forwarded-for': '127.0.0.1' }, { cookie: 'chat_try=1' }];
    for (const path of paths) {
      expect(await statusOf(path, {}, elsewhere), path).toBe(404);
      for (const headers of disguises)
        expect(await statusOf(path, headers), `${path} with ${JSON.stringify(headers)}`).toBe(403);
    }
    expect((await http.get('/try/', { headers: { accept: 'text/html' } })).text).toContain('npm start');
    expect(await statusOf('/try/?key=guessed')).toBe(403);

    const printed = await demo.tryPath();
    // A preview of the link uses no key up.
    expect((await http.request('HEAD', printed)).status).toBe(403);
    const entry = await http.get(printed);
    expect([entry.status, entry.header('location')]).toEqual([303, '/try/']);
    expect(entry.header('set-cookie')).toMatch(/; HttpOnly; SameSite=Strict$/);
    expect(await statusOf(printed)).toBe(403);
    const next = await until(async () => ((await demo.tryPath()) === printed ? undefined : demo.tryPath()), {
      what: 'the next address',
    });
    const cookie = entry.header('set-cookie')?.split(';')[0] ?? '';
    expect((await http.get(printed, { headers: { cookie } })).status).toBe(303);

    const page = await http.get('/try/', { headers: { cookie } });
    expect(page.status).toBe(200);
    expect(page.header('content-security-policy')).toContain("frame-ancestors 'self'");
    expect(page.header('cache-control')).toBe('no-store');
    const json = { name: 'network', session: 1, language: 'ru' };
    const experiment = '/try/api/experiment';
    expect((await http.post(experiment, { json })).status).toBe(403);
    expect((await http.post('/try/api/sign-in', { headers: { 'x-try': 'page' } })).status).toBe(403);
    // The cookie goes to pages of other ports too; they may not send the header.
    expect((await http.post('/try/api/sign-in', { headers: { cookie } })).status).toBe(403);
    expect((await http.post(experiment, { json: {}, headers: { cookie, 'x-try': 'page' } })).status).toBe(422);
    expect((await elsewhere.post(experiment, { json })).status).toBe(404);
    expect((await http.get('/try/assets/..%2findex.html', { headers: { cookie } })).status).toBe(404);
    expect(
      demo.logLines().filter((line) => [printed, next, cookie].some((secret) => line.includes(secret.slice(-32)))),
    ).toEqual([]);
    http.close();
    elsewhere.close();
  }, 90_000);
});
