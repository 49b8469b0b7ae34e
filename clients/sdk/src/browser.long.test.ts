import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { type AppProcess, freePort, startProcess, tempFolder } from '@chat-realtime/testkit';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Bundle, bundle } from '../test/bundle.ts';
import type { ChatClient } from './index.ts';

const MAIN = fileURLToPath(new URL('../../../apps/standalone/dist/main.js', import.meta.url));
const PAGE = '<!doctype html><meta charset="utf-8"><title>chat</title>';
declare global {
  var chat: ChatClient;
  var seqs: number[];
}

let app: AppProcess;
let baseUrl = '';
let browser: Browser;
let pages: Server;
let origin = '';
let sdk: Bundle;

beforeAll(async () => {
  sdk = await bundle('customer');
  pages = createServer((request, response) => {
    const code = sdk.files.get((request.url ?? '').slice(1));
    response.setHeader('content-type', code === undefined ? 'text/html' : 'text/javascript');
    response.end(code ?? PAGE);
  });
  await new Promise<void>((resolve) => pages.listen(0, '127.0.0.1', resolve));
  origin = `http://127.0.0.1:${(pages.address() as AddressInfo).port}`;
  const port = await freePort();
  baseUrl = `http://127.0.0.1:${port}`;
  app = await startProcess({
    name: 'standalone',
    args: [MAIN],
    env: {
      HOST: '127.0.0.1',
      PORT: String(port),
      DATA_DIR: tempFolder('sdk-browser'),
      OPERATOR_PASSWORD: 'correct horse',
      ALLOWED_ORIGINS: origin,
      RATE_CONNECT_PER_10S: '0',
    },
    ready: `${baseUrl}/readyz`,
  });
  browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] });
}, 90_000);
afterAll(async () => {
  await browser?.close();
  pages?.close();
  await app?.stop();
});

async function openTab(context: BrowserContext): Promise<Page> {
  const page = await context.newPage();
  await page.goto(origin);
  await page.addScriptTag({
    type: 'module',
    content: `import { createChatClient } from '/${sdk.entry}';
      globalThis.seqs = [];
      globalThis.chat = createChatClient({ baseUrl: ${JSON.stringify(baseUrl)} });
      chat.on('event', (event) => seqs.push(event.seq));`,
  });
  await page.waitForFunction(() => 'chat' in globalThis);
  return page;
}
const online = (page: Page): Promise<unknown> =>
  page.waitForFunction(() => chat.getState().connection.status === 'online', undefined, { timeout: 20_000 });
const shows = (page: Page, count: number): Promise<unknown> =>
  page.waitForFunction((wanted) => chat.getState().messages.filter(({ id }) => id).length === wanted, count, {
    timeout: 20_000,
  });
const shared = (page: Page): Promise<boolean> =>
  page.evaluate(() => {
    const { connection } = chat.getState();
    return connection.status === 'online' && connection.shared;
  });
const dense = (page: Page): Promise<boolean> =>
  page.evaluate(() => seqs.every((seq, index) => index === 0 || seq === (seqs[index - 1] ?? 0) + 1));

describe('in Chromium', () => {
  it('stores and requests nothing before the visitor acts; then one connection serves all tabs, and is handed over when its tab closes', async () => {
    const context = await browser.newContext();
    const first = await openTab(context);
    const requests: string[] = [];
    first.on('request', (request) => requests.push(request.url()));
    await first.waitForTimeout(500);
    expect(requests).toEqual([]);
    expect(await first.evaluate(() => localStorage.length + document.cookie.length)).toBe(0);

    await first.evaluate(() => chat.send('question').stored);
    await online(first);
    // A chat in one tab over WebSocket needs only what the page loaded first.
    expect(requests.filter((url) => url.startsWith(origin))).toEqual([]);
    const tabs = [first];
    for (let i = 0; i < 5; i += 1) tabs.push(await openTab(context));
    for (const page of tabs) await online(page);
    for (const page of tabs) await shows(page, 1);
    expect((await Promise.all(tabs.map(shared))).filter((isShared) => !isShared)).toHaveLength(1);
    expect(requests.filter((url) => url.startsWith(origin))).toEqual([expect.stringContaining('/peers-')]);

    await tabs[3]?.evaluate(() => chat.send('from another tab').stored);
    for (const page of tabs) await shows(page, 2);
    await first.close();
    tabs.shift();
    await tabs[0]?.evaluate(() => chat.send('after the first is gone').stored);
    for (const page of tabs) {
      await online(page);
      await shows(page, 3);
      expect(await dense(page)).toBe(true);
    }
    expect((await Promise.all(tabs.map(shared))).filter((isShared) => !isShared)).toHaveLength(1);
    await context.close();
  }, 90_000);

  it('sends what was written offline, and keeps it across a reload', async () => {
    const context = await browser.newContext();
    const page = await openTab(context);
    await page.evaluate(() => chat.send('before').stored);
    await online(page);
    await context.setOffline(true);
    await page.evaluate(() => void chat.send('offline'));
    await page.waitForTimeout(1_000);
    expect(await page.evaluate(() => chat.getState().messages.at(-1)?.delivery)).toBe('sending');
    await context.setOffline(false);
    await shows(page, 2);

    await context.route('**/messages', (route) => route.abort());
    await page.evaluate(() => void chat.send('unsent'));
    await page.waitForTimeout(300);
    await page.close();
    await context.unroute('**/messages');
    const reloaded = await openTab(context);
    await shows(reloaded, 3);
    expect(await reloaded.evaluate(() => chat.getState().messages.map(({ body }) => body))).toEqual([
      'before',
      'offline',
      'unsent',
    ]);
    await context.close();
  }, 60_000);

  it('uses SSE if WebSocket is blocked, polls if SSE is blocked too, and loads both again if loading failed', async () => {
    for (const [blocked, expected] of [
      [['websocket'], 'sse'],
      [['websocket', 'sse'], 'poll'],
    ] as const) {
      const context = await browser.newContext();
      if (blocked.some((name) => name === 'websocket'))
        await context.routeWebSocket('**/channel/ws', (socket) => socket.close({ code: 1006 }).catch(() => undefined));
      if (blocked.some((name) => name === 'sse')) await context.route('**/channel/sse**', (route) => route.abort());
      else await context.route('**/fallbacks-*', (route) => route.abort(), { times: 1 });
      const page = await openTab(context);
      await page.evaluate(() => chat.send('hello').stored);
      await page.waitForFunction(
        (transport) => {
          const { connection } = chat.getState();
          return connection.status === 'online' && connection.transport === transport;
        },
        expected,
        { timeout: 30_000 },
      );
      await context.close();
    }
  }, 90_000);

  it('connects each tab separately if the code for sharing a connection cannot be loaded', async () => {
    const context = await browser.newContext();
    await context.route('**/peers-*', (route) => route.abort());
    const first = await openTab(context);
    await first.evaluate(() => chat.send('question').stored);
    const second = await openTab(context);
    for (const page of [first, second]) {
      await online(page);
      await shows(page, 1);
      expect(await shared(page)).toBe(false);
    }
    await second.evaluate(() => chat.send('from the second').stored);
    for (const page of [first, second]) await shows(page, 2);
    await context.close();
  }, 60_000);
});
