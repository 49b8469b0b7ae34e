import { z } from 'zod';
import {
  feedCursorSchema,
  feedSeqSchema,
  messageIdSchema,
  seqSchema,
  sessionIdSchema,
  timestampSchema,
} from './primitives.ts';

export const senderTypeSchema = z.enum(['client', 'operator', 'system']);
export type SenderType = z.infer<typeof senderTypeSchema>;

/** A custom chat-service may have its own states; they pass through as text. */
export const sessionStatusSchema = z.enum(['new', 'active', 'closed']);
export type SessionStatus = z.infer<typeof sessionStatusSchema>;

export const attachmentSchema = z.object({
  id: z.string(),
  name: z.string(),
  mime: z.string(),
  size: z.int().min(0),
  width: z.int().positive().optional(),
  height: z.int().positive().optional(),
  /** Signed, valid for at most 24 h; created each time the event is read, so never stored. */
  url: z.string().optional(),
});
export type Attachment = z.infer<typeof attachmentSchema>;

export const messageSchema = z.object({
  id: messageIdSchema,
  sender_type: senderTypeSchema,
  sender_id: z.string().nullable().optional(),
  sender_name: z.string().nullable().optional(),
  body: z.string(),
  attachments: z.array(attachmentSchema),
  created_at: timestampSchema,
  client_message_id: z.string().nullable(),
});
export type Message = z.infer<typeof messageSchema>;

/** What a customer may see of a session. */
export const sessionSchema = z.object({
  id: sessionIdSchema,
  status: z.string(),
  created_at: timestampSchema,
  assigned_user_id: z.string().nullable(),
  assigned_user_name: z.string().nullable().optional(),
  last_seq: z.int().min(0),
  version: z.int().min(0),
  callback_pending: z.boolean(),
});
export type Session = z.infer<typeof sessionSchema>;

export const contactSchema = z.object({
  name: z.string().nullable(),
  email: z.string().nullable(),
  phone: z.string().nullable(),
});
export type Contact = z.infer<typeof contactSchema>;

export const sessionCreatedDataSchema = z.object({
  session: sessionSchema,
  /** Only in the copy for staff. */
  contact: contactSchema.optional(),
});
export const sessionAssignedDataSchema = z.object({
  assigned_user_id: z.string().nullable(),
  assigned_user_name: z.string().nullable().optional(),
  /** `sub` of the operator who did it, or `system`. */
  by: z.string(),
});
export const sessionStatusDataSchema = z.object({
  status: z.string(),
  previous: z.string(),
  reason: z.enum(['operator', 'customer_message', 'idle']),
  by: z.string().optional(),
});
export const callbackStatusSchema = z.enum(['new', 'assigned', 'calling', 'done', 'no_answer', 'cancelled']);
export type CallbackStatus = z.infer<typeof callbackStatusSchema>;
export const callbackDataSchema = z.object({
  id: z.int().min(1),
  status: callbackStatusSchema,
  preferred_at: timestampSchema.nullable(),
});
export type CallbackData = z.infer<typeof callbackDataSchema>;
export const callbackEventDataSchema = callbackDataSchema.extend({
  /**
   * Of the session, after this event: it may have another open request. Absent only from a source that does not count
   * them.
   */
  callback_pending: z.boolean().optional(),
});
export const noteSchema = z.object({
  id: z.int().min(1),
  session_id: sessionIdSchema,
  author_id: z.string(),
  author_name: z.string().nullable(),
  body: z.string(),
  created_at: timestampSchema,
});
export type Note = z.infer<typeof noteSchema>;
export const callbackStaffSchema = z.object({
  id: z.int().min(1),
  session_id: sessionIdSchema.nullable(),
  status: callbackStatusSchema,
  phone: z.string(),
  name: z.string().nullable(),
  comment: z.string().nullable(),
  preferred_at: timestampSchema.nullable(),
  due_at: timestampSchema,
  assigned_user_id: z.string().nullable(),
  result: z.string().nullable(),
  created_at: timestampSchema,
  updated_at: timestampSchema,
});
export type CallbackStaff = z.infer<typeof callbackStaffSchema>;

export const erasedKindSchema = z.enum(['messages', 'files', 'contacts', 'callbacks']);
export type ErasedKind = z.infer<typeof erasedKindSchema>;
/** Something of the session was erased for good: clients that hold it must discard it. */
export const erasedDataSchema = z.object({
  /** `session`: everything before this event. `before`: old content, up to `through_seq`. */
  scope: z.enum(['session', 'before']),
  through_seq: seqSchema.optional(),
  /** The newest message affected; 0 if there is none. */
  through_id: z.int().min(0),
  kinds: z.array(erasedKindSchema),
});
export type ErasedData = z.infer<typeof erasedDataSchema>;

function sessionEvent<T extends string, D extends z.ZodType>(type: T, data: D) {
  return z.object({ type: z.literal(type), session_id: sessionIdSchema, seq: seqSchema, data });
}

