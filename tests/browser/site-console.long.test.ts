import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type BesidePhpSite, startBesidePhpSite } from '../support/beside-php-site.ts';
import { SHADOW, SiteVisitor } from '../support/php-site.ts';
import { blocksOf, type Proxy, PROXY_GUIDES, startNginxOf } from '../support/proxies.ts';
import { useBrowser } from './browser.ts';
import { ConsolePage } from './console-page.ts';

const PATH = '/support';

/** The site owns `/` and `/chat/`; the chat beside it lives below a path, under the same name and with the same cookie. */
async function inFront(beside: BesidePhpSite): Promise<Proxy> {
  const [whole = '', block] = await blocksOf(PROXY_GUIDES[0], 'nginx');
  if (block === undefined) throw new Error('the guide has no second block of nginx');
  // What stands outside of a server: the guide says it once, with its first block.
  const shared = whole.slice(0, whole.indexOf('server {'));
  const site = `location / { proxy_pass ${beside.site.baseUrl}; proxy_set_header Host $http_host; }`;
  const server = `${shared}server {\n  listen 443 ssl;\n  ${site}\n${block}}`;
  return startNginxOf(server, Number(new URL(beside.chatUrl).port));
}

interface SiteMessage {
  readonly body: string;
  readonly sender: string;
}

