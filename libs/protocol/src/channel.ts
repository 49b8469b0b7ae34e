import { z } from 'zod';
import { badgeDataSchema, readDataSchema, staffPresenceDataSchema } from './events.ts';
import { feedCursorSchema, messageIdSchema, seqCursorSchema, sessionIdSchema, timestampSchema } from './primitives.ts';

export const WEBSOCKET_SUBPROTOCOL = 'chat.v1';
/** Second subprotocol entry that carries the token, so that it need not stand in a URL. */
export const BEARER_SUBPROTOCOL_PREFIX = 'bearer.';
export const WEBSOCKET_MAX_PAYLOAD_BYTES = 65_536;
export const AUTH_DEADLINE_MS = 5_000;
export const MAX_BAD_FRAMES = 3;
export const ACK_ITEMS_MAX = 100;
export const TYPING_TTL_MS = 6_000;
/** Frames that gateway and client keep while one before them is missing; more are dropped and read again. */
export const HELD_FRAMES_MAX = 100;

/** State beside the events: read marks and presence of a session, badge and presence for staff. */
export const customerStateSchema = z.object({
  client: readDataSchema.omit({ by: true }),
  staff: readDataSchema.omit({ by: true }),
  operators_online: z.int().min(0),
});
export type CustomerState = z.infer<typeof customerStateSchema>;
export const staffStateSchema = z.object({
  badge: badgeDataSchema,
  users: staffPresenceDataSchema.shape.users,
});
export type StaffState = z.infer<typeof staffStateSchema>;

export const channelReadyDataSchema = z.object({
  session_id: sessionIdSchema.optional(),
  user_id: z.string().optional(),
  /** Events with a larger seq follow; null on the staff channel, whose cursor is `cursor`. */
  from_seq: seqCursorSchema.nullable(),
  last_seq: seqCursorSchema.nullable(),
  cursor: feedCursorSchema.optional(),
  epoch: z.string(),
  /** Seconds between two pings of the server. */
  ping_interval: z.number(),
  connection_id: z.string(),
  expires_at: timestampSchema,
  state: z.union([customerStateSchema, staffStateSchema]),
});
export type ChannelReadyData = z.infer<typeof channelReadyDataSchema>;

export const resetReasonSchema = z.enum(['cursor_ahead', 'cursor_unknown', 'epoch_changed']);

/** Frames about the connection itself. They have no seq. */
export const controlFrameSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('channel.ready'), data: channelReadyDataSchema, cursor: feedCursorSchema.optional() }),
  /** Staff with a narrow scope: the events up to here have been sent, or are not for them. */
  z.object({ type: z.literal('channel.cursor'), cursor: feedCursorSchema }),
  z.object({ type: z.literal('channel.refreshed'), data: z.object({ expires_at: timestampSchema }) }),
  z.object({ type: z.literal('channel.pong') }),
  z.object({ type: z.literal('channel.reset'), data: z.object({ reason: resetReasonSchema }) }),
  z.object({ type: z.literal('channel.degraded'), data: z.object({ reason: z.string() }) }),
  z.object({ type: z.literal('channel.restored'), data: z.object({}) }),
  z.object({ type: z.literal('channel.goodbye'), data: z.object({ reconnect_in_ms: z.int().min(0) }) }),
  z.object({ type: z.literal('channel.closed'), data: z.object({ code: z.int(), reason: z.string() }) }),
  z.object({ type: z.literal('error'), data: z.object({ code: z.string(), message: z.string() }) }),
]);
export type ControlFrame = z.infer<typeof controlFrameSchema>;
/** Why the live path is impaired. */
export type DegradedReason = Extract<ControlFrame, { type: 'channel.degraded' }>['data']['reason'];

export const customerAuthFrameSchema = z.object({
  type: z.literal('auth'),
  session_id: sessionIdSchema,
  token: z.string(),
  last_seq: seqCursorSchema.optional(),
  replaces: z.string().max(64).optional(),
});
export const staffAuthFrameSchema = z.object({
  type: z.literal('auth'),
  access_token: z.string(),
  cursor: feedCursorSchema.optional(),
  replaces: z.string().max(64).optional(),
});
export const ackFrameSchema = z.union([
  z.object({ type: z.literal('ack'), last_id: z.int().min(0) }),
  z.object({
    type: z.literal('ack'),
    items: z.array(z.object({ session_id: sessionIdSchema, last_id: messageIdSchema })).max(ACK_ITEMS_MAX),
  }),
]);
export const typingFrameSchema = z.object({
  type: z.literal('typing'),
  session_id: sessionIdSchema.optional(),
  active: z.boolean(),
});
export const viewingFrameSchema = z.object({ type: z.literal('viewing'), session_id: sessionIdSchema.nullable() });
export const pingFrameSchema = z.object({ type: z.literal('ping') });

/** Everything a client may send. */
export const clientFrameSchema = z.union([
  customerAuthFrameSchema,
  staffAuthFrameSchema,
  ackFrameSchema,
  typingFrameSchema,
  viewingFrameSchema,
  pingFrameSchema,
]);
export type ClientFrame = z.infer<typeof clientFrameSchema>;
