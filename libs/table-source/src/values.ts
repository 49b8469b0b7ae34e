import { DateTime } from 'luxon';
import type { MappedColumn } from './config.ts';

/** How databases and drivers spell a truth value. */
const SPELLINGS = new Map([
  ['true', ['true', 't', '1']],
  ['false', ['false', 'f', '0']],
]);

export function means(configured: string, value: string | null): boolean {
  const text = value ?? 'null';
  return configured === text || (SPELLINGS.get(configured)?.includes(text) ?? false);
}

/** What the value of a mapped column means: its word, else the one for everything else, else the value itself. */
export function meaningOf(column: MappedColumn, value: string | null): string | null {
  for (const [configured, word] of Object.entries(column.map)) if (means(configured, value)) return word;
  return column.else ?? value;
}

const NOBODY = /^\s*(?:0+(?:\.0+)?)?\s*$/;

/** The person that a column names. Many tables write 0 or an empty text for none. */
export function personOf(value: string | null): string | null {
  return value === null || NOBODY.test(value) ? null : value;
}

/** From this number of digits on a time is counted in milliseconds. */
const MILLISECOND_DIGITS = 12;

/** A time as the site writes it: text with or without a zone, or unix seconds or milliseconds. */
export function instantOf(text: string | null, zone: string): string | undefined {
  if (text === null) return undefined;
  const number = /^(\d{9,16})(\.\d+)?$/.exec(text);
  const millis = number?.[1] !== undefined && number[1].length >= MILLISECOND_DIGITS;
  const time = number
    ? DateTime.fromMillis(Math.floor(Number(text) * (millis ? 1 : 1_000)))
    : DateTime.fromSQL(text, { zone });
  const parsed = time.isValid || number ? time : DateTime.fromISO(text, { zone });
  return parsed.isValid ? (parsed.toUTC().toISO() ?? undefined) : undefined;
}

const OWN_ID = /^[1-9]\d{0,15}$/;

/** The site's id, as a number where the channel can keep it. */
export function idOf(text: string): number | string {
  return OWN_ID.test(text) && Number.isSafeInteger(Number(text)) ? Number(text) : text;
}
