import type { CallbackTable, Tables } from '@chat-realtime/database';
import { isOpenIn } from '../callbacks/open-callbacks.ts';
import { unsubscribeSession } from '../tokens/unsubscribe-session.ts';
import { type RawBuilder, type Selectable, sql, type Transaction } from 'kysely';

/** Rows that one transaction erases. */
export const ERASE_BATCH = 500;

/** The customer's data for staff if a chat has no contact. */
const NO_CONTACT = '{"contact":{"name":null,"email":null,"phone":null}}';

/** Up to which events: all of a session, or those that are old enough. */
export type EraseBound = { readonly kind: 'all' } | { readonly kind: 'before'; readonly at: Date };

export interface ErasedRows {
  readonly count: number;
  /** Of what has a place in the session; 0 where it is only notes. */
  readonly throughSeq: number;
  readonly throughId: number;
}

interface Row {
  readonly seq: number | null;
  readonly id: number;
}

function within(bound: EraseBound, column: string) {
  return bound.kind === 'all' ? sql`true` : sql`${sql.ref(column)} < ${bound.at}`;
}

function summary(rows: readonly Row[]): ErasedRows {
  const placed = rows.filter(({ seq }) => seq !== null);
  return {
    count: rows.length,
    throughSeq: Math.max(0, ...placed.map(({ seq }) => seq ?? 0)),
    throughId: Math.max(0, ...placed.map(({ id }) => id)),
  };
}

/** Bodies of messages and notes; of a message its hash stays. */
export async function eraseTexts(trx: Transaction<Tables>, sessionId: number, bound: EraseBound): Promise<ErasedRows> {
  const result = await sql<Row>`
    UPDATE chat_event e SET body = '', erased_at = clock_timestamp(), content_hash = COALESCE(e.content_hash,
      chat_content_hash(e.session_id, e.client_message_id, e.body, chat_attachment_ids(e.attachments)))
     WHERE e.id IN (
       SELECT o.id FROM chat_event o WHERE o.session_id = ${sessionId}::bigint AND o.type IN ('chat.message', 'chat.note')
          AND o.erased_at IS NULL AND ${within(bound, 'o.created_at')} ORDER BY o.id LIMIT ${ERASE_BATCH})
    RETURNING e.seq, e.id`.execute(trx);
  return summary(result.rows);
}

/** Files that were sent, and what the messages say of them; unsent ones only with the whole session. */
export async function eraseFiles(trx: Transaction<Tables>, sessionId: number, bound: EraseBound): Promise<ErasedRows> {
  const result = await sql<Row>`
    UPDATE chat_event e SET attachments = NULL, content_hash = COALESCE(e.content_hash,
      chat_content_hash(e.session_id, e.client_message_id, e.body, chat_attachment_ids(e.attachments)))
     WHERE e.id IN (
       SELECT o.id FROM chat_event o WHERE o.session_id = ${sessionId}::bigint AND o.type = 'chat.message'
          AND o.attachments IS NOT NULL AND ${within(bound, 'o.created_at')} ORDER BY o.id LIMIT ${ERASE_BATCH})
    RETURNING e.seq, e.id`.execute(trx);
  const ids = result.rows.map(({ id }) => id);
  // The bytes follow after the commit; from now on nobody is given them.
  await sql`UPDATE chat_attachment SET erased_at = clock_timestamp(), name = ''
    WHERE session_id = ${sessionId}::bigint AND erased_at IS NULL
      AND (event_id = ANY (${ids}::bigint[]) OR ${bound.kind === 'all' ? sql`event_id IS NULL` : sql`false`})`.execute(
    trx,
  );
  return summary(result.rows);
}

/**
 * The customer's identity, as far as it is known apart from their messages. The consent and its words stay as proof.
 */
