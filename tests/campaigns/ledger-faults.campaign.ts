// The fault cases beside a site's own chat: its events come by its broker, by calls and by its tables, each is stored once and shown once. About seven minutes.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  type AppProcess,
  type ManagedServer,
  type Stack,
  sleep,
  startPostgres,
  startStack,
  tempFolder,
  until,
} from '@chat-realtime/testkit';
import { SITE_DEAD_LETTERS, SITE_QUEUE } from '@chat-realtime/messaging/rabbitmq';
import { connect } from 'amqplib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  DEAD_MS,
  expectNothingLost,
  flushRedis,
  killed,
  LIVE_PATH,
  type RuledCase,
} from '../faults/cases/killed-parts.ts';
import { type SampleSite, sampleSite, sampleYaml } from '../../libs/table-source/src/testing/sample-site.ts';
import type { MakeCast } from '../faults/recorder/cast.ts';
import { MetricsPage } from '../faults/recorder/metrics.ts';
import { SITE_EXCHANGE, type SiteCast, siteChat } from '../faults/recorder/site-chat.ts';
import { runSeed, SeededRandom } from '../support/seeded-random.ts';

const seed = runSeed('FAULTS_SEED');
const random = new SeededRandom(seed);
const AGAIN = 10_000;
/** What a site writes later is read later: rows behind 10,000 others wait until those are stored. */
const BEHIND_A_BULK = { ...LIVE_PATH, shownWithinMs: 30_000 };
/** Beyond all numbers that the writers give. */
const ROWS_FROM = 1_000_000_000;

let stack: Stack;
let site: SiteCast;
let siteServer: ManagedServer & { createDatabase(): Promise<string> };
let tables: SampleSite;
const cast: MakeCast = async (...run) => {
  site = await siteChat(...run, tables.client);
  return site;
};

function intakes(of: Stack): { app: AppProcess; address: string }[] {
  const { chat, standby, addresses } = of;
  if (standby === null || addresses.standby === null) throw new Error('this case needs the standby of the stack');
  return [
    { app: chat, address: addresses.chat },
    { app: standby, address: addresses.standby },
  ];
}

const reads = async (address: string): Promise<boolean> =>
  (await MetricsPage.read(address)).sum('chat_intake_source_connected', 'source="rabbitmq"') === 1;

/** Of two, the one that reads the site's broker. */
async function readerKilled(of: Stack): Promise<void> {
  let reader: AppProcess | undefined;
  await until(
    async () => {
      for (const { app, address } of intakes(of)) if (await reads(address)) reader = app;
      return reader !== undefined;
    },
    { timeoutMs: 20_000, what: 'somebody reading the site’s broker' },
  );
  if (reader === undefined) throw new Error('nobody reads');
  await reader.kill();
  await sleep(DEAD_MS);
  await reader.start();
}

async function bothKilled(of: Stack): Promise<void> {
  const both = intakes(of).map(({ app }) => app);
  await Promise.all(both.map((app) => app.kill()));
  await sleep(DEAD_MS);
  await Promise.all(both.map((app) => app.start()));
}

async function duplicates(of: Stack): Promise<number> {
  const pages = await Promise.all(intakes(of).map(({ address }) => MetricsPage.read(address)));
  return pages.reduce((sum, page) => sum + page.sum('chat_intake_events_total', 'result="duplicate"'), 0);
}

/** What the site gave before comes 10,000 times more, by both of its ways at once and under traffic. */
async function givenAgain(of: Stack): Promise<void> {
  const before = await duplicates(of);
  const from = Date.now();
  // What a table has once it cannot be given twice.
  await Promise.all(site.outboxes.slice(0, 2).map((outbox) => outbox.again(AGAIN / 2)));
  const known = async (): Promise<boolean> => (await duplicates(of)) >= before + AGAIN;
  await until(known, { timeoutMs: 120_000, everyMs: 200, what: `${AGAIN} events known from before` });
  console.log(`${AGAIN} events given again were told apart in ${((Date.now() - from) / 1_000).toFixed(1)} s`);
}