describe('our console over the REST of a PHP site', () => {
  let beside: BesidePhpSite;
  let front: Proxy;
  const { open } = useBrowser();
  beforeAll(async () => {
    beside = await startBesidePhpSite({
      TRUSTED_PROXIES: '127.0.0.1',
      PUBLIC_URL: `https://site.example${PATH}`,
      OPERATOR_SITE: JSON.stringify({
        paths: { contact: '/staff/chat/{id}/contact' },
        request: { user_id: 'user_id', phone: 'external_contact', email: '' },
        callbacks: {
          list: '/staff/callbacks',
          steps: { assigned: '/chat/{id}/assign', done: '/staff/callbacks/{callback}/done' },
          fields: { items: 'items' },
        },
      }),
      OPERATOR_TOKEN_URL: '/staff/channel-token',
      OPERATOR_LOGIN_URL: '/login',
      OPERATOR_RETURN_PARAM: 'back',
    });
    for (const step of ['2-token-and-events', '3-widget', '4-staff-pages'] as const) await beside.site.forward(step);
    front = await inFront(beside);
  }, 240_000);
  afterAll(async () => {
    await front?.stop();
    await beside?.stop();
  });

  async function chatOf(name: string, text: string): Promise<{ visitor: SiteVisitor; id: number }> {
    const visitor = new SiteVisitor(beside.site.baseUrl);
    const answer = await visitor.call('POST', '/chat/session', { name, initial_message: text });
    return { visitor, id: ((await answer.json()) as { id: number }).id };
  }
  async function atSite(visitor: SiteVisitor, id: number): Promise<{ status: string; messages: string[] }> {
    const answer = await visitor.call('GET', `/chat/${id}?since_id=0`);
    const { status, messages } = (await answer.json()) as { status: string; messages: SiteMessage[] };
    return { status, messages: messages.map(({ sender, body }) => `${sender}: ${body}`) };
  }

  it('signs in through the site, and answers, claims and closes chats there, each once', async () => {
    const vera = await chatOf('Вера', 'Есть ли лампы на ножке?');
    const pavel = await chatOf('Павел', 'Когда привезёте?');
    const { page, problems } = await open();
    await page.goto(`${front.url}${PATH}/operator/`);
    // Nobody is signed in: the site asks, and leads back to where the console was.
    await page.locator('[name=login]').fill('olga');
    await page.locator('[name=password]').fill('secret');
    await page.locator('[name=password]').press('Enter');
    await page.waitForSelector('.rail');
    expect(page.url()).toContain(`${front.url}${PATH}/operator/`);
    const console = new ConsolePage(page, `${front.url}${PATH}`);

    await console.openSession(vera.id);
    await console.send('Да, три модели');
    await expect
      .poll(() => console.texts(), { timeout: 30_000 })
      .toEqual(['Есть ли лампы на ножке?', 'Да, три модели']);
    // The console shows what is written before the site has it.
    await expect
      .poll(() => atSite(vera.visitor, vera.id), { timeout: 15_000 })
      .toEqual({
        status: 'active',
        messages: ['client: Есть ли лампы на ножке?', 'manager: Да, три модели'],
      });
    // Who answers has it, as the site decides; it comes back as an event.
    await console.go('#/inbox/mine');
    await console.row(vera.id).waitFor();
    await vera.visitor.call('POST', `/chat/${vera.id}/message`, { body: 'А какая ярче?' });
    await console.openSession(vera.id, 'mine');
    await expect.poll(() => console.texts(), { timeout: 15_000 }).toContain('А какая ярче?');

    await console.openSession(pavel.id);
    await console.action('claim').click();
    await expect.poll(async () => (await atSite(pavel.visitor, pavel.id)).status, { timeout: 15_000 }).toBe('active');
    await console.action('close').click();
    await expect.poll(async () => (await atSite(pavel.visitor, pavel.id)).status, { timeout: 15_000 }).toBe('closed');
    await console.go('#/inbox/mine');
    await console.row(vera.id).waitFor();
    await console.row(pavel.id).waitFor({ state: 'detached' });
    // The site has no path for it, and the ledger alone would say what the site does not.
    await console.openSession(pavel.id);
    await expect.poll(() => console.action('close').count(), { timeout: 15_000 }).toBe(0);
    expect(await console.action('reopen').count()).toBe(0);
    await console.openSession(vera.id);
    await page.getByRole('button', { name: 'Передать' }).waitFor();
    expect(await page.getByRole('button', { name: 'Вернуть в очередь' }).count()).toBe(0);
    expect(problems.filter((text) => !/401|Failed to load resource/.test(text))).toEqual([]);
  }, 240_000);

  it('[BES41] lists the site’s callback requests, takes one and finishes it there', async () => {
    const { visitor, id } = await chatOf('Рената', 'Позвоните мне, пожалуйста');
    await visitor.call('POST', `/chat/${id}/callback`, { phone: '+7 900 000-00-00' });
    const { page, problems } = await open();
    await page.goto(`${front.url}${PATH}/operator/#/callbacks`);
    await page.locator('[name=login]').fill('olga');
    await page.locator('[name=password]').fill('secret');
    await page.locator('[name=password]').press('Enter');
    const row = page.locator(`[data-callback="${id}"]`);
    await row.waitFor();
    expect(await row.innerText()).toContain('Рената');
    expect(await row.locator('[data-step]').evaluateAll((all) => all.map((one) => one.dataset['step']))).toEqual([
      'assigned',
      'done',
    ]);
    // What was agreed to is with the site.
    expect(await row.locator('[data-action=consent]').count()).toBe(0);
    await row.locator('[data-step=assigned]').click();
    await page.locator(`[data-callback="${id}"][data-status=assigned]`).waitFor();
    expect((await atSite(visitor, id)).status).toBe('active');
    await row.locator('[data-step=done]').click();
    await page.locator(`[data-callback="${id}"][data-status=done]`).waitFor();
    const olga = new SiteVisitor(beside.site.baseUrl);
    await olga.signIn('olga');
    expect(await (await olga.call('GET', '/staff/callbacks')).json()).toEqual({ items: [] });
    expect(problems.filter((text) => !/401|Failed to load resource/.test(text))).toEqual([]);
  }, 120_000);

  it('[BES42] saves at the site what an operator learned of the customer, and shows it', async () => {
    const { id } = await chatOf('Гость', 'Меня зовут Вера');
    const { page, problems } = await open();
    await page.goto(`${front.url}${PATH}/operator/`);
    await page.locator('[name=login]').fill('olga');
    await page.locator('[name=password]').fill('secret');
    await page.locator('[name=password]').press('Enter');
    await page.waitForSelector('.rail');
    const console = new ConsolePage(page, `${front.url}${PATH}`);
    await console.openSession(id);
    await page.getByRole('button', { name: 'Изменить имя, телефон, почту' }).click();
    const form = page.locator('.contact-form');
    // The site keeps no address of mail.
    expect(await form.locator('input').evaluateAll((all) => all.map((one) => (one as HTMLInputElement).name))).toEqual([
      'name',
      'phone',
    ]);
    await form.locator('[name=name]').fill('Вера');
    await form.locator('[name=phone]').fill('+7 900 000-00-01');
    await form.locator('[type=submit]').click();
    await form.waitFor({ state: 'detached' });
    const olga = new SiteVisitor(beside.site.baseUrl);
    await olga.signIn('olga');
    const atSitesPage = await (await olga.call('GET', `/staff/chat/${id}`)).text();
    expect(atSitesPage).toContain('<h1>Вера</h1>');
    expect(atSitesPage).toContain('+7 900 000-00-01');
    // The ledger says the same: after a reload, in list and card.
    await page.reload();
    await expect.poll(() => console.row(id).innerText(), { timeout: 15_000 }).toContain('Вера');
    await expect.poll(() => page.locator('.card').innerText(), { timeout: 15_000 }).toContain('+7 900 000-00-01');
    expect(problems.filter((text) => !/401|Failed to load resource/.test(text))).toEqual([]);
  }, 120_000);

  it('a manager who has signed out at the site is asked again', async () => {
    const { page } = await open();
    await page.goto(`${front.url}${PATH}/operator/#/inbox/new`);
    await page.locator('[name=login]').fill('ivan');
    await page.locator('[name=password]').fill('secret');
    await page.locator('[name=password]').press('Enter');
    await page.waitForSelector('.rail');
    await page.context().clearCookies();
    await page.evaluate(() => sessionStorage.clear());
    await page.goto(`${front.url}${PATH}/operator/`);
    await page.waitForURL('**/login?back=*');
  }, 120_000);
});

