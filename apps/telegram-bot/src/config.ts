import {
  envInternalApiKey,
  envOptionalInteger,
  envSecret,
  envUrl,
  httpVariables,
  redisVariables,
} from '@chat-realtime/service-kit';
import { isTimeZone } from '@chat-realtime/protocol';
import { z } from 'zod';

const TOKEN = /^(\d{1,16}):[\w-]{20,}$/;

/** The settings of the bot in any process. */
export const telegramVariables = {
  TELEGRAM_API_ROOT: envUrl().default('https://api.telegram.org'),
  TELEGRAM_MODE: z.enum(['poll', 'webhook']).default('poll'),
  TELEGRAM_WEBHOOK_SECRET: envSecret(16)
    .refine((secret) => /^[\w-]{1,256}$/.test(secret), 'may have letters, digits, _ and - only')
    .optional(),
  /** A group with topics, one for each chat. Groups have numbers below zero. */
  TELEGRAM_STAFF_GROUP_ID: envOptionalInteger({ min: -Number.MAX_SAFE_INTEGER, max: -1 }),
  /** Of what the bot says in that group, which all of it read. */
  TELEGRAM_STAFF_GROUP_LANGUAGE: z.enum(['ru', 'en']).default('ru'),
  /** The chat's public address: Telegram calls `<PUBLIC_URL>/telegram/webhook`. */
  PUBLIC_URL: envUrl().optional(),
};

export const telegramToken = z.string().trim().regex(TOKEN, 'must be a bot token as BotFather gives it');

interface WebhookVariables {
  readonly TELEGRAM_MODE?: 'poll' | 'webhook' | undefined;
  readonly TELEGRAM_WEBHOOK_SECRET?: string | undefined;
  readonly PUBLIC_URL?: string | undefined;
}

/** Anybody can reach the address of a webhook: without a secret everybody could write in everybody's name. */
export function webhookIsSafe(env: WebhookVariables): boolean {
  return env.TELEGRAM_MODE !== 'webhook' || (env.TELEGRAM_WEBHOOK_SECRET !== undefined && env.PUBLIC_URL !== undefined);
}
export const WEBHOOK_INCOMPLETE = {
  message: 'webhook needs TELEGRAM_WEBHOOK_SECRET and PUBLIC_URL',
  path: ['TELEGRAM_MODE'],
  when: () => true,
};

const telegramSchema = z.object({ ...telegramVariables, TELEGRAM_BOT_TOKEN: telegramToken });
export type TelegramConfig = z.infer<typeof telegramSchema>;

/** Of `CHAT_SCHEDULE` the bot needs the zone alone; chat-service says whether the rest is right. */
function envScheduleZone() {
  return z.string().transform((text, context) => {
    const zone = zoneOfSchedule(text.trim());
    if (zone !== undefined && isTimeZone(zone)) return zone;
    context.addIssue('names no time zone');
    return z.NEVER;
  });
}

function zoneOfSchedule(text: string): string | undefined {
  if (!text.startsWith('{')) return text.split(';')[0]?.trim();
  try {
    return z.object({ timezone: z.string() }).safeParse(JSON.parse(text)).data?.timezone;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** The bot as a separate process. */
export const telegramEnvironment = z
  .object({
    ...httpVariables(8105),
    ...telegramVariables,
    TELEGRAM_BOT_TOKEN: telegramToken,
    /** As chat-service has it: times are told to operators in its zone. */
    CHAT_SCHEDULE: envScheduleZone().optional(),
    DATABASE_URL: z.string(),
    DATABASE_DIRECT_URL: z.string().optional(),
    ...redisVariables,
    CHAT_SERVICE_URL: envUrl().default('http://127.0.0.1:8102'),
    INTERNAL_API_KEY: envInternalApiKey(),
  })
  .refine(webhookIsSafe, WEBHOOK_INCOMPLETE);

/** The number in front of the colon; the secret stands behind it. */
export function botIdOf(token: string): number {
  return Number(TOKEN.exec(token)?.[1]);
}
