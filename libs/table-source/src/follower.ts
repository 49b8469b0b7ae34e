import type { Delivery, Tally } from './delivery.ts';
import type { EventMapper } from './events.ts';
import type { MessageRow, OutboxRow, PlainEvent, SessionRow, SiteDatabase } from './ports.ts';
import type { SessionHistory } from './session-history.ts';
import { personOf } from './values.ts';

/** Rows of one look into the outbox. All rows of one INSERT have one instant, and are sorted anew at each look. */
export const LOOK_ROWS = 500;
/** What is read of the site's tables, stored and deleted at a time. With the text of each at its longest they are 4 MB. */
const BATCH_ROWS = 100;

export interface Step {
  /** Rows that were there; fewer than those of a look: the outbox was emptied. */
  readonly rows: number;
  readonly tally: Tally;
  /** Noted rows that the site has deleted since. */
  readonly vanished: number;
}

/**
 * One pass over the outbox: stores the visible rows, then deletes them by primary key. A row that becomes visible
 * later, from a transaction that started before, is found in the next pass: there is no position that it could be
 * behind.
 */
export async function followOnce(
  site: SiteDatabase,
  mapper: EventMapper,
  delivery: Delivery,
  history: SessionHistory,
  isStopped: () => boolean = () => false,
): Promise<Step> {
  const rows = await site.readOutbox(LOOK_ROWS);
  const tally: Tally = { accepted: 0, duplicate: 0, refused: 0 };
  let vanished = 0;
  for (let start = 0; start < rows.length && !isStopped(); start += BATCH_ROWS) {
    const batch = rows.slice(start, start + BATCH_ROWS);
    await history.ensure(batch, site, mapper);
    const found = await read(batch, rows, site, mapper);
    const taken = await delivery.take(found.events, 'table');
    await site.deleteOutbox(batch);
    vanished += found.vanished;
    tally.accepted += taken.accepted;
    tally.duplicate += taken.duplicate;
    tally.refused += taken.refused;
  }
  return { rows: rows.length, tally, vanished };
}

/** `seen`: all rows of the look, which may say how a chat began whose row is among these. */
async function read(rows: readonly OutboxRow[], seen: readonly OutboxRow[], site: SiteDatabase, mapper: EventMapper) {
  const idsOf = (kind: OutboxRow['kind']) => [
    ...new Set(rows.filter((row) => row.kind === kind).map(({ rowId }) => rowId)),
  ];
  const sessions = new Map((await site.sessions(idsOf('session'))).map((row) => [row.id, row]));
  const messages = new Map((await site.messages(idsOf('message'))).map((row) => [row.id, row]));
  const assignees = rows.flatMap(({ kind, value }) => (kind === 'assigned' ? (personOf(value) ?? []) : []));
  const people = new Set([...mapper.operatorsOf([...sessions.values()], [...messages.values()]), ...assignees]);
  const names = await site.operatorNames([...people]);
  let vanished = 0;
  const events = rows.flatMap((row): PlainEvent[] => {
    const found = rowOf(row, sessions, messages);
    if (found === undefined) {
      vanished += 1;
      return [];
    }
    switch (found.kind) {
      case 'session':
        return [mapper.created(asItBegan(found.row, seen), names)];
      case 'message':
        return [mapper.message(found.row, names, row.messageId) ?? []].flat();
      case 'status':
        return [mapper.statusChanged(row)];
      case 'assigned':
        return [mapper.assigned(row, names) ?? []].flat();
    }
  });
  return { events, vanished };
}

/** The row has the current state. If its changes were recorded, the first of them has the previous state. */
function asItBegan(row: SessionRow, rows: readonly OutboxRow[]): SessionRow {
  const first = (kind: OutboxRow['kind']) => rows.find((noted) => noted.kind === kind && noted.rowId === row.id);
  const status = first('status');
  const assigned = first('assigned');
  return {
    ...row,
    ...(status === undefined ? {} : { status: status.previous }),
    ...(assigned === undefined ? {} : { assigned: assigned.previous }),
  };
}

type Found =
  | { readonly kind: 'session'; readonly row: SessionRow }
  | { readonly kind: 'message'; readonly row: MessageRow }
  | { readonly kind: 'status' | 'assigned' };

function rowOf(
  { kind, rowId }: OutboxRow,
  sessions: ReadonlyMap<string, SessionRow>,
  messages: ReadonlyMap<string, MessageRow>,
): Found | undefined {
  if (kind === 'session') {
    const row = sessions.get(rowId);
    return row && { kind, row };
  }
  if (kind === 'message') {
    const row = messages.get(rowId);
    return row && { kind, row };
  }
  return { kind };
}
