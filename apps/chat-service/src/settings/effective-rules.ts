import { type OpeningHours, RULE_NAMES, type RuleName, type Rules, type RulesResponse } from '@chat-realtime/protocol';
import { type AttachmentEnvironment, checkUploadPolicy, uploadPolicy } from '../attachments/upload-policy.ts';
import { fieldError } from '../field-error.ts';
import { buildSchedule, ScheduleError } from '../schedule/parse.ts';
import type { Schedule } from '../schedule/schedule.ts';
import { DEFAULT_CONSENT, DEFAULT_PRECHAT_FIELDS, type WidgetSettings } from './widget-config.ts';

export interface RulesEnvironment extends AttachmentEnvironment {
  readonly CHAT_SCHEDULE?: Schedule | undefined;
  readonly CHAT_WIDGET: WidgetSettings;
  readonly ALERT_WAITING_SECONDS?: number | undefined;
  readonly REPLY_UNSEEN_SECONDS?: number | undefined;
  readonly CALLBACK_DUE_MINUTES?: number | undefined;
  readonly CHANNEL_TOKEN_TTL_SECONDS?: number | undefined;
  readonly ALERT_RETENTION_DAYS: number;
  readonly RETENTION_DAYS_MESSAGES?: number | undefined;
  readonly RETENTION_DAYS_FILES?: number | undefined;
  readonly RETENTION_DAYS_CONTACTS?: number | undefined;
  readonly RETENTION_DAYS_CALLBACKS?: number | undefined;
  readonly RETENTION_DAYS_ALERTS?: number | undefined;
  /** Of the process, where it has any. */
  readonly ALLOWED_ORIGINS?: readonly string[] | undefined;
}

const WAITING_SECONDS = 60;
const REPLY_UNSEEN_SECONDS = 120;
const CALLBACK_DUE_MINUTES = 120;
const CHANNEL_TOKEN_SECONDS = 86_400;

const fixedOrigins = ({ ALLOWED_ORIGINS: origins = [] }: RulesEnvironment) =>
  origins.length === 0 ? undefined : origins;

/** Each rule with the variable that fixes it, where it has a value. */
function fixedValues(env: RulesEnvironment): readonly (readonly [string, unknown])[] {
  return [
    ['schedule', env.CHAT_SCHEDULE],
    ['consent', env.CHAT_WIDGET.consent],
    ['prechat_fields', env.CHAT_WIDGET.prechat_fields],
    ['custom_fields', env.CHAT_WIDGET.custom_fields],
    ['alerts.waiting_seconds', env.ALERT_WAITING_SECONDS],
    ['alerts.reply_unseen_seconds', env.REPLY_UNSEEN_SECONDS],
    ['alerts.callback_due_minutes', env.CALLBACK_DUE_MINUTES],
    ['retention.messages', env.RETENTION_DAYS_MESSAGES],
    ['retention.files', env.RETENTION_DAYS_FILES],
    ['retention.contacts', env.RETENTION_DAYS_CONTACTS],
    ['retention.callbacks', env.RETENTION_DAYS_CALLBACKS],
    ['retention.alerts', env.RETENTION_DAYS_ALERTS],
    ['origins', fixedOrigins(env)],
    ['tokens.channel_seconds', env.CHANNEL_TOKEN_TTL_SECONDS],
  ];
}

export function fixedRules(env: RulesEnvironment): string[] {
  return fixedValues(env).flatMap(([name, value]) => (value === undefined ? [] : [name]));
}

