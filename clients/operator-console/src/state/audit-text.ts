import type { AuditEntry } from '@chat-realtime/client/staff';
import type { Texts } from '../i18n/ru.ts';
import { TEXT_NAMES } from '../names.ts';

/** The language that is shown, and how it writes times and sizes. */
export interface AuditWords {
  readonly texts: Texts;
  readonly time: (iso: string) => string;
  readonly size: (bytes: number) => string;
}

type Names = Readonly<Record<string, string | undefined>>;

/**
 * The details of a log entry beside its action, in the words of the forms. Names from a newer server are shown as they
 * are.
 */
export function auditDetails({ action, details: all }: AuditEntry, words: AuditWords): string {
  const { before, parts, ...changed } = all;
  const was: Readonly<Record<string, unknown>> = typeof before === 'object' && before !== null ? { ...before } : {};
  const changes = Object.entries(changed).flatMap(([name, value]) => {
    // The number of a ban, which nobody knows it by.
    if (name === 'ban_id') return [];
    const old = name in was ? `${valueText(words, action, name, was[name])} → ` : '';
    return [`${factName(words.texts, action, name)}: ${old}${valueText(words, action, name, value)}`];
  });
  // A part of which only the wording changed has no values to show.
  const named = new Set(Object.keys(changed).map((name) => name.split('.')[0]));
  const silent = Array.isArray(parts) ? parts.map(String).filter((part) => !named.has(part)) : [];
  return [...silent.map((part) => partName(words.texts, part)), ...changes].join('; ');
}

function partName({ manage: { changes, rules } }: Texts, part: string): string {
  const titles: Readonly<Record<string, { title: string } | undefined>> = rules;
  return titles[part]?.title ?? (changes.settings as Names)[part] ?? part;
}

function factName(texts: Texts, action: string, name: string): string {
  const { manage } = texts;
  if (action !== 'settings.changed') {
    if (action.startsWith('ban.') && name === 'by') return manage.banWhom;
    const own: Names = action === 'retention.erased' ? manage.numbers.retention : {};
    return own[name] ?? (manage.changes.other as Names)[name] ?? name;
  }
  const [part = '', field] = name.split('.');
  const title = partName(texts, part);
  if (field === undefined) return title;
  const numbers: Readonly<Record<string, Names | undefined>> = manage.numbers;
  const known: Names = { ...manage.changes.settings, ...manage.days, ...numbers[part] };
  return `${title}, ${known[field] ?? field}`;
}

function valueText(words: AuditWords, action: string, name: string, value: unknown): string {
  const { manage, widgetSchemes } = words.texts;
  if (value === null || value === undefined) return '—';
  if (typeof value === 'boolean') return value ? manage.changes.yes : manage.changes.no;
  if (Array.isArray(value))
    return value.length === 0 ? '—' : value.map((one) => itemText(words.texts, name, String(one))).join(', ');
  if (typeof value === 'object') return JSON.stringify(value);
  if (name === 'attachments.max_bytes') return words.size(Number(value));
  if (name === 'until') return words.time(String(value));
  const names: Names =
    {
      role: manage.roles as Names,
      scope: action.startsWith('operator.') ? (manage.scopes as Names) : { customer: manage.allChats },
      by: { ...manage.banKinds, oidc: manage.changes.byProvider } as Names,
      'theme.scheme': widgetSchemes as Names,
      'webhook.secret': manage.changes.secret as Names,
    }[name] ?? {};
  return names[String(value)] ?? String(value);
}

/** One of a list: a question with `*` has to be answered, a text may be of one language. */
function itemText({ manage, widgetTexts }: Texts, name: string, item: string): string {
  if (name === 'prechat_fields') {
    const asked = item.replace(/\*$/, '');
    const label = (manage.prechat as Names)[asked] ?? asked;
    return item.endsWith('*') ? `${label} (${manage.asks.must})` : label;
  }
  if (name === 'texts') {
    const [text = '', language] = item.split('.');
    const known = TEXT_NAMES.find((one) => one === text);
    return `${known === undefined ? text : widgetTexts[known].label}${language === undefined ? '' : ` (${language})`}`;
  }
  return item;
}
