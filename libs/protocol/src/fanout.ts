import { z } from 'zod';
import { revocationSchema } from './internal.ts';
import { chosenStatusSchema } from './operator-status.ts';

/** Names of keys and channels in Redis; each gets `REDIS_KEY_PREFIX` in front. */
export const STAFF_CHANNEL = 'chat:staff';
export const CONTROL_CHANNEL = 'chat:control';
export const STAFF_STREAM_KEY = 'chat:staff:stream';
/** The database that the keys of this Redis are of. */
export const EPOCH_KEY = 'chat:epoch';
export const STAFF_STREAM_FIELD = 'frame';
export const STAFF_STREAM_MAX_LENGTH = 10_000;

export function sessionChannel(sessionId: number): string {
  return `chat:${sessionId}`;
}
export function lastSeenKey(sessionId: number): string {
  return `chat:last_seen:${sessionId}`;
}

/** The messages that the dispatcher passes on from the queue, where each also has its version. */
export const revokedControlSchema = z.object({ type: z.literal('control.revoked'), data: revocationSchema });
/** Sent once a second through the whole live path: its absence tells the gateways that the path is impaired. */
const tickSchema = z.object({
  revocations_head: z.int().min(0),
  /** Nobody reads a source of the site: what happens there does not come. */
  source_lost: z.boolean().optional(),
});
export const tickControlSchema = z.object({ type: z.literal('control.tick'), data: tickSchema });
/** An operator chose their status. */
export const statusControlSchema = z.object({ type: z.literal('control.status'), data: chosenStatusSchema });
/** A ban was made, changed or lifted: gateways query its targets. */
export const bansControlSchema = z.object({ type: z.literal('control.bans'), data: z.object({}) });

/** Messages of `chat:control`: for gateways alone, never for clients. */
export const controlMessageSchema = z.discriminatedUnion('type', [
  revokedControlSchema,
  tickControlSchema,
  statusControlSchema,
  bansControlSchema,
  /** The operators connected to one gateway; repeated every heartbeat, so that a silent gateway's ones expire. */
  z.object({
    type: z.literal('control.presence'),
    data: z.object({
      gateway_id: z.string(),
      operators: z.array(z.object({ id: z.string(), name: z.string().nullable(), viewing: z.int().min(1).optional() })),
    }),
  }),
  /** A connection whose slot went to another one: its gateway closes it. */
  z.object({ type: z.literal('control.displaced'), data: z.object({ connection_id: z.string() }) }),
]);
export type ControlMessage = z.infer<typeof controlMessageSchema>;
