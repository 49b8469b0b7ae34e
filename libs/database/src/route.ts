import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';

/**
 * What is between this process and PostgreSQL. `session`: a pooler that gives each connection a server process for its
 * whole life. `transaction`: a pooler that does so only for a transaction, so that nothing that belongs to a session
 * (locks, LISTEN, settings, prepared statements) persists.
 */
export type Route = 'direct' | 'session' | 'transaction';

/**
 * A pooler gives out what was given back last, or first. Two that ask in a fixed order can then be given the same two
 * again and again, once somebody else had the first one in between, as when services start together. So chance says who
 * asks first, and when: that so many looks agree by chance happens once in a million.
 */
const LOOKS = 20;
const BETWEEN_LOOKS_MS = 5;

async function backendOf(client: pg.Client): Promise<number> {
  const { rows } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
  const pid = rows[0]?.pid;
  if (pid === undefined) throw new Error('the server does not say which process serves');
  return pid;
}

/**
 * Asks with settings that every pooler lets through, and with nothing that would be left behind on a shared connection.
 */
export async function findRoute(url: string, connectTimeoutMs: number): Promise<Route> {
  const config: pg.ClientConfig = { connectionString: url, connectionTimeoutMillis: connectTimeoutMs };
  const one = new pg.Client({ ...config, query_timeout: connectTimeoutMs });
  const other = new pg.Client({ ...config, query_timeout: connectTimeoutMs });
  // The query in progress reports it as well.
  for (const client of [one, other]) client.on('error', () => undefined);
  try {
    await one.connect();
    const first = await backendOf(one);
    // A server says who it is when it greets; a pooler greets for itself.
    if (processOf(one) === first) return 'direct';
    await other.connect();
    const served = new Map([
      [one, new Set([first])],
      [other, new Set<number>()],
    ]);
    const isShared = (): boolean => {
      const [ones, others] = [...served.values()];
      if (ones === undefined || others === undefined) return false;
      return ones.size > 1 || others.size > 1 || [...ones].some((pid) => others.has(pid));
    };
    for (let look = 0; look < LOOKS && !isShared(); look += 1) {
      await sleep(Math.random() * BETWEEN_LOOKS_MS);
      const [holder, asker] = Math.random() < 0.5 ? [other, one] : [one, other];
      // While one holds a server process, the other one must be given another if they share them.
      await holder.query('BEGIN');
      for (const client of [holder, asker]) served.get(client)?.add(await backendOf(client));
      await holder.query('ROLLBACK');
    }
    return isShared() ? 'transaction' : 'session';
  } finally {
    await Promise.all([one.end(), other.end()].map((ended) => ended.catch(() => undefined)));
  }
}

/** pg keeps it, and its types do not say so. */
function processOf(client: pg.Client): unknown {
  return 'processID' in client ? client.processID : undefined;
}
