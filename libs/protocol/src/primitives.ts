import { z } from 'zod';

/** Upper bound of every id and seq: they travel as JSON numbers, so they must stay exact in a double. */
export const MAX_INTEGER = Number.MAX_SAFE_INTEGER;

/** An id as text, of a path or a button; undefined for a text that can name nothing. */
export function parseId(text: string | undefined): number | undefined {
  const value = text !== undefined && /^[1-9]\d{0,15}$/.test(text) ? Number(text) : Number.NaN;
  return value <= MAX_INTEGER ? value : undefined;
}

export const sessionIdSchema = z.int().min(1).max(MAX_INTEGER);
export const messageIdSchema = z.int().min(1).max(MAX_INTEGER);
/** A cursor in a session: 0 stands before the first event. */
export const seqCursorSchema = z.int().min(0).max(MAX_INTEGER);
export const seqSchema = z.int().min(1).max(MAX_INTEGER);

/** ISO 8601 with an offset; `Z` is one. */
export const timestampSchema = z.iso.datetime({ offset: true });

/** A UUID of any version, in lower or upper case; compared in lower case. */
export const uuidSchema = z
  .string()
  .regex(/^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$/, 'must be a UUID')
  .transform((value) => value.toLowerCase());

/** Number of an event in the staff feed: 1, 2, 3 … over all sessions. */
export const feedSeqSchema = seqSchema;
/** Position in the staff feed: the number of an event as text. Two numbers with a dot were one in version 0.1. */
export const feedCursorSchema = z.string().regex(/^(?:\d{1,16}|\d{1,20}\.\d{1,16})$/, 'must be a feed cursor');

/** The number in a cursor; undefined for one of version 0.1, which says nothing any more. */
export function feedSeqOf(cursor: string): number | undefined {
  const value = /^\d{1,16}$/.test(cursor) ? Number(cursor) : Number.NaN;
  return value <= MAX_INTEGER ? value : undefined;
}

const LONE_SURROGATE = /[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/;

/** Length in code points, which is what people count as characters in limits. */
export function codePointLength(text: string): number {
  let length = 0;
  for (const _ of text) length += 1;
  return length;
}

/** The beginning of a text: at most `max` code points, so that no pair of surrogates is cut in two. */
export function firstCharacters(text: string, max: number): string {
  return text.length <= max ? text : [...text.slice(0, 2 * max)].slice(0, max).join('');
}

/** The same, with a mark where something was left out. */
export function shortened(text: string, max: number): string {
  const start = firstCharacters(text, max);
  return start === text ? text : `${start}…`;
}

/** Text that PostgreSQL and every JSON reader can hold: no NUL, no lone surrogate, at most `max` code points. */
export function safeText(max: number) {
  return z
    .string()
    .refine((text) => !text.includes('\u0000'), 'must not contain NUL')
    .refine((text) => !LONE_SURROGATE.test(text), 'must not contain a lone surrogate')
    .refine((text) => text.length <= max || codePointLength(text) <= max, `must have at most ${max} characters`)
    .meta({ maxLength: max });
}

/** Like {@link safeText}, and not only white space. */
export function requiredText(max: number) {
  return safeText(max).refine((text) => text.trim().length > 0, 'must not be empty');
}

export const MESSAGE_BODY_MAX_CODE_POINTS = 10_000;
/** A message's text where it has attachments: may be empty. */
export const optionalMessageBodySchema = safeText(MESSAGE_BODY_MAX_CODE_POINTS);
export const messageBodySchema = requiredText(MESSAGE_BODY_MAX_CODE_POINTS);
