import pg from 'pg';

/**
 * What lies between this process and PostgreSQL. `session`: something stands between, but gives each connection a server
 * process for as long as it lives. `transaction`: for a transaction only, so that nothing that belongs to a session
 * (locks, LISTEN, settings, prepared statements) is where it was left.
 */
export type Route = 'direct' | 'session' | 'transaction';

const LOOKS = 3;

async function backendOf(client: pg.Client): Promise<number> {
  const { rows } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
  const pid = rows[0]?.pid;
  if (pid === undefined) throw new Error('the server does not say which process serves');
  return pid;
}

/** Asks with settings that every pooler lets through, and with nothing that would be left behind on a shared connection. */
export async function findRoute(url: string, connectTimeoutMs: number): Promise<Route> {
  const config: pg.ClientConfig = { connectionString: url, connectionTimeoutMillis: connectTimeoutMs };
  const one = new pg.Client({ ...config, query_timeout: connectTimeoutMs });
  const other = new pg.Client({ ...config, query_timeout: connectTimeoutMs });
  // Told by the query under way as well.
  for (const client of [one, other]) client.on('error', () => undefined);
  try {
    await one.connect();
    const first = await backendOf(one);
    // A server says who it is when it greets; a pooler greets for itself.
    if (processOf(one) === first) return 'direct';
    await other.connect();
    const ones = new Set([first]);
    const others = new Set<number>();
    for (let look = 0; look < LOOKS; look += 1) {
      // While the other holds a server process, the one that had it before must be given another.
      await other.query('BEGIN');
      others.add(await backendOf(other));
      ones.add(await backendOf(one));
      await other.query('ROLLBACK');
    }
    const shared = [...ones].some((pid) => others.has(pid));
    return ones.size > 1 || others.size > 1 || shared ? 'transaction' : 'session';
  } finally {
    await Promise.all([one.end(), other.end()].map((ended) => ended.catch(() => undefined)));
  }
}

/** pg keeps it, and its types do not say so. */
function processOf(client: pg.Client): unknown {
  return 'processID' in client ? client.processID : undefined;
}
