import { z } from 'zod';
import { callbackDataSchema, senderTypeSchema } from './events.ts';
import {
  MAX_INTEGER,
  MESSAGE_BODY_MAX_CODE_POINTS,
  parseId,
  safeText,
  sessionIdSchema,
  timestampSchema,
} from './primitives.ts';

/** Plain events, as a site that keeps its own chat publishes them: no version, no seq. */

/** Events of one call. */
export const INTAKE_MAX_EVENTS = 500;
/** One event as JSON text. */
export const INTAKE_EVENT_MAX_BYTES = 65_536;
const TEXT_ID_MAX = 200;

/** An id of the site: a positive integer, which is kept, or any other text, which gets a number here. */
export type SiteId = number | string;

/** `123` and `"123"` are the same id. A number that JSON cannot hold exactly is none. */
export const siteIdSchema = z
  .union([
    z.int().refine(Number.isSafeInteger, 'must be below 2^53, or text'),
    safeText(TEXT_ID_MAX).refine((text) => text.length > 0, 'must not be empty'),
  ])
  .transform((id): SiteId => {
    const text = String(id);
    return parseId(text) ?? text;
  });

/** An operator's id: sites count their users, the channel has them as text. */
const userIdSchema = z.union([z.int(), safeText(TEXT_ID_MAX)]).transform(String);
/** Many sites have 0 or an empty text where they mean nobody. */
const assigneeSchema = userIdSchema.nullable().transform((id) => (id === null || /^\s*0*\s*$/.test(id) ? null : id));
const nameSchema = safeText(200);
/** States and reasons are the site's own words. */
const wordSchema = safeText(64).refine((text) => text.trim().length > 0, 'must not be empty');

export const plainEventSchema = z.object({
  type: z
    .string()
    .regex(/^[a-z][a-z0-9_]*(?:\.[a-z0-9_]+)*$/, 'must be a name such as chat.message')
    .max(64),
  session_id: siteIdSchema,
  data: z.record(z.string(), z.unknown()),
  subscribers: z.looseObject({ assigned_user_id: assigneeSchema.nullish() }).nullish(),
  /** By it an event is known again; without one, by its type and the id in its data. */
  message_id: safeText(255)
    .refine((text) => text.length > 0, 'must not be empty')
    .nullish(),
  occurred_at: timestampSchema.nullish(),
});
export type PlainEvent = z.infer<typeof plainEventSchema>;

const siteAddress = safeText(2_000).refine(
  (text) => /^\/(?!\/)/.test(text) || (/^https?:/i.test(text) && URL.canParse(text)),
  'must be a path or an address with http:// or https://',
);

/** A file that lies with the site. */
const plainAttachmentSchema = z.object({
  id: z.union([z.int(), safeText(TEXT_ID_MAX)]).transform(String),
  name: safeText(200).default('file'),
  mime: z
    .string()
    .regex(/^[\w.+-]+\/[\w.+-]+$/)
    .max(100)
    .default('application/octet-stream'),
  size: z.int().min(0).max(MAX_INTEGER).default(0),
  width: z.int().positive().optional(),
  height: z.int().positive().optional(),
  url: siteAddress,
});

const messageDataSchema = z
  .object({
    id: siteIdSchema.nullish(),
    sender_type: senderTypeSchema,
    sender_id: userIdSchema.nullish(),
    sender_name: nameSchema.nullish(),
    body: safeText(MESSAGE_BODY_MAX_CODE_POINTS),
    attachments: z.array(plainAttachmentSchema).max(20).nullish(),
    created_at: timestampSchema.nullish(),
    client_message_id: safeText(TEXT_ID_MAX).nullish(),
  })
  .refine(({ body, attachments }) => body.trim() !== '' || (attachments ?? []).length > 0, {
    path: ['body'],
    message: 'must not be empty without attachments',
  });

const contactSchema = z.object({
  name: nameSchema.nullish(),
  email: nameSchema.nullish(),
  phone: nameSchema.nullish(),
});

const createdDataSchema = z.object({
  session: z
    .object({
      status: wordSchema.nullish(),
      created_at: timestampSchema.nullish(),
      assigned_user_id: assigneeSchema.nullish(),
      assigned_user_name: nameSchema.nullish(),
    })
    .nullish(),
  contact: contactSchema.nullish(),
});

const assignedDataSchema = z.object({
  assigned_user_id: assigneeSchema,
  assigned_user_name: nameSchema.nullish(),
  by: userIdSchema.nullish(),
});

const statusDataSchema = z.object({
  status: wordSchema,
  previous: wordSchema.nullish(),
  reason: wordSchema.nullish(),
  by: userIdSchema.nullish(),
});

const callbackPlainSchema = callbackDataSchema.extend({
  status: wordSchema,
  preferred_at: timestampSchema.nullish(),
});

/** What `data` of each known type must hold; fields beside these are left out. */
export const PLAIN_EVENT_DATA = {
  'chat.message': messageDataSchema,
  'chat.session.created': createdDataSchema,
  'chat.session.assigned': assignedDataSchema,
  'chat.session.status': statusDataSchema,
  'chat.callback': callbackPlainSchema,
} as const;

/** Names that mean something else on the channel: nobody may store an event under them. */
const RESERVED_TYPES =
  /^(?:channel\..*|control\..*|error|chat\.(?:typing|presence|read|alert|note|callback\.staff|message\.client))$/;

/** Keys under which a ledger's own events travel (AMQP1). A site that takes one for a type means one of these. */
export const TYPES_OF_ROUTING_KEYS: ReadonlyMap<string, string> = new Map([
  ['chat.message.sent', 'chat.message'],
  ['chat.session.updated', 'chat.session.status or chat.session.assigned'],
  ['chat.ephemeral', 'none: what is not kept is not taken'],
]);

export function isReservedType(type: string): boolean {
  return RESERVED_TYPES.test(type);
}

export const intakeRequestSchema = z.object({ events: z.array(plainEventSchema).min(1).max(INTAKE_MAX_EVENTS) });

/** Ids of the site that are no positive integers, and the numbers they have on the channel. */
export const intakeIdsSchema = z.object({
  sessions: z.record(z.string(), sessionIdSchema),
  messages: z.record(z.string(), z.int().min(1)),
});

export const intakeResponseSchema = z.object({
  accepted: z.int().min(0),
  duplicate: z.int().min(0),
  /** Only of ids that had to be mapped. */
  ids: intakeIdsSchema.optional(),
});
export type IntakeResponse = z.infer<typeof intakeResponseSchema>;

/** Asks for the numbers of sessions before there is an event of theirs: a token names the number. */
export const intakeSessionsRequestSchema = z.object({ sessions: z.array(siteIdSchema).min(1).max(INTAKE_MAX_EVENTS) });
export const intakeSessionsResponseSchema = z.object({ sessions: z.record(z.string(), sessionIdSchema) });
