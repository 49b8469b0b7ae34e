import { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Kysely, PostgresDialect } from 'kysely';
import pg from 'pg';
import { establishEpoch } from './epoch.ts';
import { migrate, type MigrationConnection, readMigrations, requireSchema } from './migrate.ts';
import { findRoute, type Route } from './route.ts';
import type { Tables } from './tables.ts';
import {
  type Database,
  type DatabaseLog,
  DatabaseStartError,
  type DedicatedSession,
  type OpenOptions,
  type SessionOptions,
  type Statement,
} from './types.ts';

const INT8_OID = 20;
const INT8_ARRAY_OID = 1016;
/** `{1,2}`: numbers need no quotes. We store no null elements. */
function parseNumberArray(text: string): number[] {
  return text === '{}' ? [] : text.slice(1, -1).split(',').map(Number);
}
const PARSERS = new Map<number, (text: string) => unknown>([
  // Ids and counters stay below 2^53, so a JavaScript number holds them; the contract says so.
  [INT8_OID, Number],
  [INT8_ARRAY_OID, parseNumberArray],
]);
const TYPES = new pg.TypeOverrides();
for (const [oid, parse] of PARSERS) TYPES.setTypeParser(oid, parse);

const STATEMENT_TIMEOUT_MS = 5_000;
/**
 * The server ends a statement before this; after it the other end is silently gone. Idle connections are kept busy or
 * closed sooner.
 */
const SILENCE_TIMEOUT_MS = 8_000;
const IDLE_TIMEOUT_MS = 5_000;
const SESSION_PING_MS = 2_000;
const CONNECT_TIMEOUT_MS = 5_000;
/** 'CHAT' in ASCII: the lock that lets one process at a time migrate the schema. */
const MIGRATION_LOCK = 0x43484154;
const MIGRATION_LOCK_RETRY_MS = 100;
const MIGRATION_LOCK_TELL_EVERY = 100;
const PING: Statement = { name: 'ping', text: 'SELECT 1' };

const TIMEOUTS = {
  statement_timeout: STATEMENT_TIMEOUT_MS,
  lock_timeout: 2_000,
  idle_in_transaction_session_timeout: 5_000,
};

function connectionConfig(url: string, options: OpenOptions, route: Route): pg.ClientConfig {
  return {
    connectionString: url,
    types: TYPES,
    application_name: options.applicationName ?? 'chat-realtime',
    // A pooler refuses a connection that begins with settings it does not know, or ignores them.
    ...(route === 'direct' ? TIMEOUTS : {}),
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    stream: () => {
      const socket = new Socket();
      // A half-open link would otherwise hold its query, and its place in the pool, until the system gives up many
      // minutes later.
      socket.setTimeout(SILENCE_TIMEOUT_MS, () => socket.destroy(new Error('database connection is silent')));
      return socket;
    },
  };
}

function migrationConnection(client: pg.Client): MigrationConnection {
  return {
    execute: async (text) => {
      await client.query(text);
    },
    query: async <R>(text: string, values: readonly unknown[]) => (await client.query(text, [...values])).rows as R[],
  };
}

async function checkSettings(
  client: pg.Client,
  { logger, durable = false }: OpenOptions,
): Promise<Database['settings']> {
  const result = await client.query<{ name: string; setting: string }>(
    `SELECT name, setting FROM pg_settings WHERE name IN ('synchronous_commit', 'fsync', 'full_page_writes', 'server_version', 'server_version_num')`,
  );
  const settings = new Map(result.rows.map((row) => [row.name, row.setting]));
  const version = settings.get('server_version') ?? 'unknown';
  if (Number(settings.get('server_version_num')) < 150_000)
    throw new DatabaseStartError(`PostgreSQL ${version} is too old: 15 or later is needed`);
  const synchronousCommit = settings.get('synchronous_commit') ?? 'unknown';
  if (synchronousCommit !== 'on' && synchronousCommit !== 'remote_apply') {
    throw new DatabaseStartError(
      `synchronous_commit is ${synchronousCommit}: an answered message could be lost in a power cut; set it to on for this database or role`,
    );
  }
  const fsync = settings.get('fsync') ?? 'unknown';
  const fullPageWrites = settings.get('full_page_writes') ?? 'unknown';
  if (fsync !== 'on' || fullPageWrites !== 'on') {
    const text = 'PostgreSQL does not write safely through a power cut';
    if (durable) throw new DatabaseStartError(`${text}: fsync is ${fsync}, full_page_writes is ${fullPageWrites}`);
    logger?.warn({ fsync, full_page_writes: fullPageWrites }, text);
  }
  return { version, synchronousCommit, fsync };
}

