import { z } from 'zod';
import { requiredText, safeText, sessionIdSchema, timestampSchema } from './primitives.ts';

/** Devices that are notified of one operator's, or one chat's, events; another one replaces the oldest. */
export const PUSH_DEVICES_PER_OPERATOR = 20;
export const PUSH_DEVICES_PER_SESSION = 5;

export const pushKeyResponseSchema = z.object({
  /** VAPID: the `applicationServerKey` of `pushManager.subscribe`, base64url of 65 bytes. */
  public_key: z.string(),
});
export type PushKeyResponse = z.infer<typeof pushKeyResponseSchema>;

const ENDPOINT_MAX = 2_000;
const endpointSchema = z
  .string()
  .max(ENDPOINT_MAX)
  .refine((text) => URL.canParse(text) && new URL(text).username === '', 'must be an address')
  .meta({ format: 'uri' });

const bytesText = (bytes: number, what: string) => {
  const length = Math.ceil((bytes * 4) / 3);
  const padding = (4 - (length % 4)) % 4;
  return z.string().regex(new RegExp(`^[A-Za-z0-9_-]{${length}}={0,${padding}}$`), `must be ${what} in base64url`);
};

/** The result of `PushSubscription.toJSON()`, with the chat's additional data. */
export const pushSubscriptionRequestSchema = z.object({
  endpoint: endpointSchema,
  expirationTime: z.number().nullish(),
  keys: z.object({
    p256dh: bytesText(65, 'a public key of 65 bytes'),
    auth: bytesText(16, 'a secret of 16 bytes'),
  }),
  /** Of a customer: the session of the channel token. */
  session_id: sessionIdSchema.optional(),
  /** A name by which its owner knows the device. */
  device: safeText(100).nullish(),
  locale: safeText(35).nullish(),
});
export type PushSubscriptionRequest = z.infer<typeof pushSubscriptionRequestSchema>;

export const pushSubscriptionSchema = z.object({
  id: z.int().min(1),
  device: z.string().nullable(),
  created_at: timestampSchema,
});
export const pushSubscriptionResponseSchema = z.object({ subscription: pushSubscriptionSchema });
export type PushSubscriptionResponse = z.infer<typeof pushSubscriptionResponseSchema>;

/** A device as its owner sees it. The endpoint tells this browser from the others, and names what is to be removed. */
export const pushDeviceSchema = pushSubscriptionSchema.extend({ endpoint: z.string() });
export const pushDevicesResponseSchema = z.object({ devices: z.array(pushDeviceSchema) });
export type PushDevice = z.infer<typeof pushDeviceSchema>;
export type PushDevicesResponse = z.infer<typeof pushDevicesResponseSchema>;

export const pushRenameRequestSchema = z.object({ endpoint: endpointSchema, device: requiredText(100) });
export type PushRenameRequest = z.infer<typeof pushRenameRequestSchema>;

export const pushUnsubscribeRequestSchema = z.object({
  endpoint: endpointSchema,
  session_id: sessionIdSchema.optional(),
});
export type PushUnsubscribeRequest = z.infer<typeof pushUnsubscribeRequestSchema>;

/** The session of a channel token. */
export const pushQuerySchema = z.object({ session: z.coerce.number().int().min(1).optional() });
