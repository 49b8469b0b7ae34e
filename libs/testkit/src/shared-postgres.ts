import pg from 'pg';
import { type PostgresServer, startPostgres } from './postgres.ts';

/**
 * One PostgreSQL for all test files of a worker, started by the first that needs it: starting and stopping one takes
 * longer than most files. For tests that need only their own database; a test that kills or freezes the server,
 * configures it, or makes roles starts one with `startPostgres`. It ends with the worker.
 */
let server: Promise<PostgresServer> | undefined;
let keeper: Promise<pg.Client> | undefined;
const templates = new Map<string, Promise<string>>();
let count = 0;

function shared(): Promise<PostgresServer> {
  server ??= startPostgres().catch((error: unknown) => {
    // The next caller tries again: one failure does not make every later file fail.
    server = undefined;
    throw error;
  });
  return server;
}

async function connect(): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: (await shared()).url });
  client.on('error', () => {
    keeper = undefined;
  });
  await client.connect();
  return client;
}

/** Over one connection for all: connecting takes longer than the statements. */
async function run(statement: string): Promise<void> {
  keeper ??= connect().catch((error: unknown) => {
    keeper = undefined;
    throw error;
  });
  await (await keeper).query(statement);
}

const nameOf = (url: string): string => new URL(url).pathname.slice(1);

/** What a database is made from; `prepare` fills it once, under this name, and leaves no connection to it. */
export interface Template {
  readonly name: string;
  readonly prepare: (this: void, url: string) => Promise<void>;
}

async function fill(on: PostgresServer, { prepare }: Template): Promise<string> {
  const url = await on.createDatabase();
  await prepare(url);
  return nameOf(url);
}

/** A database of its own, empty or as its template is; answers its url. */
export async function createDatabase(template?: Template): Promise<string> {
  const on = await shared();
  if (template === undefined) return on.createDatabase();
  const { name } = template;
  const made =
    templates.get(name) ??
    fill(on, template).catch((error: unknown) => {
      templates.delete(name);
      throw error;
    });
  templates.set(name, made);
  const database = `copy_${process.pid}_${++count}`;
  const from = await made;
  // The backend of a connection that was closed may need a moment to end.
  for (let attempt = 1; ; attempt += 1) {
    try {
      // As files, of a server that waits for no disk: a third of the time of a copy by the log.
      await run(`CREATE DATABASE "${database}" TEMPLATE "${from}" STRATEGY FILE_COPY`);
      break;
    } catch (error) {
      const isInUse = error instanceof pg.DatabaseError && error.code === '55006';
      if (!isInUse || attempt >= 100) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
  const copy = new URL(on.url);
  copy.pathname = `/${database}`;
  return copy.href;
}

/** With whatever is still connected to it. */
export async function dropDatabase(url: string): Promise<void> {
  await run(`DROP DATABASE IF EXISTS "${nameOf(url)}" WITH (FORCE)`);
}