/** One process at a time; the others log what they wait for. */
async function takeMigrationLock(client: pg.Client, log: DatabaseLog | undefined): Promise<void> {
  for (let tries = 0; ; tries += 1) {
    const { rows } = await client.query<{ locked: boolean }>('SELECT pg_try_advisory_lock($1) AS locked', [
      MIGRATION_LOCK,
    ]);
    if (rows[0]?.locked === true) return;
    if (tries % MIGRATION_LOCK_TELL_EVERY === 0)
      log?.warn({}, 'another process brings the database schema up to date: waiting for it');
    await sleep(MIGRATION_LOCK_RETRY_MS);
  }
}

async function prepare(url: string, options: OpenOptions, route: Route): Promise<Database['settings']> {
  // Migrations may take long, and waiting for another process to run them too.
  const client = new pg.Client({
    ...connectionConfig(url, options, route),
    stream: () => new Socket(),
  });
  // A connection that breaks between two statements has no other listener; the next statement fails anyway.
  client.on('error', (error) => options.logger?.warn({ error: error.message }, 'database connection lost'));
  await client.connect();
  try {
    await client.query(WITHOUT_TIMEOUTS);
    // The lock of a machine that is gone is released within seconds. A build that still runs for it keeps the lock
    // until it ends.
    await client.query(SERVER_KEEPALIVE);
    const settings = await checkSettings(client, options);
    const connection = migrationConnection(client);
    if (options.migrate === false) {
      await requireSchema(connection, await readMigrations());
      return settings;
    }
    await takeMigrationLock(client, options.logger);
    const done = await migrate(connection, await readMigrations(), options.logger);
    if (done.length > 0) options.logger?.info({ migrations: done }, 'database schema brought up to date');
    await establishEpoch(connection);
    return settings;
  } finally {
    await client.end();
  }
}

class PostgresSession implements DedicatedSession {
  readonly #client: pg.Client;
  #lost: Error | undefined;
  #released = false;
  #listeners: ((reason: Error) => void)[] = [];
  /**
   * One statement at a time on the connection; the next begins when the previous one has ended, whether or not it
   * succeeded.
   */
  #queue: Promise<unknown> = Promise.resolve();

  /** Notices a lost connection, and with it the lost locks, even while no query runs. */
  readonly #pings: NodeJS.Timeout;

