// The Caddyfile of deploy/ in front of the real services: pages, REST, WebSocket, SSE, long poll, files, mail, with TLS for a name. About three minutes.
import { createHmac, randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { request as ask } from 'node:https';
import { fileURLToPath } from 'node:url';
import { mailInboundResponseSchema } from '@chat-realtime/protocol';
import {
  Customer,
  HttpClient,
  PollClient,
  SseClient,
  startStack,
  Staff,
  WebSocketClient,
} from '@chat-realtime/testkit';
import type { Stack } from '@chat-realtime/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import WebSocket from 'ws';
import { type CaddyEdge, type EdgeRoutes, startCaddyEdge } from '../../libs/testkit/src/stack/caddy-edge.ts';
import { useBrowser } from '../browser/browser.ts';
import { ConsolePage } from '../browser/console-page.ts';
import { WidgetPage } from '../browser/widget-page.ts';
import { SECRETS } from '../support/profiles.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
/** Ends in a way for which Caddy asks its own authority, as for `localhost` in the compose file. */
const DOMAIN = 'chat.localhost';
const MAIL_SECRET = 'a secret of the mail webhook';
const [HELD_SECONDS, IDLE_MS] = [25, 80_000];

let stack: Stack;
let edge: CaddyEdge;
let tls: CaddyEdge;
/** Ended in the order in which they stand here. */
const started: { stop(): Promise<unknown> }[] = [];
let http: HttpClient;
beforeAll(async () => {
  stack = await startStack({
    gateways: 2,
    env: {
      OPERATOR_PASSWORD: SECRETS.operatorPassword,
      MAIL_FROM: 'Shop <support@shop.example>',
      MAIL_INBOUND_SECRET: MAIL_SECRET,
      MAIL_INBOUND_MAILGUN_KEY: 'a signing key of a provider',
      MAIL_INBOUND_POSTMARK_LOGIN: 'postmark:a-password-of-a-provider',
      MAIL_INBOUND_SES_TOPIC: 'arn:aws:sns:eu-central-1:123456789012:chat',
      CHAT_SCHEDULE: '',
    },
  });
  started.push(stack);
  const at = (address: string): string => new URL(address).host;
  const routes: EdgeRoutes = {
    authService: at(stack.addresses.auth),
    chatService: at(stack.addresses.chat),
    gateways: stack.addresses.gateways.map(at),
    staticRoot: `${ROOT}dist/site`,
  };
  edge = await startCaddyEdge(ROOT, routes);
  started.unshift(edge);
  tls = await startCaddyEdge(ROOT, routes, { domain: DOMAIN });
  started.unshift(tls);
  http = new HttpClient(edge.url);
}, 200_000);
afterAll(async () => {
  for (const part of started) await part.stop();
});

/** A name that no resolver knows leads to loopback. */
const trusting = (path: string) => ({
  host: '127.0.0.1',
  port: tls.port,
  path,
  servername: DOMAIN,
  ca: readFileSync(tls.authority),
  headers: { Host: `${DOMAIN}:${tls.port}` },
});
function secured(path: string, headers: Record<string, string> = {}): Promise<IncomingMessage> {
  const options = trusting(path);
  return new Promise((resolve, reject) => {
    ask({ ...options, headers: { ...options.headers, ...headers } }, resolve)
      .once('error', reject)
      .end();
  });
}

describe('Caddy before the real services', () => {
  it.each([
    ['/', 'text/html'],
    ['/operator/', 'text/html'],
    ['/operator/sign-in.json', 'application/json'],
    ['/widget/v1/loader.js', 'text/javascript'],
    ['/docs/', 'text/html'],
    ['/docs/infra/runbook.html', 'text/html'],
    ['/docs/assets/docs.css', 'text/css'],
    ['/docs/protocol/openapi.json', 'application/json'],
    ['/chat/config', 'application/json'],
    ['/.well-known/jwks.json', 'application/json'],
  ])('answers %s', async (path, type) => {
    const answer = await http.get(path);
    expect([path, answer.status]).toEqual([path, 200]);
    expect(answer.header('content-type')).toContain(type);
  });

  it.each(['/try/', '/metrics', '/healthz', '/readyz', '/internal/catchup', '/chat', '/auth', '/channel'])(
    'lets nobody at %s',
    async (path) => {
      const answer = await http.get(path);
      expect([path, answer.status]).toEqual([path, 404]);
      expect(answer.json()).toMatchObject({ error: { code: 'not_found' } });
    },
  );

  it('passes on each service’s own answers: sign-in, refusals, the intake, an unavailable bot', async () => {
    const staff = await Staff.login(http, 'anna', SECRETS.operatorPassword);
    expect((await staff.alerts()).unread_count).toBeGreaterThanOrEqual(0);
    expect((await http.post('/auth/login', { json: { login: 'anna', password: 'no' } })).status).toBe(401);
    expect((await http.post('/intake/events', { json: {} })).json()).toMatchObject({
      error: { code: expect.any(String) },
    });
    const bot = await http.post('/telegram/webhook', { json: {} });
    expect([bot.status, bot.json()]).toEqual([503, { error: expect.objectContaining({ code: 'unavailable' }) }]);
  });

  it('sends an event of a stream at once, on both routes of a stream', async () => {
    const customer = await Customer.create(http);
    const link = new URL((await customer.streamLink()).url, edge.url);
    const ways = [
      { path: `/channel/sse?session=${customer.sessionId}&last_seq=0`, token: customer.token },
      { path: `${link.pathname}${link.search}&last_seq=0` },
    ];
    for (const { path, ...who } of ways) {
      const from = performance.now();
      const stream = await SseClient.ready(edge.url, path, who);
      expect(performance.now() - from, path).toBeLessThan(1_000);
      const { id } = await customer.post('Hello');
      const posted = performance.now();
      await stream.waitFor((frame) => frame.type === 'chat.message' && frame.data['id'] === id);
      expect(performance.now() - posted, path).toBeLessThan(1_000);
      stream.close();
    }
  });

  it('holds a poll for the requested time', async () => {
    const customer = await Customer.create(http);
    const { last_seq: head } = await customer.events();
    const poll = new PollClient(http, { session: customer.sessionId }, customer.token);
    const from = performance.now();
    const held = await poll.request({ last_seq: head, wait: HELD_SECONDS });
    expect(held.status).toBe(200);
    expect((performance.now() - from) / 1_000).toBeGreaterThan(HELD_SECONDS - 1);
    const waiting = poll.poll({ last_seq: head, wait: HELD_SECONDS });
    await customer.post('Now');
    expect((await waiting).events.map(({ type }) => type)).toContain('chat.message');
  });

  it('leaves an idle WebSocket open, and still delivers later events', { timeout: IDLE_MS + 30_000 }, async () => {
    const customer = await Customer.create(http);
    const client = await WebSocketClient.ready(edge.url, {
      query: { session: customer.sessionId, last_seq: 0 },
      protocols: ['chat.v1', `bearer.${customer.token}`],
    });
    await new Promise((resolve) => setTimeout(resolve, IDLE_MS));
    expect(client.closeEvent).toBeUndefined();
    // The server's pings, which keep it from being idle for whoever counts bytes.
    expect(client.pings.length).toBeGreaterThan(0);
    const { id } = await customer.post('Still there?');
    await client.waitFor((frame) => frame.type === 'chat.message' && frame.data['id'] === id);
    await client.close();
  });

  it('accepts a file of 10 MB and returns it, and refuses a message of that size', async () => {
    const customer = await Customer.create(http);
    const file = Buffer.alloc(10 * 1024 * 1024 - 1, 0x61);
    const attachment = await customer.uploaded('ten.bin', file);
    await customer.post('Here it is', { attachments: [attachment.id] });
    const { messages } = await customer.messages();
    const url = messages.at(-1)?.attachments[0]?.url;
    if (url === undefined) throw new Error('the attachment has no address');
    const { pathname, search } = new URL(url, edge.url);
    expect((await http.get(pathname + search)).body.equals(file)).toBe(true);
    const refused = await customer.request('POST', '/messages', { json: { body: 'x'.repeat(300 * 1024) } });
    expect([refused.status, refused.json()]).toEqual([
      413,
      { error: expect.objectContaining({ code: 'payload_too_large' }) },
    ]);
  });

  it('passes mail to the service, on every route for it, up to the size limit', async () => {
    const raw = [
      `Message-ID: <${randomUUID()}@mail.example>`,
      'From: somebody@mail.example',
      'To: support+c1-00000000000000000000@shop.example',
      '',
      `Hello${'.'.repeat(5 * 1024 * 1024)}`,
    ].join('\r\n');
    const at = Math.floor(Date.now() / 1_000);
    const digest = createHmac('sha256', MAIL_SECRET).update(`${at}.${raw}`).digest('hex');
    const answer = await http.post('/chat/mail/inbound', {
      raw,
      headers: { 'Content-Type': 'message/rfc822', 'X-Chat-Signature': `t=${at},v1=${digest}` },
    });
    expect(answer.as(mailInboundResponseSchema)).toEqual({ outcome: 'ignored', reason: 'unknown_address' });
    // Each answers in its own words that these are no credentials; the edge has none.
    for (const provider of ['mailgun', 'postmark', 'ses']) {
      const refused = await http.post(`/chat/mail/inbound/${provider}`, { json: {} });
      expect(refused.status, `${provider}: ${refused.text}`).toBeLessThan(500);
      expect(refused.status, `${provider}: ${refused.text}`).toBeGreaterThanOrEqual(400);
      expect(refused.text, provider).not.toContain('no such route');
    }
  });

  it('continues through the other gateway when one is killed', async () => {
    const [first] = stack.gateways;
    await first?.kill();
    try {
      for (let count = 0; count < 4; count += 1) {
        const customer = await Customer.create(http);
        const client = await WebSocketClient.ready(edge.url, {
          query: { session: customer.sessionId, last_seq: 0 },
          protocols: ['chat.v1', `bearer.${customer.token}`],
        });
        await client.close();
      }
    } finally {
      await first?.start();
    }
  });
});

describe('Caddy with its own certificate for a name', () => {
  const { open } = useBrowser({ args: [`--host-resolver-rules=MAP ${DOMAIN} 127.0.0.1`] });

  it('answers over TLS, and redirects plain HTTP there', async () => {
    const answer = await secured('/chat/config');
    expect(answer.statusCode).toBe(200);
    answer.resume();
    const plain = new HttpClient(tls.plainUrl.replace(DOMAIN, '127.0.0.1'));
    const led = await plain.get('/operator/', { headers: { Host: DOMAIN } });
    plain.close();
    // Without a port: which one Caddy listens on is its own affair, and to the outside HTTPS is at 443.
    expect([led.status, led.header('location')]).toEqual([308, `https://${DOMAIN}/operator/`]);
  });

  it('passes on WebSocket and the first event of a stream within a second', async () => {
    const customer = await Customer.create(http);
    const { host, port, path, ...options } = trusting(`/channel/ws?session=${customer.sessionId}&last_seq=0`);
    const socket = new WebSocket(`wss://${host}:${port}${path}`, ['chat.v1', `bearer.${customer.token}`], options);
    const frame = await new Promise<string>((resolve, reject) => {
      socket.once('message', (data: Buffer) => resolve(data.toString()));
      socket.once('error', reject);
    });
    expect(frame).toContain('channel.ready');
    socket.close();
    const from = performance.now();
    const stream = await secured(`/channel/sse?session=${customer.sessionId}&last_seq=0`, {
      Authorization: `Bearer ${customer.token}`,
    });
    const first = await new Promise<string>((resolve) =>
      stream.once('data', (data: Buffer) => resolve(data.toString())),
    );
    expect(performance.now() - from).toBeLessThan(1_000);
    expect(first).toContain('retry:');
    stream.destroy();
  });

  it('connects a visitor on the page with an operator in the console', async () => {
    const base = `https://${DOMAIN}:${tls.port}`;
    const [shop, desk] = [await open({ ignoreHTTPSErrors: true }), await open({ ignoreHTTPSErrors: true })];
    await shop.page.goto(`${base}/`);
    const widget = new WidgetPage(shop.page);
    await widget.open();
    await widget.say('Слышно ли меня через Caddy?');
    await widget.state('Слышно ли меня через Caddy?', 'отправлено');
    const id = await widget.sessionId();
    const console = new ConsolePage(desk.page, base);
    await console.signIn('anna');
    await console.openSession(id);
    await desk.page.getByText('Слышно ли меня через Caddy?').first().waitFor();
    await console.action('claim').first().click();
    await console.send('Слышно.');
    await widget.message('Слышно.').waitFor();
    expect([...shop.problems, ...desk.problems]).toEqual([]);
    const docs = await open({ ignoreHTTPSErrors: true });
    await docs.page.goto(`${base}/docs/infra/runbook.ru.html`);
    await docs.page.getByRole('heading', { level: 1 }).waitFor();
    await docs.page.locator('input[type=search]').fill('Redis');
    await docs.page.locator('#results li').first().waitFor();
    expect(docs.problems).toEqual([]);
  });
});