/** A durable event as a customer sees it: the frames of a session's channel. */
export const sessionEventSchema = z.discriminatedUnion('type', [
  sessionEvent('chat.session.created', sessionCreatedDataSchema.omit({ contact: true })),
  sessionEvent('chat.message', messageSchema),
  sessionEvent('chat.session.assigned', sessionAssignedDataSchema),
  sessionEvent('chat.session.status', sessionStatusDataSchema),
  sessionEvent('chat.callback', callbackEventDataSchema),
  sessionEvent('chat.erased', erasedDataSchema),
]);
export type SessionEvent = z.infer<typeof sessionEventSchema>;
export type SessionEventType = SessionEvent['type'];

/** Who is concerned by an event; decides which staff connections may see it. */
export const subscribersSchema = z.object({
  session_id: sessionIdSchema.nullable(),
  assigned_user_id: z.string().nullable(),
  /**
   * On `chat.session.assigned`, null = it was unassigned: operators who just lost sight of the session still learn of
   * it.
   */
  previous_user_id: z.string().nullable().optional(),
});
export type Subscribers = z.infer<typeof subscribersSchema>;

const staffExtras = {
  /** Its number in the staff feed; absent only from a source without a feed. */
  feed_seq: feedSeqSchema.optional(),
  cursor: feedCursorSchema.optional(),
  subscribers: subscribersSchema.optional(),
};
function staffEvent<T extends string, D extends z.ZodType>(type: T, data: D) {
  return z.object({ type: z.literal(type), session_id: sessionIdSchema, seq: seqSchema, data, ...staffExtras });
}
function staffOnlyEvent<T extends string, D extends z.ZodType>(type: T, data: D) {
  return z.object({
    type: z.literal(type),
    session_id: sessionIdSchema.nullable(),
    seq: z.null(),
    /** Id of the event that has no seq. */
    feed_id: z.int().min(1),
    data,
    ...staffExtras,
  });
}

/** A durable event as staff see it: frames of the staff channel and rows of the feed. */
export const staffEventSchema = z.discriminatedUnion('type', [
  staffEvent('chat.session.created', sessionCreatedDataSchema),
  staffEvent('chat.message', messageSchema),
  staffEvent('chat.message.client', messageSchema),
  staffEvent('chat.session.assigned', sessionAssignedDataSchema),
  staffEvent('chat.session.status', sessionStatusDataSchema),
  staffEvent('chat.callback', callbackEventDataSchema),
  staffEvent('chat.erased', erasedDataSchema),
  staffOnlyEvent('chat.note', noteSchema),
  staffOnlyEvent('chat.callback.staff', callbackStaffSchema),
]);
export type StaffEvent = z.infer<typeof staffEventSchema>;
export type StaffEventType = StaffEvent['type'];

/** The staff's type of an event that the customer sees as `type`. */
export function staffEventType(type: string, senderType: string | undefined): string {
  return type === 'chat.message' && senderType === 'client' ? 'chat.message.client' : type;
}

export const typingDataSchema = z.object({
  by: z.enum(['client', 'staff']),
  user_id: z.string().optional(),
  name: z.string().optional(),
  active: z.boolean(),
});
export const readDataSchema = z.object({
  by: z.enum(['client', 'staff']),
  delivered_id: z.int().min(0),
  read_id: z.int().min(0),
});
export type ReadData = z.infer<typeof readDataSchema>;
export const presenceStateSchema = z.enum(['online', 'away', 'offline']);
export type PresenceState = z.infer<typeof presenceStateSchema>;
export const customerPresenceDataSchema = z.object({ operators_online: z.int().min(0) });
export const staffPresenceDataSchema = z.object({
  users: z.array(
    z.object({
      id: z.string(),
      name: z.string().nullable(),
      state: presenceStateSchema,
      viewing: sessionIdSchema.optional(),
    }),
  ),
});
export type StaffPresenceData = z.infer<typeof staffPresenceDataSchema>;
export const badgeDataSchema = z.object({
  reason: z.literal('badge'),
  unassigned_unread: z.int().min(0),
  mine_unread: z.record(z.string(), z.int().min(0)),
  waiting_count: z.int().min(0),
  /** The head of the feed when it was counted: of two badges the one with the larger number is the newer. */
  feed_seq: z.int().min(0).optional(),
});
export type BadgeData = z.infer<typeof badgeDataSchema>;

/** Frames without a seq: the latest value wins, they are dropped first and never stored. */
export const ephemeralFrameSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('chat.typing'), session_id: sessionIdSchema, seq: z.null(), data: typingDataSchema }),
  z.object({ type: z.literal('chat.read'), session_id: sessionIdSchema, seq: z.null(), data: readDataSchema }),
  z.object({
    type: z.literal('chat.presence'),
    session_id: sessionIdSchema.nullable(),
    seq: z.null(),
    data: z.union([customerPresenceDataSchema, staffPresenceDataSchema]),
  }),
  z.object({ type: z.literal('chat.alert'), session_id: z.null(), seq: z.null(), data: badgeDataSchema }),
]);
export type EphemeralFrame = z.infer<typeof ephemeralFrameSchema>;
export const EPHEMERAL_TYPES: ReadonlySet<string> = new Set([
  'chat.typing',
  'chat.read',
  'chat.presence',
  'chat.alert',
]);
