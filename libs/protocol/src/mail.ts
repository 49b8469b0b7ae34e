import { z } from 'zod';
import { sessionIdSchema, timestampSchema } from './primitives.ts';
import { emailSchema } from './rest.ts';
import { sessionSchema } from './events.ts';

/** A mail that is given to us, attachments included. */
export const MAIL_MAX_BYTES = 26_214_400;
/** How long a link in a mail leads back into the chat, once. */
export const MAIL_LINK_SECONDS = 7 * 86_400;

export const transcriptRequestSchema = z.object({
  /** Where it is sent; absent: it is the answer itself. */
  email: emailSchema.nullish(),
});
export type TranscriptRequest = z.infer<typeof transcriptRequestSchema>;

export const transcriptQueuedSchema = z.object({ email: z.string(), queued: z.literal(true) });
export type TranscriptQueued = z.infer<typeof transcriptQueuedSchema>;

export const mailIgnoredReasonSchema = z.enum([
  /** It answers an address of ours that is wrong, or of a chat that was revoked or erased. */
  'unknown_address',
  /** Out of office and the like, a mailing list, a report of delivery. */
  'automatic',
  /** It came from ourselves. */
  'loop',
  /** Nothing is left without the quoted parts. */
  'empty',
  /** Its sender may not write here. */
  'banned',
  /** The provider's data besides the mail. */
  'not_a_mail',
]);
export type MailIgnoredReason = z.infer<typeof mailIgnoredReasonSchema>;

export const mailInboundResponseSchema = z.object({
  /**
   * `duplicate`: the same mail was accepted before. `bounce`: it reports that a mail of ours is undeliverable.
   * `subscribed`: Amazon SNS delivers mail from now on.
   */
  outcome: z.enum(['message', 'duplicate', 'bounce', 'ignored', 'subscribed']),
  /** Of `ignored`. */
  reason: mailIgnoredReasonSchema.optional(),
  /** Of `message`. */
  session_id: sessionIdSchema.optional(),
  message_ids: z.array(z.int().min(1)).optional(),
});
export type MailInboundResponse =
  | { readonly outcome: 'message'; readonly session_id: number; readonly message_ids: number[] }
  | { readonly outcome: 'duplicate' | 'bounce' | 'subscribed' }
  | { readonly outcome: 'ignored'; readonly reason: MailIgnoredReason };

/** The code behind `#chat-return=` in the address of a mail. */
export const mailReturnRequestSchema = z.object({ code: z.string().min(1).max(100) });
export type MailReturnRequest = z.infer<typeof mailReturnRequestSchema>;
export const mailReturnResponseSchema = z.object({
  session: sessionSchema,
  token: z.string(),
  expires_at: timestampSchema,
});
export type MailReturnResponse = z.infer<typeof mailReturnResponseSchema>;

export const mailUnsubscribeQuerySchema = z.object({ sig: z.string().max(100) });
