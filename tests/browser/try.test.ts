import { HttpClient } from '@chat-realtime/testkit';
import type { Page } from 'playwright-core';
import { afterAll, describe, expect, it, onTestFinished } from 'vitest';
import { startStandalone } from '../support/standalone-target.ts';
import { accessibilityProblems } from './accessibility.ts';
import { useBrowser } from './browser.ts';

const OBSERVERS = ['customer', 'operator'] as const;
const FAULTS = ['lost', 'doubled', 'disordered'] as const;
/** What is promised while parts are down is 15 s; the machine may be busy with other things. */
const SETTLED = { timeout: 60_000, interval: 250 };
const EXPERIMENTS = { messages: 100, drop: 1, wipe: 20, network: 10, dispatcher: 10 } as const;

class TryPage {
  readonly page: Page;
  /** The greeting is there from the beginning. */
  #expected = 1;

  constructor(page: Page) {
    this.page = page;
  }

  static async open(page: Page, baseUrl: string): Promise<TryPage> {
    await page.goto(`${baseUrl}/try/`);
    await page.waitForSelector('#stage[aria-busy=false]', { timeout: 30_000 });
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
  }

  async count(observer: 'customer' | 'listener', row: string): Promise<number> {
    return Number((await this.cells())[`${observer}-${row}`]);
  }

  listener(row: (typeof FAULTS)[number]): Promise<number> {
    return this.count('listener', row);
  }

  /** Texts of the page itself, those of its frames left out. */
  async words(): Promise<string> {
    return this.page.locator('body').innerText();
  }
}

describe('the page that breaks the chat and counts', async () => {
  const settings = { HEAD_CHECK_SECONDS: '2' };
  const start = (more: Readonly<Record<string, string>>) =>
    startStandalone({ profile: 'main', webhookUrl: 'http://127.0.0.1:9/', siteOrigin: '' }, { ...settings, ...more });
  const demo = await start({});
  afterAll(() => demo.stop());
  const { open } = useBrowser();

  it('shows both people everything once and in order, whatever is pressed, while a listener without a cursor loses', async () => {
    const { page } = await open({ viewport: { width: 1280, height: 860 } });
    const shown = await TryPage.open(page, demo.baseUrl);
    await page.frameLocator('#operator').locator('.chat-head').waitFor();
    await expect.poll(() => page.textContent('#transport'), SETTLED).toBe('WebSocket');
    expect(await accessibilityProblems(page)).toEqual([]);

    await shown.press('messages');
    await shown.press('drop');
    await shown.settle();
    await expect.poll(() => shown.listener('lost'), SETTLED).toBe(1);

    await shown.force('sse', 'SSE');
    await shown.press('wipe');
    await shown.settle();
    // The queue's content is published again; who has no numbers takes it for new.
    await expect.poll(() => shown.listener('doubled'), SETTLED).toBeGreaterThan(0);

    await shown.force('poll', 'Long poll');
    const before = await shown.listener('lost');
    const stored = await shown.count('customer', 'stored');
    await shown.press('network');
    await page.getByText('Сеть оборвана').waitFor();
    // Some have passed the fan-out by then, and whoever was not there has missed them.
    await expect.poll(() => shown.count('customer', 'stored'), SETTLED).toBeGreaterThan(stored + 3);
    await shown.press('dispatcher');
    await page.getByText('Диспетчер остановлен').waitFor();
    await shown.force('websocket', 'WebSocket');
    await shown.settle();
    await page.getByText('Все части работают.').waitFor();
    await expect.poll(() => shown.listener('lost'), SETTLED).toBeGreaterThan(before);
    expect(await page.textContent('#verdict')).toContain('Показано 142 из 142');

    await page.getByRole('button', { name: 'English' }).click();
    await page.getByText('All parts are up.').waitFor();
    await page.frameLocator('#operator').getByRole('log').waitFor();
    // Of Russian there remain the way back and the operator's name.
    expect((await shown.words()).replace(/Русский|Анна/g, '')).not.toMatch(/[А-Яа-яЁё]/);
    expect(await page.title()).toBe('Chat Realtime: break it and count');
    await shown.settle();

    await page.emulateMedia({ colorScheme: 'dark' });
    await page.setViewportSize({ width: 390, height: 844 });
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390);
    expect(await accessibilityProblems(page)).toEqual([]);
    await shown.press('drop');
    await shown.settle();
    expect(await page.locator('#failure').isVisible()).toBe(false);
  }, 240_000);

  it('is there for whoever sits at this machine, in demo mode, and for nobody else', async () => {
    const plain = await start({ DEMO: 'off' });
    onTestFinished(() => plain.stop());
    const http = new HttpClient(demo.baseUrl);
    const elsewhere = new HttpClient(plain.baseUrl);
    const statusOf = async (path: string, headers = {}, from = http): Promise<number> =>
      (await from.get(path, { headers })).status;
    for (const path of ['/try/', '/try/customer/', '/try/listener?session=1', '/try/api/path?session=1']) {
      expect(await statusOf(path, {}, elsewhere), path).toBe(404);
      for (const headers of [
        { host: 'chat.example' },
        { host: 'localhost.chat.example' },
        { 'x-forwarded-for': '127.0.0.1' },
        { forwarded: 'for=127.0.0.1' },
        { 'x-real-ip': '127.0.0.1' },
        { origin: 'http://localhost:3000' },
      ]) {
        expect(await statusOf(path, headers), `${path} with ${JSON.stringify(headers)}`).toBe(404);
      }
    }
    const page = await http.get('/try/');
    expect(page.status).toBe(200);
    expect(page.header('content-security-policy')).toContain("frame-ancestors 'self'");
    expect(page.header('cache-control')).toBe('no-store');
    const json = { name: 'network', session: 1, language: 'ru' };
    const experiment = '/try/api/experiment';
    expect((await http.post(experiment, { json })).status).toBe(403);
    expect((await http.post('/try/api/sign-in', { headers: { 'x-try-token': 'guessed' } })).status).toBe(403);
    const token = /name="try-token" content="([\w-]{32})"/.exec(page.text)?.[1] ?? '';
    const foreign = { 'x-try-token': token, origin: 'http://localhost:3000' };
    expect((await http.post('/try/api/sign-in', { headers: foreign })).status).toBe(404);
    expect((await http.post(experiment, { json: {}, headers: { 'x-try-token': token } })).status).toBe(422);
    expect((await elsewhere.post(experiment, { json })).status).toBe(404);
    expect((await http.get('/try/assets/..%2findex.html')).status).toBe(404);
    http.close();
    elsewhere.close();
  }, 90_000);
});
