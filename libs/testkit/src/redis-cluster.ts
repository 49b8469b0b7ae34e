import { createHash } from 'node:crypto';
import type { ManagedServer } from './managed-server.ts';
import { freePort } from './ports.ts';
import { type RedisOptions, redisCommand, startRedis } from './redis.ts';
import { until } from './wait.ts';

const SLOTS = 16_384;
/** Short, so that a test need not wait long for a failover; three times as long as a busy machine delays a process. */
const NODE_TIMEOUT_MS = 2_000;

export interface RedisClusterOptions extends Pick<RedisOptions, 'users'> {
  masters?: number;
  /** Of each master. */
  replicas?: 0 | 1;
}

/** A Redis Cluster on loopback whose masters share the slots evenly. */
export interface RedisCluster {
  readonly masters: readonly ManagedServer[];
  /** In the order of their masters. */
  readonly replicas: readonly ManagedServer[];
  /** Of the first master, with the user's name and password. */
  readonly url: string;
  /** `host:port` of all servers. */
  readonly nodes: readonly string[];
  /** Which master owned a slot when the cluster was made. */
  masterOf(slot: number): ManagedServer;
  /** On every master. */
  onEach(...command: string[]): Promise<unknown[]>;
  /** Moves a slot, with its contents, from one master to another, as an administrator's tool does. */
  moveSlot(slot: number, from: ManagedServer, to: ManagedServer): Promise<void>;
  /** Every server that runs sees all slots served. */
  whole(): Promise<void>;
  stop(): Promise<void>;
}

export async function startRedisCluster(options: RedisClusterOptions = {}): Promise<RedisCluster> {
  const { masters: count = 3, replicas: each = 0, users } = options;
  const start = async (): Promise<Node> => {
    const busPort = await freePort();
    const server = await startRedis({
      ...(users === undefined ? {} : { users }),
      args: [
        ...['--cluster-enabled', 'yes', '--cluster-port', String(busPort)],
        ...['--cluster-node-timeout', String(NODE_TIMEOUT_MS), '--cluster-replica-validity-factor', '0'],
      ],
    });
    return { server, busPort };
  };
  const nodes = await Promise.all(Array.from({ length: count * (1 + each) }, start));
  const servers = nodes.map(({ server }) => server);
  const masters = servers.slice(0, count);
  const replicas = servers.slice(count);
  const stop = async (): Promise<void> => {
    await Promise.all(servers.map((server) => server.stop()));
  };
  const firstOf = (index: number): number => Math.floor((index * SLOTS) / count);
  const cluster: RedisCluster = {
    masters,
    replicas,
    url: servers[0]?.url ?? '',
    nodes: servers.map(({ host, port }) => `${host}:${port}`),
    masterOf: (slot) => {
      const found = masters.findLast((_, index) => firstOf(index) <= slot);
      if (found === undefined) throw new RangeError(`slot ${slot}`);
      return found;
    },
    onEach: (...command) => Promise.all(masters.map(({ url }) => redisCommand(url, ...command))),
    moveSlot: (slot, from, to) => moveSlot(masters, slot, from, to),
    whole: () => whole(servers),
    stop,
  };
  try {
    await join(nodes, masters, replicas, firstOf);
    await cluster.whole();
  } catch (error) {
    await stop();
    throw error;
  }
  return cluster;
}

interface Node {
  readonly server: ManagedServer;
  readonly busPort: number;
}

async function join(
  nodes: readonly Node[],
  masters: readonly ManagedServer[],
  replicas: readonly ManagedServer[],
  firstOf: (index: number) => number,
): Promise<void> {
  await Promise.all(
    masters.map(async ({ url }, index) => {
      await redisCommand(url, 'CLUSTER', 'SET-CONFIG-EPOCH', String(index + 1));
      const range = [String(firstOf(index)), String(firstOf(index + 1) - 1)];
      await redisCommand(url, 'CLUSTER', 'ADDSLOTSRANGE', ...range);
    }),
  );
  const first = nodes[0]?.server.url ?? '';
  for (const { server, busPort } of nodes.slice(1))
    await redisCommand(first, 'CLUSTER', 'MEET', server.host, String(server.port), String(busPort));
  const all = nodes.length;
  await until(async () => (await views(nodes.map(({ server }) => server))).every((view) => view.known === all), {
    timeoutMs: 20_000,
    what: 'the servers of the cluster to know each other',
  });
  for (const [index, replica] of replicas.entries()) {
    const master = masters[index];
    if (master !== undefined) await redisCommand(replica.url, 'CLUSTER', 'REPLICATE', await idOf(master));
  }
}

interface View {
  readonly ok: boolean;
  readonly known: number;
  /** The same on all servers that agree on the owners of the slots. */
  readonly slots: string;
}

async function views(servers: readonly ManagedServer[]): Promise<View[]> {
  return Promise.all(
    servers.map(async ({ url }) => {
      const info = String(await redisCommand(url, 'CLUSTER', 'INFO'));
      const slots: unknown = await redisCommand(url, 'CLUSTER', 'SLOTS');
      const owners = (Array.isArray(slots) ? slots : []).map((range: unknown) => JSON.stringify(range)).sort();
      return {
        ok: info.includes('cluster_state:ok'),
        known: Number(/cluster_known_nodes:(\d+)/.exec(info)?.[1]),
        slots: createHash('sha1').update(owners.join('\n')).digest('hex'),
      };
    }),
  );
}

async function whole(servers: readonly ManagedServer[]): Promise<void> {
  await until(
    async () => {
      const seen = await views(servers.filter(({ running }) => running));
      return seen.every(({ ok, slots }) => ok && slots === seen[0]?.slots);
    },
    { timeoutMs: 30_000, what: 'the cluster to be whole' },
  );
}

async function idOf({ url }: ManagedServer): Promise<string> {
  return String(await redisCommand(url, 'CLUSTER', 'MYID'));
}

async function moveSlot(
  masters: readonly ManagedServer[],
  slot: number,
  from: ManagedServer,
  to: ManagedServer,
): Promise<void> {
  const [fromId, toId] = [await idOf(from), await idOf(to)];
  const set = (server: ManagedServer, ...how: string[]) =>
    redisCommand(server.url, 'CLUSTER', 'SETSLOT', String(slot), ...how);
  await set(to, 'IMPORTING', fromId);
  await set(from, 'MIGRATING', toId);
  for (;;) {
    const keys: unknown = await redisCommand(from.url, 'CLUSTER', 'GETKEYSINSLOT', String(slot), '100');
    if (!Array.isArray(keys) || keys.length === 0) break;
    const { username, password } = new URL(to.url);
    const login = password === '' ? [] : ['AUTH2', username, decodeURIComponent(password)];
    const target = [to.host, String(to.port), '', '0', '5000', ...login, 'KEYS', ...keys.map(String)];
    await redisCommand(from.url, 'MIGRATE', ...target);
  }
  // The new owner first: otherwise there would be a moment without an owner.
  for (const server of [to, from, ...masters.filter((other) => other !== to && other !== from)])
    if (server.running) await set(server, 'NODE', toId);
}
