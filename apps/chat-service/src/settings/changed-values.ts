import type { Rules, SavedTexts, SavedTheme } from '@chat-realtime/protocol';
import type { SavedWebhook } from '../alerts/alert-targets.ts';

interface Saved {
  readonly theme: SavedTheme;
  readonly texts: SavedTexts;
  readonly rules: Rules;
  readonly webhook: SavedWebhook | undefined;
}

type Value = string | number | boolean | null | readonly string[];

/** More than this of a list would make the log a copy of the settings. */
const LISTED = 20;

/**
 * The content of the log of changes about settings: numbers, choices, names. No wording, and only the number of alert
 * addresses, since one may contain a secret.
 */
function valuesOf({ theme, rules, webhook }: Saved): Readonly<Record<string, Value | undefined>> {
  const numbers = (part: 'alerts' | 'retention' | 'tokens') =>
    Object.entries(rules[part] ?? {}).map(([name, value]): [string, Value] => [`${part}.${name}`, value]);
  const { schedule, consent, prechat_fields: asked, custom_fields: own, attachments: files, origins } = rules;
  return {
    'theme.accent': theme.accent,
    'theme.scheme': theme.scheme,
    ...Object.fromEntries([...numbers('alerts'), ...numbers('retention'), ...numbers('tokens')]),
    'schedule.timezone': schedule?.timezone,
    ...Object.fromEntries(
      Object.entries(schedule?.hours ?? {}).map(([day, hours]) => [`schedule.${day}`, hours.slice(0, LISTED)]),
    ),
    'schedule.holidays': schedule?.holidays.length,
    'consent.version': consent?.version,
    prechat_fields: asked?.map(({ name, required }) => (required ? `${name}*` : name)),
    custom_fields: own?.map(({ name }) => name),
    'attachments.enabled': files?.enabled,
    'attachments.max_bytes': files?.max_bytes,
    'attachments.types': files?.types?.slice(0, LISTED),
    origins: origins?.slice(0, LISTED),
    'webhook.urls': webhook?.urls.length,
  };
}

/** The new values of what was changed, and the previous ones in `before`; null is a value that is not saved. */
export function changedValues(before: Saved, after: Saved): Readonly<Record<string, unknown>> {
  const [was, is] = [valuesOf(before), valuesOf(after)];
  const changed = [...new Set([...Object.keys(was), ...Object.keys(is)])].filter(
    (name) => JSON.stringify(was[name]) !== JSON.stringify(is[name]),
  );
  const texts = [...new Set([...Object.keys(before.texts), ...Object.keys(after.texts)])].filter(
    (name) => before.texts[name] !== after.texts[name],
  );
  const secret = before.webhook?.secret !== after.webhook?.secret;
  return {
    ...Object.fromEntries(changed.map((name) => [name, is[name] ?? null])),
    ...(texts.length === 0 ? {} : { texts }),
    ...(secret ? { 'webhook.secret': after.webhook?.secret === undefined ? 'removed' : 'replaced' } : {}),
    ...(changed.length === 0 ? {} : { before: Object.fromEntries(changed.map((name) => [name, was[name] ?? null])) }),
  };
}