/** Precedence: environment variables, then saved settings, then defaults. */
export function effectiveRules(env: RulesEnvironment, saved: Rules): RulesResponse['effective'] {
  const { alerts = {}, retention = {} } = saved;
  const files = uploadPolicy(env, saved.attachments);
  return {
    schedule: env.CHAT_SCHEDULE?.hours ?? saved.schedule ?? null,
    consent: env.CHAT_WIDGET.consent ?? saved.consent ?? DEFAULT_CONSENT,
    prechat_fields: env.CHAT_WIDGET.prechat_fields ?? saved.prechat_fields ?? [...DEFAULT_PRECHAT_FIELDS],
    custom_fields: env.CHAT_WIDGET.custom_fields ?? saved.custom_fields ?? [],
    alerts: {
      waiting_seconds: env.ALERT_WAITING_SECONDS ?? alerts.waiting_seconds ?? WAITING_SECONDS,
      reply_unseen_seconds: env.REPLY_UNSEEN_SECONDS ?? alerts.reply_unseen_seconds ?? REPLY_UNSEEN_SECONDS,
      callback_due_minutes: env.CALLBACK_DUE_MINUTES ?? alerts.callback_due_minutes ?? CALLBACK_DUE_MINUTES,
    },
    attachments: {
      enabled: files.enabled,
      max_bytes: files.maxBytes,
      types: [...files.types.entries],
      limit: { max_bytes: env.ATTACHMENT_MAX_BYTES, types: [...env.ATTACHMENT_TYPES.entries] },
    },
    retention: {
      messages: env.RETENTION_DAYS_MESSAGES ?? retention.messages ?? 0,
      files: env.RETENTION_DAYS_FILES ?? retention.files ?? 0,
      contacts: env.RETENTION_DAYS_CONTACTS ?? retention.contacts ?? 0,
      callbacks: env.RETENTION_DAYS_CALLBACKS ?? retention.callbacks ?? 0,
      alerts: env.RETENTION_DAYS_ALERTS ?? retention.alerts ?? env.ALERT_RETENTION_DAYS,
    },
    origins: [...(fixedOrigins(env) ?? saved.origins ?? [])],
    tokens: {
      channel_seconds: env.CHANNEL_TOKEN_TTL_SECONDS ?? saved.tokens?.channel_seconds ?? CHANNEL_TOKEN_SECONDS,
    },
  };
}

/** Built once for each saved text: a schedule is asked at every look at the configuration. */
export class ScheduleOfRules {
  readonly #env: RulesEnvironment;
  #built: { readonly key: string; readonly schedule: Schedule } | undefined;

  constructor(env: RulesEnvironment) {
    this.#env = env;
  }

  of(saved: Rules): Schedule | undefined {
    if (this.#env.CHAT_SCHEDULE !== undefined) return this.#env.CHAT_SCHEDULE;
    if (saved.schedule === undefined) return undefined;
    const key = JSON.stringify(saved.schedule);
    if (this.#built?.key !== key) this.#built = { key, schedule: scheduleOf(saved.schedule) };
    return this.#built.schedule;
  }
}

function scheduleOf(hours: OpeningHours): Schedule {
  return buildSchedule(hours.timezone, hours.hours, hours.holidays);
}

type RulesPatch = { readonly [N in RuleName]?: Rules[N] | null };

/** @throws ChatError 422 for what the environment fixes, and for hours that are none. */
export function checkRules(env: RulesEnvironment, patch: RulesPatch): void {
  const fixed = new Set(fixedRules(env));
  for (const name of RULE_NAMES) {
    const part = patch[name];
    if (part === undefined) continue;
    if (fixed.has(name)) throw fieldError(name, 'is fixed by the environment');
    if (name !== 'alerts' && name !== 'retention' && name !== 'tokens') continue;
    for (const key of Object.keys(part ?? {}))
      if (fixed.has(`${name}.${key}`)) throw fieldError(`${name}.${key}`, 'is fixed by the environment');
  }
  if (patch.attachments) checkUploadPolicy(env, patch.attachments);
  if (patch.schedule === undefined || patch.schedule === null) return;
  try {
    scheduleOf(patch.schedule);
  } catch (error) {
    if (!(error instanceof ScheduleError)) throw error;
    throw fieldError('schedule', error.message);
  }
}
