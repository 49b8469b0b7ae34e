import { type SiteSource } from '@chat-realtime/messaging';
import { SITE_DEAD_LETTERS, SITE_QUEUE } from '@chat-realtime/messaging/rabbitmq';
import { createLogger, createMetrics } from '@chat-realtime/service-kit';
import { type ManagedServer, sleep, startRabbit, until } from '@chat-realtime/testkit';
import { type Channel, type ChannelModel, connect } from 'amqplib';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { intakeSuite, message, sourceSuite, status, NumberedEvents } from '../../test/intake-suite.ts';
import { admin, type Harness, Stage, story } from '../../test/harness.ts';
import { chatSettingsSchema, type RabbitSource } from '../config.ts';
import { Eraser } from '../privacy/eraser.ts';
import type { EventIntake } from './intake.ts';
import { beginLedger } from './ledger-mark.ts';
import { readRabbit } from './rabbit-feed.ts';
import { createSources } from './sources.ts';

const stage = new Stage();
const logger = createLogger({ service: 'ledger-test', level: 'silent' });
let rabbit: ManagedServer;
let model: ChannelModel;
let site: Channel;

beforeAll(async () => {
  rabbit = await startRabbit();
  await reconnect();
}, 120_000);
afterAll(async () => {
  await model.close();
  await rabbit.stop();
  await stage.stop();
});

async function reconnect(): Promise<void> {
  model = await connect(rabbit.url);
  model.on('error', () => undefined);
  site = await model.createChannel();
  site.on('error', () => undefined);
}

const open: SiteSource[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((source) => source.close()));
});

function read(source: RabbitSource, intake: EventIntake): SiteSource {
  const reading = readRabbit({ url: rabbit.url, source, intake, logger });
  open.push(reading);
  return reading;
}

async function ledger(): Promise<Harness> {
  const harness = await stage.harness();
  await beginLedger(harness.database);
  return harness;
}

const bytes = (event: unknown): Buffer => Buffer.from(JSON.stringify(event));
const waiting = async (queue: string): Promise<number> => (await site.checkQueue(queue)).messageCount;
const emptied = (queue: string): Promise<unknown> =>
  until(async () => (await waiting(queue)) === 0, { timeoutMs: 20_000, everyMs: 50, what: `${queue} is empty` });

async function deadLetters(): Promise<{ body: string; reason: unknown; id: unknown }[]> {
  const found: { body: string; reason: unknown; id: unknown }[] = [];
  for (;;) {
    const got = await site.get(SITE_DEAD_LETTERS, { noAck: true });
    if (got === false) return found;
    const id: unknown = got.properties.messageId;
    found.push({ body: got.content.toString(), reason: got.properties.headers?.['x-refused-reason'], id });
  }
}

/** A ledger that reads an exchange of the site, and the site's actions on it. */
async function siteExchange() {
  const harness = await ledger();
  await site.assertExchange('site.suite', 'topic', { durable: true });
  const reading = readRabbit({
    url: rabbit.url,
    source: { kind: 'exchange', exchange: 'site.suite', key: 'chat.#' },
    intake: harness.service.intake,
    logger,
  });
  await until(() => reading.state.kind === 'reading', { timeoutMs: 20_000, what: 'the ledger reads' });
  let refused = 0;
  return {
    chat: harness.chat,
    give: async (...events: readonly Record<string, unknown>[]) => {
      for (const event of events) site.publish('site.suite', 'chat.message.sent', bytes(event));
      // Stored or put into the dead letters, each is acknowledged; the last sent arrived last.
      const last = { type: 'suite.last', session_id: 9_999, data: {}, message_id: `last-${Math.random()}` };
      const before = await story(harness.chat, 9_999).catch(() => []);
      site.publish('site.suite', 'chat.last', bytes(last));
      await until(async () => (await story(harness.chat, 9_999).catch(() => [])).length > before.length, {
        timeoutMs: 20_000,
        everyMs: 20,
        what: 'the last event is in the ledger',
      });
    },
    refused: async () => {
      // Put into the dead letters after the others of the batch were stored.
      await sleep(500);
      refused += (await deadLetters()).length;
      return refused;
    },
    stop: async () => {
      await reading.close();
      await harness.close();
      await site.deleteQueue(SITE_QUEUE);
    },
  };
}

intakeSuite('an exchange of the site', siteExchange);

sourceSuite('an exchange of the site', async () => {
  const { chat, give, refused, stop } = await siteExchange();
  const numbered = new NumberedEvents();
  return {
    chat,
    apply: (session, ...changes) => give(...numbered.of(session, changes)),
    again: (...sessions) => give(...numbered.again(sessions)),
    refused,
    stop,
  };
});

