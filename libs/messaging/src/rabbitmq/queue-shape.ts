import {
  DEAD_LETTER_EXCHANGE,
  DELIVERY_LIMIT,
  DISPATCHER_QUEUE,
  EVENTS_EXCHANGE,
  QUEUE_COUNTS,
  type QueueCount,
  queueNames,
  ROUTING_KEYS,
  SESSION_HEADER,
  sessionsExchange,
} from '@chat-realtime/protocol';
import type { Channel, ChannelModel } from 'amqplib';
import { exists, onChannel } from './channels.ts';

/**
 * Over how many queues the events are spread. With one it is bound to `chat.events` itself; with more an exchange in
 * between spreads them by session, and its name says over how many: it is the mark of a shape that is in use.
 */
export type QueueShape = QueueCount;

const QUEUE_ARGUMENTS = {
  'x-queue-type': 'quorum',
  'x-single-active-consumer': true,
  'x-delivery-limit': DELIVERY_LIMIT,
  'x-dead-letter-exchange': DEAD_LETTER_EXCHANGE,
};
const EVENT_KEYS = [ROUTING_KEYS.messageSent, ROUTING_KEYS.sessionUpdated];

/** Shapes in use on this broker: several after an interrupted change, none on a new broker. */
export async function shapesInUse(model: ChannelModel): Promise<QueueShape[]> {
  const spread = await Promise.all(
    QUEUE_COUNTS.filter((count) => count > 1).map(async (count) =>
      (await exists(model, (channel) => channel.checkExchange(sessionsExchange(count)))) ? [count] : [],
    ),
  );
  const found = spread.flat();
  if (found.length > 0) return found;
  return (await exists(model, (channel) => channel.checkQueue(DISPATCHER_QUEUE))) ? [1] : [];
}

/** Queues that exist, of whatever shape. */
export async function existingQueues(model: ChannelModel): Promise<string[]> {
  const found: string[] = [];
  for (const queue of [DISPATCHER_QUEUE, ...queueNames(16)]) {
    if (await exists(model, (channel) => channel.checkQueue(queue))) found.push(queue);
    // They are made from the first on.
    else if (queue !== DISPATCHER_QUEUE) break;
  }
  return found;
}

export async function declareQueues(channel: Channel, shape: QueueShape): Promise<void> {
  for (const queue of queueNames(shape))
    await channel.assertQueue(queue, { durable: true, arguments: QUEUE_ARGUMENTS });
}

/** Routes events into the queues of this shape. */
export async function bindQueues(channel: Channel, shape: QueueShape): Promise<void> {
  if (shape === 1) {
    for (const key of EVENT_KEYS) await channel.bindQueue(DISPATCHER_QUEUE, EVENTS_EXCHANGE, key);
    return;
  }
  const exchange = sessionsExchange(shape);
  const options = { durable: true, arguments: { 'hash-header': SESSION_HEADER } };
  await channel.assertExchange(exchange, 'x-consistent-hash', options);
  // The key of such a binding is its weight.
  for (const queue of queueNames(shape)) await channel.bindQueue(queue, exchange, '1');
  for (const key of EVENT_KEYS) await channel.bindExchange(exchange, EVENTS_EXCHANGE, key);
}

/** No event is routed to the queues of this shape any more. Their messages stay. */
export async function releaseQueues(channel: Channel, shape: QueueShape): Promise<void> {
  if (shape > 1) await channel.deleteExchange(sessionsExchange(shape));
  else for (const key of EVENT_KEYS) await channel.unbindQueue(DISPATCHER_QUEUE, EVENTS_EXCHANGE, key);
}

/** From `before` to `after`: in between an event goes into the queues of both rather than of none. */
export async function changeShape(
  model: ChannelModel,
  before: readonly QueueShape[],
  after: QueueShape,
): Promise<void> {
  await onChannel(model, async (channel) => {
    await declareQueues(channel, after);
    await bindQueues(channel, after);
    for (const shape of before) if (shape !== after) await releaseQueues(channel, shape);
    // Bound by a dispatcher that knew of one queue only.
    if (after > 1 && !before.includes(1) && (await exists(model, (other) => other.checkQueue(DISPATCHER_QUEUE))))
      await releaseQueues(channel, 1);
  });
}
