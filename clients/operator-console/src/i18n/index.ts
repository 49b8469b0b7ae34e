import { settings } from '../settings.ts';
import type { TextName } from '../names.ts';
import { duration } from './duration.ts';
import { en } from './en.ts';
import { ru, type Texts } from './ru.ts';

export type { Texts };

/** The texts of the language in use. The page is drawn anew when it changes, so no component keeps them. */
export const t = (): Texts => (settings.getState().locale === 'ru' ? ru : en);

/** What the widget itself says in a language where the owner of the site has written nothing. */
export const widgetOwnText = (name: TextName, locale: 'ru' | 'en'): string =>
  (locale === 'ru' ? ru : en).widgetTexts[name].own;

export function shortDuration(ms: number): string {
  const { short } = t();
  const value = duration(ms);
  if (value.unit === 'h') {
    return value.minutes === 0 ? `${value.value} ${short.h}` : `${value.value} ${short.h} ${value.minutes} ${short.m}`;
  }
  return `${value.value} ${short[value.unit]}`;
}

const format = (options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat =>
  new Intl.DateTimeFormat(settings.getState().locale, options);

/** One way to write a time of day, alone and beside a date: `09:05`, `9:05 AM`. */
const TIME = { hour: 'numeric', minute: '2-digit' } as const;
export const clockTime = (iso: string): string => format(TIME).format(new Date(iso));

export function sizeText(bytes: number): string {
  const { units } = t();
  const [value, unit] = bytes < 1_048_576 ? [Math.max(1, bytes / 1_024), units.kb] : [bytes / 1_048_576, units.mb];
  const digits = new Intl.NumberFormat(settings.getState().locale, { maximumFractionDigits: value < 10 ? 1 : 0 });
  return `${digits.format(value)} ${unit}`;
}

const dayStart = (time: number): number => new Date(time).setHours(0, 0, 0, 0);
const sameDay = (a: number, b: number): boolean => dayStart(a) === dayStart(b);
const previousDay = (now: number): number => dayStart(dayStart(now) - 1);

export function dayName(iso: string, now = Date.now()): string {
  const time = Date.parse(iso);
  if (sameDay(time, now)) return t().today;
  if (sameDay(time, previousDay(now))) return t().yesterday;
  const thisYear = new Date(time).getFullYear() === new Date(now).getFullYear();
  return format({ day: 'numeric', month: 'long', ...(thisYear ? {} : { year: 'numeric' }) }).format(time);
}

/** Time today, the day before that. */
export function listTime(iso: string, now = Date.now()): string {
  const time = Date.parse(iso);
  return sameDay(time, now) ? clockTime(iso) : format({ day: 'numeric', month: 'short' }).format(time);
}

/** A day that has no time, nor a zone. */
export const dateName = (date: string): string =>
  format({ day: 'numeric', month: 'long', year: 'numeric', timeZone: 'UTC' }).format(new Date(date));

export const dateTime = (iso: string): string =>
  format({ day: 'numeric', month: 'short', ...TIME }).format(new Date(iso));
