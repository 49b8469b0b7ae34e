import { channelReadyDataSchema, customerStateSchema } from '@chat-realtime/protocol';
import {
  type Customer,
  rawHttp,
  statusOf,
  UpgradeRefused,
  WebSocketClient,
  type WebSocketOptions,
} from '@chat-realtime/testkit';
import { beforeAll, describe, expect, test } from 'vitest';
import { useChat } from '../../support/chat.ts';
import { channelToken } from '../../support/tokens.ts';

const chat = await useChat('main');
let customer: Customer;
beforeAll(async () => {
  customer = await chat.customer();
});

async function refusal(options: WebSocketOptions): Promise<UpgradeRefused> {
  const outcome: unknown = await WebSocketClient.open(chat.baseUrl, options).catch((error: unknown) => error);
  if (outcome instanceof UpgradeRefused) return outcome;
  throw new Error(`expected a refusal before the upgrade, got ${String(outcome)}`);
}

describe('three ways to authenticate', () => {
  test('[WS1] [WS8] in the query', async () => {
    const client = await chat.webSocket({ query: { session: customer.sessionId, token: customer.token } });
    const ready = await client.ready();
    expect(client.frames[0]).toBe(ready);
    const data = channelReadyDataSchema.parse(ready.data);
    const { last_seq } = await customer.session();
    expect(data).toMatchObject({ session_id: customer.sessionId, from_seq: last_seq, last_seq, ping_interval: 30 });
    expect(customerStateSchema.parse(data.state).operators_online).toBeGreaterThanOrEqual(0);
    expect(data.epoch).not.toBe('');
    expect(data.connection_id).not.toBe('');
    expect(Date.parse(data.expires_at)).toBe((Number(customer.token.split('.')[1]) + 86_400) * 1_000);
    expect(data.user_id).toBeUndefined();
  });

  test('[WS3] in the subprotocols; the server selects chat.v1 and does not echo the token', async () => {
    const client = await chat.channel(customer);
    expect(client.socket.protocol).toBe('chat.v1');
    for (const protocols of [
      [`bearer.${customer.token}`, 'chat.v1'],
      ['other.v9', 'chat.v1', `bearer.${customer.token}`],
    ]) {
      const other = await chat.webSocket({ query: { session: customer.sessionId }, protocols });
      await other.ready();
      expect(other.socket.protocol).toBe('chat.v1');
    }
  });

  test('[WS4] in a first frame', async () => {
    const client = await chat.webSocket();
    client.send({ type: 'auth', session_id: customer.sessionId, token: customer.token, last_seq: 0 });
    const ready = await client.ready();
    expect(ready.data).toMatchObject({ session_id: customer.sessionId, from_seq: 0 });
    await client.waitFor((frame) => frame.seq === 1);
  });

  test('[WS4] [WS3] a first frame with the subprotocol chat.v1 alone', async () => {
    const client = await chat.webSocket({ protocols: ['chat.v1'] });
    expect(client.socket.protocol).toBe('chat.v1');
    client.send({ type: 'auth', session_id: customer.sessionId, token: customer.token });
    await client.ready();
  });

  test('[WS2] [STF2] staff: query, subprotocol and first frame', async () => {
    const anna = await chat.staff('anna');
    const query = await chat.webSocket({ query: { type: 'staff', access_token: anna.token } });
    const protocol = await chat.staffChannel(anna);
    const first = await chat.webSocket();
    first.send({ type: 'auth', access_token: anna.token });
    for (const client of [query, protocol, first]) {
      const data = channelReadyDataSchema.parse((await client.ready()).data);
      expect(data).toMatchObject({ user_id: anna.userId, from_seq: null, last_seq: null });
      expect(data.cursor).toMatch(/^\d+$/);
      expect(data.session_id).toBeUndefined();
    }
  });

  test('[WS8] connection ids differ, the epoch is the same', async () => {
    const [one, two] = [await (await chat.channel(customer)).ready(), await (await chat.channel(customer)).ready()];
    expect(one.data['connection_id']).not.toBe(two.data['connection_id']);
    expect(one.data['epoch']).toBe(two.data['epoch']);
  });
});

