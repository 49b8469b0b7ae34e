import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { createServer, request, type IncomingMessage, type Server } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import WebSocket, { WebSocketServer } from 'ws';
import type { ManagedServer } from '../managed-server.ts';
import { startNginx } from '../nginx.ts';
import { freePort } from '../ports.ts';
import { tempFolder } from '../temp-folder.ts';
import { type EdgeRoutes, startCaddyEdge } from './caddy-edge.ts';
import { chatSite } from './nginx-template.ts';

const ROOT = fileURLToPath(new URL('../../../../', import.meta.url));

interface Answer {
  status: number;
  headers: IncomingMessage['headers'];
  body: string;
}

/** fetch() would normalise the path before sending it; this sends it unchanged. */
function get(
  origin: string,
  path: string,
  init: { method?: string; headers?: Record<string, string>; body?: string } = {},
): Promise<Answer> {
  const { hostname, port } = new URL(origin);
  return new Promise((resolve, reject) => {
    const call = request(
      { hostname, port, path, method: init.method ?? 'GET', headers: init.headers ?? {} },
      (response) => {
        let body = '';
        response.setEncoding('utf8');
        response.on('data', (chunk: string) => {
          body += chunk;
        });
        response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body }));
      },
    );
    call.on('error', reject);
    call.end(init.body);
  });
}

/** Replaces a service and reports which one was reached, with what. */
async function upstream(name: string): Promise<{ server: Server; address: string }> {
  const port = await freePort();
  const server = createServer((incoming, response) => {
    let size = 0;
    incoming.on('data', (chunk: Buffer) => {
      size += chunk.length;
    });
    incoming.on('end', () =>
      response.end(JSON.stringify({ name, url: incoming.url, headers: incoming.headers, size })),
    );
  });
  const sockets = new WebSocketServer({ server });
  sockets.on('connection', (socket, incoming) => socket.send(JSON.stringify({ name, headers: incoming.headers })));
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return { server, address: `127.0.0.1:${port}` };
}

const EDGES: Readonly<Record<string, (routes: EdgeRoutes) => Promise<ManagedServer>>> = {
  nginx: (routes) => startNginx({ http: ({ port }) => chatSite(ROOT, { ...routes, listen: `127.0.0.1:${port}` }) }),
  caddy: (routes) => startCaddyEdge(ROOT, routes),
};

/** Contains characters that a server's own configuration language could interpret. */
const OPERATOR_SITE = {
  paths: { reply: '/api/dialog/{id}/answer', close: '/api/{id}/close' },
  request: { body: 'text' },
  headers: { 'X-Site': `$host {$PATH} it's "quoted" \\ \u00e9` },
};

