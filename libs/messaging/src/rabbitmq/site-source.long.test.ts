import { type ManagedServer, sleep, startRabbit, until } from '@chat-realtime/testkit';
import { connect } from 'amqplib';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { SiteSource } from '../ports/site-source.ts';
import { evaluate, withChannel } from '../testing/rabbit-admin.ts';
import { testLogger } from '../testing/samples.ts';
import { connectSiteSource, SITE_DEAD_LETTERS, SITE_QUEUE } from './site-source.ts';

let server: ManagedServer;
const open: SiteSource[] = [];

beforeAll(async () => {
  server = await startRabbit();
}, 120_000);
afterAll(() => server.stop());
afterEach(async () => {
  await Promise.all(open.splice(0).map((source) => source.close()));
});

/** A careful site does this: it publishes an unconfirmed message again. */
async function give(text: string): Promise<void> {
  const confirmed = async (): Promise<boolean> => {
    const model = await connect(server.url);
    model.on('error', () => undefined);
    try {
      const channel = await model.createConfirmChannel();
      channel.on('error', () => undefined);
      channel.publish('site', 'chat.message', Buffer.from(text), { persistent: true });
      await Promise.race([
        channel.waitForConfirms(),
        sleep(3_000).then(() => {
          throw new Error('no confirm in time');
        }),
      ]);
      return true;
    } finally {
      await model.close();
    }
  };
  await until(() => confirmed().catch(() => false), { timeoutMs: 90_000, everyMs: 500, what: `${text} is confirmed` });
}

function read(refuse = (_text: string): boolean => false): { source: SiteSource; seen: string[]; all: string[] } {
  const seen: string[] = [];
  /** Each message as often as it arrived. */
  const all: string[] = [];
  const source = connectSiteSource({
    url: server.url,
    address: { kind: 'exchange', exchange: 'site', key: '#' },
    logger: testLogger,
    handler: (batch) =>
      Promise.resolve(
        batch.map(({ content }) => {
          const text = content.toString();
          all.push(text);
          if (refuse(text)) return { kind: 'refused', reason: 'of no use' };
          if (!seen.includes(text)) seen.push(text);
          return { kind: 'taken' };
        }),
      ),
  });
  open.push(source);
  return { source, seen, all };
}

const reading = (source: SiteSource): Promise<unknown> =>
  until(() => source.state.kind === 'reading', { timeoutMs: 60_000, everyMs: 20, what: 'the source reads' });

/** What a kill does to a queue that is some seconds old: RabbitMQ 3.10 keeps its name, but not the queue. */
const loseProcess = (queue: string): Promise<string> =>
  evaluate(server, `ra:force_delete_server(quorum_queues, {list_to_atom("%2F_${queue}"), node()}).`);

describe('a quorum queue of ours whose process the broker lost', () => {
  it('[BES20] is created anew, and the site is no longer refused', async () => {
    await withChannel(server, (channel) => channel.assertExchange('site', 'topic', { durable: true }));
    const { source, seen } = read((text) => text.startsWith('bad'));
    await reading(source);
    await give('zero');
    await until(() => seen.length === 1, { timeoutMs: 60_000, what: 'the first is read' });
    for (const queue of [SITE_QUEUE, SITE_DEAD_LETTERS]) await loseProcess(queue);
    for (const text of ['one', 'bad', 'two']) await give(text);
    await until(() => seen.length === 3, { timeoutMs: 60_000, what: 'both are read' });
    expect(seen).toEqual(['zero', 'one', 'two']);
    const dead = async (): Promise<string | false> => {
      const found = await withChannel(server, (channel) => channel.get(SITE_DEAD_LETTERS, { noAck: true }));
      return found && found.content.toString();
    };
    await until(async () => (await dead()) === 'bad', { timeoutMs: 60_000, what: 'what was refused lies there' });
  }, 240_000);
});

describe('a queue of ours that is missing for a while', () => {
  it('[BES20] loses nothing: what was confirmed to the site meanwhile is read, in its order and once', async () => {
    await withChannel(server, (channel) => channel.assertExchange('site', 'topic', { durable: true }));
    const { source, all } = read();
    await reading(source);
    const model = await connect(server.url);
    const channel = await model.createConfirmChannel();
    const given: string[] = [];
    const publish = async (): Promise<void> => {
      const text = `n${given.length}`;
      given.push(text);
      channel.publish('site', 'chat.message', Buffer.from(text), { persistent: true });
      await channel.waitForConfirms();
    };
    await publish();
    await until(() => all.length === 1, { what: 'the first' });
    await channel.deleteQueue(SITE_QUEUE);
    // Nobody can have created it again already.
    await publish();
    // It is created anew while the site continues, and the source reads the saved messages before new ones.
    await until(() => source.state.kind === 'waiting', { everyMs: 1, what: 'the source has seen it' });
    while (source.state.kind !== 'reading' || all.length < given.length - 5) {
      await publish();
      await sleep(5);
    }
    for (let more = 0; more < 20; more += 1) await publish();
    await until(() => all.length >= given.length, { timeoutMs: 30_000, what: 'all of them' });
    expect(all).toEqual(given);
    await model.close();
  }, 120_000);
});
