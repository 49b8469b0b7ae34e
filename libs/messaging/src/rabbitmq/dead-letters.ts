import { createHash } from 'node:crypto';
import { DEAD_LETTER_QUEUE, ERASURE_QUEUE, EVENTS_EXCHANGE } from '@chat-realtime/protocol';
import { type ChannelModel, type ConfirmChannel, connect, type GetMessage } from 'amqplib';
import { closeChannel, exists, onChannel } from './channels.ts';
import { decodeEvent } from './decode.ts';
import { CONNECT_TIMEOUT_MS } from './link.ts';
import { existingQueues } from './queue-shape.ts';
import { SITE_DEAD_LETTERS, SITE_QUEUE } from './site-source.ts';

const ID_LENGTH = 12;
/** Keeps the original key of an examined letter: putting it back gives it another one. */
const KEY_HEADER = 'x-chat-routing-key';

/** The queue of refused messages, and where they go for another try. */
export type DeadLetterBox = 'dispatcher' | 'ledger';
const BOXES: Readonly<Record<DeadLetterBox, { readonly queue: string; readonly backTo: string | null }>> = {
  dispatcher: { queue: DEAD_LETTER_QUEUE, backTo: null },
  ledger: { queue: SITE_DEAD_LETTERS, backTo: SITE_QUEUE },
};

export interface DeadLetter {
  /** The same for the same content, so that it can be named from one call to the next. */
  readonly id: string;
  readonly messageId: string | null;
  readonly routingKey: string;
  readonly bytes: number;
  /** Why it cannot be read as an event; `readable` if it can, so that another try may succeed. */
  readonly reason: string;
  readonly type: string | null;
  readonly sessionId: number | null;
  readonly seq: number | null;
  readonly occurredAt: string | null;
  /** May contain a customer's text. */
  readonly content: Buffer;
}

export type LetterAction = 'keep' | 'replay' | 'drop';

/** The queue does not exist: nothing has been rejected yet, or nobody has declared the topology yet. */
export class NoDeadLetterQueueError extends Error {
  override readonly name = 'NoDeadLetterQueueError';
  readonly code = 'no_dead_letter_queue';
}

function letterOf(message: GetMessage, box: DeadLetterBox): DeadLetter {
  const { content, fields, properties } = message;
  const kept: unknown = properties.headers?.[KEY_HEADER];
  const routingKey = typeof kept === 'string' ? kept : fields.routingKey;
  const messageId: unknown = properties.messageId;
  const decoded = decodeEvent(content);
  const event = decoded.ok ? decoded.value : null;
  return {
    id: createHash('sha256').update(routingKey).update('\0').update(content).digest('hex').slice(0, ID_LENGTH),
    messageId: typeof messageId === 'string' ? messageId : null,
    routingKey,
    bytes: content.byteLength,
    reason: decoded.ok ? 'readable' : box === 'ledger' ? 'refused' : decoded.reason,
    type: event?.type ?? null,
    sessionId: event?.session_id ?? null,
    seq: event?.seq ?? null,
    occurredAt: event?.occurred_at ?? null,
    content,
  };
}

/**
 * Goes once through the letters that are in the queue now, in order, and does with each what `decide` says. A letter
 * that is kept is copied to the end and only then removed: returning it instead would count towards a limit at which
 * the broker discards it. A crash in between leaves a letter twice, never none.
 * @returns how many were examined. @throws NoDeadLetterQueueError
 */
export async function walkDeadLetters(
  url: string,
  box: DeadLetterBox,
  decide: (letter: DeadLetter) => LetterAction,
): Promise<number> {
  const model = await connect(url, {
    timeout: CONNECT_TIMEOUT_MS,
    clientProperties: { connection_name: 'chat-admin' },
  });
  let failure: Error | undefined;
  // The same error rejects the call that caused it; without a listener it would end the process.
  model.on('error', (error: Error) => {
    failure ??= error;
  });
  try {
    const { queue, backTo } = BOXES[box];
    const waiting = await countOf(model, queue);
    const channel = await model.createConfirmChannel();
    channel.on('error', (error: Error) => {
      failure ??= error;
    });
    channel.on('return', () => {
      failure ??= new Error('the broker has no queue for it: is the dispatcher running?');
    });
    let seen = 0;
    while (seen < waiting) {
      const message = await channel.get(queue, { noAck: false });
      if (message === false) break;
      seen += 1;
      const letter = letterOf(message, box);
      const action = decide(letter);
      if (action === 'keep') await send(channel, '', queue, message, letter.routingKey);
      else if (action === 'replay')
        await send(channel, backTo === null ? EVENTS_EXCHANGE : '', backTo ?? letter.routingKey, message, null);
      // Letters returned as unroutable, or not confirmed at all, stay: closing returns them to the queue.
      if (failure !== undefined) throw failure;
      channel.ack(message);
    }
    await closeChannel(channel);
    return seen;
  } finally {
    await model.close().catch((error: unknown) => {
      // Already gone; the outcome has been reported.
      failure ??= error instanceof Error ? error : new Error(String(error));
    });
  }
}

async function countOf(model: ChannelModel, queue: string): Promise<number> {
  const channel = await model.createChannel();
  let missing = false;
  channel.on('error', () => {
    missing = true;
  });
  try {
    return (await channel.checkQueue(queue)).messageCount;
  } catch (error) {
    throw new NoDeadLetterQueueError(`RabbitMQ has no queue ${queue}`, { cause: error });
  } finally {
    if (!missing) await closeChannel(channel);
  }
}

async function send(
  channel: ConfirmChannel,
  exchange: string,
  key: string,
  { content, properties }: GetMessage,
  kept: string | null,
): Promise<void> {
  const { [KEY_HEADER]: _, ...headers } = { ...properties.headers };
  await new Promise<void>((resolve, reject) => {
    const options = {
      ...properties,
      headers: kept === null ? headers : { ...headers, [KEY_HEADER]: kept },
      persistent: true,
      mandatory: true,
    };
    channel.publish(exchange, key, content, options, (error: unknown) =>
      error === null || error === undefined ? resolve() : reject(error instanceof Error ? error : new Error('refused')),
    );
  });
}

/** Empties the dispatcher's queues; returns how many messages were in them, 0 if there are none. */
export async function purgeEventQueue(url: string): Promise<number> {
  const model = await connect(url, {
    timeout: CONNECT_TIMEOUT_MS,
    clientProperties: { connection_name: 'chat-admin' },
  });
  // The same error rejects the call that caused it; without a listener it would end the process.
  model.on('error', () => undefined);
  try {
    const queues = await existingQueues(model);
    return await onChannel(model, async (channel) => {
      let purged = 0;
      for (const queue of queues) purged += (await channel.purgeQueue(queue)).messageCount;
      // A chat erased after the backup is back, and its number may become another chat's.
      if (await exists(model, (other) => other.checkQueue(ERASURE_QUEUE))) await channel.purgeQueue(ERASURE_QUEUE);
      return purged;
    });
  } finally {
    await model.close();
  }
}
