import { isLoopback } from '@chat-realtime/service-kit';
import type { StandaloneConfig } from './config.ts';

/**
 * Each of them shows that this chat is a real one, or part of it. Any of them ends the demo: the reverse proxy, or a
 * header it forgot to pass on, must never decide this.
 */
const PRODUCTION_VARIABLES = [
  'DATABASE_URL',
  'DATABASE_DIRECT_URL',
  'PUBLIC_URL',
  'ALLOWED_ORIGINS',
  'TRUSTED_PROXIES',
  'CHAT_TOKEN_SECRETS',
  'SITE_API_KEY',
  'IDENTITY_SECRETS',
  'AUTH_JWKS_URL',
  'AUTH_JWT_SECRET',
  'OPERATOR_TOKEN_URL',
  'OPERATOR_LOGIN_URL',
  'OIDC_ISSUER',
  'ALERT_WEBHOOK_URLS',
  'EVENTS_API_KEY',
  'RABBITMQ_SOURCE',
  'TABLE_SOURCE',
  'SMTP_URL',
  'MAIL_INBOUND',
  'MAIL_INBOUND_SECRET',
  'MAIL_INBOUND_MAILGUN_KEY',
  'MAIL_INBOUND_POSTMARK_LOGIN',
  'MAIL_INBOUND_SES_TOPIC',
  'TELEGRAM_BOT_TOKEN',
] as const;

export type DemoMode =
  | { readonly on: true }
  /** `because`: the variables that ended it; none if `DEMO=off`, `--empty` or the content of the database did. */
  | { readonly on: false; readonly because: readonly string[] };

export interface Circumstances {
  /** As the administrator gave it, before anything was filled in. */
  readonly env: NodeJS.ProcessEnv;
  /** `--empty` */
  readonly empty: boolean;
  /** The database was served without a demo once: what is real stays real. */
  readonly servedForReal: boolean;
}

export function demoMode(
  config: Pick<StandaloneConfig, 'DEMO' | 'HOST'>,
  { env, empty, servedForReal }: Circumstances,
): DemoMode {
  if (empty || config.DEMO === 'off') return { on: false, because: [] };
  if (config.DEMO === 'on') return { on: true };
  if (servedForReal) return { on: false, because: [] };
  const because: string[] = PRODUCTION_VARIABLES.filter((name) => (env[name] ?? '').trim() !== '');
  if (env['CHAT_ROLE']?.trim() === 'ledger') because.push('CHAT_ROLE');
  if (!isLoopback(config.HOST)) because.push('HOST');
  return because.length === 0 ? { on: true } : { on: false, because };
}