describe.each(Object.entries(EDGES))('the edge of %s', (name, start) => {
  let edge: ManagedServer;
  const earlier = tempFolder('earlier-pages');
  /** What an image does before its edge starts, with the pages built here or those of an earlier image. */
  const keepPages = (...site: string[]): void => {
    execFileSync(process.execPath, [`${ROOT}apps/standalone/dist/keep-pages.js`, earlier, ...site]);
  };
  let upstreams: Record<'auth' | 'chat' | 'bot' | 'gateway1' | 'gateway2', { server: Server; address: string }>;
  beforeAll(async () => {
    upstreams = {
      auth: await upstream('auth'),
      chat: await upstream('chat'),
      bot: await upstream('bot'),
      gateway1: await upstream('gateway'),
      gateway2: await upstream('gateway'),
    };
    edge = await start({
      authService: upstreams.auth.address,
      chatService: upstreams.chat.address,
      telegramBot: upstreams.bot.address,
      gateways: [upstreams.gateway1.address, upstreams.gateway2.address],
      staticRoot: `${ROOT}dist/site`,
      earlierRoot: earlier,
      operatorTokenUrl: 'https://shop.example/token?for=chat',
      operatorLoginUrl: "https://shop.example/login?a=$x'",
      operatorReturnParam: 'redirect_to',
      operatorSite: JSON.stringify(OPERATOR_SITE),
    });
  });
  afterAll(async () => {
    await edge.stop();
    for (const { server } of Object.values(upstreams)) server.close();
  });

  it.each([
    ['/auth/login', 'auth'],
    ['/.well-known/jwks.json', 'auth'],
    ['/chat/config', 'chat'],
    ['/chat/session/12/messages?limit=5', 'chat'],
    ['/chat/session/12/attachments', 'chat'],
    ['/chat/session/12/stream-link', 'chat'],
    ['/chat/12/stream?sig=x', 'gateway'],
    ['/channel/poll?session=1', 'gateway'],
    ['/channel/sse', 'gateway'],
    ['/telegram/webhook', 'bot'],
  ])('routes %s to %s, including the query', async (path, name) => {
    const answer = await get(edge.url, path);
    expect(answer.status).toBe(200);
    expect(JSON.parse(answer.body)).toMatchObject({ name, url: path });
  });

  it.each([
    ...[
      '/internal/catchup',
      '//internal/catchup',
      '/internal%2fcatchup',
      '/chat/../internal/acks',
      '/chat/%2e%2e/internal/acks',
    ],
    ...['/chat/..%2finternal/acks', '/metrics', '//metrics', '/metrics/', '/auth/../metrics', '/healthz', '/readyz'],
    ...['/telegram/webhook/', '/telegram/other', '/.well-known/other', '/auth', '/chat', '/channel'],
  ])('answers %s with the 404 of the contract', async (path) => {
    for (const method of ['GET', 'HEAD', 'POST']) {
      const answer = await get(edge.url, path, { method });
      expect(answer.body, `${method} ${path}`).not.toContain('"name"');
      if (method === 'POST' && answer.status === 405) continue;
      expect(answer.status, `${method} ${path}`).toBe(404);
      if (method === 'GET') expect(JSON.parse(answer.body)).toMatchObject({ error: { code: 'not_found' } });
    }
  });

  it('serves the files of an earlier image beside its own, and names missing ones', async () => {
    const before = tempFolder('image-before');
    for (const place of ['widget/v1', 'operator']) {
      mkdirSync(join(before, place, 'assets'), { recursive: true });
      writeFileSync(join(before, place, 'assets/panel-of-before.js'), `/* ${place} */`);
      writeFileSync(
        join(before, place, 'builds.json'),
        JSON.stringify([{ at: '2026-01-01T00:00:00Z', files: ['panel-of-before.js'] }]),
      );
    }
    keepPages(before);
    keepPages();
    for (const place of ['widget/v1', 'operator']) {
      const assets = `/${place}/assets`;
      const old = await get(edge.url, `${assets}/panel-of-before.js`);
      expect([old.status, old.body]).toEqual([200, `/* ${place} */`]);
      expect(old.headers['cache-control']).toContain('immutable');
      expect(old.headers['access-control-allow-origin']).toBe(place === 'operator' ? undefined : '*');
      const [own = ''] = readdirSync(`${ROOT}dist/site${assets}`).filter((file) => file.endsWith('.js'));
      const current = await get(edge.url, `${assets}/${own}`);
      expect(current.status).toBe(200);
      expect(current.headers['cache-control']).toContain('immutable');
      expect(readdirSync(join(earlier, assets))).toContain(own);
      const missing = await get(edge.url, `${assets}/panel-of-never.js`);
      expect(missing.status).toBe(404);
      expect(missing.headers['cache-control'] ?? '').not.toContain('immutable');
      expect(JSON.parse(missing.body)).toMatchObject({ error: { code: 'not_found' } });
    }
    expect((await get(edge.url, '/widget/v1/loader.js')).headers['cache-control']).toBe('no-cache');
  });

  it('serves the static pages', async () => {
    for (const path of ['/', '/operator/']) {
      const answer = await get(edge.url, path);
      expect(answer.status).toBe(200);
      expect(answer.headers['content-type']).toMatch(/^text\/html(?:; charset=utf-8)?$/);
    }
  });

  it("lets only its own origin frame the console, and gives it the site's sign-in", async () => {
    const policy = (await get(edge.url, '/operator/')).headers['content-security-policy'];
    expect(policy).toMatch(/^default-src 'none'; script-src 'self';.*; frame-ancestors 'self'$/);
    expect(policy).toContain("connect-src 'self' ws: wss: https://shop.example;");
    expect((await get(edge.url, '/')).headers['content-security-policy']).toMatch(/; frame-ancestors 'none'$/);
    const signIn = await get(edge.url, '/operator/sign-in.json');
    expect(signIn.headers['content-type']).toBe('application/json');
    expect(JSON.parse(signIn.body)).toEqual({
      token_url: 'https://shop.example/token?for=chat',
      login_url: "https://shop.example/login?a=$x'",
      return_param: 'redirect_to',
      site: OPERATOR_SITE,
    });
  });

  it.each(['/chat/config', '/auth/me', '/channel/poll?session=1', '/channel/sse?session=1', '/chat/1/stream?sig=x'])(
    "replaces what a client claims about its address and keeps the browser's Host: %s",
    async (path) => {
      const headers = { 'X-Forwarded-For': '6.6.6.6', 'X-Forwarded-Proto': 'https' };
      const answer = await get(edge.url, path, { headers });
      const seen = (JSON.parse(answer.body) as { headers: Record<string, string> }).headers;
      expect(seen).toMatchObject({
        'x-forwarded-for': '127.0.0.1',
        'x-forwarded-proto': 'http',
        host: `127.0.0.1:${edge.port}`,
      });
      expect(seen['x-request-id']).toMatch(/^[0-9a-f-]{32,36}$/);
    },
  );

  it('accepts bodies of 10 MB only for attachments and mails', async () => {
    const body = 'x'.repeat(10 * 1024 * 1024 + 1);
    const attachment = await get(edge.url, '/chat/session/1/attachments', { method: 'POST', body });
    expect(JSON.parse(attachment.body)).toMatchObject({ size: body.length });
    const message = await get(edge.url, '/chat/session/1/messages', { method: 'POST', body });
    expect(message.status).toBe(413);
    // A mail with its attachments, from any provider.
    for (const from of ['', '/mailgun', '/postmark', '/ses'])
      expect((await get(edge.url, `/chat/mail/inbound${from}`, { method: 'POST', body })).status, from).toBe(200);
    expect(JSON.parse(message.body)).toMatchObject({ error: { code: 'payload_too_large' } });
  });

  it('answers a malformed request itself, and passes nothing on', async () => {
    const text = await new Promise<string>((resolve, reject) => {
      const socket = connect(edge.port, '127.0.0.1');
      let answer = '';
      socket.setEncoding('utf8');
      socket.on('data', (chunk: string) => {
        answer += chunk;
      });
      socket.on('error', reject);
      socket.on('close', () => resolve(answer));
      socket.write('GET /chat/config HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n');
    });
    expect(text).toContain('400 Bad Request');
    // Caddy refuses it before it applies any configuration, in plain text.
    if (name === 'nginx') expect(text).toContain('"malformed_request"');
  });

  it('answers an overlong address in the same way', async () => {
    const answer = await get(edge.url, `/chat/config?${'x'.repeat(40_000)}`);
    expect(answer.status).toBe(name === 'nginx' ? 400 : 431);
    if (name === 'nginx') expect(JSON.parse(answer.body)).toMatchObject({ error: { code: 'malformed_request' } });
  });

  it('upgrades WebSockets, and uses the other gateway if one is unavailable', async () => {
    const hello = (): Promise<unknown> =>
      new Promise((resolve, reject) => {
        const socket = new WebSocket(`ws://127.0.0.1:${edge.port}/channel/ws?session=1`);
        socket.once('message', (data: Buffer) => {
          resolve(JSON.parse(data.toString()));
          socket.close();
        });
        socket.once('error', reject);
      });
    const headers = { host: `127.0.0.1:${edge.port}`, 'x-forwarded-for': '127.0.0.1', 'x-forwarded-proto': 'http' };
    expect(await hello()).toMatchObject({ name: 'gateway', headers });
    upstreams.gateway1.server.closeAllConnections();
    await new Promise((resolve) => upstreams.gateway1.server.close(resolve));
    for (let index = 0; index < 5; index += 1) expect(await hello()).toMatchObject({ name: 'gateway' });
    upstreams.gateway2.server.closeAllConnections();
    await new Promise((resolve) => upstreams.gateway2.server.close(resolve));
  });

  it('answers an EventSource inside a stream if no gateway is available, and everyone else with 503', async () => {
    // All at once, since each is answered only after the edge has tried for some seconds.
    const [poll, ...streams] = await Promise.all(
      ['/channel/poll?session=1', '/channel/sse?session=1', '/chat/1/stream?sig=x'].map((path) => get(edge.url, path)),
    );
    for (const answer of streams) {
      expect(answer.status).toBe(200);
      expect(answer.headers['content-type']).toBe('text/event-stream');
      expect(answer.body).toMatch(/^retry: 2000\ndata: \{"type":"channel.closed","data":\{"code":1013,.*\}\}\n\n$/);
    }
    if (poll === undefined) throw new Error('the poll has no answer');
    expect(poll.status).toBe(503);
    expect(poll.headers['retry-after']).toBe('1');
    expect(JSON.parse(poll.body)).toMatchObject({ error: { code: 'unavailable' } });
  });
});
