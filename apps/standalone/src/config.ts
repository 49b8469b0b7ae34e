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
import {
  envInteger,
  envOptionalInteger,
  envSecret,
  envUrl,
  httpVariables,
  staffTokenVariables,
} from '@chat-realtime/service-kit';
import { telegramToken, telegramVariables, WEBHOOK_INCOMPLETE, webhookIsSafe } from '@chat-realtime/telegram-bot';
import { z } from 'zod';
import { DEFAULT_PORT } from './listen-port.ts';

/** A path of the own origin, or an address of the site. */
function envSiteAddress() {
  const isPath = (text: string): boolean => /^\/(?!\/)/.test(text);
  const isUrl = (text: string): boolean => URL.canParse(text) && /^https?:$/.test(new URL(text).protocol);
  return z
    .string()
    .trim()
    .refine((text) => isPath(text) || isUrl(text), 'must be a path such as /token, or a URL with http:// or https://');
}

/** Everything in one process: the variables of all services, of which a plain `npm start` needs none. */
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
    /** PostgreSQL itself where DATABASE_URL leads to a pooler: locks, migrations and LISTEN. */
    DATABASE_DIRECT_URL: z.string().optional(),
    /** The site's broker, for RABBITMQ_SOURCE; the chat itself needs none here. */
    RABBITMQ_URL: envUrl(['amqp:', 'amqps:']).optional(),
    OPERATOR_PASSWORD: z.string().min(1).optional(),
    /** Seeded chats, local origins and `/try/`; `auto`: until a variable of production is set. */
    DEMO: z.enum(['auto', 'on', 'off']).default('auto'),
    /** Opens `/metrics` on the public port to who shows it. */
    METRICS_TOKEN: envSecret(8).optional(),
    /** `/metrics` on a port of its own, on loopback. */
    METRICS_PORT: envOptionalInteger({ min: 1, max: 65_535 }),
    DRAIN_SECONDS: envInteger(1, { max: 600 }),
    /** The site's own sign-in of operators: the console gets its token here … */
    OPERATOR_TOKEN_URL: envSiteAddress().optional(),
    /** … and is sent here when the site does not know who asks. */
    OPERATOR_LOGIN_URL: envSiteAddress().optional(),
  })
  .refine(({ OPERATOR_TOKEN_URL, OPERATOR_LOGIN_URL }) => !OPERATOR_LOGIN_URL || OPERATOR_TOKEN_URL, {
    path: ['OPERATOR_LOGIN_URL'],
    message: 'needs OPERATOR_TOKEN_URL, from which the console gets its token afterwards',
  })
  .refine(webhooksAreSigned, WEBHOOK_SECRET_MISSING)
  .refine(sourcesHaveLedger, LEDGER_MISSING)
  .refine(mailIsComplete, MAIL_INCOMPLETE)
  .refine(webhookIsSafe, WEBHOOK_INCOMPLETE)
  .refine(oidcIsWhole, OIDC_INCOMPLETE);

export type StandaloneConfig = z.infer<typeof standaloneSchema>;
