import type { Locale, Texts } from './index.ts';

const DAY_MS = 86_400_000;

function dayNumber(date: Date): number {
  return Math.floor((date.getTime() - date.getTimezoneOffset() * 60_000) / DAY_MS);
}

export function formatTime(iso: string, locale: Locale): string {
  return new Intl.DateTimeFormat(locale, { hour: 'numeric', minute: '2-digit' }).format(new Date(iso));
}

/** «Сегодня», «Вчера», «3 марта», with the year when it is another one. */
export function formatDay(iso: string, locale: Locale, texts: Texts, now = new Date()): string {
  const date = new Date(iso);
  const ago = dayNumber(now) - dayNumber(date);
  if (ago === 0) return texts.today;
  if (ago === 1) return texts.yesterday;
  const sameYear = date.getFullYear() === now.getFullYear();
  return new Intl.DateTimeFormat(locale, {
    day: 'numeric',
    month: 'long',
    ...(!sameYear && { year: 'numeric' }),
  }).format(date);
}

export function sameDay(a: string, b: string): boolean {
  return dayNumber(new Date(a)) === dayNumber(new Date(b));
}

/** «сегодня в 15:30», «завтра в 9:00», «13 марта в 9:00», in the visitor's own time. */
export function formatMoment(iso: string, locale: Locale, texts: Texts, now = new Date()): string {
  const date = new Date(iso);
  const time = formatTime(iso, locale);
  const ahead = dayNumber(date) - dayNumber(now);
  if (ahead <= 0) return texts.momentToday(time);
  if (ahead === 1) return texts.backTomorrow(time);
  const day = new Intl.DateTimeFormat(locale, { day: 'numeric', month: 'long' }).format(date);
  return texts.backDay(day, time);
}

/** «Мы вернёмся в 9:00», in the visitor's own time. */
export function formatReopening(iso: string, locale: Locale, texts: Texts, now = new Date()): string {
  const today = dayNumber(new Date(iso)) <= dayNumber(now);
  return texts.backAt(today ? texts.backTime(formatTime(iso, locale)) : formatMoment(iso, locale, texts, now));
}

/** `application/pdf` as people call it; of `image/*` the family. */
export function typeName(mime: string): string {
  const [family = mime, name = ''] = mime.split('/');
  return name === '*' ? family : name.toUpperCase();
}

export function formatSize(bytes: number, locale: Locale, { units }: Texts): string {
  const [value, unit] =
    bytes < 1_024 ? [bytes, units.b] : bytes < 1_048_576 ? [bytes / 1_024, units.kb] : [bytes / 1_048_576, units.mb];
  return `${new Intl.NumberFormat(locale, { maximumFractionDigits: value < 10 ? 1 : 0 }).format(value)} ${unit}`;
}

const UNREAD: Record<Locale, Partial<Record<Intl.LDMLPluralRule, string>> & { readonly other: string }> = {
  ru: { one: 'новое сообщение', few: 'новых сообщения', many: 'новых сообщений', other: 'нового сообщения' },
  en: { one: 'new message', other: 'new messages' },
};

/** «2 новых сообщения»; empty for none. */
export function unreadWords(count: number, locale: Locale): string {
  const words = UNREAD[locale];
  return count === 0 ? '' : `${count} ${words[new Intl.PluralRules(locale).select(count)] ?? words.other}`;
}
