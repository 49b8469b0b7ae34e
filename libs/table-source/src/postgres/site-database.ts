import pg from 'pg';
import type { TableSourceConfig } from '../config.ts';
import { endInTime } from '../end-in-time.ts';
import { ownNames } from '../names.ts';
import {
  type OutboxKind,
  OutboxLostError,
  type OutboxRow,
  type OutboxState,
  type SiteConnection,
  type SiteDatabase,
} from '../ports.ts';
import { type ColumnTypes, type Dialect, SiteReader, type TextRow } from '../reader.ts';
import { ownObject, qualified, quote } from './triggers.ts';

const CONNECT_TIMEOUT_MS = 5_000;
/** The other end is silently gone, or a lock blocks us: either way the connection is replaced. */
const QUERY_TIMEOUT_MS = 15_000;
const STATEMENT_TIMEOUT_MS = 10_000;
/** For a lost notification, or a pooler that passes none on. */
const PAUSES = { restMs: 1_000, busyMs: 200 } as const;
const COUNTED_ROWS = 100_000;

/**
 * Rows of one INSERT may be recorded within one microsecond, and the rest of the key is random: then the order of the
 * table counts. Of two ids the shorter number is the smaller one.
 */
const WITHIN_ONE_INSTANT = `array_position(ARRAY['session', 'message', 'assigned', 'status'], o.kind), length(o.row_id), o.row_id COLLATE "C"`;

/** `character` without a length is one character. */
const cast = (type: string) => (type === '' ? 'text' : type === 'character' ? 'bpchar' : type);
/** No such table, no such column, no permission. */
const LOST = new Set(['42P01', '42703', '42501']);
const codeOf = (error: unknown): string => String((error as { code?: unknown } | null)?.code ?? '');

async function ofOutbox<T>(asked: Promise<T>): Promise<T> {
  return asked.catch((error: unknown) => {
    if (!LOST.has(codeOf(error))) throw error;
    throw new OutboxLostError((error as Error).message, { cause: error });
  });
}

class PostgresDialect implements Dialect {
  readonly #client: pg.Client;
  readonly quote = quote;
  readonly qualified = qualified;

  constructor(client: pg.Client) {
    this.#client = client;
  }

  /** Types that can be recorded as text and looked up by it. */
  readonly isText = (type: string) => type !== 'bytea';
  readonly isOrdered = (type: string) => /^(?:smallint|integer|bigint|numeric)$/.test(type);
  readonly text = (column: string) => `${column}::text`;

  among(column: string, type: string, ids: readonly string[]) {
    return { text: `${column} = ANY($1::text[]::${cast(type)}[])`, values: [ids] };
  }

  equals(column: string, type: string, id: string, position: number) {
    return { text: `${column} = $${position}::text::${cast(type)}`, values: [id] };
  }

  after(column: string, type: string, id: string, position: number) {
    return { text: `${column} > $${position}::text::${cast(type)}`, values: [id] };
  }

  async columnTypes(table: string): Promise<ColumnTypes | null> {
    const rows = await this.rows(
      `SELECT a.attname AS name, format_type(a.atttypid, NULL) AS type FROM pg_attribute a
       WHERE a.attrelid = to_regclass($1) AND a.attnum > 0 AND NOT a.attisdropped
         AND has_column_privilege(a.attrelid, a.attnum, 'SELECT')`,
      [qualified(table)],
    );
    return rows.length === 0 ? null : new Map(rows.map((row) => [row['name'] ?? '', row['type'] ?? '']));
  }

  /** Error classes for values that do not match their type: a text for a number, a number that is too large. */
  isOfValue(error: unknown): boolean {
    return codeOf(error).startsWith('22');
  }

  async uniqueColumns(table: string): Promise<ReadonlySet<string> | null> {
    const rows = await this.rows(
      `SELECT a.attname AS name FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
       WHERE i.indrelid = to_regclass($1) AND i.indisunique AND i.indisvalid AND i.indnkeyatts = 1 AND i.indpred IS NULL`,
      [qualified(table)],
    );
    return new Set(rows.map((row) => row['name'] ?? ''));
  }

  async rows(text: string, values: readonly unknown[]): Promise<TextRow[]> {
    return (await this.#client.query<TextRow>(text, [...values])).rows;
  }
}

class PostgresSite implements SiteDatabase {
  readonly #client: pg.Client;
  readonly #dialect: PostgresDialect;
  readonly #outbox: string;
  readonly #zone: string;
  readonly reader: SiteReader;