describe('refusals', () => {
  test('[WS5] [WS6] no token at all: 401 before the upgrade', async () => {
    const { sessionId, token } = customer;
    for (const options of [
      { query: { session: sessionId } },
      { query: { session: sessionId, token: '' } },
      { query: { type: 'staff' } },
      { query: { type: 'staff', access_token: '' } },
      { query: { session: sessionId }, protocols: ['chat.v1'] },
      { query: { session: sessionId, last_seq: 3 } },
      { protocols: ['chat.v1', `bearer.${token}`] },
    ]) {
      const refused = await refusal(options);
      expect(refused.status, JSON.stringify(options)).toBe(401);
      expect(refused.body).toContain('"code":"missing_credentials"');
    }
  });

  test('[WS6] [ORI5] a foreign Origin: 403 before the upgrade, with the first-frame way too', async () => {
    for (const origin of ['https://evil.example', 'null']) {
      expect((await refusal({ headers: { Origin: origin } })).status).toBe(403);
      const good = { session: customer.sessionId, token: customer.token };
      expect((await refusal({ query: good, headers: { Origin: origin } })).status).toBe(403);
    }
  });

  test('[WS6] [CLS3] a request with any token is upgraded, and refused by a close code with a reason', async () => {
    const other = await chat.customer();
    for (const [token, code] of [
      ['garbage', 4501],
      [other.token, 4501],
      [channelToken(customer.sessionId, 1), 4401],
    ] as const) {
      const client = await chat.webSocket({ query: { session: customer.sessionId, token } });
      const event = await client.closed();
      expect(event.code).toBe(code);
      expect(event.reason).not.toBe('');
      expect(client.frames.filter((frame) => frame.type !== 'error')).toEqual([]);
    }
  });

  test('[WS7] [INT3] a session that does not exist with a well-signed token: 4504', async () => {
    const client = await chat.webSocket({ query: { session: 999_999_999, token: channelToken(999_999_999) } });
    expect((await client.closed()).code).toBe(4504);
  });

  test.each(['abc', '-1', '0', '1.5', '9007199254740992', '1e3', "1'", ' 1'])(
    '[WS15] session=%s with a token: 4501',
    async (session) => {
      const client = await chat.webSocket({ query: { session, token: customer.token } });
      expect((await client.closed()).code).toBe(4501);
    },
  );

  test('[WS6] a handshake that does not follow RFC 6455 gets 400 or 426', async () => {
    const { host } = new URL(chat.baseUrl);
    const head = `GET /channel/ws?session=${customer.sessionId}&token=${customer.token} HTTP/1.1\r\nHost: ${host}\r\n`;
    const upgrade = 'Upgrade: websocket\r\nConnection: Upgrade\r\n';
    const key = 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n';
    const version8 = await rawHttp(chat.baseUrl, `${head}${upgrade}${key}Sec-WebSocket-Version: 8\r\n\r\n`);
    expect(statusOf(version8)).toBe(426);
    expect(version8.toLowerCase()).toContain('sec-websocket-version: 13');
    for (const headers of [
      `${upgrade}Sec-WebSocket-Version: 13\r\n\r\n`,
      `${upgrade}Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: c2hvcnQ=\r\n\r\n`,
    ]) {
      expect(statusOf(await rawHttp(chat.baseUrl, head + headers))).toBe(400);
    }
    const post = head.replace('GET', 'POST') + `${upgrade}${key}Sec-WebSocket-Version: 13\r\nContent-Length: 0\r\n\r\n`;
    expect([400, 404, 405]).toContain(statusOf(await rawHttp(chat.baseUrl, post)));
    const plain = await chat.http.get(`/channel/ws?session=${customer.sessionId}&token=${customer.token}`);
    expect([plain.status, plain.json()]).toMatchObject([426, { error: { code: 'upgrade_required' } }]);
    // One behind a proxy comes from the proxy, which may keep its own `Upgrade` to itself.
    if (chat.kind === 'standalone') expect(plain.header('upgrade')).toBe('websocket');
    expect((await chat.http.get('/channel/ws')).status).toBe(426);
  });

  test('[WS6] HTTP/1.0, a missing Host and two of them are refused', async () => {
    const { host } = new URL(chat.baseUrl);
    const path = `/channel/ws?session=${customer.sessionId}&token=${customer.token}`;
    const rest =
      'Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n';
    for (const head of [
      `GET ${path} HTTP/1.0\r\nHost: ${host}\r\n`,
      `GET ${path} HTTP/1.1\r\n`,
      `GET ${path} HTTP/1.1\r\nHost: ${host}\r\nHost: ${host}\r\n`,
      `GET ${path} HTTP/1.1\r\nHost: ${host}\r\nhost: evil.example\r\n`,
    ]) {
      // A proxy speaks HTTP/1.1 and one Host to the gateway, whatever it was given.
      const expected = chat.kind === 'standalone' ? [400] : [101, 400];
      expect(expected, head).toContain(statusOf(await rawHttp(chat.baseUrl, head + rest, 1_000)));
    }
  });

  test('[WS6] [ERR17] hostile handshake headers are survived quickly', async () => {
    const { host } = new URL(chat.baseUrl);
    const base = `GET /channel/ws?session=${customer.sessionId}&token=${customer.token} HTTP/1.1\r\nHost: ${host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n`;
    for (const line of [
      `Sec-WebSocket-Protocol: b${' '.repeat(12_000)}x`,
      'Sec-WebSocket-Protocol: ,,,',
      'Sec-WebSocket-Protocol: chat.v1, chat.v1',
      'Sec-WebSocket-Extensions: constructor',
      'Sec-WebSocket-Extensions: permessage-deflate; __proto__=1',
      'Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=99999999',
      `Sec-WebSocket-Extensions: ${'a;'.repeat(5_000)}`,
    ]) {
      const start = performance.now();
      const response = await rawHttp(chat.baseUrl, `${base}${line}\r\n\r\n`, 1_000);
      expect([101, 400, 401, 431, 503], line.slice(0, 60)).toContain(statusOf(response));
      expect(response.toLowerCase()).not.toContain('permessage-deflate');
      expect(performance.now() - start).toBeLessThan(2_000);
    }
    expect((await chat.http.get('/chat/config')).status).toBe(200);
  });

  test('[ERR14] upgrades on other paths or in disguise never open a channel without credentials', async () => {
    for (const path of [
      '/',
      '/chat/session/1',
      '/channel',
      '/channel/ws/',
      '//channel/ws',
      '/channel//ws',
      '/CHANNEL/WS',
      '/%63hannel/ws',
      '/channel/sse',
      '/internal/catchup',
    ]) {
      const outcome: unknown = await WebSocketClient.open(chat.baseUrl, {
        path,
        query: { session: customer.sessionId, type: 'staff' },
        timeoutMs: 3_000,
      }).catch((error: unknown) => error);
      expect(outcome, path).toBeInstanceOf(Error);
    }
  });

  test('[WS13] permessage-deflate is not negotiated', async () => {
    const client = await chat.channel(customer);
    expect(client.socket.extensions).toBe('');
  });
});
