import { z } from 'zod';
import { consentProofSchema, consentSchema } from './consent.ts';
import { ACK_ITEMS_MAX } from './channel.ts';
import { answerSchema, customFieldsSchema, givenAnswersSchema } from './custom-fields.ts';
import {
  attachmentSchema,
  callbackDataSchema,
  callbackStaffSchema,
  callbackStatusSchema,
  contactSchema,
  messageSchema,
  noteSchema,
  presenceStateSchema,
  sessionEventSchema,
  sessionSchema,
  staffEventSchema,
} from './events.ts';
import { operatorStatusSchema } from './operator-status.ts';
import {
  feedCursorSchema,
  messageIdSchema,
  optionalMessageBodySchema,
  messageBodySchema,
  requiredText,
  safeText,
  seqCursorSchema,
  sessionIdSchema,
  timestampSchema,
  uuidSchema,
} from './primitives.ts';
import { staffScopeSchema } from './staff-scope.ts';

export const REST_BODY_MAX_BYTES = 262_144;
export const ATTRIBUTES_MAX_BYTES = 8_192;
export const ATTACHMENT_MAX_BYTES = 10 * 1024 * 1024;
export const ATTACHMENTS_PER_MESSAGE = 5;
export const LIST_LIMIT_MAX = 500;
export const LIST_LIMIT_DEFAULT = 100;

/** A number in a query string: digits only, so that `1e3`, ` 1` and `0x1` are refused. */
function queryInteger(min: number, max: number) {
  return z
    .string()
    .regex(/^\d{1,16}$/, 'must be a whole number')
    .transform(Number)
    .pipe(z.int().min(min).max(max))
    .meta({ wire: { type: 'integer', minimum: min, maximum: max } });
}
export const limitQuerySchema = queryInteger(1, LIST_LIMIT_MAX).default(LIST_LIMIT_DEFAULT);
const seqQuerySchema = queryInteger(0, Number.MAX_SAFE_INTEGER);
export const sessionIdParamSchema = queryInteger(1, Number.MAX_SAFE_INTEGER);