describe('the shadow step in a browser', () => {
  let beside: BesidePhpSite;
  const { open } = useBrowser();
  beforeAll(async () => {
    beside = await startBesidePhpSite();
    await beside.site.forward('2-token-and-events');
    await beside.site.forward(SHADOW);
  }, 240_000);
  afterAll(() => beside?.stop());

  const counted = async (): Promise<Readonly<Record<'both' | 'channel_only' | 'polling_only', number>>> => {
    const page = await (await fetch(beside.metricsUrl)).text();
    const value = (seen: string): number =>
      Number(new RegExp(`^chat_shadow_messages_total\\{seen="${seen}"\\} (\\d+)`, 'm').exec(page)?.[1] ?? 0);
    return { both: value('both'), channel_only: value('channel_only'), polling_only: value('polling_only') };
  };

  it('[BES29] the page polls as before, and both ways are counted without a difference', async () => {
    const { page, problems, requests } = await open();
    await page.goto(beside.site.baseUrl);
    await page.locator('[name=name]').fill('Пётр');
    await page.locator('textarea').fill('Доставка есть?');
    await page.getByRole('button', { name: 'Отправить' }).click();
    await page.locator('li', { hasText: 'Доставка' }).waitFor();
    const id = Number(await page.evaluate(() => localStorage.getItem('chat_id')));
    const olga = new SiteVisitor(beside.site.baseUrl);
    await olga.signIn('olga');
    await expect
      .poll(async () => /chat_active_connections\{[^}]*\} [1-9]/.test(await (await fetch(beside.metricsUrl)).text()), {
        timeout: 30_000,
      })
      .toBe(true);
    for (let number = 1; number <= 5; number += 1) {
      await olga.call('POST', `/chat/${id}/reply`, { body: `Ответ ${number}` });
      await page.waitForTimeout(1_200);
    }
    await page.locator('li', { hasText: 'Ответ 5' }).waitFor();
    // The page shows what polling brings, and nothing twice.
    expect(await page.locator('li', { hasText: 'Ответ' }).count()).toBe(5);
    await expect.poll(counted, { timeout: 90_000 }).toEqual({ both: 5, channel_only: 0, polling_only: 0 });
    expect(requests.filter((url) => url.includes('since_id=')).length).toBeGreaterThan(1);
    expect(requests.filter((url) => url.includes('/channel/shadow?session=')).length).toBeGreaterThan(0);
    expect(problems).toEqual([]);
  }, 240_000);
});
