import { createHash } from 'node:crypto';
import type { Database } from '@chat-realtime/database';
import type { DeadLetters, KnownSession, Ledger, Places, PlainEvent } from '@chat-realtime/table-source';
import { messageKey } from '../parse-event.ts';

/** What was refused is kept up to this number of rows; the newest stay. */
const REFUSED_ROWS = 10_000;

const SESSIONS = {
  name: 'table-source-sessions',
  text: `SELECT w.id AS site_id, s.status, s.assigned_user_id
    FROM unnest($1::text[]) AS w(id)
    LEFT JOIN site_session m ON m.site_id = w.id
    JOIN chat_session s ON s.id = COALESCE(m.session_id, CASE WHEN w.id ~ '^[1-9][0-9]{0,15}$' THEN w.id::bigint END)`,
} as const;
const READ_PLACE = {
  name: 'table-source-place',
  text: 'SELECT p.place FROM table_source_place p WHERE p.name = $1',
} as const;
const WRITE_PLACE = {
  name: 'table-source-place-write',
  text: `INSERT INTO table_source_place (name, place) VALUES ($1, $2)
    ON CONFLICT (name) DO UPDATE SET place = EXCLUDED.place, updated_at = clock_timestamp()`,
} as const;
const WRITE_FIRST_PLACE = {
  name: 'table-source-place-first',
  text: 'INSERT INTO table_source_place (name, place) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING',
} as const;
const CLEAR_PLACE = {
  name: 'table-source-place-clear',
  text: 'DELETE FROM table_source_place p WHERE p.name = $1',
} as const;
const PLACE_NAMES = {
  name: 'table-source-place-names',
  text: 'SELECT p.name FROM table_source_place p WHERE starts_with(p.name, $1)',
} as const;
const KNOWN_KEYS = {
  name: 'table-source-known',
  text: "SELECT replace(k.key::text, '-', '') AS key FROM intake_key k WHERE k.key = ANY ($1::uuid[])",
} as const;
const PUT_REFUSED = {
  name: 'table-source-refused',
  text: `INSERT INTO table_source_refused (event_key, type, session_id, reason, event)
    VALUES ($1, $2, $3, $4, $5::jsonb) ON CONFLICT (event_key) DO NOTHING`,
} as const;
const TRIM_REFUSED = {
  name: 'table-source-refused-trim',
  text: `DELETE FROM table_source_refused r WHERE r.id <= (
    SELECT max(o.id) - ${REFUSED_ROWS} FROM table_source_refused o)`,
} as const;

/** `\u0000` and halves of characters, which PostgreSQL cannot keep, are replaced: it is for people to look at. */
function storable(event: PlainEvent): string {
  return JSON.stringify(event, (_, value: unknown) =>
    typeof value === 'string' ? value.toWellFormed().replaceAll('\u0000', '\ufffd') : value,
  );
}

function keyOf({ type, session_id: session, message_id: messageId, data }: PlainEvent): string {
  const own = type === 'chat.message' ? data['id'] : messageId;
  return createHash('sha256')
    .update(JSON.stringify([type, session, own ?? data]))
    .digest('base64url');
}

/** The ledger as the follower of a site's tables sees it. */
export class LedgerView implements Ledger, Places, DeadLetters {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  async sessions(ids: readonly string[]): Promise<ReadonlyMap<string, KnownSession>> {
    const rows = await this.#database.query<{ site_id: string; status: string; assigned_user_id: string | null }>(
      SESSIONS,
      [ids],
    );
    return new Map(rows.map((row) => [row.site_id, { status: row.status, assigned: row.assigned_user_id }]));
  }

  async unknown(messages: readonly PlainEvent[]): Promise<PlainEvent[]> {
    if (messages.length === 0) return [];
    const keyed = messages.map((event) => ({ event, key: messageKey(event.session_id, String(event.data['id'])) }));
    const rows = await this.#database.query<{ key: string }>(KNOWN_KEYS, [keyed.map(({ key }) => key)]);
    const known = new Set(rows.map(({ key }) => key));
    return keyed.flatMap(({ event, key }) => (known.has(key) ? [] : [event]));
  }

  async read(name: string): Promise<string | null> {
    const [row] = await this.#database.query<{ place: string }>(READ_PLACE, [name]);
    return row?.place ?? null;
  }

  async write(name: string, place: string): Promise<void> {
    await this.#database.query(WRITE_PLACE, [name, place]);
  }

  async writeFirst(name: string, place: string): Promise<void> {
    await this.#database.query(WRITE_FIRST_PLACE, [name, place]);
  }

  async clear(name: string): Promise<void> {
    await this.#database.query(CLEAR_PLACE, [name]);
  }

  async names(prefix: string): Promise<string[]> {
    return (await this.#database.query<{ name: string }>(PLACE_NAMES, [prefix])).map(({ name }) => name);
  }

  async put(event: PlainEvent, reason: string): Promise<void> {
    const text = storable(event);
    await this.#database.query(PUT_REFUSED, [keyOf(event), event.type, String(event.session_id), reason, text]);
    await this.#database.query(TRIM_REFUSED);
  }
}
