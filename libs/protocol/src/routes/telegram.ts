import { attachmentSchema } from '../events.ts';
import * as telegram from '../telegram.ts';
import { route, type Route } from './route.ts';

const service = 'chat-service';

/** The ways from the console and the widget into Telegram. */
export const TELEGRAM_ROUTES: readonly Route[] = [
  route({
    id: 'telegramCode',
    service,
    method: 'POST',
    path: '/chat/operators/me/telegram-code',
    access: 'staff',
    summary: "A one-time code that binds a Telegram account to the caller's",
    answers: { 200: { description: 'the code', schema: telegram.telegramCodeResponseSchema, noStore: true } },
  }),
  route({
    id: 'getTelegram',
    service,
    method: 'GET',
    path: '/chat/operators/me/telegram',
    access: 'staff',
    summary: "The caller's Telegram account",
    answers: { 200: { description: 'the binding', schema: telegram.telegramBindingResponseSchema, noStore: true } },
  }),
  route({
    id: 'deleteTelegram',
    service,
    method: 'DELETE',
    path: '/chat/operators/me/telegram',
    access: 'staff',
    summary: "Unbind the caller's Telegram account",
    answers: { 204: { description: 'unbound' } },
  }),
  route({
    id: 'telegramLink',
    service,
    method: 'POST',
    path: '/chat/session/{id}/telegram-link',
    access: 'customer',
    summary: 'A one-time link that continues the chat in Telegram as well',
    answers: { 200: { description: 'the link', schema: telegram.telegramLinkResponseSchema, noStore: true } },
    errors: ['banned', 'not_found'],
  }),
];

const internal = { service, access: 'internal', originChecked: false } as const;

/** The bot's calls to chat-service. */
export const TELEGRAM_INTERNAL_ROUTES: readonly Route[] = [
  route({
    ...internal,
    id: 'telegramBot',
    method: 'POST',
    path: '/internal/telegram/bot',
    summary: 'Register the bot',
    body: { schema: telegram.telegramBotRequestSchema, required: true },
    answers: { 204: { description: 'known' } },
  }),
  route({
    ...internal,
    id: 'telegramRedeem',
    method: 'POST',
    path: '/internal/telegram/redeem',
    summary: 'Use a code or a link',
    body: { schema: telegram.telegramRedeemRequestSchema, required: true },
    answers: { 200: { description: 'whose it was', schema: telegram.telegramRedeemResponseSchema } },
  }),
  route({
    ...internal,
    id: 'telegramAct',
    method: 'POST',
    path: '/internal/telegram/act',
    summary: 'Act in the name of a bound operator, within their scope',
    body: { schema: telegram.telegramActRequestSchema, required: true },
    answers: { 200: { description: 'the outcome', schema: telegram.telegramActResponseSchema } },
    errors: [
      'forbidden',
      'session_not_found',
      'not_found',
      'idempotency_conflict',
      'session_closed',
      'stale',
      'already_assigned',
      'invalid_transition',
      'rate_limited',
    ],
  }),
  route({
    ...internal,
    id: 'telegramWrite',
    method: 'POST',
    path: '/internal/telegram/write',
    summary: "A customer's message from Telegram",
    body: { schema: telegram.telegramCustomerActionSchema, required: true },
    answers: { 200: { description: 'stored', schema: telegram.telegramWriteResponseSchema } },
    errors: ['forbidden', 'idempotency_conflict', 'rate_limited'],
  }),
  route({
    ...internal,
    id: 'telegramUpload',
    method: 'POST',
    path: '/internal/telegram/upload',
    summary: 'A file from Telegram as raw body',
    query: telegram.telegramUploadQuerySchema,
    headers: { 'X-File-Name': 'percent-encoded UTF-8' },
    body: { required: true },
    answers: { 201: { description: 'kept', schema: attachmentSchema } },
    errors: [
      'forbidden',
      'session_not_found',
      'attachments_off',
      'rate_limited',
      'storage_full',
      'unsupported_media_type',
    ],
  }),
  route({
    ...internal,
    id: 'telegramBlocked',
    method: 'POST',
    path: '/internal/telegram/blocked',
    summary: 'Telegram refuses texts to an account, or accepts them again',
    body: { schema: telegram.telegramBlockedRequestSchema, required: true },
    answers: { 204: { description: 'noted' } },
  }),
];
