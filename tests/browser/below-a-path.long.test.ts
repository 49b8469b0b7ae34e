import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import {
  attachmentResponseSchema,
  createSessionResponseSchema,
  streamLinkResponseSchema,
} from '@chat-realtime/protocol';
import { type AppProcess, freePort, sleep, startProcess, tempFolder, until } from '@chat-realtime/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import WebSocket from 'ws';
import { SECRETS } from '../support/profiles.ts';
import { blocksOf, type Proxy, PROXY_GUIDES, startApacheOf, startNginxOf } from '../support/proxies.ts';
import { useBrowser } from './browser.ts';
import { ConsolePage } from './console-page.ts';
import { WidgetPage } from './widget-page.ts';

const MAIN = fileURLToPath(new URL('../../apps/standalone/dist/main.js', import.meta.url));
const PATH = '/support';
/** Longer than the 60 s that both proxies wait for a byte by themselves. */
const QUIET_MS = 75_000;
const PIXEL = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==',
  'base64',
);
const MAP = `map $http_upgrade $chat_connection { default upgrade; '' ''; }
log_format chat '$request_method $uri $status';
`;

/** The site: some pages of its own, and nothing at `/chat/`, `/auth/`, `/channel/`. */
function pages(): string {
  const folder = tempFolder('site-pages');
  mkdirSync(folder, { recursive: true });
  // Apache serves it as a user of its own.
  chmodSync(folder, 0o755);
  writeFileSync(
    `${folder}/index.html`,
    `<!doctype html><html lang="ru"><meta charset="utf-8"><link rel="icon" href="data:,"><title>Сайт</title>
     <h1>Сайт</h1><script async src="${PATH}/widget/v1/loader.js"></script></html>`,
  );
  return folder;
}

const START: Readonly<Record<'nginx' | 'apache', (block: string, chatPort: number) => Promise<Proxy>>> = {
  nginx: (block, chatPort) =>
    startNginxOf(
      `include /etc/nginx/mime.types;\n${MAP}server {\n  listen 443 ssl;\n  root ${pages()};\n${block}}`,
      chatPort,
    ),
  apache: (block, chatPort) => {
    const root = pages();
    const site = `DocumentRoot ${root}\n<Directory ${root}>\nRequire all granted\n</Directory>`;
    return startApacheOf(`<VirtualHost *:443>\n${site}\n${block}</VirtualHost>`, chatPort);
  },
};

let chatPort: number;
let chat: AppProcess;
const { open } = useBrowser();

beforeAll(async () => {
  chatPort = await freePort();
  chat = await startProcess({
    name: 'chat below a path',
    args: [MAIN],
    env: {
      HOST: '127.0.0.1',
      PORT: String(chatPort),
      DATA_DIR: tempFolder('below-a-path'),
      TRUSTED_PROXIES: '127.0.0.1',
      PUBLIC_URL: `https://site.example${PATH}`,
      OPERATOR_PASSWORD: SECRETS.operatorPassword,
      RATE_CONNECT_PER_10S: '0',
      RATE_SESSIONS_PER_MINUTE: '0',
    },
    ready: `http://127.0.0.1:${chatPort}/readyz`,
    readyTimeoutMs: 120_000,
  });
}, 180_000);
afterAll(() => chat?.stop());

