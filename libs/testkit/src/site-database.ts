import { createPool, type RowDataPacket } from 'mysql2/promise';
import pg from 'pg';

export type SiteKind = 'postgresql' | 'mysql';
export type SiteRow = Readonly<Record<string, unknown>>;

/** One connection to a site's database. `?` stands for a value on both. */
export interface SiteSession {
  query(sql: string, values?: readonly (string | number | null)[]): Promise<SiteRow[]>;
  /** Given back; a transaction that is open ends with it. */
  release(): void;
}

/** The database of a site that is being followed, as the site itself uses it. */
export interface SiteClient {
  readonly kind: SiteKind;
  readonly url: string;
  query(sql: string, values?: readonly (string | number | null)[]): Promise<SiteRow[]>;
  session(): Promise<SiteSession>;
  /** Statements as they are printed for people: with `DELIMITER` on MySQL. */
  script(sql: string): Promise<void>;
  close(): Promise<void>;
}

/** `?` → `$1`. */
function numbered(sql: string): string {
  let count = 0;
  return sql.replaceAll('?', () => `$${++count}`);
}

function openPostgresSite(url: string, connections: number): SiteClient {
  const pool = new pg.Pool({ connectionString: url, max: connections });
  // A server that is killed under a client, idle or taken out of the pool, must not end the test process.
  pool.on('error', () => undefined);
  pool.on('connect', (client) => client.on('error', () => undefined));
  return {
    kind: 'postgresql',
    url,
    query: async (sql, values = []) => (await pool.query<SiteRow>(numbered(sql), [...values])).rows,
    session: async () => {
      const client = await pool.connect();
      return {
        query: async (sql, values = []) => (await client.query<SiteRow>(numbered(sql), [...values])).rows,
        release: () => client.release(),
      };
    },
    script: async (sql) => {
      await pool.query(sql);
    },
    close: () => pool.end(),
  };
}

function openMysqlSite(url: string, connections: number): SiteClient {
  const pool = createPool({ uri: url, connectionLimit: connections, supportBigNumbers: true });
  const rowsOf = (result: unknown): SiteRow[] => (Array.isArray(result) ? (result as RowDataPacket[]) : []);
  return {
    kind: 'mysql',
    url,
    query: async (sql, values = []) => rowsOf((await pool.query(sql, [...values]))[0]),
    session: async () => {
      const connection = await pool.getConnection();
      return {
        query: async (sql, values = []) => rowsOf((await connection.query(sql, [...values]))[0]),
        release: () => connection.release(),
      };
    },
    script: async (sql) => {
      const connection = await pool.getConnection();
      const statements = sql
        .replace(/^--.*$/gm, '')
        .replace(/^DELIMITER .*$/gm, '')
        .split('//');
      for (const statement of statements) if (statement.trim() !== '') await connection.query(statement);
      connection.release();
    },
    close: () => pool.end(),
  };
}

export function openSite(kind: SiteKind, url: string, connections = 20): SiteClient {
  return kind === 'postgresql' ? openPostgresSite(url, connections) : openMysqlSite(url, connections);
}
