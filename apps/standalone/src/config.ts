import { authVariables, OIDC_INCOMPLETE, oidcIsWhole } from '@chat-realtime/auth-service';
import { gatewayVariables } from '@chat-realtime/channel-gateway';
import {
  chatSettingsVariables,
  LEDGER_MISSING,
  MAIL_INCOMPLETE,
  mailIsComplete,
  sourcesHaveLedger,
  WEBHOOK_SECRET_MISSING,
  webhooksAreSigned,
} from '@chat-realtime/chat-service';
import { callbackStatusSchema } from '@chat-realtime/protocol';
import {
  envInteger,
  envOptionalInteger,
  envSecret,
  envUrl,
  httpVariables,
  isExposed,
  staffTokenVariables,
} from '@chat-realtime/service-kit';
import { telegramToken, telegramVariables, WEBHOOK_INCOMPLETE, webhookIsSafe } from '@chat-realtime/telegram-bot';
import { z } from 'zod';
import { DEFAULT_PORT } from './listen-port.ts';

/** A path on the own origin, or an address of the site. */
function envSiteAddress() {
  const isPath = (text: string): boolean => /^\/(?!\/)/.test(text);
  const isUrl = (text: string): boolean => URL.canParse(text) && /^https?:$/.test(new URL(text).protocol);
  return z
    .string()
    .trim()
    .refine((text) => isPath(text) || isUrl(text), 'must be a path such as /token, or a URL with http:// or https://');
}

const siteTexts = (names: readonly [string, ...string[]]) => z.partialRecord(z.enum(names), z.string().max(200));
function isTimeZone(timeZone: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}

const operatorSite = z.strictObject({
  paths: siteTexts(['reply', 'assign', 'close', 'reopen', 'unassign', 'upload', 'contact']).optional(),
  request: siteTexts([
    'body',
    'client_message_id',
    'user_id',
    'attachments',
    'file',
    'name',
    'phone',
    'email',
  ]).optional(),
  callbacks: z
    .strictObject({
      list: z.string().min(1).max(200),
      steps: siteTexts(['assigned', 'calling', 'done', 'no_answer', 'cancelled']).optional(),
      statuses: z.record(z.string(), callbackStatusSchema).optional(),
      fields: siteTexts([
        'items',
        'id',
        'session_id',
        'status',
        'phone',
        'name',
        'comment',
        'preferred_at',
        'due_at',
        'assigned_user_id',
        'created_at',
      ]).optional(),
    })
    .optional(),
  fields: z
    .strictObject({
      sent: z.string().max(200).optional(),
      message: siteTexts(['id', 'sender', 'body', 'created_at', 'sender_id', 'sender_name', 'attachments']).optional(),
      uploaded: z.string().max(200).optional(),
      file: siteTexts(['id', 'url', 'name', 'mime', 'size']).optional(),
    })
    .optional(),
  files: z
    .strictObject({
      maxBytes: z.int().min(1).optional(),
      maxPerMessage: z.int().min(1).max(100).optional(),
      mime: z.array(z.string().max(100)).max(100).optional(),
    })
    .optional(),
  csrf: z.strictObject({ cookie: z.string().min(1).max(200), header: z.string().regex(/^[\w-]{1,100}$/) }).optional(),
  timeZone: z.string().max(64).refine(isTimeZone, 'must be a time zone such as Europe/Moscow').optional(),
  headers: z.record(z.string(), z.string().max(1_000)).optional(),
});

/** The gateway of this process calls the chat beside it; the setting would silently have no effect. */
function envOfGatewayAlone() {
  const message =
    'can be used by a gateway as a process of its own alone: run the distributed form, or give your events to the ledger (CHAT_ROLE=ledger)';
  return z.never({ error: message }).optional();
}