describe.each(['nginx', 'apache'] as const)('the whole chat below a path of a site behind %s', (name) => {
  let site: Proxy;
  beforeAll(async () => {
    const block = (await blocksOf(PROXY_GUIDES[0], name))[1];
    if (block === undefined) throw new Error(`the guide has no second block of ${name}`);
    site = await START[name](block, chatPort);
  }, 60_000);
  afterAll(() => site?.stop());

  async function customer() {
    const call = async (method: string, path: string, body: object | Buffer, token?: string): Promise<Response> => {
      const isFile = Buffer.isBuffer(body);
      const answer = await fetch(`${site.url}${PATH}${path}`, {
        method,
        headers: {
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
          ...(isFile ? { 'x-file-name': 'dot.png' } : { 'content-type': 'application/json' }),
        },
        body: isFile ? new Uint8Array(body) : JSON.stringify(body),
      });
      if (!answer.ok) throw new Error(`${method} ${path} answered ${answer.status}: ${await answer.text()}`);
      return answer;
    };
    const begun = createSessionResponseSchema.parse(await (await call('POST', '/chat/session', {})).json());
    const { token, session } = begun;
    const at = `/chat/session/${session.id}`;
    return {
      id: session.id,
      token,
      say: (body: string, attachments: string[] = []) =>
        call('POST', `${at}/messages`, { body, client_message_id: crypto.randomUUID(), attachments }, token),
      upload: async () =>
        attachmentResponseSchema.parse(await (await call('POST', `${at}/attachments`, PIXEL, token)).json()),
      link: async () =>
        streamLinkResponseSchema.parse(await (await call('POST', `${at}/stream-link`, {}, token)).json()).url,
    };
  }

  it('[SES10] WebSocket, stream and long poll survive a quiet minute, and deliver the next event at once', async () => {
    const visitor = await customer();
    const heard = { websocket: '', stream: '', poll: '' };
    const ended: string[] = [];
    let socket: WebSocket | undefined;
    // Told to come again by a server under load, a client does.
    await until(
      async () => {
        heard.websocket = '';
        const tried = new WebSocket(`${site.url.replace('http', 'ws')}${PATH}/channel/ws?session=${visitor.id}`, [
          'chat.v1',
          `bearer.${visitor.token}`,
        ]);
        tried.on('message', (data) => {
          heard.websocket += String(data);
        });
        const isOver = new Promise<boolean>((resolve) => {
          tried.once('close', () => resolve(false));
          tried.once('message', () => resolve(true));
        });
        socket = (await isOver) ? tried : undefined;
        return socket !== undefined;
      },
      { timeoutMs: 60_000, what: 'the WebSocket' },
    );
    socket?.on('close', (code) => ended.push(`WebSocket ${code}`));

    const link = await visitor.link();
    expect(link).toMatch(new RegExp(`^${PATH}/chat/${visitor.id}/stream\\?sig=`));
    const over = new AbortController();
    const stream = await fetch(site.url + link, { signal: over.signal });
    expect(stream.headers.get('content-type')).toContain('text/event-stream');
    const reading = (async () => {
      for await (const chunk of stream.body ?? []) heard.stream += new TextDecoder().decode(chunk);
      ended.push('stream');
    })().catch((error: unknown) => over.signal.aborted || ended.push(String(error)));
    let polls = 0;
    const polling = (async () => {
      while (!heard.poll.includes('После тишины')) {
        const query = `session=${visitor.id}&last_seq=1&wait=25`;
        const answer = await fetch(`${site.url}${PATH}/channel/poll?${query}`, {
          headers: { authorization: `Bearer ${visitor.token}` },
          signal: over.signal,
        });
        if (!answer.ok) throw new Error(`poll answered ${answer.status}`);
        heard.poll += await answer.text();
        polls += 1;
      }
    })();
    for (const way of ['websocket', 'stream'] as const)
      await expect.poll(() => heard[way], { timeout: 45_000, message: way }).toContain('channel.ready');
    await sleep(QUIET_MS);
    expect(ended).toEqual([]);
    expect(polls).toBeGreaterThanOrEqual(2);
    await visitor.say('После тишины');
    for (const way of ['websocket', 'stream', 'poll'] as const)
      await expect.poll(() => heard[way], { timeout: 10_000, message: way }).toContain('После тишины');
    await polling;
    expect(ended).toEqual([]);
    over.abort();
    socket?.close();
    await reading;
  }, 180_000);

  it('widget and console hold a conversation, with a picture, and request nothing outside the path', async () => {
    const shop = await open();
    await shop.page.goto(`${site.url}/`);
    const widget = new WidgetPage(shop.page);
    await widget.open();
    await widget.say('Здравствуйте из-под пути');
    await widget.message('Здравствуйте из-под пути').waitFor();
    const id = await widget.sessionId();

    const desk = await open();
    // Without the slash first: the server leads to the page, whatever stands before its path.
    await desk.page.goto(`${site.url}${PATH}/operator`);
    expect(desk.page.url()).toBe(`${site.url}${PATH}/operator/`);
    const console = new ConsolePage(desk.page, `${site.url}${PATH}`);
    await console.signIn('anna');
    await console.openSession(id);
    await expect.poll(() => console.texts(), { timeout: 15_000 }).toContain('Здравствуйте из-под пути');
    await console.send('Добрый день');
    await widget.message('Добрый день').waitFor({ timeout: 15_000 });

    const other = await customer();
    const { id: file } = await other.upload();
    await other.say('Вот снимок', [file]);
    await console.openSession(other.id);
    const picture = desk.page.locator('.message a.picture img');
    await expect
      .poll(() => picture.evaluate((image) => (image as HTMLImageElement).naturalWidth), { timeout: 15_000 })
      .toBe(1);
    expect(desk.problems).toEqual([]);
    expect(shop.problems).toEqual([]);
    const outside = [...desk.requests, ...shop.requests]
      .filter((url) => url.startsWith(site.url))
      .map((url) => new URL(url).pathname)
      .filter((path) => path !== '/' && !path.startsWith(`${PATH}/`));
    expect(outside.filter((path) => path !== PATH)).toEqual([]);
  }, 240_000);

  it('the documents, and the shop of the first start, are served below the path', async () => {
    const { page, requests, problems } = await open();
    await page.goto(`${site.url}${PATH}/docs`);
    expect(page.url()).toBe(`${site.url}${PATH}/docs/`);
    await page.locator('a[href$="guides/reverse-proxy.html"], a[href*="reverse-proxy"]').first().click();
    await page.locator('h1').waitFor();
    expect(page.url()).toContain(`${PATH}/docs/`);
    await page.goto(`${site.url}${PATH}/`);
    await page.locator('chat-widget').waitFor({ state: 'attached' });
    expect(problems).toEqual([]);
    expect(
      requests.map((url) => new URL(url).pathname).filter((path) => path !== PATH && !path.startsWith(`${PATH}/`)),
    ).toEqual([]);
  }, 120_000);
});
