import { z } from 'zod';
import { customerStateSchema } from './channel.ts';
import { badgeDataSchema, sessionEventSchema, staffEventSchema } from './events.ts';
import { chosenStatusSchema } from './operator-status.ts';
import { feedCursorSchema, messageIdSchema, seqCursorSchema, sessionIdSchema, timestampSchema } from './primitives.ts';
import { originsSchema } from './origins.ts';

/** Sessions whose events one call may ask for (`after_seq` given). */
export const CATCHUP_MAX_SESSIONS = 512;
/** Sessions in one call in all: those without `after_seq` cost one row each, so that one head check serves a whole gateway. */
export const CATCHUP_MAX_HEADS = 10_000;
/** Events of one session in one answer. */
export const CATCHUP_MAX_LIMIT = 500;

/** What an admin has saved that concerns every process; a variable of that process goes before it. */
export const sharedSettingsSchema = z.object({
  version: z.int().min(0),
  origins: originsSchema,
  /** Null: nothing was saved. */
  channel_token_seconds: z.int().min(1).max(86_400).nullable(),
});
export type SharedSettings = z.infer<typeof sharedSettingsSchema>;

/**
 * The gateway's one question to chat-service: resume, gap fill and head check alike.
 * `sessions` and `limit` are all that a foreign chat-service must understand; it ignores the rest.
 */
export const catchupRequestSchema = z.object({
  /** `after_seq` absent: only the head is wanted. */
  sessions: z
    .array(z.object({ id: sessionIdSchema, after_seq: seqCursorSchema.optional() }))
    .max(CATCHUP_MAX_HEADS)
    .refine(
      (sessions) => sessions.filter((session) => session.after_seq !== undefined).length <= CATCHUP_MAX_SESSIONS,
      `at most ${CATCHUP_MAX_SESSIONS} sessions with after_seq`,
    ),
  limit: z.int().min(1).max(CATCHUP_MAX_LIMIT),
  /** Events of all sessions together may have about so many bytes; what is too much comes with a later call. */
  max_bytes: z.int().min(1).optional(),
  /** The staff feed after a number; `after` absent: only the head. */
  feed: z.object({ after: feedCursorSchema.optional(), limit: z.int().min(1).max(CATCHUP_MAX_LIMIT) }).optional(),
  /** The operators connected here now: replaces what this gateway said before. */
  presence: z
    .object({
      gateway_id: z.string().max(64),
      operators: z.array(z.object({ id: z.string(), name: z.string().nullable() })),
    })
    .optional(),
  /** Revocations after this id are wanted. */
  revocations_after: z.int().min(0).optional(),
  /** The version of the shared settings that the gateway has, 0 for none: newer ones are wanted. */
  settings_version: z.int().min(0).optional(),
});
export type CatchupRequest = z.input<typeof catchupRequestSchema>;

export const revocationSchema = z.object({
  id: z.int().min(1),
  /** `session`: a customer's tokens and links; `staff`: all tokens of a `sub`; `staff_login`: those of one sign-in (`sid`). */
  kind: z.enum(['session', 'staff', 'staff_login']),
  subject: z.string(),
  /** Tokens made at or before this unix second are refused. */
  not_after: z.int().min(0),
});
export type Revocation = z.infer<typeof revocationSchema>;

/** Where a reader of revocations is. A restore begins anew with lower ids, so a place counts within its epoch alone. */
export interface RevocationPlace {
  readonly epoch: string | null;
  readonly id: number;
}

/** What follows a place. */
export interface RevocationPage extends RevocationPlace {
  readonly revocations: readonly Revocation[];
  readonly hasMore: boolean;
}

export const catchupSessionSchema = z.object({
  id: sessionIdSchema,
  last_seq: seqCursorSchema,
  events: z.array(sessionEventSchema),
  has_more: z.boolean(),
  state: customerStateSchema.optional(),
  assigned_user_id: z.string().nullable().optional(),
  /** Channel tokens made at or before this unix second are revoked. */
  revoked_at: z.int().min(0).nullable().optional(),
  /** What its visitor does is shown to nobody. */
  banned: z.boolean().optional(),
});
export type CatchupSession = z.infer<typeof catchupSessionSchema>;

/** The badge with what is needed to count it for a narrower scope; clients are never sent that part. */
export const countedBadgeSchema = badgeDataSchema.extend({
  waiting: z.object({ unassigned: z.int().min(0), mine: z.record(z.string(), z.int().min(0)) }).optional(),
});
export type CountedBadge = z.infer<typeof countedBadgeSchema>;

/** Why nothing follows a cursor: it is not of this database, or names no place. */
export const cursorResetSchema = z.enum(['cursor_ahead', 'cursor_unknown']);
export type CursorReset = z.infer<typeof cursorResetSchema>;

/** Whose the sessions and callbacks of a feed page are now, and at which seq of theirs that was read. */
export const feedOwnersSchema = z.object({
  sessions: z.array(
    z.object({ id: sessionIdSchema, assigned_user_id: z.string().nullable(), last_seq: seqCursorSchema }),
  ),
  callbacks: z.array(z.object({ id: z.int().min(1), assigned_user_id: z.string().nullable() })),
});
export type FeedOwners = z.infer<typeof feedOwnersSchema>;

/** A session that does not exist is absent from `sessions`: the gateway answers 4504. */
export const catchupResponseSchema = z.object({
  sessions: z.array(catchupSessionSchema),
  /** What is absent does not exist. Without it, as where a site has the sessions, it may only not be known yet. */
  all_sessions: z.boolean().optional(),
  epoch: z.string().optional(),
  feed: z
    .object({
      events: z.array(staffEventSchema),
      /** Without it a page is shown to scope `all` alone. */
      owners: feedOwnersSchema.optional(),
      cursor: feedCursorSchema,
      has_more: z.boolean(),
      reset: cursorResetSchema.optional(),
    })
    .optional(),
  badge: countedBadgeSchema.optional(),
  operators_online: z.int().min(0).optional(),
  /** Every operator who ever chose a status, `online` included; whoever is not here never did. */
  operator_statuses: z.array(chosenStatusSchema).optional(),
  revocations: z.array(revocationSchema).optional(),
  revocations_head: z.int().min(0).optional(),
  /** Where they are newer than `settings_version`. */
  settings: sharedSettingsSchema.optional(),
});
export type CatchupResponse = z.infer<typeof catchupResponseSchema>;

/** `client` or `staff:<user id>`: whose delivery mark. */
export const participantSchema = z.string().regex(/^(?:client|staff:.{1,200})$/);
export const acksRequestSchema = z.object({
  acks: z
    .array(
      z.object({
        session_id: sessionIdSchema,
        participant: participantSchema,
        last_id: messageIdSchema,
        at: timestampSchema,
      }),
    )
    .max(1_000),
});
export type AcksRequest = z.infer<typeof acksRequestSchema>;
export type Ack = AcksRequest['acks'][number];

/** The source of truth, as a gateway asks it: chat-service, in the same process or over its internal HTTP routes. */
export interface ChatSource {
  catchup(request: CatchupRequest): Promise<CatchupResponse>;
  acks(request: AcksRequest): Promise<void>;
}

/** A gateway on its way out. */
export const drainStatusSchema = z.object({
  draining: z.boolean(),
  connections: z.int().min(0),
  /** Over how long it spreads its clients. */
  drain_seconds: z.int().min(0),
});
