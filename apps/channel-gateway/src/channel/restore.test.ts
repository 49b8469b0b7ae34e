import type { CatchupRequest, CatchupResponse } from '@chat-realtime/protocol';
import { createMemoryFanout } from '@chat-realtime/messaging';
import { afterEach, describe, expect, it } from 'vitest';
import {
  customerToken,
  type GatewaySetup,
  type GatewayUnderTest,
  staffToken,
  startGateway,
} from '../testing/gateway-under-test.ts';
import { FakeChatService } from '../testing/fake-chat-service.ts';
import { eventually, SocketClient } from '../testing/socket-client.ts';

/** Two instances of chat-service behind a balancer by request, of which the second asks the server of before. */
class TwoDatabases extends FakeChatService {
  #calls = 0;
  split = false;

  override async catchup(request: CatchupRequest): Promise<CatchupResponse> {
    this.#calls += 1;
    const answer = await super.catchup(request);
    return this.split && this.#calls % 2 === 0 ? { ...answer, epoch: 'epoch-1' } : answer;
  }
}

/** A site's own chat-service, which says no epoch. */
class WithoutEpoch extends FakeChatService {
  override async catchup(request: CatchupRequest): Promise<CatchupResponse> {
    const { epoch: _epoch, ...answer } = await super.catchup(request);
    return answer;
  }
}

describe('a restore of the database', () => {
  const started: GatewayUnderTest[] = [];
  const opened: SocketClient[] = [];
  afterEach(async () => {
    for (const client of opened.splice(0)) client.end();
    await Promise.all(started.splice(0).map((under) => under.close()));
  });
  const start = async (setup: GatewaySetup = {}): Promise<GatewayUnderTest> => {
    const under = await startGateway({ ...setup, env: { HEAD_CHECK_SECONDS: '1', ...setup.env } });
    started.push(under);
    for (const id of [1, 2, 3]) under.ledger.createSession(id);
    return under;
  };
  const open = (under: GatewayUnderTest, query: string): SocketClient => {
    const client = new SocketClient(`${under.wsUrl}${query}`);
    opened.push(client);
    return client;
  };
  const customer = (under: GatewayUnderTest, id: number, more = ''): SocketClient =>
    open(under, `?session=${id}&token=${customerToken(id)}${more}`);
  const staff = (under: GatewayUnderTest, token: string): SocketClient =>
    open(under, `?type=staff&access_token=${token}`);

  it('[RES11] sends everybody back over a while and shows nothing of the new history before', async () => {
    const under = await start({ env: { DRAIN_SECONDS: '2', MAX_TABS_PER_SESSION: '0' } });
    const clients = Array.from({ length: 60 }, () => customer(under, 1));
    await Promise.all(clients.map((client) => client.ready()));
    const anna = staff(under, staffToken('anna'));
    await anna.ready();
    under.ledger.epoch = 'epoch-2';
    const goodbyes = () => clients.filter(({ frames }) => frames.some(({ type }) => type === 'channel.goodbye'));
    await eventually(() => (goodbyes().length === 60 ? true : undefined), 'goodbyes');
    under.ledger.post(1, 'of the new history');
    const closedAt: number[] = [];
    const from = performance.now();
    const codes = await Promise.all(
      clients.map(async ({ closed }) => {
        const { code } = await closed;
        closedAt.push(performance.now() - from);
        return code;
      }),
    );
    expect(new Set(codes)).toEqual(new Set([1012]));
    expect((await anna.closed).code).toBe(1012);
    // 60 clients over about 1.1 s: half a second lies between the first and the last with a chance of one in billions
    // less.
    expect(Math.max(...closedAt) - Math.min(...closedAt)).toBeGreaterThan(300);
    expect(clients.flatMap(({ frames }) => frames).filter(({ type }) => type === 'chat.message')).toEqual([]);
    expect((await customer(under, 1).ready()).data['epoch']).toBe('epoch-2');
  });

  it('[RES11] disconnects nobody a second time when another chat-service still reports the previous epoch', async () => {
    const ledger = new TwoDatabases(createMemoryFanout());
    const under = await start({ ledger });
    await customer(under, 1).ready();
    ledger.epoch = 'epoch-2';
    await eventually(() => (under.gateway.core.epoch.current === 'epoch-2' ? true : undefined), 'the new epoch');
    ledger.split = true;
    const again = customer(under, 1);
    expect((await again.ready()).data['epoch']).toBe('epoch-2');
    const asked = ledger.requests.length;
    await eventually(() => (ledger.requests.length > asked + 5 ? true : undefined), 'more answers of both', 15_000);
    expect(again.closeCode).toBeNull();
    expect(under.gateway.core.epoch.current).toBe('epoch-2');
  });

  it('[REV7] closes for a revocation whose id the gateway has passed in the history that is gone', async () => {
    const under = await start();
    const first = staff(under, staffToken('anna'));
    await first.ready();
    for (let n = 0; n < 80; n += 1) under.ledger.revoke('session', `${1_000 + n}`);
    await eventually(() => (under.gateway.core.revocations.readUpTo === 80 ? true : undefined), 'all read');
    under.ledger.revocations.length = 0;
    under.ledger.epoch = 'epoch-2';
    expect((await first.closed).code).toBe(1012);
    const boris = staffToken('boris');
    const [told, untold] = [staff(under, staffToken('anna')), staff(under, boris)];
    await Promise.all([told.ready(), untold.ready()]);
    under.ledger.revoke('staff', 'anna');
    under.ledger.revoke('staff', 'boris', false);
    expect((await told.closed).code).toBe(4505);
    expect((await untold.closed).code).toBe(4505);
    expect((await staff(under, boris).closed).code).toBe(4505);
  });

  it('[RES12] disconnects the clients of a session whose head went back twice, even without an epoch', async () => {
    const under = await start({ ledger: new WithoutEpoch(createMemoryFanout()) });
    for (let n = 0; n < 5; n += 1) under.ledger.post(1, `m${n}`);
    const [client, other] = [customer(under, 1), customer(under, 2)];
    await Promise.all([client.ready(), other.ready()]);
    under.ledger.sessions.get(1)?.events.splice(3);
    expect((await client.closed).code).toBe(1012);
    const back = customer(under, 1, '&last_seq=6');
    expect((await back.ready()).data['last_seq']).toBe(3);
    expect((await back.waitFor('channel.reset')).data).toEqual({ reason: 'cursor_ahead' });
    expect(other.closeCode).toBeNull();
  });
});
