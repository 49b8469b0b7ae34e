import { sql } from 'kysely';
import { type AdminCommand, AdminUsageError } from '../command.ts';

/** Each names rows that must not exist; at most so many are shown. */
const SHOWN = 20;

interface Invariant {
  readonly id: string;
  readonly says: string;
  /** A query that returns (what) for each violation. */
  readonly violations: string;
}

function invariant(id: string, says: string, violations: string): Invariant {
  return { id, says, violations };
}

/**
 * Invariants of the data at every commit (the fault campaigns check the same in their records). All are checked in one
 * snapshot of a running system.
 */
const INVARIANTS: readonly Invariant[] = [
  invariant(
    'seq-dense',
    'each session numbers its events 1, 2, 3 … and last_seq is the last of them',
    `SELECT format('session %s: %s events, from seq %s to %s, last_seq %s', s.id, count(e.seq), min(e.seq), max(e.seq), s.last_seq) AS what
       FROM chat_session s LEFT JOIN chat_event e ON e.session_id = s.id AND e.seq IS NOT NULL
      GROUP BY s.id HAVING count(e.seq) <> s.last_seq OR COALESCE(max(e.seq), 0) <> s.last_seq OR COALESCE(min(e.seq), 1) <> 1`,
  ),
  invariant(
    'id-order',
    'ids rise with seq inside a session',
    `SELECT format('session %s: seq %s has id %s, the one before it %s', o.session_id, o.seq, o.id, o.before) AS what
       FROM (SELECT e.session_id, e.seq, e.id, lag(e.id) OVER (PARTITION BY e.session_id ORDER BY e.seq) AS before
               FROM chat_event e WHERE e.seq IS NOT NULL) o WHERE o.before >= o.id`,
  ),
  invariant(
    'client-count',
    'a session counts its customer’s messages exactly, so unread is exact',
    `SELECT format('session %s: counts %s, has %s', s.id, s.client_msgs, count(e.id)) AS what
       FROM chat_session s LEFT JOIN chat_event e ON e.session_id = s.id AND e.type = 'chat.message' AND e.sender_type = 'client'
      GROUP BY s.id HAVING count(e.id) <> s.client_msgs`,
  ),
  invariant(
    'once',
    'one message for each (session, sender, client_message_id)',
    `SELECT format('session %s: %s stored %s times', e.session_id, e.client_message_id, count(*)) AS what
       FROM chat_event e WHERE e.client_message_id IS NOT NULL
      GROUP BY e.session_id, e.client_message_id, e.sender_type, COALESCE(e.actor_id, '') HAVING count(*) > 1`,
  ),
  invariant(
    'feed-whole',
    'every event stands in the feed, or waits in the outbox for its number',
    `SELECT format('event %s of session %s is in neither', e.id, e.session_id) AS what
       FROM chat_event e WHERE NOT EXISTS (SELECT 1 FROM feed f WHERE f.event_id = e.id)
        AND NOT EXISTS (SELECT 1 FROM outbox o WHERE o.event_id = e.id)`,
  ),
  invariant(
    'feed-dense',
    'the feed numbers its events 1, 2, 3 … and its head is the last of them',
    `SELECT format('%s numbers, the highest %s, the head says %s', f.n, f.top, h.stamped) AS what
       FROM feed_head h CROSS JOIN (SELECT count(*) AS n, COALESCE(max(feed_seq), 0) AS top FROM feed) f
      WHERE f.n <> h.stamped OR f.top <> h.stamped`,
  ),
  invariant(
    'marks',
    'no read mark lies beyond the newest message of its session',
    `SELECT format('session %s: %s has read %s, the newest is %s', s.id, m.participant, m.read_id, s.last_message_id) AS what
       FROM chat_read_mark m JOIN chat_session s ON s.id = m.session_id WHERE m.read_id > s.last_message_id`,
  ),
];

export const verify: AdminCommand = {
  async run({ args, openDatabase, progress }) {
    if (args.length > 0) throw new AdminUsageError('verify takes nothing but --json');
    progress(`checking ${INVARIANTS.length} invariants in one snapshot; nothing is changed …`);
    const database = await openDatabase();
    const findings = await database.kysely
      .transaction()
      .setIsolationLevel('repeatable read')
      .setAccessMode('read only')
      .execute(async (snapshot) => {
        // The services' own bound is for requests; this reads everything.
        await sql`SET LOCAL statement_timeout = 0`.execute(snapshot);
        const found = [];
        for (const { id, says, violations } of INVARIANTS) {
          progress(`  ${says} …`);
          const query = sql<{ what: string }>`SELECT v.what FROM (${sql.raw(violations)}) v LIMIT ${SHOWN + 1}`;
          const whats = (await query.execute(snapshot)).rows.map(({ what }) => what);
          found.push({
            id,
            says,
            ok: whats.length === 0,
            violations: whats.slice(0, SHOWN),
            more: whats.length > SHOWN,
          });
        }
        return found;
      });
    const bad = findings.filter(({ ok }) => !ok);
    const lines = findings.flatMap(({ ok, says, violations, more }) => [
      `${ok ? '✓' : '✗'} ${says}`,
      ...violations.map((what) => `    ${what}`),
      ...(more ? ['    … and more'] : []),
    ]);
    return {
      result: { ok: bad.length === 0, invariants: findings },
      text: lines.join('\n'),
      ...(bad.length === 0 ? {} : { failed: true }),
    };
  },
};
