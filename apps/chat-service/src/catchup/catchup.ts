import type { CatchupRequest, CatchupResponse, CatchupSession } from '@chat-realtime/protocol';
import { rateLimitKey } from '@chat-realtime/service-kit';
import { sql } from 'kysely';
import { type EventRow, renderSessionEvent } from '../storage/render.ts';
import type { StorageContext } from '../storage/context.ts';
import { translated } from '../storage/errors.ts';
import type { EpochTracker } from './epoch-tracker.ts';
import { eventColumns } from '../storage/event-rows.ts';
import { feedHead, readFeed } from '../feed/feed.ts';
import { STAFF_DELIVERED } from '../messages/marks.ts';
import { badge } from '../alerts/badge-queries.ts';
import { chosenStatuses } from '../operators/operator-status.ts';
import { operatorsOnline } from '../operators/operators.ts';
import { recordPresence } from '@chat-realtime/database';
import { eventBytes, PAGE_BYTES } from '../storage/page-bytes.ts';
import { revocations } from '../tokens/revocations.ts';

/** Bounds of one response. With many sessions each gets a smaller page, and `has_more` says so. */
const EVENTS_PER_ANSWER = 10_000;
const BYTES_PER_ANSWER = 4 * 1024 * 1024;

interface HeadRow {
  id: number;
  last_seq: number;
  assigned_user_id: string | null;
  revoked_at: number | null;
  staff_read: number;
  staff_delivered: number;
  client_read: number | null;
  client_delivered: number | null;
  banned: boolean;
  /** Present if there are bans of addresses: the address from which it was last written. */
  address: string | null;
}

type Wanted = CatchupRequest['sessions'][number];

/** The heads, and in the same statement the epoch they belong to. */
async function readHeads(
  context: StorageContext,
  wanted: readonly Wanted[],
): Promise<{ epoch: string | null; heads: HeadRow[] }> {
  const result = await sql<(HeadRow | { [K in keyof HeadRow]: null }) & { epoch: string | null }>`
    SELECT e.epoch, s.id, s.last_seq, s.assigned_user_id, s.revoked_at, s.team_read_id AS staff_read, ${STAFF_DELIVERED} AS staff_delivered,
      m.read_id AS client_read, m.delivered_id AS client_delivered,
      -- Nobody is banned as a rule: then no session is looked up.
      CASE WHEN EXISTS (SELECT FROM chat_ban) THEN chat_is_banned(s.id, NULL) ELSE false END AS banned,
      CASE WHEN EXISTS (SELECT FROM chat_ban WHERE kind = 'address')
        THEN (SELECT a.address FROM chat_client_address a WHERE a.session_id = s.id) END AS address
    FROM (SELECT (SELECT chat_epoch()) AS epoch) e
    LEFT JOIN chat_session s ON s.id = ANY (${wanted.map((session) => session.id)}::bigint[])
    LEFT JOIN chat_read_mark m ON m.session_id = s.id AND m.participant = 'client'`.execute(context.database.kysely);
  return {
    epoch: result.rows[0]?.epoch ?? null,
    heads: result.rows.filter((row): row is HeadRow & { epoch: string | null } => row.id !== null),
  };
}

const EVENTS = {
  name: 'chat-catchup-events',
  text: `SELECT ${eventColumns('p')} FROM (
      SELECT e.*, row_number() OVER turn AS turn, sum(e.bytes) OVER turn AS total
        FROM unnest($1::bigint[], $2::bigint[], $3::bigint[]) WITH ORDINALITY AS w(id, after_seq, head, asked)
        CROSS JOIN LATERAL (
          SELECT * FROM (SELECT r.*, row_number() OVER page AS place, sum(r.bytes) OVER page AS running
            FROM (SELECT ${eventColumns('e')}, ${eventBytes('e')} AS bytes FROM chat_event e
                   WHERE e.session_id = w.id AND e.seq > w.after_seq AND e.seq <= w.head ORDER BY e.seq LIMIT $4::bigint) r
            WINDOW page AS (ORDER BY r.seq ROWS UNBOUNDED PRECEDING)) bounded
           WHERE place = 1 OR running <= $5::bigint) e
      WINDOW turn AS (ORDER BY e.place, w.asked ROWS UNBOUNDED PRECEDING)) p
    WHERE p.turn = 1 OR p.total <= $6::bigint
    ORDER BY p.session_id, p.seq`,
} as const;

/**
 * Events of all sessions that are behind their head, in one statement, however many they are. Each gets its first event
 * before any gets a second one. Sessions for which there was no room get none, and `has_more` makes the gateway request
 * them again.
 */
