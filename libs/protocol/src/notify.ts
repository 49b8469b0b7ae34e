import { z } from 'zod';
import { requiredText, safeText } from './primitives.ts';
import { emailSchema } from './rest.ts';

/** The events an operator may be notified of while they are away. */
export const NOTIFY_EVENTS = ['message', 'waiting', 'callback_requested'] as const;
export const notifyEventSchema = z.enum(NOTIFY_EVENTS);
export type NotifyEvent = z.infer<typeof notifyEventSchema>;
/** By mail only events that are worth a mail. */
export const mailedEventSchema = z.enum(['waiting', 'callback_requested']);

const clockSchema = z.string().regex(/^(?:[01]\d|2[0-3]):[0-5]\d$/, 'must be a time such as 22:00');

export function isTimeZone(text: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: text }).resolvedOptions().timeZone !== '';
  } catch {
    // Not a known time zone.
    return false;
  }
}

/** From one time of day to another, over midnight where the second is earlier. */
export const quietHoursSchema = z.object({
  from: clockSchema,
  to: clockSchema,
  timezone: requiredText(64).refine(isTimeZone, 'must be a time zone such as Europe/Moscow'),
});
export type QuietHours = z.infer<typeof quietHoursSchema>;

export const notifySettingsSchema = z.object({
  /** Told to the devices that this operator has added. */
  push: z
    .array(notifyEventSchema)
    .max(NOTIFY_EVENTS.length)
    .default([...NOTIFY_EVENTS]),
  mail: z.array(mailedEventSchema).max(2).default([]),
  /** The address for mail; without one there is none. */
  email: emailSchema.nullable().default(null),
  /** By every channel that was chosen, also where an earlier one has it. */
  everywhere: z.boolean().default(false),
  quiet: quietHoursSchema.nullable().default(null),
  /** Language of the mail; default Russian. */
  locale: safeText(35).optional(),
});
export type NotifySettings = z.infer<typeof notifySettingsSchema>;

export const notifySettingsResponseSchema = z.object({
  settings: notifySettingsSchema,
  /** What this chat can do: no mail without SMTP_URL. */
  channels: z.object({ mail: z.boolean(), telegram: z.boolean(), devices: z.int().min(0) }),
});
export type NotifySettingsResponse = z.infer<typeof notifySettingsResponseSchema>;

export const pushTestRequestSchema = z.object({ endpoint: z.string().max(2_000) });
export const pushTestResponseSchema = z.object({
  /** `gone`: the push service does not know the device any more, and it was forgotten here. */
  outcome: z.enum(['delivered', 'gone', 'failed']),
});
export type PushTestResponse = z.infer<typeof pushTestResponseSchema>;
