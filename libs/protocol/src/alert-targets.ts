import { z } from 'zod';
import { timestampSchema } from './primitives.ts';

export const ALERT_TARGETS_MAX = 5;

/** A name and password in an address would be shown to every admin, and no request may carry them. */
function hasNoCredentials(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { username, password } = new URL(text);
  return username === '' && password === '';
}
const target = z
  .url({ protocol: /^https?$/ })
  .max(2_000)
  .refine(hasNoCredentials, 'must have no name and password');

/** As `PATCH /chat/settings` takes it. A secret that is absent stays as it is; none is ever given out. */
export const webhookPatchSchema = z.strictObject({
  urls: z
    .array(target)
    .max(ALERT_TARGETS_MAX)
    .refine((urls) => new Set(urls).size === urls.length, 'must name each address once'),
  secret: z
    .string()
    .regex(/^[\x21-\x7e]{16,256}$/, 'must be 16 to 256 visible characters of ASCII')
    .optional(),
});
export type WebhookPatch = z.infer<typeof webhookPatchSchema>;

/** Where alerts go, for admins. Of an address from the environment only its beginning: it may contain a secret. */
export const webhookTargetsSchema = z.object({
  urls: z.array(z.string()),
  /** Where the secret comes from. */
  secret: z.enum(['none', 'saved', 'environment']),
  /** Something of it was saved by `PATCH`. */
  saved: z.boolean(),
});
export type WebhookTargets = z.infer<typeof webhookTargetsSchema>;

/** Body of the webhook that an admin asks for to try it; signed as the others. */
export const alertTestWebhookSchema = z.object({
  id: z.string(),
  type: z.literal('chat.alert.test'),
  created_at: timestampSchema,
});

export const webhookTestResponseSchema = z.object({
  results: z.array(
    z.object({
      url: z.string(),
      delivered: z.boolean(),
      /** Why not, such as `HTTP 500` or `ECONNREFUSED`; null where it was delivered. */
      reason: z.string().nullable(),
    }),
  ),
});
export type WebhookTestResponse = z.infer<typeof webhookTestResponseSchema>;