async function readEvents(
  context: StorageContext,
  behind: readonly { id: number; after: number; head: number }[],
  { limit, max_bytes: maxBytes = BYTES_PER_ANSWER }: Pick<CatchupRequest, 'limit' | 'max_bytes'>,
): Promise<Map<number, EventRow[]>> {
  const bySession = new Map<number, EventRow[]>();
  if (behind.length === 0) return bySession;
  const each = Math.max(1, Math.min(limit, Math.floor(EVENTS_PER_ANSWER / behind.length)));
  const rows = await context.database.query<EventRow>(EVENTS, [
    behind.map((session) => session.id),
    behind.map((session) => session.after),
    behind.map((session) => session.head),
    each,
    Math.min(PAGE_BYTES, maxBytes),
    Math.min(BYTES_PER_ANSWER, maxBytes),
  ]);
  for (const row of rows) {
    if (row.session_id === null) continue;
    const list = bySession.get(row.session_id);
    if (list === undefined) bySession.set(row.session_id, [row]);
    else list.push(row);
  }
  return bySession;
}

/** Which addresses are banned; not queried if no session has one. */
async function bannedNetworks(context: StorageContext, heads: readonly HeadRow[]): Promise<ReadonlySet<string>> {
  if (heads.every(({ address }) => address === null)) return new Set();
  const result = await sql<{ network: string }>`SELECT b.network FROM chat_ban b
    WHERE b.kind = 'address' AND (b.until IS NULL OR b.until > clock_timestamp())`.execute(context.database.kysely);
  return new Set(result.rows.map(({ network }) => network));
}

async function readSessions(
  context: StorageContext,
  request: CatchupRequest,
  online: number,
): Promise<{ epoch: string | null; sessions: CatchupSession[] }> {
  const after = new Map<number, number>();
  for (const { id, after_seq: afterSeq } of request.sessions) {
    const known = after.get(id);
    // If one session was requested twice, the request that is further behind decides.
    if (afterSeq !== undefined && (known === undefined || afterSeq < known)) after.set(id, afterSeq);
  }
  const { epoch, heads } = await readHeads(context, request.sessions);
  const behind = heads.flatMap((head) => {
    const from = after.get(head.id);
    return from !== undefined && from < head.last_seq ? [{ id: head.id, after: from, head: head.last_seq }] : [];
  });
  const [events, networks] = await Promise.all([readEvents(context, behind, request), bannedNetworks(context, heads)]);
  const sessions = heads.map((head) => {
    const rows = events.get(head.id) ?? [];
    const from = after.get(head.id);
    const reached = rows.at(-1)?.seq ?? from ?? head.last_seq;
    return {
      id: head.id,
      last_seq: head.last_seq,
      events: rows.map((row) => renderSessionEvent(row, context.links)),
      has_more: reached < head.last_seq,
      state: {
        client: { delivered_id: head.client_delivered ?? 0, read_id: head.client_read ?? 0 },
        staff: { delivered_id: head.staff_delivered, read_id: head.staff_read },
        operators_online: online,
      },
      assigned_user_id: head.assigned_user_id,
      revoked_at: head.revoked_at,
      banned: head.banned || (head.address !== null && networks.has(rateLimitKey(head.address))),
    };
  });
  return { epoch, sessions };
}

async function readFeedPart(
  context: StorageContext,
  wanted: NonNullable<CatchupRequest['feed']>,
): Promise<CatchupResponse['feed']> {
  if (wanted.after === undefined) {
    return { events: [], cursor: String(await feedHead(context)), has_more: false };
  }
  const read = await readFeed(context, wanted.after, wanted.limit, null);
  if (!read.ok) return { events: [], cursor: String(read.head), has_more: false, reset: read.reset };
  return { events: read.events, owners: read.owners, cursor: String(read.cursor), has_more: read.hasMore };
}

/**
 * The single call of a gateway: resume, gap fill and head check alike. The number of statements does not grow with the
 * number of sessions.
 */
export function catchup(
  context: StorageContext,
  epochs: EpochTracker,
  request: CatchupRequest,
): Promise<CatchupResponse> {
  return translated(async () => {
    if (request.presence !== undefined) await recordPresence(context.database, request.presence);
    const online = await operatorsOnline(context);
    const [{ epoch, sessions }, feed, badgeData, statuses, revoked] = await Promise.all([
      readSessions(context, request, online),
      request.feed === undefined ? undefined : readFeedPart(context, request.feed),
      // Only staff get it.
      request.feed === undefined ? undefined : badge(context),
      chosenStatuses(context),
      request.revocations_after === undefined
        ? undefined
        : revocations(context, { epoch: null, id: request.revocations_after }),
    ]);
    const settled = await epochs.settled(epoch);
    if (settled === null) return catchup(context, epochs, request);
    return {
      sessions,
      ...(context.options.ownsSessions && { all_sessions: true }),
      epoch: settled,
      ...(feed === undefined ? {} : { feed }),
      ...(badgeData === undefined ? {} : { badge: badgeData }),
      operators_online: online,
      operator_statuses: statuses,
      ...(revoked === undefined ? {} : { revocations: [...revoked.revocations], revocations_head: revoked.id }),
    };
  });
}