/** `{}` for the default paths of the client's `SiteStaff`. */
function envOperatorSite() {
  return z.string().transform((text, context) => {
    try {
      const read = operatorSite.safeParse(JSON.parse(text));
      if (read.success) return read.data;
      context.addIssue({ code: 'custom', message: z.prettifyError(read.error) });
    } catch {
      context.addIssue({
        code: 'custom',
        message: 'must be JSON, such as {} or {"paths":{"reply":"/chat/{id}/reply"}}',
      });
    }
    return z.NEVER;
  });
}

/** Everything in one process: the variables of all services. A plain `npm start` needs none of them. */
export const standaloneSchema = z
  .object({
    ...httpVariables(DEFAULT_PORT),
    ...staffTokenVariables,
    ...authVariables,
    ...gatewayVariables,
    ...chatSettingsVariables,
    ...telegramVariables,
    /** With one the Telegram bot runs too. */
    TELEGRAM_BOT_TOKEN: telegramToken.optional(),
    /** Without one the next free port from 8080 on. */
    PORT: envOptionalInteger({ min: 0, max: 65_535 }),
    DATA_DIR: z.string().default('./data'),
    /** PostgreSQL for the small production form; without it the embedded one in `DATA_DIR`. */
    DATABASE_URL: z.string().optional(),
    /** PostgreSQL itself, if DATABASE_URL leads to a pooler: for locks, migrations and LISTEN. */
    DATABASE_DIRECT_URL: z.string().optional(),
    /** The site's broker, for RABBITMQ_SOURCE; the chat itself needs none here. */
    RABBITMQ_URL: envUrl(['amqp:', 'amqps:']).optional(),
    OPERATOR_PASSWORD: z.string().min(1).optional(),
    /** Seeded chats, local origins and `/try/`; `auto`: until a production variable is set. */
    DEMO: z.enum(['auto', 'on', 'off']).default('auto'),
    /** Serves `/metrics` on the public port to callers with this token. */
    METRICS_TOKEN: envSecret(8).optional(),
    /** `/metrics` on a separate port, on loopback. */
    METRICS_PORT: envOptionalInteger({ min: 1, max: 65_535 }),
    DRAIN_SECONDS: envInteger(1, { max: 600 }),
    CATCHUP_URL: envOfGatewayAlone(),
    ACKS_URL: envOfGatewayAlone(),
    /** Operator sign-in through the site: the console gets its token here … */
    OPERATOR_TOKEN_URL: envSiteAddress().optional(),
    /** … and is sent here if the site does not recognise the caller. */
    OPERATOR_LOGIN_URL: envSiteAddress().optional(),
    /** The parameter of that address for the return address. */
    OPERATOR_RETURN_PARAM: z
      .string()
      .regex(/^[\w.[\]-]{1,64}$/, 'is the name of a parameter of an address')
      .default('return_to'),
    /** Paths with which operators answer, assign and close if the site keeps its own chat, as JSON. */
    OPERATOR_SITE: envOperatorSite().optional(),
  })
  .refine(({ OPERATOR_TOKEN_URL, OPERATOR_LOGIN_URL }) => !OPERATOR_LOGIN_URL || OPERATOR_TOKEN_URL, {
    path: ['OPERATOR_LOGIN_URL'],
    message: 'needs OPERATOR_TOKEN_URL, from which the console gets its token afterwards',
  })
  .refine((env) => env.DEMO !== 'on' || !isExposed(env), {
    path: ['DEMO'],
    message: 'on is for this machine alone: not with a HOST or PUBLIC_URL that others reach',
  })
  .refine(webhooksAreSigned, WEBHOOK_SECRET_MISSING)
  .refine(sourcesHaveLedger, LEDGER_MISSING)
  .refine(mailIsComplete, MAIL_INCOMPLETE)
  .refine(webhookIsSafe, WEBHOOK_INCOMPLETE)
  .refine(oidcIsWhole, OIDC_INCOMPLETE);

export type StandaloneConfig = z.infer<typeof standaloneSchema>;
