import { TcpProxy } from '@chat-realtime/testkit';
import type { Page } from 'playwright-core';
import { afterAll, describe, expect, it } from 'vitest';
import { useChat } from '../support/chat.ts';
import { useVisitors } from './visitors.ts';

describe('the widget on bad networks', async () => {
  const chat = await useChat('main');
  const proxy = await TcpProxy.start({ target: chat.baseUrl });
  afterAll(() => proxy.close());
  const { visit } = await useVisitors(proxy.urlFor(chat.baseUrl).replace(/\/$/, ''));
  const blockWebSockets = (page: Page): Promise<void> =>
    page.routeWebSocket('**/channel/ws', (socket) => socket.close({ code: 1006 }).catch(() => undefined));

  it.each([
    ['SSE', ['WebSocket'], '/channel/sse'],
    ['poll', ['WebSocket', 'SSE'], '/channel/poll'],
  ])('takes %s where it must, and shows each message once', async (_name, blocked, path) => {
    const { page, widget, requests } = await visit();
    await blockWebSockets(page);
    if (blocked.includes('SSE')) await page.route('**/channel/sse**', (route) => route.abort());
    await widget.open();
    await widget.say('дойдёт?');
    await widget.state('дойдёт?', 'отправлено');
    await expect.poll(() => requests.some((url) => url.includes(path)), { timeout: 30_000 }).toBe(true);
    const anna = await chat.staff('anna');
    const id = await widget.sessionId();
    await anna.post(id, 'дошло');
    await anna.post(id, 'и второе');
    await expect.poll(() => widget.texts(), { timeout: 30_000 }).toEqual(['дойдёт?', 'дошло', 'и второе']);
    await widget.say('спасибо');
    await widget.message('спасибо').waitFor();
    await expect
      .poll(async () => (await anna.messages(id)).messages.map((message) => message.body))
      .toEqual(await widget.texts());
    expect(await widget.panel.getByText('Нет связи').count()).toBe(0);
  });

  it('shows a lost connection after two seconds, and the missed messages when the server is back', async () => {
    const { page, widget } = await visit();
    await page.evaluate('chatWidget.on("connection", (event) => { document.title = event.status })');
    await widget.open();
    await widget.say('до обрыва');
    await widget.state('до обрыва', 'отправлено');
    await expect.poll(() => page.title()).toBe('online');
    const id = await widget.sessionId();
    const began = Date.now();
    await proxy.down();
    await widget.panel.getByText('Нет связи').waitFor();
    expect(Date.now() - began).toBeGreaterThanOrEqual(1_900);
    const anna = await chat.staff('anna');
    await anna.post(id, 'во время обрыва');
    await widget.say('тоже во время');
    await widget.state('тоже во время', 'отправляется');
    await proxy.up();
    await expect
      .poll(() => widget.texts(), { timeout: 45_000 })
      .toEqual(['до обрыва', 'во время обрыва', 'тоже во время']);
    // Found again by poll it learns no read marks until it tries the better transport, which a network that is back makes it do.
    await page.evaluate('dispatchEvent(new Event("online"))');
    await expect
      .poll(() => widget.shown(), { timeout: 45_000 })
      .toEqual(['до обрыва (прочитано)', 'во время обрыва', 'тоже во время (отправлено)']);
    await expect.poll(() => widget.panel.getByText('Нет связи').count()).toBe(0);
  });
});
