import { until } from '@chat-realtime/testkit';
import pg from 'pg';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type BesidePhpSite, startBesidePhpSite } from '../support/beside-php-site.ts';
import { OUR_WIDGET, SiteVisitor } from '../support/php-site.ts';
import { useBrowser } from './browser.ts';
import { WidgetPage } from './widget-page.ts';

/** The widget and the badge in the example site: history and writing by the site's REST, news by the channel. */
describe('beside the chat of a PHP site', () => {
  let beside: BesidePhpSite;
  const { open } = useBrowser();
  const olga = { visitor: null as SiteVisitor | null };
  beforeAll(async () => {
    beside = await startBesidePhpSite();
    await beside.site.forward('2-token-and-events');
    olga.visitor = new SiteVisitor(beside.site.baseUrl);
    await olga.visitor.signIn('olga');
  }, 240_000);
  afterAll(() => beside?.stop());

  const staff = (): SiteVisitor => {
    if (olga.visitor === null) throw new Error('nobody is signed in');
    return olga.visitor;
  };
  const rowsOf = async (query: string): Promise<Record<string, unknown>[]> => {
    const owner = new pg.Client({ connectionString: beside.siteDatabase });
    await owner.connect();
    try {
      return (await owner.query<Record<string, unknown>>(query)).rows;
    } finally {
      await owner.end();
    }
  };
  const texts = (widget: WidgetPage, wanted: readonly string[]): Promise<void> =>
    expect.poll(() => widget.texts(), { timeout: 30_000 }).toEqual(wanted);
  const calls = (requests: readonly string[], part: string): number =>
    requests.filter((url) => url.includes(part)).length;

  async function beganBefore(page: Page): Promise<number> {
    await page.goto(beside.site.baseUrl);
    await page.locator('[name=name]').fill('Пётр');
    await page.locator('textarea').fill('Начато на старой странице');
    await page.getByRole('button', { name: 'Отправить' }).click();
    await page.locator('li', { hasText: 'Начато' }).waitFor();
    return Number(await page.evaluate(() => localStorage.getItem('chat_id')));
  }

  it('continues a chat that the old page started, and shows each message once, whichever way it comes', async () => {
    const { page, requests, problems } = await open();
    const id = await beganBefore(page);
    await staff().call('POST', `/chat/${id}/reply`, { body: 'Здравствуйте, Пётр' });
    await beside.site.forward(OUR_WIDGET);
    await page.goto(beside.site.baseUrl);
    const widget = new WidgetPage(page);
    await widget.launcher.click();
    await texts(widget, ['Начато на старой странице', 'Здравствуйте, Пётр']);
    await widget.say('А доставка есть?');
    await staff().call('POST', `/chat/${id}/reply`, { body: 'Да, завтра' });
    await texts(widget, ['Начато на старой странице', 'Здравствуйте, Пётр', 'А доставка есть?', 'Да, завтра']);
    // The site has it once.
    const { messages } = (await (await staff().call('GET', `/chat/${id}?since_id=0`)).json()) as {
      messages: { body: string; sender: string }[];
    };
    expect(messages.map(({ sender, body }) => `${sender}: ${body}`)).toEqual([
      'client: Начато на старой странице',
      'manager: Здравствуйте, Пётр',
      'client: А доставка есть?',
      'manager: Да, завтра',
    ]);
    // While the channel is open nobody asks the site for news.
    requests.length = 0;
    await page.waitForTimeout(7_000);
    expect(calls(requests, 'since_id=')).toBe(0);

    // Without the channel the site is polled, and nothing is lost or doubled over both changes.
    await beside.chat.kill();
    await staff().call('POST', `/chat/${id}/reply`, { body: 'Пока канала нет' });
    await expect.poll(() => widget.texts(), { timeout: 90_000 }).toContain('Пока канала нет');
    await beside.chat.start();
    await staff().call('POST', `/chat/${id}/reply`, { body: 'Канал снова есть' });
    await texts(widget, [
      'Начато на старой странице',
      'Здравствуйте, Пётр',
      'А доставка есть?',
      'Да, завтра',
      'Пока канала нет',
      'Канал снова есть',
    ]);
    expect(problems.filter((text) => !/Failed to load resource|WebSocket|ERR_CONNECTION/.test(text))).toEqual([]);
  }, 300_000);

  it('starts a chat at the site, and the staff badge counts it', async () => {
    const desk = await open();
    await desk.page.goto(`${beside.site.baseUrl}/login`);
    await desk.page.locator('[name=login]').fill('ivan');
    await desk.page.locator('[name=password]').fill('secret');
    await desk.page.locator('[name=password]').press('Enter');
    await desk.page.waitForURL('**/staff');
    const count = async (): Promise<number> => Number(await desk.page.locator('#badge-new').textContent());
    await expect
      .poll(() => desk.page.locator('#badge-new').getAttribute('data-count'), { timeout: 30_000 })
      .not.toBeNull();
    const before = await count();

    const { page } = await open();
    await page.goto(beside.site.baseUrl);
    const widget = new WidgetPage(page);
    await widget.open();
    await widget.say('Есть ли лампы на ножке?');
    await texts(widget, ['Есть ли лампы на ножке?']);
    await expect.poll(count, { timeout: 20_000 }).toBe(before + 1);
    // The reserve is the site's own counter.
    beside.chat.pause();
    try {
      await until(() => Promise.resolve(calls(desk.requests, '/chat/alerts') > 0), {
        timeoutMs: 90_000,
        what: 'the badge asks the site',
      });
      expect(await count()).toBe(before + 1);
    } finally {
      beside.chat.resume();
    }
  }, 180_000);

  it('[BES40] requests a callback from the site without a chat, by starting one for it', async () => {
    const { page, problems } = await open();
    await page.goto(beside.site.baseUrl);
    const widget = new WidgetPage(page);
    await widget.open();
    const [before] = await rowsOf('SELECT count(*)::int AS chats FROM chat');
    await widget.panel.getByRole('button', { name: 'Заказать звонок' }).click();
    // The example keeps no time of a call.
    expect(await widget.panel.getByText('Когда удобно').count()).toBe(0);
    await widget.panel.locator('[name=phone]').fill('+7 900 000-00-00');
    await widget.panel.locator('[name=name]').fill('Рената');
    await widget.panel.locator('form.callback input[type=checkbox]').check();
    await widget.panel.locator('form.callback [type=submit]').click();
    await widget.panel.locator('.callback-done').waitFor();
    const rows = await rowsOf('SELECT name, external_contact, callback_phone FROM chat ORDER BY id DESC LIMIT 1');
    expect(rows).toEqual([
      { name: 'Рената', external_contact: '+7 900 000-00-00', callback_phone: '+7 900 000-00-00' },
    ]);
    expect(await rowsOf('SELECT count(*)::int AS chats FROM chat')).toEqual([{ chats: Number(before?.['chats']) + 1 }]);
    expect(problems).toEqual([]);
  }, 120_000);

  it('[BES32] keeps a chat that starts while nobody follows the tables, and gives it the channel afterwards', async () => {
    const { page } = await open();
    const frames: string[] = [];
    page.on('websocket', (socket) => socket.on('framereceived', ({ payload }) => frames.push(String(payload))));
    const received = (part: string): boolean => frames.some((text) => text.includes(part));
    await beside.stopFollower();
    await page.goto(beside.site.baseUrl);
    const widget = new WidgetPage(page);
    await widget.open();
    const before = await rowsOf('SELECT max(id)::int AS chat FROM chat');
    await widget.say('Первое, и канала нет');
    await texts(widget, ['Первое, и канала нет']);
    const newest = () => rowsOf('SELECT max(id)::int AS chat FROM chat');
    await expect.poll(newest, { timeout: 30_000 }).not.toEqual(before);
    const [begun] = await newest();
    const id = Number(begun?.['chat']);
    // The channel says that it does not know the chat, and the widget goes on with the site.
    await page.waitForTimeout(8_000);
    expect(received('"channel.ready"')).toBe(false);
    await staff().call('POST', `/chat/${id}/reply`, { body: 'Ответ без канала' });
    await texts(widget, ['Первое, и канала нет', 'Ответ без канала']);
    await widget.say('Второе туда же');
    await texts(widget, ['Первое, и канала нет', 'Ответ без канала', 'Второе туда же']);
    expect(await rowsOf('SELECT max(id)::int AS chat FROM chat')).toEqual([begun]);

    await beside.startFollower();
    await expect.poll(() => received('"channel.ready"'), { timeout: 120_000 }).toBe(true);
    await staff().call('POST', `/chat/${id}/reply`, { body: 'Ответ по каналу' });
    const all = ['Первое, и канала нет', 'Ответ без канала', 'Второе туда же', 'Ответ по каналу'];
    await texts(widget, all);
    await expect.poll(() => received('Ответ по каналу'), { timeout: 30_000 }).toBe(true);
    expect(
      (await rowsOf(`SELECT body FROM chat_message WHERE chat_id = ${id} ORDER BY id`)).map((row) => row['body']),
    ).toEqual(all);
    expect(await rowsOf('SELECT max(id)::int AS chat FROM chat')).toEqual([begun]);
  }, 300_000);
});
