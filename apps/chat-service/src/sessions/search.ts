import type { SearchHit } from '@chat-realtime/protocol';
import { type RawBuilder, sql } from 'kysely';
import type { StorageContext } from '../storage/context.ts';

/** The length of the context around a match. */
const BEFORE = 60;
const EXCERPT = 240;
/** Fewer digits are in too many numbers. */
const PHONE_DIGITS = 5;
const PHONE = /^[\d\s()+.-]+$/;

/** ё and е count as one letter. The index uses the same expression. */
const folded = (column: string): RawBuilder<string> => sql.raw(`translate(${column}, 'Ёё', 'Ее')`);
const fold = (text: string): string => text.replaceAll('ё', 'е').replaceAll('Ё', 'Е');
const like = (text: string): string => `%${fold(text).replace(/[\\%_]/g, '\\$&')}%`;
const digitsOf = (column: string): RawBuilder<string> => sql.raw(`regexp_replace(${column}, '[^0-9]', '', 'g')`);

/**
 * The digits of a number however it is written, without what people dial before it: `8 (999) 123-45-67`,
 * `+7 999 1234567` and `00 7 999…` are one number. Null for what is none.
 */
export function phoneDigits(text: string): string | null {
  if (!PHONE.test(text)) return null;
  const digits = text.replace(/\D/g, '').replace(/^00/, '');
  if (digits.length < PHONE_DIGITS) return null;
  return digits.length === 11 && /^[78]/.test(digits) ? digits.slice(1) : digits;
}

/** Sessions that `q` finds, as a condition on `chat_session s`. */
export function searchCondition(text: string): RawBuilder<unknown> {
  const pattern = like(text);
  const ways = [
    sql`${folded('s.name')} ILIKE ${pattern}`,
    sql`s.email ILIKE ${pattern}`,
    sql`s.phone ILIKE ${pattern}`,
    sql`EXISTS (SELECT 1 FROM chat_answer a WHERE a.session_id = s.id AND ${folded('a.words')} ILIKE ${pattern})`,
    sql`EXISTS (SELECT 1 FROM chat_event e
      WHERE e.session_id = s.id AND e.type = 'chat.message' AND ${folded('e.body')} ILIKE ${pattern})`,
  ];
  const number = text.replace(/^#/, '');
  if (/^\d{1,15}$/.test(number)) ways.push(sql`s.id = ${Number(number)}::bigint`);
  const digits = phoneDigits(text);
  if (digits !== null) {
    const within = `%${digits}%`;
    ways.push(sql`${digitsOf('s.phone')} LIKE ${within}`);
    ways.push(
      sql`EXISTS (SELECT 1 FROM chat_callback c WHERE c.session_id = s.id AND ${digitsOf('c.phone')} LIKE ${within})`,
    );
  }
  return sql`(${sql.join(ways, sql` OR `)})`;
}

/** The newest matching message of each session, with its context. */
export async function searchHits(
  context: StorageContext,
  sessionIds: readonly number[],
  text: string,
): Promise<ReadonlyMap<number, SearchHit>> {
  if (sessionIds.length === 0) return new Map();
  const body = folded('e.body');
  const { rows } = await sql<{ session_id: number; id: number; body: string; cut: boolean }>`
    SELECT DISTINCT ON (e.session_id) e.session_id, COALESCE(e.message_id, e.id) AS id,
      substr(e.body, greatest(1, strpos(lower(${body}), lower(${fold(text)}))- ${BEFORE}::integer), ${EXCERPT}::integer) AS body,
      strpos(lower(${body}), lower(${fold(text)})) > ${BEFORE}::integer + 1 AS cut
    FROM chat_event e
    WHERE e.session_id = ANY (${sessionIds}::bigint[]) AND e.type = 'chat.message' AND ${body} ILIKE ${like(text)}
    ORDER BY e.session_id, e.id DESC`.execute(context.database.kysely);
  return new Map(
    rows.map(({ session_id, id, body: found, cut }) => [session_id, { id, text: cut ? `…${found}` : found }]),
  );
}
