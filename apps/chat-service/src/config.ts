import { readFileSync } from 'node:fs';
import { ATTACHMENT_MAX_BYTES, EVENTS_EXCHANGE, QUEUE_COUNTS, queueNames } from '@chat-realtime/protocol';
import {
  envBoolean,
  envInteger,
  envList,
  envOptionalInteger,
  envQueueCount,
  envSecret,
  envSecretRing,
  envUrl,
  httpVariables,
  staffTokenVariables,
  envInternalApiKey,
} from '@chat-realtime/service-kit';
import { parseTableSource, type TableSourceConfig, TableSourceConfigError } from '@chat-realtime/table-source';
import { z } from 'zod';
import { AcceptedTypes } from './attachments/accepted-types.ts';
import { MAIL_INCOMPLETE, mailIsComplete, mailVariables } from './mail/config.ts';
import { isCountryCode } from './callbacks/phone.ts';
import type { ChatOptions } from './ports.ts';
import type { CustomerRest } from './http/customer-rest-gate.ts';
import { parseSchedule, ScheduleError } from './schedule/parse.ts';
import { widgetSettingsSchema } from './settings/widget-config.ts';

const PORT = 8102;

function envSchedule() {
  return z.string().transform((text, context) => {
    try {
      return parseSchedule(text);
    } catch (error) {
      if (!(error instanceof ScheduleError)) throw error;
      context.addIssue(error.message);
      return z.NEVER;
    }
  });
}

/** JSON text that matches `widgetSettingsSchema`. */
function envWidget() {
  return z
    .string()
    .default('{}')
    .transform((text, context): unknown => {
      try {
        return JSON.parse(text);
      } catch (error) {
        context.addIssue(error instanceof Error ? `is not JSON: ${error.message}` : 'is not JSON');
        return z.NEVER;
      }
    })
    .pipe(widgetSettingsSchema);
}

function envCountry() {
  return z
    .string()
    .default('RU')
    .transform((text, context) => {
      const country = text.trim().toUpperCase();
      if (isCountryCode(country)) return country;
      context.addIssue('must be a country code such as RU');
      return z.NEVER;
    });
}

function envAcceptedTypes() {
  return envList().transform((entries, context) => {
    try {
      return AcceptedTypes.parse(entries);
    } catch (error) {
      context.addIssue(error instanceof Error ? error.message : 'is not a list of types');
      return z.NEVER;
    }
  });
}

function envWebhookUrls() {
  return envList().pipe(z.array(envUrl()));
}

/** Rules between variables run even if a single variable is wrong, so that all errors are listed at once. */
const ALWAYS = { when: () => true };

export type RabbitSource =
  | { readonly kind: 'exchange'; readonly exchange: string; readonly key: string }
  | { readonly kind: 'queue'; readonly queue: string };

/** Reading our own exchange would loop forever. */
const OWN_QUEUES: ReadonlySet<string> = new Set(QUEUE_COUNTS.flatMap((count) => queueNames(count)));

/** `exchange:<name>/<key>` or `queue:<name>`. */
function envRabbitSource() {
  return z.string().transform((text, context): RabbitSource => {
    const queue = /^queue:([^\s]{1,255})$/.exec(text.trim())?.[1];
    if (queue !== undefined && !OWN_QUEUES.has(queue)) return { kind: 'queue', queue };
    const [, exchange, key] = /^exchange:([^/\s]{1,255})\/([^\s]{1,255})$/.exec(text.trim()) ?? [];
    if (exchange === EVENTS_EXCHANGE) context.addIssue(`must not be ${EVENTS_EXCHANGE}, where our own events go`);
    else if (exchange !== undefined && key !== undefined) return { kind: 'exchange', exchange, key };
    else context.addIssue('must be exchange:<name>/<key> or queue:<name>');
    return z.NEVER;
  });
}

/** The file that describes the tables of a site. All its faults are reported at once. */
function envTableSource() {
  return z.string().transform((file, context): TableSourceConfig => {
    try {
      return parseTableSource(readFileSync(file.trim(), 'utf8'), { env: process.env });
    } catch (error) {
      if (error instanceof TableSourceConfigError) for (const problem of error.problems) context.addIssue(problem);
      else context.addIssue(error instanceof Error ? `cannot be read: ${error.message}` : 'cannot be read');
      return z.NEVER;
    }
  });
}