  constructor(client: pg.Client, config: TableSourceConfig) {
    this.#client = client;
    this.#dialect = new PostgresDialect(client);
    this.#outbox = ownObject(config, ownNames(config).outbox);
    this.#zone = config.time_zone;
    this.reader = new SiteReader(config, this.#dialect);
  }

  async check(): Promise<void> {
    await this.reader.check();
  }

  async readOutbox(limit: number): Promise<OutboxRow[]> {
    const rows = await ofOutbox(
      this.#dialect.rows(
        // `noted_at` alone would be the text of the answer: then each look would read and sort everything that waits.
        `SELECT o.noted_at::text, o.message_id::text, o.kind, o.row_id, o.session_id, o.value, o.previous
         FROM ${this.#outbox} o ORDER BY o.noted_at, ${WITHIN_ONE_INSTANT}, o.message_id LIMIT ${limit}`,
        [],
      ),
    );
    return rows.map((row) => ({
      key: `${row['noted_at']}|${row['message_id']}`,
      messageId: row['message_id'] ?? '',
      kind: (row['kind'] ?? '') as OutboxKind,
      rowId: row['row_id'] ?? '',
      sessionId: row['session_id'] ?? '',
      value: row['value'] ?? null,
      previous: row['previous'] ?? null,
      notedAt: row['noted_at'] ?? '',
    }));
  }

  async deleteOutbox(rows: readonly OutboxRow[]): Promise<void> {
    await ofOutbox(
      this.#client.query(
        `DELETE FROM ${this.#outbox} o USING unnest($1::timestamptz[], $2::uuid[]) AS k (noted_at, message_id)
         WHERE o.noted_at = k.noted_at AND o.message_id = k.message_id`,
        [rows.map(({ notedAt }) => notedAt), rows.map(({ messageId }) => messageId)],
      ),
    );
  }

  async outboxState(): Promise<OutboxState> {
    const [row] = await ofOutbox(
      this.#dialect.rows(
        `SELECT (SELECT count(*) FROM (SELECT 1 FROM ${this.#outbox} LIMIT ${COUNTED_ROWS}) AS counted)::text AS rows,
              (SELECT extract(epoch FROM clock_timestamp() - min(noted_at)) FROM ${this.#outbox})::text AS age`,
        [],
      ),
    );
    return { rows: Number(row?.['rows'] ?? 0), oldestSeconds: Math.max(0, Number(row?.['age'] ?? 0)) };
  }

  sessions = (ids: readonly string[]) => this.reader.sessions(ids);
  messages = (ids: readonly string[]) => this.reader.messages(ids);
  sessionsAfter = (id: string | null, limit: number) => this.reader.sessionsAfter(id, limit);
  messagesAfter = (id: string | null, limit: number) => this.reader.messagesAfter(id, limit);
  newestSessions = (limit: number) => this.reader.newestSessions(limit);
  newestMessages = (limit: number) => this.reader.newestMessages(limit);
  messagesOfSession = (session: string, after: string | null, limit: number) =>
    this.reader.messagesOfSession(session, after, limit);
  operatorNames = (ids: readonly string[]) => this.reader.operatorNames(ids);

  /** The text of a time with a zone contains the zone. */
  zoneOf(): string {
    return this.#zone;
  }

  async close(): Promise<void> {
    await end(this.#client);
  }
}

const end = (client: pg.Client): Promise<void> => endInTime(client.end(), () => client.connection.stream.destroy());

export function postgresConnection(config: TableSourceConfig): SiteConnection {
  const { channel } = ownNames(config);
  return {
    pauses: PAUSES,
    connect: async (wake) => {
      const client = new pg.Client({
        connectionString: config.url,
        application_name: 'chat-realtime table source',
        connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
        query_timeout: QUERY_TIMEOUT_MS,
        keepAlive: true,
      });
      // A lost connection is noticed by the next statement, which rejects.
      client.on('error', wake);
      client.on('end', wake);
      client.on('notification', wake);
      await client.connect();
      try {
        await client.query(
          `SET default_transaction_isolation = 'read committed'; SET timezone = 'UTC'; SET datestyle = 'ISO';
           SET statement_timeout = ${STATEMENT_TIMEOUT_MS}; SET search_path = pg_catalog; LISTEN "${channel}"`,
        );
        const site = new PostgresSite(client, config);
        await site.check();
        return site;
      } catch (error) {
        await end(client);
        throw error;
      }
    },
  };
}
