import { createMemoryFanout, createMemoryLeases } from '@chat-realtime/messaging';
import { afterEach, describe, expect, it, vi } from 'vitest';
import {
  customerToken,
  type GatewaySetup,
  type GatewayUnderTest,
  staffToken,
  startGateway,
} from '../testing/gateway-under-test.ts';
import { poll, StreamClient } from '../testing/http-clients.ts';
import { FakeChatService } from '../testing/fake-chat-service.ts';
import { eventually, range, SocketClient } from '../testing/socket-client.ts';

describe('lifecycle of connections', () => {
  const started: GatewayUnderTest[] = [];
  const opened: { end(): void }[] = [];

  const start = async (setup: GatewaySetup = {}): Promise<GatewayUnderTest> => {
    const under = await startGateway(setup);
    started.push(under);
    for (const id of [1, 2, 3]) if (!under.ledger.sessions.has(id)) under.ledger.createSession(id);
    return under;
  };
  const open = (
    under: GatewayUnderTest,
    query: string,
    options: ConstructorParameters<typeof SocketClient>[1] = {},
  ): SocketClient => {
    const client = new SocketClient(`${under.wsUrl}${query}`, options);
    opened.push(client);
    return client;
  };
  const customer = (
    under: GatewayUnderTest,
    id: number,
    more = '',
    options: ConstructorParameters<typeof SocketClient>[1] = {},
  ): SocketClient => open(under, `?session=${id}&token=${customerToken(id)}${more}`, options);

  afterEach(async () => {
    vi.restoreAllMocks();
    for (const client of opened.splice(0)) client.end();
    await Promise.all(started.splice(0).map((under) => under.close()));
  });

  it('[LIM1] [LIM4] accepts five connections per session, over all transports and gateways', async () => {
    const leases = createMemoryLeases();
    const fanout = createMemoryFanout();
    const ledger = new FakeChatService(fanout);
    const first = await start({ leases, fanout, ledger });
    const second = await start({ leases, fanout, ledger, ticks: false });
    const five = [customer(first, 1), customer(first, 1), customer(second, 1), customer(second, 1)];
    await Promise.all(five.map((client) => client.ready()));
    const stream = new StreamClient(`${first.httpUrl}/channel/sse?session=1&token=${customerToken(1)}`);
    await stream.waitFor('channel.ready');
    expect(await customer(second, 1).closed).toEqual({ code: 4529, reason: 'connection_limit' });
    const sixth = new StreamClient(`${second.httpUrl}/channel/sse?session=1&token=${customerToken(1)}`);
    await sixth.done;
    expect(sixth.status).toBe(200);
    expect(sixth.events.map(({ frame }) => frame)).toEqual([
      { type: 'channel.closed', data: { code: 4529, reason: 'connection_limit' } },
    ]);
    const waiting = await poll(`${first.httpUrl}/channel/poll?session=1&token=${customerToken(1)}&last_seq=1&wait=5`);
    expect([waiting.status, waiting.body.error?.code, waiting.headers.get('retry-after')]).toEqual([
      429,
      'connection_limit',
      '60',
    ]);
    // A poll that does not wait holds no slot.
    expect((await poll(`${first.httpUrl}/channel/poll?session=1&token=${customerToken(1)}`)).status).toBe(200);
    five[0]?.end();
    await eventually(() => (first.gateway.core.registry.size === 2 ? true : undefined), 'the slot to be free');
    await customer(second, 1).ready();
    stream.close();
  });

  it('[LIM2] [LIM3] limits connections of a staff user and distinct staff users', async () => {
    const under = await start({ env: { MAX_CONNECTIONS_PER_TOKEN: '2', MAX_OPERATORS: '2' } });
    const staff = (user: string): SocketClient => open(under, `?type=staff&access_token=${staffToken(user)}`);
    const [one, two] = [staff('anna'), staff('anna')];
    await Promise.all([one.ready(), two.ready()]);
    expect((await staff('anna').closed).code).toBe(4529);
    await staff('boris').ready();
    expect((await staff('carl').closed).code).toBe(4529);
  });

  it('[LIM7] a limit of 0 means no limit', async () => {
    const under = await start({
      env: { MAX_TABS_PER_SESSION: '0', MAX_CONNECTIONS_PER_TOKEN: '0', MAX_OPERATORS: '0' },
    });
    const clients = [
      ...range(1, 7).map(() => customer(under, 1)),
      ...range(1, 12).map(() => open(under, `?type=staff&access_token=${staffToken('anna')}`)),
      ...range(1, 22).map((n) => open(under, `?type=staff&access_token=${staffToken(`user-${n}`)}`)),
    ];
    await Promise.all(clients.map((client) => client.ready()));
  });

  it("[RES9] gives a connection's slot to its replacement", async () => {
    const under = await start({ env: { MAX_TABS_PER_SESSION: '1' } });
    const first = customer(under, 1);
    const id = String((await first.ready()).data['connection_id']);
    const second = customer(under, 1, `&replaces=${id}`);
    await second.ready();
    expect((await first.closed).code).toBe(4408);
  });

  it('[RATE1] answers 429 before the upgrade', async () => {
    const under = await start({ env: { RATE_CONNECT_PER_10S: '3' } });
    const clients = range(1, 3).map(() => customer(under, 1));
    await Promise.all(clients.map((client) => client.ready()));
    const fourth = customer(under, 1);
    await fourth.closed;
    expect([fourth.httpStatus, JSON.parse(fourth.httpBody).error.code]).toEqual([429, 'rate_limited']);
    const stream = new StreamClient(`${under.httpUrl}/channel/sse?session=1&token=${customerToken(1)}`);
    await stream.done;
    expect([stream.status, stream.headers.get('retry-after')]).toEqual([429, expect.stringMatching(/^\d+$/)]);
  });

  it('[CLS5] closes with 1011 only the connection on which the server fails', async () => {
    const under = await start();
    const [bad, good] = [customer(under, 1), customer(under, 1)];
    const [{ data }] = await Promise.all([bad.ready(), good.ready()]);
    const { transport } = under.gateway.core.registry.get(String(data['connection_id'])) ?? {};
    if (transport === undefined) throw new Error('its connection is not known');
    vi.spyOn(transport, 'write').mockImplementationOnce(() => {
      throw new Error('a fault of the server');
    });
    bad.send({ type: 'ping' });
    expect((await bad.closed).code).toBe(1011);
    good.send({ type: 'ping' });
    await good.waitFor('channel.pong');
  });

  it('[CLS6] closes with 1013 when the gateway is full, and sends nothing before', async () => {
    const under = await start({ env: { MAX_CONNECTIONS: '1' } });
    await customer(under, 2).ready();
    const client = customer(under, 1);
    expect(await client.closed).toEqual({ code: 1013, reason: 'try_again_later' });
    expect(client.frames).toEqual([]);
    const stream = new StreamClient(`${under.httpUrl}/channel/sse?session=1&token=${customerToken(1)}`);
    await stream.done;
    expect(stream.events).toMatchObject([{ frame: { type: 'channel.closed', data: { code: 1013 } } }]);
    const answer = await poll(`${under.httpUrl}/channel/poll?session=1&token=${customerToken(1)}`);
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, expect.stringMatching(/^\d+$/)]);
  });

  it('[CLS4] [RES8] disconnects a reader that is too slow and lets it resume without loss', async () => {
    const under = await start();
    const [slow, quick] = [customer(under, 1), customer(under, 1)];
    await Promise.all([slow.ready(), quick.ready()]);
    slow.socket.pause();
    const body = 'x'.repeat(9_000);
    for (let round = 0; round < 100; round += 1) {
      for (let index = 0; index < 20; index += 1) under.ledger.post(1, body);
      await quick.waitForSeq(1 + (round + 1) * 20, 10_000);
    }
    await eventually(
      () =>
        [...under.gateway.core.registry].some((connection) => connection.state.kind === 'closing') ? true : undefined,
      'shedding',
      10_000,
    );
    slow.socket.resume();
    expect((await slow.closed).code).toBe(4413);
    const last = slow.seqs().at(-1) ?? 1;
    const again = customer(under, 1, `&last_seq=${last}`);
    await again.waitForSeq(2_001, 10_000);
    expect([...slow.seqs(), ...again.seqs()]).toEqual(range(2, 2_001));
  }, 40_000);

  it('[DRN1] [DRN2] [POLL6] [POLL7] drains: each client is given a time and is served until then', async () => {
    const under = await start({ env: { DRAIN_SECONDS: '20', MAX_TABS_PER_SESSION: '0' } });
    const clients = range(1, 20).map(() => customer(under, 1));
    await Promise.all(clients.map((client) => client.ready()));
    const waiting = poll(`${under.httpUrl}/channel/poll?session=1&token=${customerToken(1)}&last_seq=1&wait=20`);
    await eventually(() => (under.gateway.core.registry.size === 21 ? true : undefined), 'the poll');
    const drained = under.gateway.drain();
    expect((await waiting).body).toMatchObject({ events: [], last_seq: 1 });
    under.ledger.post(1, 'while draining');
    const refused = await poll(`${under.httpUrl}/channel/poll?session=1&token=${customerToken(1)}&last_seq=1`);
    expect([refused.status, refused.body]).toMatchObject([
      503,
      { error: { code: 'unavailable', message: 'this gateway is restarting' } },
    ]);
    const goodbyes = await Promise.all(clients.map((client) => client.waitFor('channel.goodbye')));
    expect(new Set(goodbyes.map((frame) => frame.data['reconnect_in_ms'])).size).toBeGreaterThan(10);
    expect((await customer(under, 1).closed).code).toBe(1013);
    await Promise.all(clients.map((client) => client.waitForSeq(2)));
    under.leap(20_000);
    await drained;
    for (const client of clients) expect((await client.closed).code).toBe(1012);
  });
});
