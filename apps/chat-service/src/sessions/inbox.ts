import { ChatError } from '@chat-realtime/protocol';
import { type RawBuilder, sql } from 'kysely';
import type { StaffActor } from '../actors.ts';
import type { SessionListPage, SessionListQuery } from '../storage/session-record.ts';
import type { StorageContext } from '../storage/context.ts';
import { translated } from '../storage/errors.ts';
import { feedHead, untilStamped } from '../feed/feed.ts';
import { staffSessionList } from './inbox-rows.ts';
import { searchCondition, searchHits } from './search.ts';
import { visibleSessions } from '../storage/visibility.ts';

type Sort = SessionListQuery['sort'];
/** Last row of a page: the next one continues after it, whatever moved in the meantime. */
interface PageMark {
  readonly sort: Sort;
  readonly value: string;
  readonly id: number;
}

/** Sessions in which nobody waits come after all that do. */
const NOT_WAITING = 'infinity';
const ORDERS: Record<Sort, (alias: 's' | 'r') => RawBuilder<unknown>> = {
  activity: (alias) => sql.raw(`${alias}.updated_at DESC, ${alias}.id DESC`),
  created: (alias) => sql.raw(`${alias}.id DESC`),
  waiting: (alias) => sql.raw(`COALESCE(${alias}.waiting_since, 'infinity'::timestamptz), ${alias}.id`),
};
const ISO_TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/;

function isList(value: unknown): value is readonly unknown[] {
  return Array.isArray(value);
}

function badPage(): ChatError {
  return new ChatError('validation_failed', 'page is not one this list gave out', {
    details: { fields: [{ path: 'page', message: 'must be next_page of an earlier answer with the same sort' }] },
  });
}

function encodePage(mark: PageMark): string {
  return Buffer.from(JSON.stringify([mark.sort, mark.value, mark.id])).toString('base64url');
}

export function decodePage(text: string, sort: Sort): PageMark {
  let parsed: unknown;
  try {
    parsed = JSON.parse(Buffer.from(text, 'base64url').toString('utf8'));
  } catch (error) {
    throw new ChatError('validation_failed', 'page is not one this list gave out', {
      cause: error,
      details: badPage().details,
    });
  }
  if (!isList(parsed)) throw badPage();
  const [pageSort, value, id] = parsed;
  if (pageSort !== sort || typeof value !== 'string' || typeof id !== 'number' || !Number.isSafeInteger(id))
    throw badPage();
  if (value !== NOT_WAITING && !ISO_TIME.test(value)) throw badPage();
  return { sort, value, id };
}

function afterMark(mark: PageMark): RawBuilder<unknown> {
  switch (mark.sort) {
    case 'activity':
      return sql`(s.updated_at, s.id) < (${mark.value}::timestamptz, ${mark.id}::bigint)`;
    case 'created':
      return sql`s.id < ${mark.id}::bigint`;
    case 'waiting':
      return sql`(COALESCE(s.waiting_since, 'infinity'::timestamptz), s.id) > (${mark.value}::timestamptz, ${mark.id}::bigint)`;
  }
}

function conditions(actor: StaffActor, query: SessionListQuery): RawBuilder<unknown> {
  const parts: RawBuilder<unknown>[] = [visibleSessions(actor, 's.assigned_user_id')];
  const states = (query.status ?? '')
    .split(',')
    .map((state) => state.trim())
    .filter((state) => state !== '');
  if (states.length > 0) parts.push(sql`s.status = ANY (${states}::text[])`);
  // Said as the indexes of open sessions say it, so that the closed ones are not read past.
  if (states.length > 0 && !states.includes('closed')) parts.push(sql`s.status <> 'closed'`);
  if (query.assigned === 'none') parts.push(sql`s.assigned_user_id IS NULL`);
  else if (query.assigned !== undefined && query.assigned !== '') {
    parts.push(sql`s.assigned_user_id = ${query.assigned === 'me' ? actor.userId : query.assigned}`);
  }
  const text = query.q?.trim() ?? '';
  if (text !== '') parts.push(searchCondition(text));
  if (query.page !== undefined) parts.push(afterMark(decodePage(query.page, query.sort)));
  return sql.join(parts, sql` AND `);
}

export async function listSessions(
  context: StorageContext,
  actor: StaffActor,
  query: SessionListQuery,
): Promise<SessionListPage> {
  const condition = conditions(actor, query);
  return translated(async () => {
    await untilStamped(context);
    // Read the head first: events that arrive while the list is read are then read twice, never missed.
    const head = await feedHead(context);
    const { sessions, more } = await staffSessionList(context, condition, ORDERS[query.sort], query.limit);
    const text = query.q?.trim() ?? '';
    const ids = sessions.map(({ id }) => id);
    const hits = text === '' ? null : await searchHits(context, ids, text);
    const last = sessions.at(-1);
    const value =
      last === undefined ? '' : query.sort === 'waiting' ? (last.waiting_since ?? NOT_WAITING) : last.updated_at;
    return {
      sessions:
        hits === null ? sessions : sessions.map((session) => ({ ...session, hit: hits.get(session.id) ?? null })),
      next_page: more && last !== undefined ? encodePage({ sort: query.sort, value, id: last.id }) : null,
      feed_cursor: String(head),
    };
  });
}
