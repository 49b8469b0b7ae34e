import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import {
  DEAD_LETTER_QUEUE,
  EPHEMERAL_QUEUE,
  QUEUE_COUNTS,
  queueNames,
  sessionsExchange,
} from '@chat-realtime/protocol';
import { type ManagedServer, until } from '@chat-realtime/testkit';
import { type Channel, connect, type Options } from 'amqplib';

const run = promisify(execFile);

export async function withChannel<T>(server: ManagedServer, use: (channel: Channel) => Promise<T>): Promise<T> {
  const model = await connect(server.url);
  model.on('error', () => undefined);
  try {
    const channel = await model.createChannel();
    channel.on('error', () => undefined);
    const result = await use(channel);
    // Closing the connection alone would drop what the channel still has to send.
    await channel.close();
    return result;
  } finally {
    await model.close();
  }
}

/** As on a broker that was never used. */
export async function deleteTopology(server: ManagedServer): Promise<void> {
  await withChannel(server, async (channel) => {
    const queues = QUEUE_COUNTS.flatMap((count) => queueNames(count));
    for (const queue of [...queues, DEAD_LETTER_QUEUE, EPHEMERAL_QUEUE]) await channel.deleteQueue(queue);
    const spreading = QUEUE_COUNTS.map((count) => sessionsExchange(count));
    for (const exchange of ['chat.events', 'chat.events.dead', 'chat.events.publisher', ...spreading])
      await channel.deleteExchange(exchange);
  });
}

/** How many messages wait in a queue; a quorum queue's answer may be some hundred milliseconds old. */
export function depth(server: ManagedServer, queue: string): Promise<number> {
  return withChannel(server, async (channel) => (await channel.checkQueue(queue)).messageCount);
}

/** Waits until so many messages lie in a queue; failing, it says how many there were. */
export async function holds(server: ManagedServer, queue: string, count: number): Promise<void> {
  let seen: number | null = null;
  const probe = async (): Promise<boolean> => {
    seen = await depth(server, queue);
    return seen === count;
  };
  await until(probe, { what: `${count} messages in ${queue}`, everyMs: 50 }).catch((error: unknown) => {
    throw new Error(`${queue} holds ${seen ?? 'an unknown number of'} messages instead of ${count}`, { cause: error });
  });
}

/**
 * Publishes one message as a careful publisher does: one that the broker refuses is given again. A queue that was declared
 * a moment ago refuses while its disk is slow, and without a confirm nobody would hear of it.
 */
export async function give(
  server: ManagedServer,
  exchange: string,
  key: string,
  content: string | Buffer,
  options: Options.Publish = {},
): Promise<void> {
  const model = await connect(server.url);
  model.on('error', () => undefined);
  try {
    const channel = await model.createConfirmChannel();
    channel.on('error', () => undefined);
    const given = (): Promise<boolean> =>
      new Promise((resolve) => {
        channel.publish(exchange, key, Buffer.from(content), options, (refused: unknown) =>
          resolve(refused === null || refused === undefined),
        );
      });
    await until(given, { what: `a message in ${exchange || key}` });
    await channel.close();
  } finally {
    await model.close();
  }
}

/** Runs Erlang in the broker, with the environment by which its node is found; answers its result. */
export async function evaluate(server: ManagedServer, expression: string): Promise<string> {
  const entries = readFileSync(`/proc/${server.pid}/environ`, 'utf8')
    .split('\0')
    .filter((entry) => entry.includes('='));
  const env = Object.fromEntries(
    entries.map((entry) => [entry.slice(0, entry.indexOf('=')), entry.slice(entry.indexOf('=') + 1)]),
  );
  const cookie = readFileSync(join(env['HOME'] ?? '', '.erlang.cookie'), 'utf8');
  // Ten times as fast as rabbitmqctl, which first starts a whole Erlang of its own.
  const calling = run('erl_call', ['-sname', env['RABBITMQ_NODENAME'] ?? '', '-c', cookie, '-e'], { env });
  calling.child.stdin?.end(`${expression}\n`);
  const { stdout } = await calling;
  if (!stdout.startsWith('{ok,')) throw new Error(`Erlang answered ${stdout}`);
  return stdout;
}
