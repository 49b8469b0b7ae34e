import {
  DEAD_LETTER_EXCHANGE,
  DEAD_LETTER_QUEUE,
  DELIVERY_LIMIT,
  DISPATCHER_QUEUE,
  EPHEMERAL_QUEUE,
  EPHEMERAL_QUEUE_MAX_LENGTH,
  EPHEMERAL_TTL_MS,
  EVENTS_EXCHANGE,
  ROUTING_KEYS,
} from '@chat-realtime/protocol';
import type { Channel, ChannelModel } from 'amqplib';

/**
 * Exists as long as the broker has what this publisher gave it. The dispatcher may be the first to declare the queue on
 * a broker that lost everything, so the queue alone would not tell the publisher; only publishers declare this one.
 */
const PUBLISHER_MARKER_EXCHANGE = 'chat.events.publisher';
const DEAD_LETTER_ARGUMENTS = { 'x-queue-type': 'quorum' };
const NOT_FOUND = 404;

/** Publisher and consumer declare the whole topology, identically: whoever comes first, the result is the same. */
export async function declareTopology(model: ChannelModel): Promise<void> {
  const channel = await model.createChannel();
  // The same error rejects the call that caused it; without a listener it would end the process.
  channel.on('error', ignoreReported);
  await channel.assertExchange(EVENTS_EXCHANGE, 'topic', { durable: true });
  await channel.assertExchange(DEAD_LETTER_EXCHANGE, 'fanout', { durable: true });
  await channel.assertQueue(DEAD_LETTER_QUEUE, { durable: true, arguments: DEAD_LETTER_ARGUMENTS });
  await channel.bindQueue(DEAD_LETTER_QUEUE, DEAD_LETTER_EXCHANGE, '');
  await channel.assertQueue(DISPATCHER_QUEUE, {
    durable: true,
    arguments: {
      'x-queue-type': 'quorum',
      'x-single-active-consumer': true,
      'x-delivery-limit': DELIVERY_LIMIT,
      'x-dead-letter-exchange': DEAD_LETTER_EXCHANGE,
    },
  });
  await channel.bindQueue(DISPATCHER_QUEUE, EVENTS_EXCHANGE, ROUTING_KEYS.messageSent);
  await channel.bindQueue(DISPATCHER_QUEUE, EVENTS_EXCHANGE, ROUTING_KEYS.sessionUpdated);
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
  await channel.close();
}

/** Whether the broker still has the dispatcher's queue and has been published to before. To be asked before declaring. */
export async function wasMissing(model: ChannelModel): Promise<boolean> {
  const queue = await exists(model, (channel) => channel.checkQueue(DISPATCHER_QUEUE));
  const marker = await exists(model, (channel) => channel.checkExchange(PUBLISHER_MARKER_EXCHANGE));
  return !queue || !marker;
}

/**
 * A quorum queue whose node was killed soon after the queue was declared may come back as a name without a process: it
 * can be declared, but refuses every message for ever, or answers nothing at all. Only making it anew helps; what was in it is published again.
 */
export async function deleteBrokenQueues(model: ChannelModel): Promise<void> {
  const channel = await model.createChannel();
  channel.on('error', ignoreReported);
  await channel.deleteQueue(DISPATCHER_QUEUE);
  // Kept when it holds something, since then it works and somebody wants to look at it.
  const { messageCount } = await channel.assertQueue(DEAD_LETTER_QUEUE, {
    durable: true,
    arguments: DEAD_LETTER_ARGUMENTS,
  });
  if (messageCount === 0) await channel.deleteQueue(DEAD_LETTER_QUEUE);
  await channel.close();
}

/** To be declared only after the loss was noted, so that a crash in between is no loss of that note. */
export async function declareMarker(model: ChannelModel): Promise<void> {
  const channel = await model.createChannel();
  channel.on('error', ignoreReported);
  await channel.assertExchange(PUBLISHER_MARKER_EXCHANGE, 'fanout', { durable: true });
  await channel.close();
}

/** A passive declaration of something that is not there closes its channel, so each has its own. */
async function exists(model: ChannelModel, check: (channel: Channel) => Promise<unknown>): Promise<boolean> {
  const channel = await model.createChannel();
  channel.on('error', ignoreReported);
  try {
    await check(channel);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === NOT_FOUND) return false;
    throw error;
  }
  await channel.close();
  return true;
}

function ignoreReported(): void {}
