import { ATTACHMENT_MAX_BYTES } from '@chat-realtime/protocol';
import {
  envBoolean,
  envInteger,
  envList,
  envSecret,
  envSecretRing,
  envUrl,
  httpVariables,
  staffTokenVariables,
  envInternalApiKey,
} from '@chat-realtime/service-kit';
import { z } from 'zod';
import { AcceptedTypes } from './attachments/accepted-types.ts';
import { isCountryCode } from './callbacks/phone.ts';
import { parseSchedule, ScheduleError } from './schedule/parse.ts';
import { widgetSettingsSchema } from './schedule/widget-config.ts';

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

/** JSON text that holds what `widgetSettingsSchema` says. */
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

/** How the chat behaves; the same in its own process and in standalone. */
export const chatSettingsVariables = {
  CHAT_TOKEN_SECRETS: envSecretRing(),
  CHANNEL_TOKEN_TTL_SECONDS: envInteger(86_400, { min: 1, max: 86_400 }),
  SITE_API_KEY: envSecret(16).optional(),
  IDENTITY_SECRETS: envSecretRing().optional(),
  RATE_SESSIONS_PER_MINUTE: envInteger(30),
  RATE_MESSAGES_PER_MINUTE: envInteger(60),
  CHAT_SCHEDULE: envSchedule().optional(),
  CHAT_WIDGET: envWidget(),
  CHAT_PHONE_COUNTRY: envCountry(),
  CALLBACK_DUE_MINUTES: envInteger(120, { min: 1 }),
  ATTACHMENT_MAX_BYTES: envInteger(ATTACHMENT_MAX_BYTES, { min: 1, max: ATTACHMENT_MAX_BYTES }),
  ATTACHMENT_TYPES: envAcceptedTypes(),
  ATTACHMENT_UNSENT_BYTES_PER_SESSION: envInteger(10 * ATTACHMENT_MAX_BYTES),
  ATTACHMENT_UNSENT_BYTES_PER_ADDRESS: envInteger(50 * ATTACHMENT_MAX_BYTES),
  ATTACHMENT_MIN_FREE_BYTES: envInteger(512 * 1024 * 1024),
  ALERT_WEBHOOK_URLS: envWebhookUrls(),
  ALERT_WEBHOOK_SECRET: envSecret(16).optional(),
  ALERT_WAITING_SECONDS: envInteger(60, { min: 1 }),
  REPLY_UNSEEN_SECONDS: envInteger(120, { min: 1 }),
  // Longer than the day in which a webhook is tried and a cause can be found again.
  ALERT_RETENTION_DAYS: envInteger(30, { min: 2 }),
  AUTO_CLOSE_MINUTES: envInteger(0),
  CLAIM_ON_REPLY: envBoolean(true),
  RETURN_TO_QUEUE: z.enum(['never', 'offline', 'always']).default('offline'),
};

/** Rules between variables run even where a variable alone is wrong, so that all faults are listed at once. */
const ALWAYS = { when: () => true };

interface WebhookVariables {
  readonly ALERT_WEBHOOK_URLS?: readonly string[] | undefined;
  readonly ALERT_WEBHOOK_SECRET?: string | undefined;
}

/** Alerts name sessions and people: without a signature a receiver could not tell them from anybody's. */
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

export const chatSettingsSchema = z.object(chatSettingsVariables).refine(webhooksAreSigned, WEBHOOK_SECRET_MISSING);
export type ChatSettings = z.infer<typeof chatSettingsSchema>;

/** chat-service as a process of its own. */
export const chatServiceSchema = z
  .object({
    ...httpVariables(PORT),
    ...staffTokenVariables,
    ...chatSettingsVariables,
    DATABASE_URL: z.string(),
    /** PostgreSQL itself where DATABASE_URL leads to a pooler: locks, migrations and LISTEN. */
    DATABASE_DIRECT_URL: z.string().optional(),
    RABBITMQ_URL: envUrl(['amqp:', 'amqps:']),
    INTERNAL_API_KEY: envInternalApiKey().optional(),
    DATA_DIR: z.string().default('./data'),
  })
  .refine(webhooksAreSigned, WEBHOOK_SECRET_MISSING)
  .refine(hasOneKeySource, ONE_KEY_SOURCE);
