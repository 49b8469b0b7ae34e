import { DEAD_LETTER_QUEUE, EVENTS_EXCHANGE, ROUTING_KEYS } from '@chat-realtime/protocol';
import { connectRabbitConsumer } from '@chat-realtime/messaging/rabbitmq';
import { type ManagedServer, startRabbit, until } from '@chat-realtime/testkit';
import { connect } from 'amqplib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runAdmin } from './run.ts';

let server: ManagedServer;
beforeAll(async () => {
  server = await startRabbit();
}, 120_000);
afterAll(() => server.kill());

async function deadLetters(...args: string[]) {
  let out = '';
  let err = '';
  const code = await runAdmin(['dead-letters', ...args], {
    env: { RABBITMQ_URL: server.url },
    write: (text) => (out += text),
    writeError: (text) => (err += text),
    readSecret: async () => '',
  });
  return { code, out, err };
}
const answer = async (...args: string[]) => JSON.parse((await deadLetters(...args, '--json')).out);

async function refuse(...texts: string[]): Promise<void> {
  const logger = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
  const consumer = connectRabbitConsumer({ url: server.url, logger });
  await consumer.start(async (deliveries) => {
    for (const delivery of deliveries) if (delivery.kind === 'bad') delivery.refuse();
  });
  await until(() => consumer.connected, { what: 'the consumer', timeoutMs: 60_000 });
  const model = await connect(server.url);
  const channel = await model.createConfirmChannel();
  for (const text of texts) channel.publish(EVENTS_EXCHANGE, ROUTING_KEYS.messageSent, Buffer.from(text));
  await channel.waitForConfirms();
  const waiting = async () => (await channel.checkQueue(DEAD_LETTER_QUEUE)).messageCount;
  await until(async () => (await waiting()) === texts.length, { what: 'the dead letters', timeoutMs: 60_000 });
  await model.close();
  await consumer.close();
}

describe('admin dead-letters', () => {
  it('reports that nothing has been rejected yet, and prints its usage', async () => {
    expect(await deadLetters('list')).toMatchObject({
      code: 1,
      err: expect.stringContaining('nothing has been rejected yet'),
    });
    for (const wrong of [[], ['show'], ['drop'], ['drop', '1', '--all'], ['list', 'x']])
      expect([wrong, (await deadLetters(...wrong)).code]).toEqual([wrong, 2]);
  });

  it('lists messages without their text, shows a single one in full, and replays and drops', async () => {
    await refuse('{"v":9,"body":"private words"}', 'not json', '{"v":1}');
    const listed = await deadLetters('list');
    expect(listed).toMatchObject({ code: 0, out: expect.stringMatching(/^3 dead letters:/) });
    expect(listed.out).not.toContain('private words');
    const { letters } = await answer('list');
    expect(letters.map(({ reason }: { reason: string }) => reason)).toEqual([
      'unknown_version',
      'invalid_json',
      'invalid_event',
    ]);
    const [first, second] = letters;
    expect((await answer('show', first.id)).content).toContain('private words');
    expect(await deadLetters('show', 'nobody')).toMatchObject({ code: 1 });
    expect(await answer('drop', second.id)).toEqual({ dropped: 1, not_found: [] });
    expect(await deadLetters('drop', second.id, '--json')).toMatchObject({
      code: 1,
      out: expect.stringContaining(second.id),
    });
    expect(await answer('replay', '--all')).toEqual({ replayed: 2, not_found: [] });
    expect((await answer('list')).count).toBe(0);
  });
});
