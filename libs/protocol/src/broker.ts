import { z } from 'zod';
import { subscribersSchema } from './events.ts';
import { bansControlSchema, revokedControlSchema, statusControlSchema, tickControlSchema } from './fanout.ts';
import { timestampSchema } from './primitives.ts';

export const EVENTS_EXCHANGE = 'chat.events';
export const DISPATCHER_QUEUE = 'chat-channel-dispatcher';
/** Over how many queues events may be spread. */
export const QUEUE_COUNTS = [1, 2, 4, 8, 16] as const;
export type QueueCount = (typeof QUEUE_COUNTS)[number];
/** AMQP header by which they are: all events of a session go into one queue. */
export const SESSION_HEADER = 'chat-session';
/** AMQP `type` of a message that asks whether everything before it was read; its reader answers to `reply_to`. */
export const QUESTION_TYPE = 'chat.question';
/** AMQP `type` of a message by which a dispatcher (`app_id`) tells the others that it is there. */
export const READER_TYPE = 'chat.reader';
export const DEAD_LETTER_QUEUE = 'chat-channel-dispatcher.dead';
export const DEAD_LETTER_EXCHANGE = 'chat.events.dead';
export const EPHEMERAL_QUEUE = 'chat-channel-dispatcher.ephemeral';
/** What an erasure could not delete at once; only dispatchers declare, fill and read it. */
export const ERASURE_QUEUE = 'chat-channel-dispatcher.erasures';
/** Redeliveries after which RabbitMQ parks a message. It counts lost connections too, so it is far above any real outage. */
export const DELIVERY_LIMIT = 50;
export const EPHEMERAL_TTL_MS = 5_000;
export const EPHEMERAL_QUEUE_MAX_LENGTH = 10_000;

export const ROUTING_KEYS = {
  messageSent: 'chat.message.sent',
  sessionUpdated: 'chat.session.updated',
  ephemeral: 'chat.ephemeral',
} as const;
export type RoutingKey = (typeof ROUTING_KEYS)[keyof typeof ROUTING_KEYS];

/** What chat-service publishes for each durable event; `type` as on the customer's side. */
export const brokerEventSchema = z.object({
  v: z.literal(1),
  type: z.string(),
  session_id: z.int().min(1).nullable(),
  /** Null for staff-only events. */
  seq: z.int().min(1).nullable(),
  /** Its number in the staff feed; a source that keeps no feed gives none. */
  feed_seq: z.int().min(1).optional(),
  feed_id: z.int().min(1).optional(),
  data: z.record(z.string(), z.unknown()),
  subscribers: subscribersSchema,
  occurred_at: timestampSchema,
  /** Personal data of `chat.session.created` that only the staff copy may carry. */
  staff_data: z.record(z.string(), z.unknown()).optional(),
});
export type BrokerEvent = z.infer<typeof brokerEventSchema>;

/** Messages with the routing key `chat.ephemeral`. */
export const brokerEphemeralSchema = z.discriminatedUnion('type', [
  z.object({
    v: z.literal(1),
    type: z.literal('chat.read'),
    session_id: z.int().min(1),
    seq: z.null(),
    data: z.record(z.string(), z.unknown()),
  }),
  z.object({
    v: z.literal(1),
    type: z.literal('chat.alert'),
    session_id: z.null(),
    seq: z.null(),
    data: z.record(z.string(), z.unknown()),
  }),
  z.object({ v: z.literal(1), ...revokedControlSchema.shape }),
  z.object({ v: z.literal(1), ...statusControlSchema.shape }),
  z.object({ v: z.literal(1), ...bansControlSchema.shape }),
  z.object({ v: z.literal(1), ...tickControlSchema.shape }),
]);
export type BrokerEphemeral = z.infer<typeof brokerEphemeralSchema>;

/** A part of an erasure that is still to be done: a message of the queue of erasures. */
export const pendingErasureSchema = z.discriminatedUnion('from', [
  z.object({
    v: z.literal(1),
    from: z.literal('stream'),
    session_id: z.int().min(1),
    /** Frames through this seq, and those without one. */
    through_seq: z.int().min(0),
  }),
  z.object({ v: z.literal(1), from: z.literal('dead_letters') }),
]);
export type PendingErasure = z.infer<typeof pendingErasureSchema>;

export function queueNames(count: QueueCount): string[] {
  if (count === 1) return [DISPATCHER_QUEUE];
  return Array.from({ length: count }, (_, index) => `${DISPATCHER_QUEUE}.${index + 1}`);
}

/** Of the type `x-consistent-hash`: spreads what comes from `chat.events` over so many queues. */
export function sessionsExchange(count: QueueCount): string {
  return `${EVENTS_EXCHANGE}.sessions.${count}`;
}

/** AMQP `message_id`: `<session id>:<seq>`, or `feed:<feed seq>` where there is no seq. */
export function brokerMessageId(event: Pick<BrokerEvent, 'session_id' | 'seq' | 'feed_seq'>): string {
  return event.seq === null ? `feed:${event.feed_seq}` : `${event.session_id}:${event.seq}`;
}