/** Beside a site's own chat. */
const ledgerVariables = {
  CHAT_ROLE: z.enum(['chat', 'ledger']).default('chat'),
  EVENTS_API_KEY: envSecret(16).optional(),
  RABBITMQ_SOURCE: envRabbitSource().optional(),
  /** The site's broker, if it is not that of RABBITMQ_URL. */
  RABBITMQ_SOURCE_URL: envUrl(['amqp:', 'amqps:']).optional(),
  TABLE_SOURCE: envTableSource().optional(),
  /** Customers may read from the ledger what the site sent. */
  LEDGER_CUSTOMER_READS: envBoolean(false),
  LEDGER_STAFF_WRITES: envBoolean(false),
};

interface SourceVariables {
  readonly CHAT_ROLE?: 'chat' | 'ledger' | undefined;
  readonly EVENTS_API_KEY?: unknown;
  readonly RABBITMQ_SOURCE?: unknown;
  readonly TABLE_SOURCE?: unknown;
}

/** A source that is not read would lose the events of a site silently. */
export function sourcesHaveLedger(env: SourceVariables): boolean {
  const sources = [env.EVENTS_API_KEY, env.RABBITMQ_SOURCE, env.TABLE_SOURCE];
  return env.CHAT_ROLE === 'ledger' || sources.every((source) => source === undefined);
}
export const LEDGER_MISSING = {
  message: 'must be ledger where EVENTS_API_KEY, RABBITMQ_SOURCE or TABLE_SOURCE is set',
  path: ['CHAT_ROLE'],
  ...ALWAYS,
};

/** Push services in our own network, `host:port`. Others in it are refused. */
const pushVariables = {
  PUSH_PRIVATE_HOSTS: envList(),
  /** Whether push notifications may contain names and texts. */
  PUSH_SHOW_TEXT: envBoolean(false),
};

/** How the chat behaves; the same in its own process and in standalone. */
export const chatSettingsVariables = {
  CHAT_TOKEN_SECRETS: envSecretRing(),
  /** Default: the value saved in the console, else a day. */
  CHANNEL_TOKEN_TTL_SECONDS: envOptionalInteger({ min: 1, max: 86_400 }),
  SITE_API_KEY: envSecret(16).optional(),
  IDENTITY_SECRETS: envSecretRing().optional(),
  RATE_SESSIONS_PER_MINUTE: envInteger(30),
  RATE_MESSAGES_PER_MINUTE: envInteger(60),
  /** Chats that one address may start within ten minutes without a proof of work; 0 = any number. */
  CHALLENGE_AFTER_STARTS: envInteger(0),
  CHAT_SCHEDULE: envSchedule().optional(),
  CHAT_WIDGET: envWidget(),
  CHAT_PHONE_COUNTRY: envCountry(),
  /** Default: the value saved in the console, else 120. */
  CALLBACK_DUE_MINUTES: envOptionalInteger({ min: 1 }),
  ATTACHMENT_MAX_BYTES: envInteger(ATTACHMENT_MAX_BYTES, { min: 1, max: ATTACHMENT_MAX_BYTES }),
  ATTACHMENT_TYPES: envAcceptedTypes(),
  ATTACHMENT_UNSENT_BYTES_PER_SESSION: envInteger(10 * ATTACHMENT_MAX_BYTES),
  ATTACHMENT_UNSENT_BYTES_PER_ADDRESS: envInteger(50 * ATTACHMENT_MAX_BYTES),
  ATTACHMENT_MIN_FREE_BYTES: envInteger(512 * 1024 * 1024),
  ALERT_WEBHOOK_URLS: envWebhookUrls(),
  ALERT_WEBHOOK_SECRET: envSecret(16).optional(),
  /** Hosts of our own network that addresses saved in a console may lead to: `host:port`. */
  ALERT_WEBHOOK_PRIVATE_HOSTS: envList(),
  /** Default: the value saved in the console, else 60. */
  ALERT_WAITING_SECONDS: envOptionalInteger({ min: 1 }),
  /** The same, else 120. */
  REPLY_UNSEEN_SECONDS: envOptionalInteger({ min: 1 }),
  // Longer than the day during which a webhook is retried and a cause can be found again.
  ALERT_RETENTION_DAYS: envInteger(30, { min: 2 }),
  /** Days after which old data is erased; 0 = kept forever. */
  RETENTION_DAYS_MESSAGES: envOptionalInteger(),
  RETENTION_DAYS_FILES: envOptionalInteger(),
  RETENTION_DAYS_CONTACTS: envOptionalInteger(),
  RETENTION_DAYS_CALLBACKS: envOptionalInteger(),
  /** Default: ALERT_RETENTION_DAYS. */
  RETENTION_DAYS_ALERTS: envOptionalInteger(),
  AUTO_CLOSE_MINUTES: envInteger(0),
  CLAIM_ON_REPLY: envBoolean(true),
  RETURN_TO_QUEUE: z.enum(['never', 'offline', 'always']).default('offline'),
  ...ledgerVariables,
  ...mailVariables,
  ...pushVariables,
};

