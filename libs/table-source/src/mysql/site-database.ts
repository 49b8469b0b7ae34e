import type { Connection, RowDataPacket } from 'mysql2/promise';
import type { TableSourceConfig } from '../config.ts';
import { endInTime } from '../end-in-time.ts';
import { ownNames, tableName } from '../names.ts';
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
/** There is no wake-up here. An empty look is one read of an empty index. */
const PAUSES = { restMs: 200, busyMs: 25 } as const;
const COUNTED_ROWS = 100_000;
/** Prepared statements of one connection; each number of ids needs one. */
const PREPARED = 200;
const INTEGER = /int$|^(?:decimal|numeric)$/;

/** No such table, no such column, no permission on the table or on one of its columns. */
const LOST = new Set([1146, 1054, 1142, 1143]);

async function ofOutbox<T>(asked: Promise<T>): Promise<T> {
  return asked.catch((error: unknown) => {
    if (!LOST.has(Number((error as { errno?: unknown } | null)?.errno))) throw error;
    throw new OutboxLostError((error as Error).message, { cause: error });
  });
}

/** An index on numbers is used for a number, not for a text. */
function typed(type: string, id: string): string | number {
  return INTEGER.test(type) && Number.isSafeInteger(Number(id)) ? Number(id) : id;
}

class MysqlDialect implements Dialect {
  readonly #connection: Connection;
  readonly quote = quote;
  readonly qualified = qualified;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** Types that can be recorded as text and looked up by it. A trigger's insert of bytes fails. */
  readonly isText = (type: string) => !/binary$|blob$|^bit$/.test(type);
  readonly isOrdered = (type: string) => INTEGER.test(type);
  /** Bits converted to text are bytes. */
  readonly text = (column: string, type: string) => `CAST(${column}${type === 'bit' ? ' + 0' : ''} AS CHAR)`;

  among(column: string, type: string, ids: readonly string[]) {
    return { text: `${column} IN (${ids.map(() => '?').join(', ')})`, values: ids.map((id) => typed(type, id)) };
  }

  equals(column: string, type: string, id: string) {
    return { text: `${column} = ?`, values: [typed(type, id)] };
  }

  after(column: string, type: string, id: string) {
    return { text: `${column} > ?`, values: [typed(type, id)] };
  }

  async columnTypes(table: string): Promise<ColumnTypes | null> {
    const { schema, table: name } = tableName(table, null);
    const rows = await this.rows(
      `SELECT column_name AS name, data_type AS type FROM information_schema.columns
       WHERE table_schema = COALESCE(?, DATABASE()) AND table_name = ?`,
      [schema, name],
    );
    return rows.length === 0
      ? null
      : new Map(rows.map((row) => [row['name'] ?? '', (row['type'] ?? '').toLowerCase()]));
  }

  /** It silently converts values that do not match the type; see `fits`. */
  isOfValue(): boolean {
    return false;
  }

  async uniqueColumns(table: string): Promise<ReadonlySet<string> | null> {
    const { schema, table: name } = tableName(table, null);
    const rows = await this.rows(
      `SELECT MIN(column_name) AS name, MIN(non_unique) AS other, COUNT(*) AS parts FROM information_schema.statistics
       WHERE table_schema = COALESCE(?, DATABASE()) AND table_name = ? GROUP BY index_name`,
      [schema, name],
    );
    // A user with permissions only on columns may see no index at all.
    if (rows.length === 0) return null;
    return new Set(
      rows.flatMap((row) => (Number(row['other']) === 0 && Number(row['parts']) === 1 ? [row['name'] ?? ''] : [])),
    );
  }

  async rows(text: string, values: readonly unknown[]): Promise<TextRow[]> {
    const [rows] = await this.#connection.execute<(RowDataPacket & TextRow)[]>(
      { sql: text, timeout: QUERY_TIMEOUT_MS },
      values as (string | number | null)[],
    );
    return rows;
  }
}

class MysqlSite implements SiteDatabase {
  readonly #connection: Connection;
  readonly #dialect: MysqlDialect;
  readonly #config: TableSourceConfig;
  readonly #outbox: string;
  readonly reader: SiteReader;

  constructor(connection: Connection, config: TableSourceConfig) {
    this.#connection = connection;
    this.#dialect = new MysqlDialect(connection);
    this.#config = config;
    this.#outbox = ownObject(config, ownNames(config).outbox);
    this.reader = new SiteReader(config, this.#dialect);
  }

  async check(): Promise<void> {
    await this.reader.check();
  }

  async readOutbox(limit: number): Promise<OutboxRow[]> {
    const rows = await ofOutbox(
      this.#dialect.rows(
        `SELECT CAST(id AS CHAR) AS id, message_id, kind, row_id, session_id, value, previous,
              CAST(noted_at AS CHAR) AS noted_at FROM ${this.#outbox} ORDER BY ${this.#outbox}.id LIMIT ${limit}`,
        [],
      ),
    );
    return rows.map((row) => ({
      key: row['id'] ?? '',
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
    if (rows.length === 0) return;
    const marks = rows.map(() => '?').join(', ');
    await ofOutbox(
      this.#connection.execute(
        { sql: `DELETE FROM ${this.#outbox} WHERE id IN (${marks})`, timeout: QUERY_TIMEOUT_MS },
        rows.map(({ key }) => Number(key)),
      ),
    );
  }

  async outboxState(): Promise<OutboxState> {
    const [row] = await ofOutbox(
      this.#dialect.rows(
        `SELECT CAST((SELECT COUNT(*) FROM (SELECT 1 FROM ${this.#outbox} LIMIT ${COUNTED_ROWS}) AS counted) AS CHAR) AS \`rows\`,
              CAST((SELECT TIMESTAMPDIFF(MICROSECOND, noted_at, SYSDATE(6)) / 1000000
                    FROM ${this.#outbox} ORDER BY id LIMIT 1) AS CHAR) AS age`,
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

  /** TIMESTAMP is converted to our connection's zone, which is UTC; DATETIME is as the site wrote it. */
  zoneOf(table: 'sessions' | 'messages'): string {
    const { table: name, created_at: column } = this.#config[table];
    return column !== undefined && this.reader.typeOf(name, column) === 'timestamp' ? 'UTC' : this.#config.time_zone;
  }

  async close(): Promise<void> {
    await endInTime(this.#connection.end(), () => this.#connection.destroy());
  }
}

export function mysqlConnection(config: TableSourceConfig): SiteConnection {
  return {
    pauses: PAUSES,
    connect: async (wake) => {
      // Loaded on demand: few sites have MySQL, and every start would pay for its driver.
      const { createConnection } = await import('mysql2/promise');
      const connection = await createConnection({
        uri: config.url.replace(/^mariadb:/, 'mysql:'),
        charset: 'utf8mb4',
        connectTimeout: CONNECT_TIMEOUT_MS,
        maxPreparedStatements: PREPARED,
        dateStrings: true,
      });
      // A lost connection is noticed by the next statement, which rejects.
      connection.on('error', wake);
      try {
        const set = (sql: string) => connection.query({ sql, timeout: QUERY_TIMEOUT_MS });
        await set('SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED');
        await set(
          "SET SESSION time_zone = '+00:00', sql_mode = 'STRICT_ALL_TABLES', autocommit = 1, innodb_lock_wait_timeout = 5",
        );
        const site = new MysqlSite(connection, config);
        await site.check();
        return site;
      } catch (error) {
        connection.destroy();
        throw error;
      }
    },
  };
}