/** One transaction of the site with 10,000 rows, under the traffic of all others. */
async function rowsAtOnce(of: Stack): Promise<void> {
  const chat = await tables.openChat();
  const from = Date.now();
  await tables.client.query(
    `INSERT INTO chat_message (id, chat_id, sender, text)
     SELECT ${ROWS_FROM} + n, ?::bigint, 'guest', 'row ' || n FROM generate_series(1, ${AGAIN}) n`,
    [chat],
  );
  const stored = async (): Promise<number> => {
    const [row] = await of.postgres.query(
      "SELECT count(*)::int AS n FROM chat_event WHERE session_id = $1 AND type = 'chat.message'",
      [Number(chat)],
    );
    return Number(row?.['n']);
  };
  await until(async () => (await stored()) >= AGAIN, { timeoutMs: 120_000, everyMs: 200, what: `${AGAIN} rows` });
  console.log(`${AGAIN} rows of one transaction were stored in ${((Date.now() - from) / 1_000).toFixed(1)} s`);
  expect(await stored()).toBe(AGAIN);
}

const CASES: readonly RuledCase[] = [
  { name: 'no fault', rules: '[BES1] [BES5]', bounds: LIVE_PATH, fault: () => sleep(1_000) },
  { name: 'reader of the site’s broker killed', rules: '[BES17] [BES20]', bounds: LIVE_PATH, fault: readerKilled },
  { name: 'both intakes killed', rules: '[BES13] [BES20]', bounds: LIVE_PATH, fault: bothKilled },
  { name: 'RabbitMQ killed', rules: '[BES20]', bounds: LIVE_PATH, fault: killed((of) => of.rabbit, 0) },
  { name: 'RabbitMQ wiped', rules: '[BES20]', bounds: LIVE_PATH, fault: (of) => of.rabbit.wipe() },
  { name: 'database restarted', rules: '[BES20]', bounds: LIVE_PATH, fault: (of) => of.postgres.restart() },
  { name: 'database killed', rules: '[BES20]', bounds: LIVE_PATH, fault: killed((of) => of.postgres, 1_000) },
  { name: 'Redis wiped', rules: '[RDS7]', bounds: LIVE_PATH, fault: flushRedis },
  { name: '10,000 events given again', rules: '[BES2]', bounds: LIVE_PATH, fault: givenAgain },
  { name: '10,000 rows at once', rules: '[TAB4]', bounds: BEHIND_A_BULK, fault: rowsAtOnce },
  { name: 'database of the site restarted', rules: '[TAB4]', bounds: LIVE_PATH, fault: () => siteServer.restart() },
];

describe(`faults in the ledger (FAULTS_SEED=${seed})`, () => {
  beforeAll(async () => {
    siteServer = await startPostgres({ durable: true });
    tables = await sampleSite('postgresql', await siteServer.createDatabase());
    await tables.install();
    await tables.client.query("INSERT INTO manager (id, full_name) VALUES (7, 'Анна')");
    // Far from the numbers of the sessions of the campaign.
    await tables.client.query(`SELECT setval('chat_id_seq', ${ROWS_FROM})`);
    const file = join(tempFolder('table-source'), 'tables.yaml');
    writeFileSync(file, sampleYaml('postgresql', '${SITE_DATABASE_URL}', 'reconcile_seconds: 5'));
    stack = await startStack({
      proxies: true,
      standby: true,
      env: {
        ...{ RATE_CONNECT_PER_10S: '0', RATE_SESSIONS_PER_MINUTE: '0', RATE_MESSAGES_PER_MINUTE: '0' },
        LOG_LEVEL: 'warn',
        CHAT_ROLE: 'ledger',
        RABBITMQ_SOURCE: `exchange:${SITE_EXCHANGE}/chat.#`,
        TABLE_SOURCE: file,
        SITE_DATABASE_URL: tables.client.url,
        EVENTS_API_KEY: 'events-key-of-the-fault-cases-00000001',
      },
    });
  });
  afterAll(async () => {
    await stack?.stop();
    await tables?.client.close();
    await siteServer?.stop();
  });

  test.each(CASES)('$rules $name: each event is stored once, and shown once and in order', (one) =>
    expectNothingLost(stack, random.fork(), { ...one, campaign: { cast } }),
  );

  test('[BES19] nothing was refused, and nothing is waiting', async () => {
    const model = await connect(stack.rabbit.url);
    const channel = await model.createChannel();
    const left = async (queue: string): Promise<number> => (await channel.checkQueue(queue)).messageCount;
    expect([await left(SITE_QUEUE), await left(SITE_DEAD_LETTERS)]).toEqual([0, 0]);
    await model.close();
  });
});