interface WebhookVariables {
  readonly ALERT_WEBHOOK_URLS?: readonly string[] | undefined;
  readonly ALERT_WEBHOOK_SECRET?: string | undefined;
}

/** Alerts name sessions and people. Without a signature a receiver could not distinguish them from forged ones. */
export function webhooksAreSigned(env: WebhookVariables): boolean {
  return (env.ALERT_WEBHOOK_URLS ?? []).length === 0 || env.ALERT_WEBHOOK_SECRET !== undefined;
}
export const WEBHOOK_SECRET_MISSING = {
  message: 'is required with ALERT_WEBHOOK_URLS',
  path: ['ALERT_WEBHOOK_SECRET'],
  ...ALWAYS,
};

interface StaffKeyVariables {
  readonly AUTH_JWKS_URL?: string | undefined;
  readonly AUTH_JWT_SECRET?: string | undefined;
}

function hasOneKeySource(env: StaffKeyVariables): boolean {
  return (env.AUTH_JWKS_URL === undefined) !== (env.AUTH_JWT_SECRET === undefined);
}
const ONE_KEY_SOURCE = {
  message: 'exactly one of AUTH_JWKS_URL and AUTH_JWT_SECRET is required',
  path: ['AUTH_JWKS_URL'],
  ...ALWAYS,
};

export const chatSettingsSchema = z
  .object(chatSettingsVariables)
  .refine(webhooksAreSigned, WEBHOOK_SECRET_MISSING)
  .refine(sourcesHaveLedger, LEDGER_MISSING)
  .refine(mailIsComplete, MAIL_INCOMPLETE);
export type ChatSettings = z.infer<typeof chatSettingsSchema>;

/** chat-service as a separate process. */
export const chatServiceSchema = z
  .object({
    ...httpVariables(PORT),
    ...staffTokenVariables,
    ...chatSettingsVariables,
    DATABASE_URL: z.string(),
    /** PostgreSQL itself, if DATABASE_URL leads to a pooler: for locks, migrations and LISTEN. */
    DATABASE_DIRECT_URL: z.string().optional(),
    RABBITMQ_URL: envUrl(['amqp:', 'amqps:']),
    RABBITMQ_QUEUES: envQueueCount(),
    INTERNAL_API_KEY: envInternalApiKey().optional(),
    /** Addresses of the dispatcher and the gateways, which remember an event's path. */
    TRACE_PEERS: envList().pipe(z.array(envUrl())),
    DATA_DIR: z.string().default('./data'),
  })
  .refine(webhooksAreSigned, WEBHOOK_SECRET_MISSING)
  .refine(hasOneKeySource, ONE_KEY_SOURCE)
  .refine(sourcesHaveLedger, LEDGER_MISSING)
  .refine(mailIsComplete, MAIL_INCOMPLETE);

/** In the ledger role the site is in charge: no closing by timeout, no return to the queue, no claim by a reply. */
export function chatOptions(settings: ChatSettings): Partial<ChatOptions> {
  if (settings.CHAT_ROLE === 'ledger')
    return {
      autoCloseMinutes: 0,
      returnToQueue: 'never',
      claimOnReply: false,
      ownsSessions: false,
      staffWrites: settings.LEDGER_STAFF_WRITES,
    };
  return {
    autoCloseMinutes: settings.AUTO_CLOSE_MINUTES,
    returnToQueue: settings.RETURN_TO_QUEUE,
    claimOnReply: settings.CLAIM_ON_REPLY,
  };
}

export function customerRest(settings: ChatSettings): CustomerRest {
  if (settings.CHAT_ROLE === 'chat') return 'on';
  return settings.LEDGER_CUSTOMER_READS ? 'reads' : 'off';
}