  constructor(client: pg.Client, pingMs: number) {
    this.#client = client;
    client.on('error', (error) => this.#lose(error));
    client.on('end', () => this.#lose(new Error('connection ended')));
    this.#pings = setInterval(() => void this.ping().catch((error: Error) => this.#lose(error)), pingMs);
    this.#pings.unref();
  }

  #lose(reason: Error): void {
    if (this.#lost !== undefined || this.#released) return;
    this.#lost = reason;
    clearInterval(this.#pings);
    for (const listener of this.#listeners) listener(reason);
  }

  async query<R>(statement: Statement, values: readonly unknown[] = []): Promise<R[]> {
    const turn = this.#queue.then(async () => {
      if (this.#lost !== undefined) throw this.#lost;
      return (await this.#client.query({ ...statement, values: [...values] })).rows as R[];
    });
    this.#queue = turn.catch(() => undefined);
    return turn;
  }

  async tryLock(key: number): Promise<boolean> {
    const [row] = await this.query<{ locked: boolean }>(
      { name: 'try-lock', text: 'SELECT pg_try_advisory_lock($1::bigint) AS locked' },
      [key],
    );
    return row?.locked === true;
  }

  async unlock(key: number): Promise<void> {
    await this.query({ name: 'unlock', text: 'SELECT pg_advisory_unlock($1::bigint)' }, [key]);
  }

  async ping(): Promise<void> {
    await this.query(PING);
  }

  onLost(listener: (reason: Error) => void): void {
    if (this.#lost === undefined) this.#listeners.push(listener);
    else listener(this.#lost);
  }

  async listen(channel: string, listener: () => void): Promise<void> {
    this.#client.on('notification', (message) => {
      if (message.channel === channel) listener();
    });
    await this.query({ name: `listen-${channel}`, text: `LISTEN ${pg.escapeIdentifier(channel)}` });
  }

  async release(): Promise<void> {
    if (this.#released) return;
    this.#released = true;
    this.#listeners = [];
    clearInterval(this.#pings);
    await this.#client.end();
  }
}

/** How soon the server itself notices that a session's machine is gone, and releases its locks. */
const SERVER_KEEPALIVE =
  'SET tcp_keepalives_idle = 1; SET tcp_keepalives_interval = 1; SET tcp_keepalives_count = 2; SET tcp_user_timeout = 3000';

/** The server ends a session that is silent for this long, in whichever state. */
function silenceBounds(ms: number): string {
  const bound = Math.round(ms);
  return ['idle_session_timeout', 'idle_in_transaction_session_timeout', 'statement_timeout']
    .map((name) => `SET ${name} = ${bound}`)
    .join('; ');
}

/** Set explicitly: the role may have its own. */
const WITHOUT_TIMEOUTS = Object.keys(TIMEOUTS)
  .map((name) => `SET ${name} = 0`)
  .join('; ');

const TIMEOUTS_AFTERWARDS = Object.entries(TIMEOUTS)
  .map(([name, ms]) => `SET ${name} = ${ms}`)
  .join('; ');

const NEEDS_DIRECT =
  'leads to a connection pooler in transaction mode (PgBouncer, or what a managed database puts in its place). ' +
  'Locks, migrations and LISTEN need connections that stay theirs';

/** @throws DatabaseStartError if locks would not hold on any configured connection; the message says what to set. */
async function findRoutes(
  url: string,
  options: OpenOptions,
): Promise<{ route: Route; direct: { url: string; route: Route } }> {
  const route = await findRoute(url, CONNECT_TIMEOUT_MS);
  const { directUrl } = options;
  if (directUrl === undefined) {
    if (route === 'transaction')
      throw new DatabaseStartError(
        `DATABASE_URL ${NEEDS_DIRECT}: leave DATABASE_URL as it is and set DATABASE_DIRECT_URL to PostgreSQL itself, or put the pooler in session mode`,
      );
    return { route, direct: { url, route } };
  }
  const direct = await findRoute(directUrl, CONNECT_TIMEOUT_MS);
  if (direct === 'transaction')
    throw new DatabaseStartError(`DATABASE_DIRECT_URL ${NEEDS_DIRECT}: set it to PostgreSQL itself`);
  return { route, direct: { url: directUrl, route: direct } };
}

export async function openPostgres(url: string, options: OpenOptions): Promise<Database> {
  const { route, direct } = await findRoutes(url, options);
  const settings = await prepare(direct.url, options, direct.route);
  const pool = new pg.Pool({
    ...connectionConfig(url, options, route),
    max: options.poolSize ?? 10,
    // Done before anybody gets the connection.
    ...(route === 'session' && {
      verify: (client: pg.ClientBase, done: (error?: Error) => void) =>
        void client.query(TIMEOUTS_AFTERWARDS).then(() => done(), done),
    }),
    idleTimeoutMillis: IDLE_TIMEOUT_MS,
  });
  // An idle connection that breaks is replaced at the next query; without a listener it would end the process.
  pool.on('error', (error) => options.logger?.warn({ error: error.message }, 'idle database connection lost'));
  // The pool listens only to idle connections. One that is lost between two statements of a transaction has no other
  // listener; its next statement fails anyway.
  pool.on('connect', (client) => {
    const lost = (error: Error): void => options.logger?.warn({ error: error.message }, 'database connection lost');
    client.on('error', lost);
  });
  const kysely = new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) });
  const query = async <R>(statement: Statement, values: readonly unknown[] = []): Promise<R[]> =>
    // A named prepared statement would be used again on a connection that does not know it.
    (await pool.query({ ...(route === 'transaction' ? { text: statement.text } : statement), values: [...values] }))
      .rows as R[];
  return {
    kind: 'postgres',
    kysely,
    settings,
    query,
    acquireSession: async (sessionOptions: SessionOptions = {}) => {
      const client = new pg.Client(connectionConfig(direct.url, options, direct.route));
      await client.connect();
      if (direct.route === 'session') await client.query(TIMEOUTS_AFTERWARDS);
      const silenceMs = sessionOptions.silenceMs;
      const session = new PostgresSession(client, Math.min(SESSION_PING_MS, (silenceMs ?? Infinity) / 3));
      const setup = [SERVER_KEEPALIVE];
      if (silenceMs !== undefined) setup.push(silenceBounds(silenceMs));
      // Without seqscan, a statement that has no index gets such a high estimated cost that it would be JIT-compiled.
      if (sessionOptions.readsByIndex === true) setup.push('SET enable_seqscan = off; SET jit = off');
      await client.query(setup.join('; '));
      return session;
    },
    ping: async () => {
      await query(PING);
    },
    close: () => kysely.destroy(),
  };
}
