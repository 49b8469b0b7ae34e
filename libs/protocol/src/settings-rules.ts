import { z } from 'zod';
import { customFieldsPatchSchema, customFieldsSchema } from './custom-fields.ts';
import { originsSchema } from './origins.ts';
import { requiredText, safeText } from './primitives.ts';
import { ATTACHMENT_MAX_BYTES, prechatFieldSchema } from './rest.ts';

const WEEK = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;
const days = z.int().min(0).max(36_500);
const seconds = z.int().min(1).max(86_400);

/** Opening hours, as in `CHAT_SCHEDULE`. A day that is absent is closed. */
export const openingHoursSchema = z.object({
  timezone: requiredText(64),
  hours: z.partialRecord(z.enum(WEEK), z.array(safeText(32)).max(8)),
  /** `2026-01-01`: closed all day. */
  holidays: z.array(z.iso.date()).max(400).default([]),
});
export type OpeningHours = z.infer<typeof openingHoursSchema>;

/** What a visitor agrees to. A changed text requires a new version. */
export const consentTextSchema = z.object({
  version: requiredText(64),
  text: requiredText(2_000),
  url: z
    .url({ protocol: /^https?$/ })
    .max(2_000)
    .nullable()
    .default(null),
});
export const askedFieldsSchema = z.array(prechatFieldSchema).max(4);
export const alertTimesSchema = z.object({
  /** Seconds a customer waits before an alert is raised. */
  waiting_seconds: seconds.optional(),
  /** Seconds a reply stays unseen before an alert is raised. */
  reply_unseen_seconds: seconds.optional(),
  /** Minutes after which a callback without a preferred time is due. */
  callback_due_minutes: z.int().min(1).max(43_200).optional(),
});
/** Days after which it is erased; 0 = kept for ever. */
export const retentionDaysSchema = z.object({
  messages: days.optional(),
  files: days.optional(),
  contacts: days.optional(),
  callbacks: days.optional(),
  alerts: days.optional(),
});

/** `application/pdf`, `image/*`. */
const fileType = z
  .string()
  .regex(/^[a-z0-9][a-z0-9.+-]{0,63}\/(?:\*|[a-z0-9][a-z0-9.+-]{0,127})$/, 'must be a type such as image/*');
/** Which files are accepted, within the limits of the environment. */
export const attachmentPolicySchema = z.object({
  enabled: z.boolean().optional(),
  /** Largest file. */
  max_bytes: z.int().min(1).max(ATTACHMENT_MAX_BYTES).optional(),
  /** Types and families; none: everything that the environment lets in. */
  types: z.array(fileType).max(40).optional(),
});

export const tokenTimesSchema = z.object({
  /** Life of a channel token. */
  channel_seconds: z.int().min(60).max(86_400).optional(),
});

/**
 * The same as `PATCH` takes them, null to clear. Unknown keys are refused: a misspelt one would be stored and do
 * nothing.
 */
export const rulesPatchShape = {
  schedule: openingHoursSchema.strict().nullish(),
  consent: consentTextSchema.strict().nullish(),
  prechat_fields: z
    .array(prechatFieldSchema.strict())
    .max(4)
    .refine((fields) => new Set(fields.map(({ name }) => name)).size === fields.length, 'must name each field once')
    .nullish(),
  custom_fields: customFieldsPatchSchema.nullish(),
  alerts: alertTimesSchema.strict().nullish(),
  attachments: attachmentPolicySchema.strict().nullish(),
  retention: retentionDaysSchema.strict().nullish(),
  origins: originsSchema
    .refine((origins) => new Set(origins).size === origins.length, 'must name each origin once')
    .nullish(),
  tokens: tokenTimesSchema.strict().nullish(),
};

/** Settings that an admin can change in the console, apart from the look. Environment variables take precedence. */
export const rulesSchema = z.object({
  schedule: openingHoursSchema.optional(),
  consent: consentTextSchema.optional(),
  prechat_fields: askedFieldsSchema.optional(),
  custom_fields: customFieldsSchema.optional(),
  alerts: alertTimesSchema.optional(),
  attachments: attachmentPolicySchema.optional(),
  retention: retentionDaysSchema.optional(),
  origins: originsSchema.optional(),
  tokens: tokenTimesSchema.optional(),
});
export type Rules = z.infer<typeof rulesSchema>;
export const RULE_NAMES = [
  'schedule',
  'consent',
  'prechat_fields',
  'custom_fields',
  'alerts',
  'attachments',
  'retention',
  'origins',
  'tokens',
] as const;
export type RuleName = (typeof RULE_NAMES)[number];

export const rulesResponseSchema = z.object({
  /** What was saved; a part that never was is absent. */
  saved: rulesSchema,
  /** The values in effect. Without a schedule the chat is always open. */
  effective: z.object({
    schedule: openingHoursSchema.nullable(),
    consent: consentTextSchema,
    prechat_fields: askedFieldsSchema,
    custom_fields: customFieldsSchema,
    alerts: z.object({ waiting_seconds: z.int(), reply_unseen_seconds: z.int(), callback_due_minutes: z.int() }),
    attachments: z.object({
      enabled: z.boolean(),
      max_bytes: z.int(),
      /** None: everything. */
      types: z.array(z.string()),
      /** The limits of the environment; `PATCH` narrows them. */
      limit: z.object({ max_bytes: z.int(), types: z.array(z.string()) }),
    }),
    retention: z.object({
      messages: z.int(),
      files: z.int(),
      contacts: z.int(),
      callbacks: z.int(),
      alerts: z.int(),
    }),
    /** Pages on these origins may use the chat, in addition to those of its own host. */
    origins: z.array(z.string()),
    tokens: z.object({ channel_seconds: z.int() }),
  }),
  /** Given by the environment, and not to be changed here: `schedule`, `retention.messages` and the like. */
  fixed: z.array(z.string()),
});
export type RulesResponse = z.infer<typeof rulesResponseSchema>;
