import type { Actor } from '../domain/actors.ts';
import type { EventsPage, HistoryPage } from '../domain/operation-types.ts';
import { ChatError } from '@chat-realtime/protocol';
import { renderMessage, renderSessionEvent } from '../domain/render.ts';
import type { StorageContext } from './context.ts';
import { translated } from './errors.ts';
import { EVENT_COLUMNS, readSessionEvents } from './event-rows.ts';
import { requireVisibleSession } from './visible-session.ts';

/** Messages by id, ascending. Without `afterId` the newest ones; `has_more` speaks of the direction asked for. */
export async function history(
  context: StorageContext,
  actor: Actor,
  sessionId: number,
  page: { beforeId?: number; afterId?: number; limit: number },
): Promise<HistoryPage> {
  await requireVisibleSession(context, actor, sessionId);
  const forward = page.afterId !== undefined;
  let query = context.database.kysely
    .selectFrom('chat_event')
    .select(EVENT_COLUMNS)
    .where('session_id', '=', sessionId)
    .where('type', '=', 'chat.message');
  if (page.afterId !== undefined) query = query.where('id', '>', page.afterId);
  if (page.beforeId !== undefined) query = query.where('id', '<', page.beforeId);
  const rows = await translated(() =>
    query
      .orderBy('id', forward ? 'asc' : 'desc')
      .limit(page.limit + 1)
      .execute(),
  );
  const messages = rows.slice(0, page.limit).map((row) => renderMessage(row, context.links));
  return { messages: forward ? messages : messages.reverse(), has_more: rows.length > page.limit };
}

/** Exactly the frames of the session's channel. */
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
  const rows = await translated(() => readSessionEvents(context.database.kysely, sessionId, page.afterSeq, page.limit));
  const last = rows.at(-1);
  const head = Math.max(session.lastSeq, last?.seq ?? 0);
  return {
    events: rows.map((row) => renderSessionEvent(row, context.links)),
    last_seq: head,
    has_more: (last?.seq ?? page.afterSeq) < head,
  };
}
