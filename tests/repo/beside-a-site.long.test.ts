import { createServer, type Server } from 'node:http';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { feedResponseSchema } from '@chat-realtime/protocol';
import { freePort, HttpClient, sleep, startProcess, tempFolder, WebSocketClient } from '@chat-realtime/testkit';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { SECRETS } from '../support/profiles.ts';
import { blockOf, blocksOf, PROXY_GUIDES, START_PROXY } from '../support/proxies.ts';
import { channelToken, staffToken, streamSignature, unixNow } from '../support/tokens.ts';

const ROOT = new URL('../../', import.meta.url).pathname;
const NAMES = ['nginx', 'apache'] as const;
/** What the site answers itself, under names that are much like ours. */
const SITES = [
  ['GET', '/'],
  ['GET', '/app.js'],
  ['POST', '/chat/session'],
  ['GET', '/chat/session'],
  ['GET', '/chat/5'],
  ['GET', '/chat/5/channel-token'],
  ['POST', '/chat/5/message'],
  ['POST', '/chat/5/callback'],
  ['POST', '/chat/5/reply'],
  ['GET', '/chat/5/streams'],
  ['GET', '/chat/alerts'],
  ['POST', '/chat/callback'],
  ['GET', '/chat/configuration'],
  ['GET', '/auth/login'],
  ['GET', '/widgets/'],
  ['GET', '/operators/'],
] as const;

async function blockBeside(name: (typeof NAMES)[number], guide: string): Promise<string> {
  const block = (await blocksOf(guide, name)).find((text) => text.includes('stream$'));
  if (block === undefined) throw new Error(`${guide} has no block of ${name} beside a site`);
  return block;
}

