import type { Revocation, RevocationPage, RevocationPlace } from '@chat-realtime/protocol';
import type { Database, Statement } from './types.ts';

interface Row {
  epoch: string | null;
  head: number;
  id: number | null;
  kind: Revocation['kind'];
  subject: string;
  not_after: number;
}

const PAGE_MAX = 1_000;

/** The ids become visible in their order. */
const PAGE: Statement = {
  name: 'revocation-page',
  text: `SELECT e.epoch, h.head, r.id, r.kind, r.subject, r.not_after
           FROM (SELECT (SELECT chat_epoch()) AS epoch) e
           CROSS JOIN (SELECT COALESCE(max(id), 0) AS head FROM revocation) h
           LEFT JOIN LATERAL (
             SELECT * FROM revocation
              WHERE id > CASE WHEN COALESCE($1::text = e.epoch, true) AND $2::bigint <= h.head THEN $2 ELSE 0 END
              ORDER BY id LIMIT ${PAGE_MAX}) r ON true
          ORDER BY r.id`,
};

/** The revocations after a place; all of them if the place belongs to another epoch, or is beyond all ids. */
export async function readRevocations(database: Database, after: RevocationPlace): Promise<RevocationPage> {
  const rows = await database.query<Row>(PAGE, [after.epoch, after.id]);
  const revocations = rows.flatMap(({ id, kind, subject, not_after }) =>
    id === null ? [] : [{ id, kind, subject, not_after }],
  );
  return {
    epoch: rows[0]?.epoch ?? null,
    id: revocations.at(-1)?.id ?? rows[0]?.head ?? 0,
    revocations,
    hasMore: revocations.length === PAGE_MAX,
  };
}
