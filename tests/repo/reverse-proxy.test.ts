import { join } from 'node:path';
import { createSessionResponseSchema } from '@chat-realtime/protocol';
import { freePort, HttpClient, SERVICE_FLAGS, startNginx, startProcess, tempFolder } from '@chat-realtime/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import WebSocket from 'ws';
import { chatSite } from '../../libs/testkit/src/stack/nginx-template.ts';
import { blockOf, blocksOf, PROXIES, PROXY_GUIDES, START_PROXY, startNginxOf } from '../support/proxies.ts';

const ROOT = new URL('../../', import.meta.url).pathname;
const MAIN = join(ROOT, 'apps/standalone/dist/main.js');
const NEW_SESSIONS = 3;

/** A visitor of chat.example: a browser says so in `Host`, whatever the address behind the name is. */
const VISITOR = { host: 'chat.example', origin: 'https://chat.example' };

describe('the guide to reverse proxies', () => {
  let chatPort: number;
  let chat: Awaited<ReturnType<typeof startProcess>>;
  beforeAll(async () => {
    chatPort = await freePort();
    chat = await startProcess({
      name: 'standalone behind a proxy',
      args: [...SERVICE_FLAGS, MAIN],
      env: {
        HOST: '127.0.0.1',
        PORT: String(chatPort),
        DATA_DIR: tempFolder('behind-proxy'),
        TRUSTED_PROXIES: '127.0.0.1',
        ALLOWED_ORIGINS: 'https://shop.example,https://www.shop.example',
        RATE_SESSIONS_PER_MINUTE: String(NEW_SESSIONS),
      },
      ready: `http://127.0.0.1:${chatPort}/readyz`,
      readyTimeoutMs: 90_000,
    });
  });
  afterAll(() => chat.stop());

  it('has the same blocks in both languages', async () => {
    for (const name of PROXIES)
      expect(await blocksOf(PROXY_GUIDES[1], name)).toEqual(await blocksOf(PROXY_GUIDES[0], name));
  });

  let visitors = 10;
  it.each(PROXIES)(
    '[ORI2] [RATE7] the block of %s works as it is written',
    async (name) => {
      const proxy = await START_PROXY[name](await blockOf(PROXY_GUIDES[0], name), chatPort);
      // Each proxy has visitors of its own, as all of 127/8 is this machine.
      visitors += 2;
      const [first, second] = [`127.0.0.${visitors}`, `127.0.0.${visitors + 1}`];
      const http = new HttpClient(proxy.url, { localAddress: first });
      const other = new HttpClient(proxy.url, { localAddress: second });
      try {
        // The chat's own page is no foreign one: Host arrived.
        const begun = await http.post('/chat/session', { json: {}, headers: VISITOR });
        const { session, token } = begun.as(createSessionResponseSchema, 201);
        const foreign = { ...VISITOR, origin: 'https://evil.example' };
        expect((await http.post('/chat/session', { json: {}, headers: foreign })).status).toBe(403);

        const frames = await new Promise<string[]>((resolve, reject) => {
          const heard: string[] = [];
          const address = `${proxy.url.replace('http', 'ws')}/channel/ws?session=${session.id}`;
          const socket = new WebSocket(address, ['chat.v1', `bearer.${token}`], { headers: VISITOR });
          socket.once('error', reject);
          socket.on('message', (data) => {
            heard.push(String(data));
            socket.close();
            resolve(heard);
          });
        });
        expect(frames[0]).toContain('channel.ready');

        // An event goes out as it comes: not kept until a buffer is full.
        const stream = new AbortController();
        const events = await fetch(`${proxy.url}/channel/sse?session=${session.id}`, {
          headers: { authorization: `Bearer ${token}` },
          signal: stream.signal,
        });
        const reader = events.body?.getReader();
        const head = new TextDecoder().decode((await reader?.read())?.value);
        expect(events.headers.get('content-type')).toContain('text/event-stream');
        expect(head).toContain('retry:');
        stream.abort();

        const file = Buffer.alloc(10 * 1024 * 1024 - 1, 0x61);
        const headers = { ...VISITOR, 'X-File-Name': 'ten.bin' };
        const path = `/chat/session/${session.id}/attachments`;
        expect((await http.post(path, { raw: file, token, headers })).status).toBe(201);

        // Visitors count each for themself, whatever they claim.
        const claim = { ...VISITOR, 'x-forwarded-for': '203.0.113.1' };
        const statuses: number[] = [];
        for (let count = 1; count <= NEW_SESSIONS; count += 1)
          statuses.push((await http.post('/chat/session', { json: {}, headers: claim })).status);
        expect(statuses).toEqual([201, 201, 429]);
        expect((await other.post('/chat/session', { json: {}, headers: VISITOR })).status).toBe(201);

        for (const closed of ['/try/', '/metrics'])
          expect((await http.get(closed, { headers: VISITOR })).status).toBe(404);
      } finally {
        http.close();
        other.close();
        await proxy.stop();
      }
    },
    60_000,
  );

  it('[ORI20] [RATE20] a proxy without the needed headers gets errors that name the fix', async () => {
    const spoiled = await startNginx({
      http: ({ port }) => `server { listen 127.0.0.1:${port};
        location / { proxy_pass http://127.0.0.1:${chatPort}; proxy_http_version 1.1; } }`,
    });
    const http = new HttpClient(spoiled.url);
    try {
      const answer = await http.post('/chat/session', { json: {}, headers: VISITOR });
      expect(answer.status).toBe(403);
      expect(answer.text).toContain('docs/guides/reverse-proxy.md');
    } finally {
      http.close();
      await spoiled.stop();
    }
  });

  it('[RATE7] the nginx of the stack trusts the address from the proxy in front of it, and from nobody else', async () => {
    const seen = await startNginx({
      http: ({ port }) => `server { listen 127.0.0.1:${port}; location / { return 200 $http_x_forwarded_for; } }`,
    });
    const upstream = new URL(seen.url).host;
    const site = (outerProxies: string[]) =>
      startNginx({
        http: ({ port }) =>
          chatSite(ROOT, {
            listen: `127.0.0.1:${port}`,
            authService: upstream,
            chatService: upstream,
            gateways: [upstream],
            staticRoot: join(ROOT, 'dist/site'),
            outerProxies,
          }),
      });
    const [alone, inner] = await Promise.all([site([]), site(['127.0.0.1'])]);
    const outer = await startNginxOf(await blockOf(PROXY_GUIDES[0], 'nginx'), inner.port);
    const asked = async (url: string): Promise<string> => {
      const http = new HttpClient(url, { localAddress: '127.0.0.9' });
      const answer = await http.get('/chat/config', { headers: { 'x-forwarded-for': '203.0.113.1' } });
      http.close();
      return answer.text;
    };
    try {
      expect(await asked(alone.url)).toBe('127.0.0.9');
      expect(await asked(outer.url)).toBe('127.0.0.9');
      expect(await asked(inner.url)).toBe('127.0.0.9');
    } finally {
      await Promise.all([outer.stop(), alone.stop(), inner.stop(), seen.stop()]);
    }
  }, 30_000);
});
