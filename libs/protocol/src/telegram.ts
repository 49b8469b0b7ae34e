import { z } from 'zod';
import { callbackStaffSchema, callbackStatusSchema, messageSchema } from './events.ts';
import {
  messageBodySchema,
  messageIdSchema,
  optionalMessageBodySchema,
  requiredText,
  seqCursorSchema,
  sessionIdSchema,
  timestampSchema,
  uuidSchema,
} from './primitives.ts';
import { operatorStatusSchema } from './operator-status.ts';

/** How long a code for `/login`, and a customer's link, can be used. */
export const TELEGRAM_CODE_SECONDS = 600;

export const telegramCodeResponseSchema = z.object({
  /** For `/login <code>`, once. */
  code: z.string(),
  expires_at: timestampSchema,
  /** Opens the bot with the code; null while no bot has registered. */
  url: z.string().nullable(),
});
export type TelegramCodeResponse = z.infer<typeof telegramCodeResponseSchema>;

export const telegramAccountSchema = z.object({
  telegram_user_id: z.int(),
  username: z.string().nullable(),
  name: z.string().nullable(),
  /** Gets chats in Telegram and counts as connected. */
  on_duty: z.boolean(),
  bound_at: timestampSchema,
  /** Since when Telegram refuses texts for this account; null: it accepts them. */
  blocked_at: timestampSchema.nullable(),
});
export const telegramBindingResponseSchema = z.object({
  bound: z.boolean(),
  account: telegramAccountSchema.nullable(),
  /** User name of the bot; null while none has registered. */
  bot: z.string().nullable(),
});
export type TelegramBindingResponse = z.infer<typeof telegramBindingResponseSchema>;

export const telegramLinkResponseSchema = z.object({ url: z.string(), expires_at: timestampSchema });
export type TelegramLinkResponse = z.infer<typeof telegramLinkResponseSchema>;

const telegramUserId = z.int().min(1);
const shortText = z.string().max(200).nullable();

/** What the bot reports about itself at its start. */
export const telegramBotRequestSchema = z.object({
  bot_id: telegramUserId,
  username: z.string().regex(/^\w{3,64}$/, 'must be a user name of Telegram'),
});
export type TelegramBotRequest = z.infer<typeof telegramBotRequestSchema>;

export const telegramUserSchema = z.object({
  id: telegramUserId,
  username: shortText,
  name: shortText,
  locale: z.string().max(35).nullable(),
});
export type TelegramUser = z.infer<typeof telegramUserSchema>;

/** `/login <code>`, or `/start <code>` of a link. */
export const telegramRedeemRequestSchema = z.object({ code: z.string().max(200), user: telegramUserSchema });
export type TelegramRedeemRequest = z.infer<typeof telegramRedeemRequestSchema>;
export const telegramRedeemResponseSchema = z.discriminatedUnion('outcome', [
  z.object({ outcome: z.literal('operator'), user_id: z.string(), name: z.string().nullable() }),
  z.object({
    outcome: z.literal('customer'),
    session_id: sessionIdSchema,
    /** Messages that the customer has not been shown elsewhere yet, the newest of them. */
    missed: z.array(messageSchema),
    /** There are more, older ones: they can be read in the chat on the site. Absent: no. */
    missed_earlier: z.boolean().optional(),
  }),
  /** Unknown, used or expired. */
  z.object({ outcome: z.literal('unknown_code') }),
  /** Too many wrong codes from this account. */
  z.object({ outcome: z.literal('too_many') }),
]);
export type TelegramRedeemResponse = z.infer<typeof telegramRedeemResponseSchema>;

const onSession = { session_id: sessionIdSchema };
const text = {
  body: optionalMessageBodySchema,
  client_message_id: uuidSchema,
  attachments: z.array(z.string().max(64)).max(5).optional(),
};

/** Actions of a bound operator in Telegram. */
export const telegramStaffActionSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('post'), ...onSession, ...text, expected_seq: seqCursorSchema.optional() }),
  z.object({ kind: z.literal('assign'), ...onSession }),
  z.object({ kind: z.literal('close'), ...onSession }),
  z.object({ kind: z.literal('reopen'), ...onSession }),
  z.object({ kind: z.literal('note'), ...onSession, body: messageBodySchema }),
  z.object({ kind: z.literal('read'), ...onSession, last_id: messageIdSchema }),
  z.object({ kind: z.literal('sessions'), assigned: z.enum(['open', 'me']) }),
  z.object({ kind: z.literal('callbacks') }),
  z.object({ kind: z.literal('callback'), id: z.int().min(1), status: callbackStatusSchema }),
  /** Absent: only queries. */
  z.object({ kind: z.literal('duty'), status: operatorStatusSchema.optional() }),
  z.object({ kind: z.literal('logout') }),
]);
export type TelegramStaffAction = z.infer<typeof telegramStaffActionSchema>;

/** Actions of a customer in Telegram; the first message of an unknown account starts a chat. */
export const telegramCustomerActionSchema = z.object({
  kind: z.literal('write'),
  user: telegramUserSchema,
  /** The newest message shown in Telegram before this one was written: its writer has read it. */
  read_id: messageIdSchema.optional(),
  ...text,
});
export type TelegramCustomerAction = z.infer<typeof telegramCustomerActionSchema>;

export const telegramActRequestSchema = z.object({
  telegram_user_id: telegramUserId,
  /** The same for a repeat: it makes actions without their own id happen once. */
  request_id: requiredText(100),
  action: telegramStaffActionSchema,
});
export type TelegramActRequest = z.infer<typeof telegramActRequestSchema>;

export const telegramSessionSchema = z.object({
  id: sessionIdSchema,
  status: z.string(),
  name: z.string().nullable(),
  assigned_user_id: z.string().nullable(),
  assigned_user_name: z.string().nullable(),
  unread_count: z.int().min(0),
  waiting_since: timestampSchema.nullable(),
  last_message: z.string().nullable(),
  last_seq: seqCursorSchema,
  last_message_id: z.int().min(0),
});
export type TelegramSession = z.infer<typeof telegramSessionSchema>;

export const telegramActResponseSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('posted'), message: messageSchema, seq: seqCursorSchema }),
  z.object({ kind: z.literal('done') }),
  z.object({ kind: z.literal('sessions'), sessions: z.array(telegramSessionSchema), has_more: z.boolean() }),
  z.object({ kind: z.literal('callbacks'), callbacks: z.array(callbackStaffSchema), has_more: z.boolean() }),
  z.object({ kind: z.literal('duty'), on_duty: z.boolean(), status: operatorStatusSchema }),
]);
export type TelegramActResponse = z.infer<typeof telegramActResponseSchema>;

export const telegramWriteResponseSchema = z.object({
  session_id: sessionIdSchema,
  /** The chat began with this message. */
  created: z.boolean(),
  message: messageSchema,
});
export type TelegramWriteResponse = z.infer<typeof telegramWriteResponseSchema>;

/** The owner of a file: an operator in a session, or a customer, whose session is found or started. */
export const telegramUploadQuerySchema = z.object({
  telegram_user_id: z.coerce.number().int().min(1),
  session_id: z.coerce.number().int().min(1).optional(),
  /** For a customer: the message that will contain the file, and who they are if that message starts the chat. */
  client_message_id: uuidSchema.optional(),
  name: z.string().max(200).optional(),
  locale: z.string().max(35).optional(),
});

/** Telegram refuses texts to this account, or accepts them again. */
export const telegramBlockedRequestSchema = z.object({ telegram_user_id: telegramUserId, blocked: z.boolean() });
export type TelegramBlockedRequest = z.infer<typeof telegramBlockedRequestSchema>;
