import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  customerToken,
  type GatewayUnderTest,
  staffToken,
  startGateway,
  unixNow,
} from '../testing/gateway-under-test.ts';
import { eventually, range, SocketClient } from '../testing/socket-client.ts';

describe('WebSocket channel of a customer', () => {
  let under: GatewayUnderTest;
  const clients: SocketClient[] = [];
  let nextSession = 1;

  const session = (messages = 0): number => {
    const id = nextSession++;
    under.ledger.createSession(id);
    for (let index = 0; index < messages; index += 1) under.ledger.post(id, `message ${index}`);
    return id;
  };
  const open = (query: string, options: ConstructorParameters<typeof SocketClient>[1] = {}): SocketClient => {
    const client = new SocketClient(`${under.wsUrl}${query}`, options);
    clients.push(client);
    return client;
  };
  const customer = (id: number, more = ''): SocketClient => open(`?session=${id}&token=${customerToken(id)}${more}`);

  beforeAll(async () => {
    under = await startGateway();
  });
  afterAll(async () => {
    for (const client of clients) client.end();
    await under.close();
  });

  it('[WS1] [WS8] [WS14] begins with channel.ready and then carries live events', async () => {
    const id = session(2);
    const client = customer(id);
    const ready = await client.ready();
    expect(client.frames[0]).toBe(ready);
    expect(ready.data).toMatchObject({ session_id: id, from_seq: 3, last_seq: 3, epoch: 'epoch-1', ping_interval: 30 });
    expect(ready.data['state']).toMatchObject({
      client: { delivered_id: 0, read_id: 0 },
      staff: { delivered_id: 0, read_id: 0 },
    });
    under.ledger.post(id, 'live');
    await client.waitForSeq(4);
    expect(client.frames.at(-1)).toMatchObject({
      type: 'chat.message',
      session_id: id,
      seq: 4,
      data: { body: 'live' },
    });
  });

  it('[RES1] [RES3] sends every event after last_seq before any live event', async () => {
    const id = session(250);
    const client = customer(id, '&last_seq=0');
    under.ledger.post(id, 'while catching up');
    await client.waitForSeq(252);
    under.ledger.post(id, 'live');
    await client.waitForSeq(253);
    expect(client.seqs()).toEqual(range(1, 253));
    expect(client.frames[0]?.data).toMatchObject({ from_seq: 0 });
  });

  it('[RES6] fills a gap from chat-service', async () => {
    const id = session(1);
    const client = customer(id);
    await client.ready();
    under.ledger.fault = () => ({ copies: 0, delayMs: 0 });
    under.ledger.post(id, 'lost');
    under.ledger.healthy();
    under.ledger.post(id, 'seen');
    await client.waitForSeq(4);
    expect(client.seqs()).toEqual([3, 4]);
  });

  it('[RES4] answers an unreadable cursor, or one beyond the head, with a request to take a snapshot, and continues live', async () => {
    const id = session(1);
    for (const [cursor, reason] of [
      ['99', 'cursor_ahead'],
      ['-1', 'cursor_unknown'],
      ['1e309', 'cursor_unknown'],
      ['9223372036854775808', 'cursor_unknown'],
    ] as const) {
      const client = customer(id, `&last_seq=${cursor}`);
      const reset = await client.waitFor('channel.reset');
      expect(client.frames[0]).toMatchObject({ type: 'channel.ready', data: { from_seq: under.ledger.head(id) } });
      expect(reset.data).toEqual({ reason });
      const next = under.ledger.post(id, 'after the reset');
      await client.waitForSeq(next.seq);
      client.end();
    }
  });

  it('[WS3] takes the token from the subprotocols and never echoes it', async () => {
    const id = session();
    const client = open(`?session=${id}`, { protocols: ['chat.v1', `bearer.${customerToken(id)}`] });
    await client.ready();
    expect(client.socket.protocol).toBe('chat.v1');
  });

  it('[WS4] takes the token from the first frame', async () => {
    const id = session(3);
    const client = open('');
    await new Promise((resolve) => client.socket.once('open', resolve));
    client.send({ type: 'auth', session_id: id, token: customerToken(id), last_seq: 2 });
    await client.waitForSeq(4);
    expect(client.seqs()).toEqual([3, 4]);
  });

  it('[WS5] [WS6] answers 401 before the upgrade when there are no credentials', async () => {
    for (const query of ['?session=1', '?session=1&token=', '?type=staff', '?type=staff&access_token=']) {
      const client = open(query);
      await client.closed;
      expect([query, client.httpStatus]).toEqual([query, 401]);
      expect(JSON.parse(client.httpBody)).toMatchObject({ error: { code: 'missing_credentials' } });
    }
    const bearer = open('', { protocols: ['chat.v1', `bearer.${customerToken(1)}`] });
    await bearer.closed;
    expect(bearer.httpStatus).toBe(401);
  });

  it('[WS7] [WS15] [CLS3] completes the upgrade for a bad token and gives the reason as a close code', async () => {
    const id = session();
    const other = session();
    const token = customerToken(id);
    const cases: [string, number, string][] = [
      [`?session=${id}&token=nonsense`, 4501, 'bad_token'],
      [`?session=${other}&token=${token}`, 4501, 'bad_token'],
      [`?session=abc&token=${token}`, 4501, 'bad_token'],
      [`?session=&token=${token}`, 4501, 'bad_token'],
      [`?session=${id}&token=${token.slice(0, -1)}`, 4501, 'bad_token'],
      [`?session=${id}&token=${customerToken(id, unixNow() + 120)}`, 4501, 'bad_token'],
      [`?session=${id}&token=${customerToken(id, unixNow() - 90_000)}`, 4401, 'token_expired'],
      [`?session=999999&token=${customerToken(999_999)}`, 4504, 'session_not_found'],
      ['?type=staff&access_token=nonsense', 4501, 'bad_token'],
      [
        `?type=staff&access_token=${staffToken('anna', { exp: unixNow() - 5, iat: unixNow() - 100 })}`,
        4401,
        'token_expired',
      ],
      [`?type=staff&access_token=${staffToken('eve', { role: 'nobody' })}`, 4503, 'forbidden'],
      [`?type=staff&access_token=${token}`, 4501, 'bad_token'],
    ];
    for (const [query, code, reason] of cases) {
      const client = open(query);
      expect([query, await client.closed]).toEqual([query, { code, reason }]);
      expect(client.frames).toEqual([]);
    }
  });

  it('[WS9] accepts a new token on the open connection, only for the same session', async () => {
    const id = session();
    const client = customer(id);
    await client.ready();
    client.send({ type: 'auth', session_id: id, token: customerToken(id) });
    expect((await client.waitFor('channel.refreshed')).data['expires_at']).toMatch(/Z$/);
    const other = session();
    client.send({ type: 'auth', session_id: other, token: customerToken(other) });
    expect((await client.closed).code).toBe(4503);
  });

  it('[WS11] answers a ping', async () => {
    const client = customer(session());
    await client.ready();
    client.send({ type: 'ping' });
    await client.waitFor('channel.pong');
  });

  it('[REV1] [REV4] closes with 4505 on a revocation, even if the control message is lost', async () => {
    const [first, second] = [session(), session()];
    const older = customerToken(first);
    const told = customer(first);
    const untold = customer(second);
    await Promise.all([told.ready(), untold.ready()]);
    under.ledger.revoke('session', String(first));
    expect((await told.closed).code).toBe(4505);
    const since = Date.now();
    under.ledger.revoke('session', String(second), false);
    expect((await untold.closed).code).toBe(4505);
    expect(Date.now() - since).toBeLessThan(5_000);
    expect((await open(`?session=${first}&token=${older}`).closed).code).toBe(4505);
  });

  it('[WS12] pings with WebSocket ping frames and expects pongs', async () => {
    const client = customer(session());
    const { data } = await client.ready();
    const connection = under.gateway.core.registry.get(String(data['connection_id']));
    if (connection?.transport.kind !== 'websocket') throw new Error('its connection is not known');
    connection.pingSentAt = performance.now();
    connection.transport.ping();
    await eventually(() => connection.pingSentAt === 0 || undefined, 'the pong');
    expect(await under.metrics.collect()).toMatch(/chat_ws_ping_latency_seconds_count(?:\{[^}]*\})? [1-9]/);
  });

  it('[FRM3] [FRM4] sends typing only to the other side', async () => {
    const id = session(1);
    const writer = customer(id);
    const otherTab = customer(id);
    const anna = open(`?type=staff&access_token=${staffToken('anna')}`);
    const boris = open(`?type=staff&access_token=${staffToken('boris')}`);
    await Promise.all([writer.ready(), otherTab.ready(), anna.ready(), boris.ready()]);
    writer.send({ type: 'typing', active: true });
    expect((await anna.waitFor('chat.typing')).data).toEqual({ by: 'client', active: true });
    anna.send({ type: 'typing', session_id: id, active: true });
    expect((await writer.waitFor('chat.typing')).data).toMatchObject({
      by: 'staff',
      user_id: 'anna',
      name: 'ANNA',
      active: true,
    });
    await eventually(
      () => boris.frames.find((frame) => frame.data['user_id'] === 'anna' && frame.type === 'chat.typing'),
      'typing of a colleague',
    );
    expect(anna.frames.filter((frame) => frame.type === 'chat.typing')).toHaveLength(1);
    expect(otherTab.frames.filter((frame) => frame.type === 'chat.typing' && frame.data['by'] === 'client')).toEqual(
      [],
    );
    for (const staff of [anna, boris]) staff.end();
  });
});
