import { sql } from 'kysely';
import { type Actor, participantOf } from '../actors.ts';
import type { Acks } from '../storage/session-record.ts';
import { requireOwnSession, sessionNotFound, type StorageContext } from '../storage/context.ts';
import { translated } from '../storage/errors.ts';
import { runIn } from '../storage/run-in.ts';
import { commitSession } from '../storage/unit-of-work.ts';
import { hasNarrowScope, requireVisible } from '../storage/visibility.ts';

interface MarkRow {
  r_found: boolean;
  r_read_id: number;
  r_delivered_id: number;
  r_changed: boolean;
}

const MARK_READ = {
  name: 'chat-mark-read',
  text: 'SELECT * FROM chat_mark_read($1::bigint, $2, $3, $4, $5::bigint)',
} as const;

/** The marks of the team as customers see them: what any operator has received, and what the team has read. */
export const STAFF_DELIVERED = sql<number>`GREATEST(s.team_read_id,
  COALESCE((SELECT max(m.delivered_id) FROM chat_read_mark m WHERE m.session_id = s.id AND m.participant <> 'client'), 0))`;

export function publishMark(
  context: Pick<StorageContext, 'ephemeral'>,
  sessionId: number,
  by: 'client' | 'staff',
  deliveredId: number,
  readId: number,
): void {
  context.ephemeral({
    v: 1,
    type: 'chat.read',
    session_id: sessionId,
    seq: null,
    data: { by, delivered_id: deliveredId, read_id: readId },
  });
}

async function publishStaffMarks(context: StorageContext, sessionIds: readonly number[]): Promise<void> {
  const result = await sql<{ id: number; delivered_id: number; read_id: number }>`
    SELECT s.id, ${STAFF_DELIVERED} AS delivered_id, s.team_read_id AS read_id FROM chat_session s
     WHERE s.id = ANY (${sessionIds}::bigint[])`.execute(context.database.kysely);
  for (const row of result.rows) publishMark(context, row.id, 'staff', row.delivered_id, row.read_id);
}

function markValues(actor: Actor, sessionId: number, lastId: number): readonly unknown[] {
  // The fourth is the scope, which was checked before, see storage/visibility.ts; when it can go, see messages.ts.
  return [sessionId, participantOf(actor), actor.kind === 'staff' ? actor.userId : null, null, lastId];
}

/** The scope is checked under the lock of the session. */
async function markInScope(
  context: StorageContext,
  actor: Actor,
  sessionId: number,
  lastId: number,
): Promise<readonly MarkRow[]> {
  const { result } = await commitSession(context, sessionId, async (unit) => {
    requireVisible(actor, unit.session);
    return runIn<MarkRow>(unit.trx, MARK_READ, markValues(actor, sessionId, lastId));
  });
  return result;
}

export async function markRead(
  context: StorageContext,
  actor: Actor,
  sessionId: number,
  lastId: number,
): Promise<{ read_id: number }> {
  requireOwnSession(actor, sessionId);
  return translated(async () => {
    const [row] = hasNarrowScope(actor)
      ? await markInScope(context, actor, sessionId, lastId)
      : await context.database.query<MarkRow>(MARK_READ, markValues(actor, sessionId, lastId));
    if (row === undefined || !row.r_found) throw sessionNotFound();
    if (row.r_changed) {
      if (actor.kind === 'customer') publishMark(context, sessionId, 'client', row.r_delivered_id, row.r_read_id);
      else await publishStaffMarks(context, [sessionId]);
      context.committed();
    }
    return { read_id: row.r_read_id };
  });
}

interface AckedRow {
  session_id: number;
  participant: string;
  delivered_id: number;
  read_id: number;
}

/**
 * Delivery marks, many sessions in one statement: clamped to the newest message, never back. Rows are taken in the
 * order of their keys, so that two batches cannot wait for each other in a circle.
 */
export async function acks(context: StorageContext, request: Acks): Promise<void> {
  if (request.acks.length === 0) return;
  const newest = new Map<string, Acks['acks'][number]>();
  for (const ack of request.acks) {
    const key = `${ack.session_id} ${ack.participant}`;
    const known = newest.get(key);
    if (known === undefined || known.last_id < ack.last_id) newest.set(key, ack);
  }
  const batch = [...newest.values()];
  await translated(async () => {
    const result = await sql<AckedRow>`
      INSERT INTO chat_read_mark AS m (session_id, participant, delivered_id)
      SELECT s.id, a.participant, LEAST(a.last_id, s.last_message_id)
        FROM unnest(${batch.map((ack) => ack.session_id)}::bigint[], ${batch.map((ack) => ack.participant)}::text[],
                    ${batch.map((ack) => ack.last_id)}::bigint[]) AS a(session_id, participant, last_id)
        JOIN chat_session s ON s.id = a.session_id
       WHERE s.last_message_id > 0
       ORDER BY s.id, a.participant
      ON CONFLICT (session_id, participant) DO UPDATE
        SET delivered_id = EXCLUDED.delivered_id, updated_at = clock_timestamp()
        WHERE m.delivered_id < EXCLUDED.delivered_id
      RETURNING session_id, participant, delivered_id, read_id`.execute(context.database.kysely);
    const staff = new Set<number>();
    for (const row of result.rows) {
      if (row.participant === 'client') publishMark(context, row.session_id, 'client', row.delivered_id, row.read_id);
      else staff.add(row.session_id);
    }
    if (staff.size > 0) await publishStaffMarks(context, [...staff]);
  });
}