describe('the site’s broker', () => {
  it('[BES17] reads a classic and a quorum queue of the site, and declares nothing there', async () => {
    const { service, chat } = await ledger();
    await site.assertQueue('site.classic', { durable: true, arguments: { 'x-max-length': 100_000 } });
    await site.assertQueue('site.quorum', { durable: true, arguments: { 'x-queue-type': 'quorum' } });
    for (const [index, queue] of ['site.classic', 'site.quorum'].entries()) {
      for (let id = 1; id <= 300; id += 1) site.sendToQueue(queue, bytes(message(70 + index, id)));
      const reading = read({ kind: 'queue', queue }, service.intake);
      await until(async () => (await story(chat, 70 + index).catch(() => [])).length === 300, { timeoutMs: 20_000 });
      expect((await story(chat, 70 + index)).slice(0, 2)).toEqual(['client:text 1', 'client:text 2']);
      await reading.close();
      // The statistics of a quorum queue may be some hundred milliseconds old.
      await emptied(queue);
    }
  });

  it('[BES17] uses the AMQP message_id as the event’s, unless the body has one', async () => {
    const { service, chat } = await ledger();
    await site.assertQueue('site.ids', { durable: true });
    for (const messageId of ['a', 'a', 'b'])
      site.sendToQueue('site.ids', bytes(status(80, `step ${messageId}`)), { messageId });
    site.sendToQueue('site.ids', bytes({ ...status(80, 'step c'), message_id: 'a' }), { messageId: 'c' });
    site.sendToQueue('site.ids', bytes(message(80, 1)));
    read({ kind: 'queue', queue: 'site.ids' }, service.intake);
    await until(async () => (await story(chat, 80).catch(() => ['nothing'])).includes('client:text 1'), {
      timeoutMs: 20_000,
    });
    expect(await story(chat, 80)).toEqual(['new>step a:operator', 'step a>step b:operator', 'client:text 1']);
  });

  it('[BES18] refuses a queue that has other consumers, and reads it when they are gone', async () => {
    const { service, chat } = await ledger();
    await site.assertQueue('site.shared', { durable: true });
    const worker = await model.createChannel();
    const { consumerTag } = await worker.consume('site.shared', (got) => got !== null && worker.ack(got));
    const reading = read({ kind: 'queue', queue: 'site.shared' }, service.intake);
    await until(() => reading.state.kind === 'waiting' && reading.state.reason.includes('consumers'), {
      timeoutMs: 20_000,
    });
    site.sendToQueue('site.shared', bytes(message(81, 1)));
    await emptied('site.shared');
    expect(await story(chat, 81).catch(() => 'nothing')).toBe('nothing');
    await worker.cancel(consumerTag);
    site.sendToQueue('site.shared', bytes(message(81, 2)));
    await until(async () => (await story(chat, 81).catch(() => [])).length === 1, { timeoutMs: 20_000 });
    expect(reading.state.kind).toBe('reading');
    await worker.close();
  });

  it('[BES17] leaves the site’s own workers every message of theirs, beside our queue', async () => {
    const { service, chat } = await ledger();
    await site.assertExchange('site.events', 'topic', { durable: true });
    const own = await site.assertQueue('site.worker', { durable: true });
    await site.bindQueue(own.queue, 'site.events', 'chat.#');
    const source: RabbitSource = { kind: 'exchange', exchange: 'site.events', key: 'chat.#' };
    const reading = read(source, service.intake);
    await until(() => reading.state.kind === 'reading', { timeoutMs: 20_000 });
    for (let id = 1; id <= 20; id += 1) site.publish('site.events', 'chat.message.sent', bytes(message(82, id)));
    await until(async () => (await story(chat, 82).catch(() => [])).length === 20, { timeoutMs: 20_000 });
    expect(await waiting('site.worker')).toBe(20);
    // Messages that come while nobody reads wait in our queue.
    await reading.close();
    site.publish('site.events', 'chat.message.sent', bytes(message(82, 21)));
    read(source, service.intake);
    await until(async () => (await story(chat, 82)).length === 21, { timeoutMs: 20_000 });
    await site.deleteQueue(SITE_QUEUE);
  });

  it('[BES19] puts refused events into the dead letters with the reason, and continues with the queue', async () => {
    const { service, chat } = await ledger();
    await site.assertQueue('site.mixed', { durable: true });
    await site.assertQueue(SITE_DEAD_LETTERS, {
      durable: true,
      arguments: { 'x-queue-type': 'quorum', 'x-max-length-bytes': 67_108_864, 'x-overflow': 'drop-head' },
    });
    await deadLetters();
    site.sendToQueue('site.mixed', Buffer.from('{broken'), { messageId: 'one' });
    site.sendToQueue('site.mixed', Buffer.from([0xff, 0xfe]));
    site.sendToQueue('site.mixed', Buffer.alloc(70_000, 0x20));
    site.sendToQueue('site.mixed', bytes({ ...message(83, 1), session_id: -1.5 }));
    site.sendToQueue('site.mixed', bytes([1, 2]));
    site.sendToQueue('site.mixed', bytes({ ...message(83, 3), feed_seq: 7 }));
    site.sendToQueue('site.mixed', bytes(message(83, 2)));
    read({ kind: 'queue', queue: 'site.mixed' }, service.intake);
    await until(async () => (await story(chat, 83).catch(() => [])).length === 1, { timeoutMs: 20_000 });
    await until(async () => (await waiting(SITE_DEAD_LETTERS)) === 6, { timeoutMs: 20_000, everyMs: 50 });
    const dead = await deadLetters();
    expect(dead[0]).toEqual({ body: '{broken', reason: 'is not JSON in UTF-8', id: 'one' });
    expect(dead.map(({ reason }) => reason)).toEqual([
      'is not JSON in UTF-8',
      'is not JSON in UTF-8',
      'may have 65536 bytes',
      expect.stringContaining('session_id: '),
      expect.stringMatching(/expected object/i),
      'feed_seq: is an event of a ledger already',
    ]);
  });

  it('[BES20] keeps order and loses nothing while the database is unavailable, and does not requeue in a loop', async () => {
    const { service, chat } = await ledger();
    await site.assertQueue('site.patient', { durable: true });
    for (let id = 1; id <= 250; id += 1) site.sendToQueue('site.patient', bytes(message(84, id)));
    let away = true;
    let tries = 0;
    const { intake } = service;
    const troubled: EventIntake = {
      takeAll: (events, source) => intake.takeAll(events, source),
      sessionNumbers: (ids) => intake.sessionNumbers(ids),
      take: async (events, source) => {
        tries += 1;
        if (away) throw new Error('the database is away');
        return intake.take(events, source);
      },
    };
    read({ kind: 'queue', queue: 'site.patient' }, troubled);
    await until(() => tries >= 2, { timeoutMs: 20_000 });
    await sleep(500);
    expect(tries).toBeLessThan(10);
    away = false;
    await until(async () => (await story(chat, 84).catch(() => [])).length === 250, { timeoutMs: 20_000 });
    const { events } = await chat.events(admin, 84, { afterSeq: 0, limit: 500 });
    expect(events.map(({ data }) => ('id' in data ? data.id : 0))).toEqual(
      Array.from({ length: 250 }, (_, i) => i + 1),
    );
  });

  it('[ERA5] empties the dead letters when a person is erased', async () => {
    const { service, database } = await ledger();
    await site.assertQueue('site.erasing', { durable: true });
    const metrics = createMetrics('test');
    const settings = chatSettingsSchema.parse({
      CHAT_TOKEN_SECRETS: `k1:${'s'.repeat(32)}`,
      CHAT_ROLE: 'ledger',
      RABBITMQ_SOURCE: 'queue:site.erasing',
      RABBITMQ_SOURCE_URL: rabbit.url,
    });
    const [source] = createSources({
      database,
      intake: service.intake,
      settings,
      rabbitUrl: undefined,
      logger,
      metrics,
    });
    source?.start();
    try {
      site.sendToQueue('site.erasing', bytes(message(86, 1)));
      site.sendToQueue('site.erasing', bytes(message(86, 2, { sender_type: 'robot', body: 'a secret' })));
      await until(async () => (await waiting(SITE_DEAD_LETTERS)) === 1, { timeoutMs: 20_000, everyMs: 50 });
      await new Eraser(database, service.context, {
        removeErased: async () => ({ removed: 0, failures: [] }),
      }).eraseSession(admin, 86);
      await until(async () => (await waiting(SITE_DEAD_LETTERS)) === 0, { timeoutMs: 20_000, everyMs: 50 });
      // What is refused afterwards is kept for a limited time.
      site.sendToQueue('site.erasing', bytes(message(87, 1, { sender_type: 'robot' })));
      await until(async () => (await waiting(SITE_DEAD_LETTERS)) === 1, { timeoutMs: 20_000, everyMs: 50 });
      const kept = await site.get(SITE_DEAD_LETTERS, { noAck: true });
      expect(kept !== false && kept.properties.expiration).toBe(String(30 * 86_400_000));
    } finally {
      await source?.stop();
    }
  });

  it('[BES20] waits for an exchange that does not exist yet', async () => {
    const { service, chat } = await ledger();
    const source: RabbitSource = { kind: 'exchange', exchange: 'site.later', key: '#' };
    const reading = read(source, service.intake);
    await until(() => reading.state.kind === 'waiting' && /site\.later/.test(reading.state.reason), {
      timeoutMs: 20_000,
    });
    await site.assertExchange('site.later', 'topic', { durable: true });
    await until(() => reading.state.kind === 'reading', { timeoutMs: 20_000 });
    site.publish('site.later', 'x', bytes(message(85, 1)), { persistent: true });
    await until(async () => (await story(chat, 85).catch(() => [])).length === 1, { timeoutMs: 20_000 });
    await site.deleteQueue(SITE_QUEUE);
  });
});
