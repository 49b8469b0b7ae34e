import { type Fanout } from '@chat-realtime/messaging';
import { connectRedisFanout } from '@chat-realtime/messaging/redis';
import { type RedisCluster, redisCommand, sleep, startRedisCluster, until } from '@chat-realtime/testkit';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { customerToken, type GatewayUnderTest, staffToken, startGateway } from './testing/gateway-under-test.ts';
import { FakeChatService } from './testing/fake-chat-service.ts';
import { range, SocketClient } from './testing/socket-client.ts';

const SESSIONS = range(1, 12);
const SHOWN = { timeoutMs: 60_000 };
const logger = { debug() {}, info() {}, warn() {}, error() {} };

let cluster: RedisCluster;
let ledger: FakeChatService;
let under: GatewayUnderTest;
let customers: SocketClient[];
let staff: SocketClient;
let fanouts: Fanout[];

beforeAll(async () => {
  cluster = await startRedisCluster();
}, 120_000);
afterAll(() => cluster.stop());

/** One fan-out acts as the dispatcher's, one as the gateway's, with a customer in each session and an operator. */
beforeEach(async () => {
  const options = { url: cluster.url, clusterNodes: cluster.nodes, logger };
  const [published, heard] = [connectRedisFanout(options), connectRedisFanout(options)];
  fanouts = [published, heard];
  await until(() => published.connected && heard.connected, SHOWN);
  ledger = new FakeChatService(published);
  for (const id of SESSIONS) ledger.createSession(id);
  under = await startGateway({ fanout: heard, ledger });
  customers = SESSIONS.map((id) => new SocketClient(`${under.wsUrl}?session=${id}&token=${customerToken(id)}`));
  staff = new SocketClient(`${under.wsUrl}?type=staff&access_token=${staffToken('anna')}`);
  await Promise.all([...customers, staff].map((client) => client.ready()));
}, 120_000);
afterEach(async () => {
  for (const client of [...customers, staff]) client.end();
  await under.close();
  await Promise.all(fanouts.map((fanout) => fanout.close()));
});

/** Posts to each session about forty times a second until `work` is done; then expects every event once, in order. */
async function underTraffic(
  work: () => Promise<void>,
): Promise<{ readonly messages: number; readonly seconds: number }> {
  const begun = performance.now();
  let done = false;
  let last = 1;
  const posting = (async () => {
    while (!done) {
      last += 1;
      for (const id of SESSIONS) ledger.post(id, `message ${last}`);
      await sleep(25);
    }
  })();
  try {
    await work();
  } finally {
    done = true;
    await posting;
  }
  const seconds = (performance.now() - begun) / 1_000;
  await until(() => customers.every((client) => (client.seqs().at(-1) ?? 0) === last), {
    ...SHOWN,
    what: 'all customers to be shown everything',
  });
  for (const client of customers) expect(client.seqs()).toEqual(range(2, last));
  const messages = SESSIONS.length * (last - 1);
  const feed = (): number[] => staff.frames.flatMap((frame) => frame.feed_seq ?? []);
  await until(() => feed().length >= messages, { ...SHOWN, what: 'the operator to be shown everything' });
  expect(feed()).toEqual(range(SESSIONS.length + 1, SESSIONS.length + messages));
  return { messages, seconds };
}

it('[RDS12] loses, duplicates and reorders nothing while slots move', async () => {
  await underTraffic(async () => {
    for (const name of ['chat:staff', 'chat:control', 'chat:1', 'chat:2', 'chat:3']) {
      const slot = Number(await redisCommand(cluster.url, 'CLUSTER', 'KEYSLOT', name));
      const from = cluster.masterOf(slot);
      const to = cluster.masters.find((master) => master !== from) ?? from;
      await cluster.moveSlot(slot, from, to);
      await sleep(300);
      await cluster.moveSlot(slot, to, from);
      await sleep(300);
    }
  });
  await until(() => fanouts.every((fanout) => fanout.connected), SHOWN);
}, 240_000);

it('[RDS12] loses, duplicates and reorders nothing when a master is killed and returns', async () => {
  await underTraffic(async () => {
    const slot = Number(await redisCommand(cluster.url, 'CLUSTER', 'KEYSLOT', 'chat:staff'));
    const master = cluster.masterOf(slot);
    await master.kill();
    await sleep(1_000);
    await master.start();
    await cluster.whole();
    await until(() => fanouts.every((fanout) => fanout.connected), SHOWN);
  });
}, 240_000);

/** Events arrive through four queues of different speed; within a session they keep their order. */
it.each([
  ['of one speed', [0, 0, 0, 0]],
  ['some milliseconds apart', [0, 5, 15, 30]],
  ['with one a second behind', [0, 5, 15, 1_000]],
] as const)(
  '[AMQP10] orders the staff feed from four queues %s, with few calls',
  async (_, delays) => {
    let calls = 0;
    const ask = ledger.catchup.bind(ledger);
    ledger.catchup = (request) => {
      calls += 1;
      return ask(request);
    };
    const post = ledger.post.bind(ledger);
    ledger.post = (id, ...rest) => {
      ledger.fault = () => ({ copies: 1, delayMs: delays[id % delays.length] ?? 0 });
      return post(id, ...rest);
    };
    const { messages, seconds } = await underTraffic(() => sleep(6_000));
    console.log(
      `${delays.join(', ')} ms: ${messages} messages in ${seconds.toFixed(1)} s, ${calls} calls of the gateway`,
    );
    expect(calls / seconds).toBeLessThan(15);
  },
  120_000,
);
