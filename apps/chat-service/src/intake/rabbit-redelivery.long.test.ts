import { SITE_QUEUE } from '@chat-realtime/messaging/rabbitmq';
import { createLogger } from '@chat-realtime/service-kit';
import { type ManagedServer, startRabbit, until } from '@chat-realtime/testkit';
import { type Channel, type ChannelModel, connect } from 'amqplib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Stage, story } from '../../test/harness.ts';
import { assigned, message, status } from '../../test/intake-suite.ts';
import type { EventIntake } from './intake.ts';
import { type IntakeContext, PostgresIntake } from './postgres-intake.ts';
import { beginLedger } from './ledger-mark.ts';
import { readRabbit } from './rabbit-feed.ts';

const stage = new Stage();
const logger = createLogger({ service: 'ledger-test', level: 'silent' });
const EXCHANGE = 'site.redelivery';
let rabbit: ManagedServer;
let model: ChannelModel;
let site: Channel;

beforeAll(async () => {
  rabbit = await startRabbit();
  model = await connect(rabbit.url);
  model.on('error', () => undefined);
  site = await model.createChannel();
  await site.assertExchange(EXCHANGE, 'topic', { durable: true });
}, 120_000);
afterAll(async () => {
  await model?.close();
  await rabbit?.stop();
  await stage.stop();
});

describe('a ledger that is killed between commit and acknowledgement', () => {
  it('[BES35] stores statuses and assignments without an id once, and repeated ones as often as they were sent', async () => {
    const harness = await stage.harness();
    await beginLedger(harness.database);
    const { intake } = harness.service;
    const told = async (session: number): Promise<readonly string[]> => story(harness.chat, session).catch(() => []);
    const read = (into: EventIntake) =>
      readRabbit({
        url: rabbit.url,
        source: { kind: 'exchange', exchange: EXCHANGE, key: 'chat.#' },
        intake: into,
        logger,
      });
    const publish = (...events: readonly object[]) => {
      for (const event of events) site.publish(EXCHANGE, 'chat.event', Buffer.from(JSON.stringify(event)));
    };

    let stored = 0;
    let answers: () => void = () => undefined;
    const silent = new Promise<void>((resolve) => {
      answers = resolve;
    });
    // It commits and does not acknowledge anything.
    const first = read({
      take: async (events, source, given) => {
        const result = await intake.take(events, source, given);
        stored += events.length;
        await silent;
        throw new Error(`ended after ${result.accepted}`);
      },
      takeAll: (events, source) => intake.takeAll(events, source),
      sessionNumbers: (ids) => intake.sessionNumbers(ids),
    });
    await until(() => first.state.kind === 'reading', { timeoutMs: 20_000, what: 'the ledger reads' });
    publish(status(1, 'active'), status(1, 'closed'), status(1, 'active'), status(1, 'closed'));
    publish(assigned(2, 'anna'), assigned(2, null), assigned(2, 'anna'), message(1, 1));
    await until(() => stored > 0, { timeoutMs: 20_000, what: 'a batch is committed' });
    const before = { one: await told(1), two: await told(2) };
    const closing = first.close();
    answers();
    await closing;

    const second = read(intake);
    publish(status(1, 'active'), status(1, 'closed'), message(2, 2));
    await until(async () => (await told(2)).includes('client:text 2'), { timeoutMs: 30_000, what: 'the last message' });
    expect(before.one.length).toBeGreaterThan(0);
    expect(await told(1)).toEqual([
      'new>active:operator',
      'active>closed:operator',
      'closed>active:operator',
      'active>closed:operator',
      'client:text 1',
      'closed>active:operator',
      'active>closed:operator',
    ]);
    expect(await told(2)).toEqual(['assigned:anna', 'assigned:null', 'assigned:anna', 'client:text 2']);
    await second.close();
    await site.deleteQueue(SITE_QUEUE);
    await harness.close();
  });

  it('[BES35] recognises a redelivered event with a time by that time, also from a call', async () => {
    const harness = await stage.harness();
    await beginLedger(harness.database);
    const { intake } = harness.service;
    const at = (second: number) => ({ occurred_at: `2026-01-10T12:00:0${second}+03:00` });
    const paid = (second: number) => ({ type: 'shop.paid', session_id: 3, data: { sum: '12.50' }, ...at(second) });
    const events = [
      { ...status(3, 'active'), ...at(1) },
      { ...status(3, 'closed'), ...at(2) },
      paid(3),
      { ...status(3, 'active'), ...at(4) },
    ];
    expect(await intake.takeAll(events, 'http')).toMatchObject({ accepted: 4, duplicate: 0 });
    expect(await intake.takeAll(events, 'http')).toMatchObject({ accepted: 0, duplicate: 4 });
    expect(await intake.take([paid(5), { ...status(3, 'closed'), ...at(6) }], 'http')).toMatchObject({ accepted: 2 });
    expect(await story(harness.chat, 3)).toHaveLength(6);
    await harness.close();
  });

  it('[BES35] reads a few bytes for each event, however many events the session has', async () => {
    const harness = await stage.harness();
    await beginLedger(harness.database);
    const { database } = harness;
    let heaviest = 0;
    const weighed: IntakeContext['database'] = Object.create(database, {
      query: {
        value: async (...asked: Parameters<typeof database.query>) => {
          const rows = await database.query(...asked);
          heaviest = Math.max(heaviest, JSON.stringify(rows).length);
          return rows;
        },
      },
    });
    const context = { database: weighed, log: logger, committed: () => undefined, ephemeral: () => undefined };
    const observer = { taken: () => undefined, changed: () => undefined, nameless: () => undefined };
    const intake = new PostgresIntake({ context, observer });
    const large = (n: number) => ({
      type: 'shop.cart',
      session_id: 4,
      data: { n, price: 1e21, text: 'x'.repeat(60_000) },
      occurred_at: new Date(Date.UTC(2026, 0, 10, 12, 0, n)).toISOString(),
    });
    const events = Array.from({ length: 50 }, (_, n) => large(n));
    expect(await intake.take(events, 'rabbitmq')).toMatchObject({ accepted: 50, duplicate: 0 });
    heaviest = 0;
    expect(await intake.take(events.slice(-2), 'rabbitmq')).toMatchObject({ accepted: 0, duplicate: 2 });
    expect(heaviest).toBeGreaterThan(0);
    expect(heaviest).toBeLessThan(1_000);
    expect(await intake.take(events, 'rabbitmq')).toMatchObject({ accepted: 0, duplicate: 50 });
    await harness.close();
  });
});
