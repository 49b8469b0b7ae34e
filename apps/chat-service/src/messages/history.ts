import type { Actor } from '../actors.ts';
import type { EventsPage, HistoryPage } from '../storage/session-record.ts';
import { ChatError } from '@chat-realtime/protocol';
import { type RawBuilder, sql } from 'kysely';
import { type EventRow, renderMessage, renderSessionEvent } from '../storage/render.ts';
import type { StorageContext } from '../storage/context.ts';
import { translated } from '../storage/errors.ts';
import { eventColumns, readSessionEvents } from '../storage/event-rows.ts';
import { boundedRows, eventBytes } from '../storage/page-bytes.ts';
import { requireVisibleSession } from '../storage/visible-session.ts';

/** Above it are the ids that are made here beside a site's own. */
const OWN_IDS_FROM = 2 ** 52;

/**
 * The position of a message. If a site gave the ids, they may not be in numerical order: the message itself is looked
 * up, then its neighbour.
 */
function placeOf(sessionId: number, messageId: number, side: 'before' | 'after'): RawBuilder<number> {
  const beside =
    side === 'before'
      ? sql`SELECT min(a.id) FROM chat_event a WHERE a.session_id = ${sessionId}::bigint AND a.message_id > ${messageId}::bigint`
      : sql`SELECT max(a.id) FROM chat_event a WHERE a.session_id = ${sessionId}::bigint AND a.message_id < ${messageId}::bigint`;
  // Before the first of a site's messages, or after the last.
  const beyond = messageId >= OWN_IDS_FROM ? messageId : side === 'before' ? Number.MAX_SAFE_INTEGER : 0;
  return sql<number>`COALESCE(
    (SELECT a.id FROM chat_event a WHERE a.session_id = ${sessionId}::bigint AND a.message_id = ${messageId}::bigint),
    (SELECT a.id FROM chat_event a WHERE a.id = ${messageId}::bigint AND a.session_id = ${sessionId}::bigint AND a.message_id IS NULL),
    (${beside}),
    (SELECT CASE WHEN s.site_owned THEN ${beyond}::bigint END FROM chat_session s WHERE s.id = ${sessionId}::bigint),
    ${messageId}::bigint)`;
}

/** Messages by id, ascending. Without `afterId` the newest ones; `has_more` speaks of the direction asked for. */
export async function history(
  context: StorageContext,
  actor: Actor,
  sessionId: number,
  page: { beforeId?: number; afterId?: number; limit: number },
): Promise<HistoryPage> {
  await requireVisibleSession(context, actor, sessionId);
  const forward = page.afterId !== undefined;
  const conditions: RawBuilder<unknown>[] = [sql`e.session_id = ${sessionId}::bigint AND e.type = 'chat.message'`];
  if (page.afterId !== undefined) conditions.push(sql`e.id > ${placeOf(sessionId, page.afterId, 'after')}`);
  if (page.beforeId !== undefined) conditions.push(sql`e.id < ${placeOf(sessionId, page.beforeId, 'before')}`);
  const direction = sql.raw(forward ? 'ASC' : 'DESC');
  const { rows, more } = await translated(() =>
    boundedRows<EventRow>(context.database.kysely, {
      rows: sql`SELECT ${sql.raw(eventColumns('e'))} FROM chat_event e WHERE ${sql.join(conditions, sql` AND `)}
        ORDER BY e.id ${direction} LIMIT ${page.limit + 1}::bigint`,
      bytes: sql.raw(eventBytes('r')),
      order: sql`r.id ${direction}`,
      limit: page.limit,
    }),
  );
  const messages = rows.map((row) => renderMessage(row, context.links));
  return { messages: forward ? messages : messages.reverse(), has_more: more };
}

/** The same frames as on the channel of the session. */
export async function events(
  context: StorageContext,
  actor: Actor,
  sessionId: number,
  page: { afterSeq: number; limit: number },
): Promise<EventsPage> {
  const session = await requireVisibleSession(context, actor, sessionId);
  if (page.afterSeq > session.lastSeq) {
    throw new ChatError('cursor_ahead', 'after_seq is beyond the head: take a snapshot', {
      details: { last_seq: session.lastSeq },
    });
  }
  const { rows } = await translated(() =>
    readSessionEvents(context.database.kysely, sessionId, page.afterSeq, page.limit),
  );
  const last = rows.at(-1);
  const head = Math.max(session.lastSeq, last?.seq ?? 0);
  return {
    events: rows.map((row) => renderSessionEvent(row, context.links)),
    last_seq: head,
    has_more: (last?.seq ?? page.afterSeq) < head,
  };
}