export async function eraseContact(trx: Transaction<Tables>, sessionId: number): Promise<void> {
  await sql`UPDATE chat_session SET name = NULL, email = NULL, phone = NULL, locale = NULL, page_url = NULL,
      current_page_url = NULL, current_page_at = NULL, attributes = '{}', contact_erased_at = clock_timestamp()
    WHERE id = ${sessionId}::bigint`.execute(trx);
  await sql`UPDATE chat_event SET staff_data = ${NO_CONTACT}::jsonb
    WHERE session_id = ${sessionId}::bigint AND seq = 1 AND staff_data IS NOT NULL`.execute(trx);
  await sql`DELETE FROM chat_answer WHERE session_id = ${sessionId}::bigint`.execute(trx);
  await unsubscribeSession(trx, sessionId);
  await sql`DELETE FROM chat_client_address WHERE session_id = ${sessionId}::bigint`.execute(trx);
}

/** Why somebody was banned is written about them. Whom a ban concerns stays until it ends: without it there is none. */
export async function eraseBanReasons(trx: Transaction<Tables>, sessionId: number): Promise<void> {
  await sql`UPDATE chat_ban SET reason = NULL WHERE session_id = ${sessionId}::bigint AND reason IS NOT NULL`.execute(
    trx,
  );
}

/**
 * Whether `eraseContact` would find something in the session `s`: each of its places, or a chat that has only that one
 * would be kept for ever.
 */
export function hasContact(): RawBuilder<boolean> {
  return sql<boolean>`(
    COALESCE(s.name, s.email, s.phone, s.locale, s.page_url, s.current_page_url) IS NOT NULL OR s.attributes <> '{}'
    OR EXISTS (SELECT 1 FROM chat_event e WHERE e.session_id = s.id AND e.seq = 1 AND e.staff_data <> ${NO_CONTACT}::jsonb)
    OR EXISTS (SELECT 1 FROM chat_answer a WHERE a.session_id = s.id)
    OR EXISTS (SELECT 1 FROM customer_telegram t WHERE t.session_id = s.id)
    OR EXISTS (SELECT 1 FROM telegram_code c WHERE c.session_id = s.id)
    OR EXISTS (SELECT 1 FROM push_subscription p WHERE p.session_id = s.id)
    OR EXISTS (SELECT 1 FROM mail_link l WHERE l.session_id = s.id)
    OR EXISTS (SELECT 1 FROM mail m WHERE m.session_id = s.id AND m.user_id IS NULL)
    OR EXISTS (SELECT 1 FROM chat_client_address d WHERE d.session_id = s.id))`;
}

/** `was`: its status before. */
export type ErasedCallback = Selectable<CallbackTable> & { readonly was: string };

/** Requests of a session, or old ones of nobody's session. One that is open can't be called any more: it is cancelled. */
export async function eraseCallbacks(
  trx: Transaction<Tables>,
  sessionId: number | null,
  bound: EraseBound,
): Promise<ErasedCallback[]> {
  const result = await sql<ErasedCallback>`
    UPDATE chat_callback c SET phone = '', name = NULL, comment = NULL, result = NULL, erased_at = clock_timestamp(),
        status = CASE WHEN ${sql.raw(isOpenIn('c.status'))} THEN 'cancelled' ELSE c.status END,
        version = c.version + 1, updated_at = clock_timestamp()
      FROM (
       SELECT o.id, o.status FROM chat_callback o WHERE o.session_id IS NOT DISTINCT FROM ${sessionId}::bigint
          AND o.erased_at IS NULL AND ${within(bound, 'o.created_at')} ORDER BY o.id LIMIT ${ERASE_BATCH} FOR UPDATE) old
     WHERE c.id = old.id
    RETURNING c.*, old.status AS was`.execute(trx);
  const ids = result.rows.map(({ id }) => id);
  await sql`UPDATE chat_event SET data = data || '{"phone":"","name":null,"comment":null,"result":null}'
    WHERE type = 'chat.callback.staff' AND session_id IS NOT DISTINCT FROM ${sessionId}::bigint
      AND (data ->> 'id')::bigint = ANY (${ids}::bigint[])`.execute(trx);
  return result.rows;
}
