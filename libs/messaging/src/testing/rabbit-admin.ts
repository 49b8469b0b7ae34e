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
import type { ManagedServer } from '@chat-realtime/testkit';
import { type Channel, connect } from 'amqplib';

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

/** As on a broker where nobody ever was. */
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