export const emailSchema = safeText(254).pipe(z.email());
const urlSchema = safeText(2_048).refine((text) => /^https?:\/\//i.test(text), 'must be an http(s) address');
const attributesSchema = z
  .record(safeText(64), z.union([safeText(1_000), z.number(), z.boolean(), z.null()]))
  .refine((value) => Object.keys(value).length <= 50, 'must have at most 50 entries')
  .refine(
    (value) => new TextEncoder().encode(JSON.stringify(value)).length <= ATTRIBUTES_MAX_BYTES,
    `must have at most ${ATTRIBUTES_MAX_BYTES} bytes as JSON`,
  );
/** 32 random bytes, base64url without padding. */
export const resumeKeySchema = z.string().regex(/^[A-Za-z0-9_-]{43}$/, 'must be 32 bytes in base64url');

export const newMessageSchema = z.object({ body: messageBodySchema, client_message_id: uuidSchema });

export const createSessionRequestSchema = z.object({
  name: safeText(200).nullish(),
  email: emailSchema.nullish(),
  phone: safeText(64).nullish(),
  locale: safeText(35).nullish(),
  page_url: urlSchema.nullish(),
  attributes: attributesSchema.nullish(),
  /** Answers to the site's own questions (`custom_fields` of the configuration). An unknown name is left out. */
  answers: givenAnswersSchema.nullish(),
  consent: consentSchema.nullish(),
  resume_key: resumeKeySchema.optional(),
  message: newMessageSchema.optional(),
  challenge_solution: z.string().max(1_024).optional(),
});
export type CreateSessionRequest = z.infer<typeof createSessionRequestSchema>;
export const createSessionResponseSchema = z.object({
  session: sessionSchema,
  token: z.string(),
  expires_at: timestampSchema,
  resume_key: z.string(),
  message: messageSchema.optional(),
});

export const identityRequestSchema = z
  .object({
    identity_token: z.string().max(8_192),
    token: z.string().max(256).optional(),
    session_id: sessionIdSchema.optional(),
  })
  .refine((value) => value.token === undefined || value.session_id !== undefined, {
    message: 'session_id must stand beside token',
    path: ['session_id'],
  });
export const identityResponseSchema = z.object({
  sessions: z.array(sessionSchema),
  session: sessionSchema.optional(),
  token: z.string().optional(),
  /** Expiry of the token; without one, of the identity token. */
  expires_at: timestampSchema,
});
export const identityLogoutRequestSchema = z.object({ identity_token: z.string().max(8_192) });

export const channelTokenResponseSchema = z.object({ token: z.string(), expires_at: timestampSchema });
export const streamLinkRequestSchema = z.object({ expires_in: z.int().min(60).max(86_400).optional() });
export const streamLinkResponseSchema = z.object({ url: z.string(), expires_at: timestampSchema });

export const postMessageRequestSchema = z
  .object({
    body: optionalMessageBodySchema.default(''),
    client_message_id: uuidSchema,
    attachments: z.array(z.string().min(1).max(64)).max(ATTACHMENTS_PER_MESSAGE).optional(),
    expected_seq: seqCursorSchema.optional(),
  })
  .refine((value) => (value.attachments?.length ?? 0) > 0 || value.body.trim().length > 0, {
    message: 'must not be empty',
    path: ['body'],
  });
export type PostMessageRequest = z.infer<typeof postMessageRequestSchema>;
export const postMessageResponseSchema = z.object({ message: messageSchema });

export const messagesQuerySchema = z.object({
  before_id: seqQuerySchema.optional(),
  after_id: seqQuerySchema.optional(),
  limit: limitQuerySchema,
});
export const messagesResponseSchema = z.object({ messages: z.array(messageSchema), has_more: z.boolean() });

export const eventsQuerySchema = z.object({ after_seq: seqQuerySchema.default(0), limit: limitQuerySchema });
export const eventsResponseSchema = z.object({
  events: z.array(sessionEventSchema),
  last_seq: seqCursorSchema,
  has_more: z.boolean(),
});

export const pageRequestSchema = z.object({ page_url: urlSchema });
/** An absent field stays; null or an empty text removes it. */
export const contactRequestSchema = z.object({
  name: safeText(200).nullish(),
  email: z.union([emailSchema, z.literal('')]).nullish(),
  phone: safeText(64).nullish(),
  /** Beside a site: the site has already saved this (BES42). */
  at_site: z.boolean().optional(),
});
export type ContactChange = z.infer<typeof contactRequestSchema>;

export const readRequestSchema = z.object({ last_id: z.int().min(0) });
export const readResponseSchema = z.object({ read_id: z.int().min(0) });
export const attachmentResponseSchema = attachmentSchema;

export const sessionListQuerySchema = z.object({
  status: safeText(200).optional(),
  assigned: safeText(200).optional(),
  q: safeText(200).optional(),
  sort: z.enum(['waiting', 'activity', 'created']).default('activity'),
  limit: limitQuerySchema,
  page: safeText(200).optional(),
});
export const searchHitSchema = z.object({ id: z.int().min(1), text: z.string() });
export type SearchHit = z.infer<typeof searchHitSchema>;

export const staffSessionSchema = sessionSchema.extend({
  contact: contactSchema,
  locale: z.string().nullable(),
  page_url: z.string().nullable(),
  /** The page the customer is on, and when they came to it. */
  current_page_url: z.string().nullable().optional(),
  current_page_at: timestampSchema.nullable().optional(),
  /** In a search (`q`): the newest message that matches. */
  hit: searchHitSchema.nullable().optional(),
  /** Only in the answer about one session, never in a list. */
  attributes: z.record(z.string(), z.unknown()).optional(),
  /** Answers to the site's own questions, in their order. Present where `attributes` is. */
  answers: z.array(answerSchema).optional(),
  /** The consent they gave, or null. Present where `attributes` is. */
  consent: consentProofSchema.nullable().optional(),
  customer_id: z.string().nullable(),
  /** Present if the customer reads the chat in Telegram. `blocked_at`: since when the bot may not write to them. */
  telegram: z.object({ blocked_at: timestampSchema.nullable() }).nullable().optional(),
  updated_at: timestampSchema,
  unread_count: z.int().min(0),
  waiting_since: timestampSchema.nullable(),
  last_message: messageSchema.nullable(),
  client_last_seen_id: z.int().min(0),
  client_read_id: z.int().min(0),
  staff_read_id: z.int().min(0),
});
export type StaffSession = z.infer<typeof staffSessionSchema>;
/** Answer of `GET /chat/session/:id`: staff get the longer form. */
export const sessionOrStaffSessionSchema = z.union([staffSessionSchema, sessionSchema]);
export const sessionListResponseSchema = z.object({
  sessions: z.array(staffSessionSchema),
  next_page: z.string().nullable(),
  feed_cursor: feedCursorSchema,
});

export const feedQuerySchema = z.object({ after: feedCursorSchema.optional(), limit: limitQuerySchema });
export const feedResponseSchema = z.object({
  events: z.array(staffEventSchema),
  cursor: feedCursorSchema,
  has_more: z.boolean(),
});

export const assignRequestSchema = z.object({ user_id: requiredText(200).optional() });
export const contactResponseSchema = z.object({ session: staffSessionSchema });
export const sessionResponseSchema = z.object({ session: sessionSchema });
export const noteRequestSchema = z.object({ body: messageBodySchema });
export const notesQuerySchema = z.object({ before_id: seqQuerySchema.optional(), limit: limitQuerySchema });
/** `has_more`: there are older ones. */
export const notesResponseSchema = z.object({ notes: z.array(noteSchema), has_more: z.boolean() });
export const noteResponseSchema = z.object({ note: noteSchema });

export const operatorSchema = z.object({
  id: z.string(),
  name: z.string().nullable(),
  role: z.enum(['operator', 'admin']),
  /** What others see: connected, and what they chose. */
  presence: presenceStateSchema,
  /** What they chose; `online` unless they did. */
  status: operatorStatusSchema,
  active_sessions: z.int().min(0),
});
/** `page`: the `next_page` of the previous answer. */
export const pageQuerySchema = z.object({ page: safeText(1_000).optional() });
export const operatorsResponseSchema = z.object({
  operators: z.array(operatorSchema),
  next_page: z.string().nullable(),
});

export const alertsQuerySchema = z.object({ since: safeText(64).optional() });
export const alertReasonSchema = z.enum([
  'session_created',
  'waiting',
  'callback_requested',
  'callback_due',
  'reply_unseen',
]);
export const alertSchema = z.object({
  id: z.int().min(1),
  reason: alertReasonSchema,
  session_id: sessionIdSchema.nullable(),
  /** As it is now: the contact of the callback request if the alert is about one, otherwise of the session. */
  contact: contactSchema,
  created_at: timestampSchema,
});
export const alertsResponseSchema = z.object({
  unread_count: z.int().min(0),
  unassigned_unread: z.int().min(0),
  mine_unread: z.int().min(0),
  waiting_count: z.int().min(0),
  oldest_waiting_since: timestampSchema.nullable(),
  callbacks_due: z.int().min(0),
  has_new_dialogs: z.boolean(),
  has_my_updates: z.boolean(),
  alerts: z.array(alertSchema),
});
/** Body of the outgoing webhook. */
export const alertWebhookSchema = z.object({
  id: z.string(),
  type: z.literal('chat.alert'),
  reason: alertReasonSchema,
  session_id: sessionIdSchema.nullable(),
  unread_count: z.int().min(0),
  created_at: timestampSchema,
  contact: contactSchema.optional(),
  /** Present where `contact` is: the visitor's answers to the site's own questions. */
  answers: z.array(answerSchema).optional(),
});

export const callbackRequestSchema = z.object({
  phone: requiredText(64),
  name: safeText(200).nullish(),
  preferred_at: timestampSchema.nullish(),
  comment: safeText(2_000).nullish(),
  session_id: sessionIdSchema.nullish(),
  /** The visitor requests the call, so it needs their consent. */
  consent: consentSchema.refine(
    (value) => value === true || (typeof value === 'object' && value.accepted !== false),
    'must be given',
  ),
});
export const callbackPatchSchema = z.object({
  status: callbackStatusSchema.optional(),
  assigned_user_id: requiredText(200).nullish(),
  result: safeText(2_000).nullish(),
  preferred_at: timestampSchema.nullish(),
});
export const callbacksQuerySchema = z.object({
  status: safeText(200).optional(),
  limit: limitQuerySchema,
  page: safeText(200).optional(),
});
/** What the customer sees: phone number and handling are visible to staff only. */
export const customerCallbackResponseSchema = z.object({ callback: callbackDataSchema });
export const callbackResponseSchema = z.object({ callback: callbackStaffSchema });
export const callbacksResponseSchema = z.object({
  callbacks: z.array(callbackStaffSchema),
  next_page: z.string().nullable(),
});

export const prechatFieldSchema = z.object({
  name: z.enum(['name', 'email', 'phone', 'message']),
  required: z.boolean(),
});
export const configResponseSchema = z.object({
  online: z.boolean(),
  reopens_at: timestampSchema.nullable().optional(),
  reply_time_text: z.string(),
  prechat_fields: z.array(prechatFieldSchema),
  /** The site's own questions. */
  custom_fields: customFieldsSchema.optional(),
  consent: z.object({ version: z.string(), text: z.string(), url: z.string().nullable() }),
  texts: z.record(z.string(), z.string()),
  theme: z.record(z.string(), z.string()),
  attachments: z.object({ max_bytes: z.int(), max_per_message: z.int(), mime: z.array(z.string()) }),
  /** Where else a customer may continue: a transcript by mail, the bot. Absent: neither. */
  elsewhere: z.object({ mail: z.boolean(), telegram: z.boolean() }).optional(),
});

export const loginRequestSchema = z.object({
  login: requiredText(200),
  password: z.string().min(1).max(1_000),
  /** From the authenticator app, or a recovery code; for accounts with a second factor. */
  code: z.string().min(1).max(100).optional(),
});
export const refreshRequestSchema = z.object({ refresh_token: z.string().min(1).max(200) });
export const logoutRequestSchema = z.object({ refresh_token: z.string().min(1).max(200).optional() });
/** For an account that people create or change themselves. */
export const newPasswordSchema = z.string().min(8).max(1_000);
export const inviteRequestSchema = z.object({ key: z.string().min(1).max(200) });
export const inviteResponseSchema = z.object({
  kind: z.enum(['first_admin', 'operator']),
  login: z.string().optional(),
  name: z.string().optional(),
  expires_at: timestampSchema,
});
export const acceptInviteRequestSchema = inviteRequestSchema.extend({
  login: requiredText(200).optional(),
  name: requiredText(200).optional(),
  password: newPasswordSchema,
});
export const authUserSchema = z.object({
  id: z.string(),
  login: z.string(),
  name: z.string(),
  role: z.enum(['operator', 'admin']),
  scope: staffScopeSchema,
});
export const loginResponseSchema = z.object({
  access_token: z.string(),
  token_type: z.literal('Bearer'),
  expires_in: z.int().positive(),
  refresh_token: z.string(),
  user: authUserSchema,
});

/** Polling channel. */
export const pollResponseSchema = z.object({
  events: z.array(z.union([sessionEventSchema, staffEventSchema])),
  last_seq: seqCursorSchema.nullable(),
  has_more: z.boolean(),
  cursor: feedCursorSchema.optional(),
});
/** The ack frame without its `type`, which the path implies: `last_id` for a customer, `items` for staff. */
export const ackRequestSchema = z.union([
  z.object({ last_id: z.int().min(0) }),
  z.object({
    items: z.array(z.object({ session_id: sessionIdSchema, last_id: messageIdSchema })).max(ACK_ITEMS_MAX),
  }),
]);

/** Types of the answers, for clients that validate nothing themselves. */
export type CreateSessionResponse = z.infer<typeof createSessionResponseSchema>;
export type IdentityResponse = z.infer<typeof identityResponseSchema>;
export type MessagesResponse = z.infer<typeof messagesResponseSchema>;
export type EventsResponse = z.infer<typeof eventsResponseSchema>;
export type AttachmentResponse = z.infer<typeof attachmentResponseSchema>;
export type SessionListResponse = z.infer<typeof sessionListResponseSchema>;
export type FeedResponse = z.infer<typeof feedResponseSchema>;
export type NotesResponse = z.infer<typeof notesResponseSchema>;
export type OperatorsResponse = z.infer<typeof operatorsResponseSchema>;
export type AlertsResponse = z.infer<typeof alertsResponseSchema>;
export type CallbackRequest = z.infer<typeof callbackRequestSchema>;
export type CallbackPatch = z.infer<typeof callbackPatchSchema>;
export type CallbacksResponse = z.infer<typeof callbacksResponseSchema>;
export type ConfigResponse = z.infer<typeof configResponseSchema>;
export type AuthUser = z.infer<typeof authUserSchema>;
export type LoginResponse = z.infer<typeof loginResponseSchema>;
