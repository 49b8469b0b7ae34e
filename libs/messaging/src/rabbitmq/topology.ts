import {
  DEAD_LETTER_EXCHANGE,
  DEAD_LETTER_QUEUE,
  EPHEMERAL_QUEUE,
  EPHEMERAL_QUEUE_MAX_LENGTH,
  EPHEMERAL_TTL_MS,
  EVENTS_EXCHANGE,
  queueNames,
  ROUTING_KEYS,
} from '@chat-realtime/protocol';
import type { Channel, ChannelModel } from 'amqplib';
import { exists, onChannel } from './channels.ts';
import { bindQueues, declareQueues, type QueueShape, shapesInUse } from './queue-shape.ts';

/**
 * A marker that exists as long as the broker keeps this publisher's data. A dispatcher may be the first to declare the
 * queue on a broker that lost everything, so the queue alone would tell the publisher nothing. Only publishers declare
 * this exchange.
 */
const PUBLISHER_MARKER_EXCHANGE = 'chat.events.publisher';
const DEAD_LETTER_ARGUMENTS = { 'x-queue-type': 'quorum' };

/**
 * What both ends declare identically, so that it does not matter which comes first. Only the publisher binds several
 * queues, since that happens in a fixed order.
 */
async function declareCommon(channel: Channel): Promise<void> {
  await channel.assertExchange(EVENTS_EXCHANGE, 'topic', { durable: true });
  await channel.assertExchange(DEAD_LETTER_EXCHANGE, 'fanout', { durable: true });
  await channel.assertQueue(DEAD_LETTER_QUEUE, { durable: true, arguments: DEAD_LETTER_ARGUMENTS });
  await channel.bindQueue(DEAD_LETTER_QUEUE, DEAD_LETTER_EXCHANGE, '');
  await channel.assertQueue(EPHEMERAL_QUEUE, {
    durable: true,
    arguments: {
      'x-queue-type': 'classic',
      'x-single-active-consumer': true,
      'x-message-ttl': EPHEMERAL_TTL_MS,
      'x-max-length': EPHEMERAL_QUEUE_MAX_LENGTH,
      'x-overflow': 'drop-head',
    },
  });
  await channel.bindQueue(EPHEMERAL_QUEUE, EVENTS_EXCHANGE, ROUTING_KEYS.ephemeral);
}

/** All of it, by the shapes that are in use: more than one after a change that was cut short. */
export async function declareForPublishing(model: ChannelModel, shapes: readonly QueueShape[]): Promise<void> {
  await onChannel(model, async (channel) => {
    await declareCommon(channel);
    for (const shape of shapes) {
      await declareQueues(channel, shape);
      await bindQueues(channel, shape);
    }
  });
}

/** What a reader needs. One queue it also binds, unless the publisher spreads events over several for now. */
export async function declareForReading(model: ChannelModel, shape: QueueShape): Promise<void> {
  const binds = shape === 1 && (await shapesInUse(model)).every((used) => used === 1);
  await onChannel(model, async (channel) => {
    await declareCommon(channel);
    await declareQueues(channel, shape);
    if (binds) await bindQueues(channel, shape);
  });
}

/**
 * Whether the broker still has the queues of these shapes and has been published to before. To be asked before
 * declaring.
 */
export async function wasMissing(model: ChannelModel, shapes: readonly QueueShape[]): Promise<boolean> {
  const queues = shapes.flatMap((shape) => queueNames(shape));
  const found = await Promise.all([
    ...queues.map((queue) => exists(model, (channel) => channel.checkQueue(queue))),
    exists(model, (channel) => channel.checkExchange(PUBLISHER_MARKER_EXCHANGE)),
  ]);
  return shapes.length === 0 || found.includes(false);
}

/**
 * A quorum queue whose node was killed soon after the queue was declared may come back as a name without a process: it
 * can be declared, but refuses every message forever, or never answers. Only recreating it helps; its messages are
 * published again.
 */
export async function deleteBrokenQueues(model: ChannelModel, shapes: readonly QueueShape[]): Promise<void> {
  await onChannel(model, async (channel) => {
    for (const queue of shapes.flatMap((shape) => queueNames(shape))) await channel.deleteQueue(queue);
    // Kept if it has messages: then it works, and someone will want to read them.
    const { messageCount } = await channel.assertQueue(DEAD_LETTER_QUEUE, {
      durable: true,
      arguments: DEAD_LETTER_ARGUMENTS,
    });
    if (messageCount === 0) await channel.deleteQueue(DEAD_LETTER_QUEUE);
  });
}

/** To be declared only after the loss was noted, so that a crash in between is no loss of that note. */
export async function declareMarker(model: ChannelModel): Promise<void> {
  await onChannel(model, (channel) => channel.assertExchange(PUBLISHER_MARKER_EXCHANGE, 'fanout', { durable: true }));
}
