import type { WebhookPatch, WebhookTargets } from '@chat-realtime/protocol';
import { fieldError } from '../field-error.ts';
import { isPublicUrl } from '../outbound/public-address.ts';

export interface AlertEnvironment {
  readonly ALERT_WEBHOOK_URLS: readonly string[];
  readonly ALERT_WEBHOOK_SECRET?: string | undefined;
  readonly ALERT_WEBHOOK_PRIVATE_HOSTS: readonly string[];
}

/** As stored in the database. */
export interface SavedWebhook {
  readonly urls: readonly string[];
  readonly secret?: string | undefined;
}

/** The current alert targets. */
export interface AlertTargets {
  readonly urls: readonly string[];
  /** Without it nothing is sent. */
  readonly secret: string | undefined;
  /**
   * Given for addresses that were typed in a console: whoever may do so has no shell, so they lead out of our network,
   * but for these hosts.
   */
  readonly privateHosts?: ReadonlySet<string> | undefined;
}

/** Environment variables override what was saved. */
export function alertTargets(env: AlertEnvironment, saved: SavedWebhook | undefined): AlertTargets {
  const { ALERT_WEBHOOK_URLS: urls, ALERT_WEBHOOK_SECRET: secret } = env;
  if (urls.length > 0) return { urls, secret };
  const privateHosts = new Set(env.ALERT_WEBHOOK_PRIVATE_HOSTS);
  return { urls: saved?.urls ?? [], secret: secret ?? saved?.secret, privateHosts };
}

/** The names of the values that a variable fixes. */
export function fixedTargets(env: AlertEnvironment): string[] {
  return [
    ...(env.ALERT_WEBHOOK_URLS.length === 0 ? [] : ['webhook.urls']),
    ...(env.ALERT_WEBHOOK_SECRET === undefined ? [] : ['webhook.secret']),
  ];
}

/**
 * @throws ChatError 422 for what the environment fixes, and for addresses within our own network. That there is a secret
 * to sign with is looked at where it is saved.
 */
export function checkWebhook(env: AlertEnvironment, patch: WebhookPatch | null | undefined): void {
  if (patch === undefined) return;
  const fixed = fixedTargets(env);
  if (fixed.includes('webhook.urls')) throw fieldError('webhook.urls', 'is fixed by the environment');
  if (patch?.secret !== undefined && fixed.includes('webhook.secret'))
    throw fieldError('webhook.secret', 'is fixed by the environment');
  const privateHosts = new Set(env.ALERT_WEBHOOK_PRIVATE_HOSTS);
  for (const [index, url] of (patch?.urls ?? []).entries())
    if (!mayReach(url, privateHosts))
      throw fieldError(
        `webhook.urls.${index}`,
        'must be an https address in the internet, or of ALERT_WEBHOOK_PRIVATE_HOSTS',
      );
}

/** Checked again with each attempt, since the variable may have changed. */
export function mayReach(url: string, privateHosts: ReadonlySet<string>): boolean {
  const target = new URL(url);
  return privateHosts.has(target.host) || (target.protocol === 'https:' && isPublicUrl(target));
}

/** As shown to an admin. */
export function shownTargets(env: AlertEnvironment, saved: SavedWebhook | undefined): WebhookTargets {
  const fromEnvironment = env.ALERT_WEBHOOK_URLS.length > 0;
  const { urls } = alertTargets(env, saved);
  const isSaved = saved?.secret !== undefined;
  return {
    urls: fromEnvironment ? urls.map(beginningOf) : [...urls],
    secret: env.ALERT_WEBHOOK_SECRET !== undefined ? 'environment' : isSaved ? 'saved' : 'none',
    saved: saved !== undefined,
  };
}

/** Path and query may be a secret of the receiver. */
function beginningOf(url: string): string {
  const { origin, pathname, search } = new URL(url);
  return pathname === '/' && search === '' ? origin : `${origin}/…`;
}