describe('a proxy that adds the channel beside the chat of a site', () => {
  let chatPort: number;
  let chat: Awaited<ReturnType<typeof startProcess>>;
  let site: Server;
  let sitePort: number;
  const asked: string[] = [];

  beforeAll(async () => {
    [chatPort, sitePort] = [await freePort(), await freePort()];
    site = createServer((request, response) => {
      asked.push(`${request.method} ${request.url}`);
      response.writeHead(200, { 'content-type': 'text/plain' }).end('the site');
    });
    await new Promise<void>((resolve) => site.listen(sitePort, '127.0.0.1', resolve));
    chat = await startProcess({
      name: 'chat beside a site',
      args: [join(ROOT, 'apps/standalone/dist/main.js')],
      env: {
        HOST: '127.0.0.1',
        PORT: String(chatPort),
        DATA_DIR: tempFolder('beside-a-site'),
        TRUSTED_PROXIES: '127.0.0.1',
        CHAT_ROLE: 'ledger',
        EVENTS_API_KEY: SECRETS.eventsKey,
        CHAT_TOKEN_SECRETS: SECRETS.channel,
        AUTH_JWT_SECRET: SECRETS.jwt,
        AUTH_ISSUER: SECRETS.issuer,
        AUTH_AUDIENCE: SECRETS.audience,
        OPERATOR_TOKEN_URL: '/staff/channel-token',
        LOG_LEVEL: 'warn',
      },
      ready: `http://127.0.0.1:${chatPort}/readyz`,
      readyTimeoutMs: 90_000,
    });
  }, 120_000);
  afterAll(async () => {
    await chat?.stop();
    site?.closeAllConnections();
    site?.close();
  });

  /** The block as it stands, in a site that has a rule for static files and leads everything else to its PHP. */
  async function start(name: (typeof NAMES)[number]) {
    const block = await blockBeside(name, PROXY_GUIDES[0]);
    if (name === 'nginx') {
      const head = (await blockOf(PROXY_GUIDES[0], 'nginx')).split('\nserver {')[0] ?? '';
      return START_PROXY.nginx(
        `${head}\nserver {\n  listen 443 ssl;\n${block}
  location ~* \\.(?:js|css)$ { proxy_pass http://127.0.0.1:${sitePort}; expires max; }
  location / { proxy_pass http://127.0.0.1:${sitePort}; }\n}`,
        chatPort,
      );
    }
    return START_PROXY.apache(
      `<VirtualHost *:443>\n${block}\nProxyPass / http://127.0.0.1:${sitePort}/\n</VirtualHost>`,
      chatPort,
    );
  }

  it.each(NAMES)('has the block of %s in both languages and as a file', async (name) => {
    const block = await blockBeside(name, PROXY_GUIDES[0]);
    expect(await blockBeside(name, PROXY_GUIDES[1])).toBe(block);
    const file = readFileSync(join(ROOT, `deploy/${name}/beside-a-site.conf`), 'utf8');
    expect(file.split('\n').slice(1).join('\n')).toBe(block);
  });

  it.each(NAMES)(
    '[WS1] [SSE1] [POLL1] by %s: what is the site’s stays the site’s, and every stream works through a quiet minute',
    async (name) => {
      const proxy = await start(name);
      const http = new HttpClient(proxy.url);
      const direct = new HttpClient(`http://127.0.0.1:${chatPort}`);
      const session = name === 'nginx' ? 5 : 6;
      try {
        for (const [method, path] of SITES) {
          const answer = await http.request(method, path, method === 'POST' ? { json: {} } : {});
          expect([path, answer.text]).toEqual([path, 'the site']);
        }
        const before = asked.length;
        // Every path of our REST that a console asks is led to us, but those that the site has too.
        const paths = Object.keys(
          (JSON.parse(readFileSync(join(ROOT, 'docs/protocol/openapi.json'), 'utf8')) as { paths: object }).paths,
        );
        const ofSite = /^\/chat\/(?:session|alerts|callback|identity.*|mail\/.*)$/;
        const ours = paths.filter((path) => /^\/(?:chat|channel)\//.test(path) && !ofSite.test(path));
        expect(ours.length).toBeGreaterThan(40);
        for (const path of ours) {
          const answer = await http.get(path.replaceAll(/\{\w+\}/g, '7'));
          expect([path, answer.text === 'the site']).toEqual([path, false]);
        }
        for (const path of ['/widget/v1/loader.js', '/operator/'])
          expect([path, (await http.get(path)).status]).toEqual([path, 200]);
        expect(asked.length).toBe(before);

        const tell = async (id: number) => {
          const data = { id, sender_type: 'client', body: `m${id}`, created_at: new Date().toISOString() };
          const json = { events: [{ type: 'chat.message', session_id: session, data }] };
          expect((await direct.post('/intake/events', { token: SECRETS.eventsKey, json })).status).toBe(200);
        };
        await tell(1);
        const token = channelToken(session);
        const socket = await WebSocketClient.open(proxy.url, {
          protocols: ['chat.v1', `bearer.${token}`],
          query: { session, last_seq: 0 },
        });
        await socket.ready();
        const expires = unixNow() + 600;
        const stream = new AbortController();
        const link = `${proxy.url}/chat/${session}/stream?sig=${streamSignature(session, expires)}`;
        const events = await fetch(link, { signal: stream.signal });
        expect([events.status, events.headers.get('content-type')]).toEqual([
          200,
          expect.stringContaining('text/event-stream'),
        ]);
        let heard = '';
        const reading = (async () => {
          const decoder = new TextDecoder();
          for await (const part of events.body ?? []) heard += decoder.decode(part as Uint8Array, { stream: true });
        })().catch(() => undefined);
        const wait = 25;
        const polled = http.get(`/channel/poll?session=${session}&last_seq=1&wait=${wait}`, { token });
        await sleep(2_000);
        await tell(2);
        expect(JSON.stringify((await polled).json())).toContain('m2');
        await socket.waitFor((frame) => frame.data['body'] === 'm2', { label: 'm2' });
        await vi.waitFor(() => expect(heard).toContain('m2'), 5_000);
        // Longer than the proxy's 60 s without a byte, had the chat none to say.
        await sleep(70_000);
        await tell(3);
        await socket.waitFor((frame) => frame.data['body'] === 'm3', { label: 'm3' });
        await vi.waitFor(() => expect(heard).toContain('m3'), 5_000);
        expect(socket.closeEvent).toBeUndefined();
        stream.abort();
        await reading;
        socket.terminate();

        const staff = await staffToken({ sub: 'anna' });
        const feed = (await http.get('/chat/feed?limit=500', { token: staff })).as(feedResponseSchema);
        expect(JSON.stringify(feed.events)).toContain('m3');
        // A query may hold a token, and so no log has one.
        expect(proxy.logs()).not.toContain(streamSignature(session, expires));
      } finally {
        http.close();
        direct.close();
        await proxy.stop();
      }
    },
    240_000,
  );
});
