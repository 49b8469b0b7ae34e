/** An event without an id: only its position among the events of its session distinguishes it from another one. */
export interface Nameless {
  readonly index: number;
  readonly sessionId: number;
  readonly type: string;
  /** What it says, in the words of the ledger. */
  readonly says: string;
  readonly at: string | null;
  /** Its source gave it before. */
  readonly again: boolean;
}

/** The latest events of a session and a type in the ledger, oldest first. */
export interface Told {
  readonly says: string;
  readonly atMs: number;
}

/** As many events of a session are looked at as a source may give twice. */
const TAIL = 400;

/** Of a status and an assignment what it comes to, since the ledger adds to the rest of them; of others a hash. */
const says = (type: string, data: string): string => `CASE ${type}
      WHEN 'chat.session.status' THEN ${data} ->> 'status'
      WHEN 'chat.session.assigned' THEN coalesce(${data} ->> 'assigned_user_id', '')
      ELSE md5(${data}::text) END`;

/**
 * The contents of the given events, and as many of the latest of their session and type. Both in the database's own
 * text form, in which equal data are equal texts: only a few bytes per given event are transferred, however long the
 * session is.
 */
export const TAILS = {
  name: 'chat-intake-tails',
  text: `WITH given AS (
      SELECT * FROM jsonb_to_recordset($1::jsonb) AS g(index integer, session_id bigint, type text, data jsonb)),
    asked AS (SELECT session_id, type, count(*) AS wanted FROM given GROUP BY session_id, type)
    SELECT index, session_id, type, ${says('type', 'data')} AS says, NULL::bigint AS seq, NULL::bigint AS at_ms
    FROM given
    UNION ALL
    SELECT NULL, a.session_id, a.type, ${says('e.type', 'e.data')}, e.seq,
      floor(extract(epoch FROM e.created_at) * 1000)::bigint
    FROM asked a CROSS JOIN LATERAL (
      SELECT * FROM (SELECT c.seq, c.type, c.data, c.created_at FROM chat_event c
        WHERE c.session_id = a.session_id AND c.seq IS NOT NULL ORDER BY c.seq DESC LIMIT ${TAIL}) AS tail
      WHERE tail.type = a.type ORDER BY tail.seq DESC LIMIT a.wanted) AS e
    ORDER BY seq`,
} as const;

export const placeOf = (sessionId: number, type: string): string => `${sessionId} ${type}`;

function isKnown(event: Nameless, told: Told | undefined): boolean {
  if (told === undefined || told.says !== event.says) return false;
  return event.at === null ? event.again : Date.parse(event.at) === told.atMs;
}

/**
 * Which of them the ledger has. A source redelivers the latest events, from some position to the end. So they are known
 * as far as they match the end of what the ledger has, one by one. If they match by coincidence, the session ends in
 * the same state anyway. Events without a time count only if the source marks them as redelivered.
 */
export function known(events: readonly Nameless[], tails: ReadonlyMap<string, readonly Told[]>): Set<number> {
  const found = new Set<number>();
  const runs = Map.groupBy(events, ({ sessionId, type }) => placeOf(sessionId, type));
  for (const [place, run] of runs) {
    const told = tails.get(place) ?? [];
    for (let length = Math.min(run.length, told.length); length > 0; length -= 1) {
      const end = told.slice(-length);
      if (!run.slice(0, length).every((event, index) => isKnown(event, end[index]))) continue;
      for (const { index } of run.slice(0, length)) found.add(index);
      break;
    }
  }
  return found;
}
