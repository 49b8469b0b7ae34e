import { readFileSync } from 'node:fs';
import { type RedisCluster, redisCommand, startRedisCluster, until } from '@chat-realtime/testkit';
import type { Fanout } from '../ports/fanout.ts';
import type { LastSeen } from '../ports/last-seen.ts';
import type { Leases } from '../ports/leases.ts';
import { connectRedisFanout, type RedisFanoutOptions } from '../redis/fanout.ts';
import { createRedisLastSeen } from '../redis/last-seen.ts';
import { createRedisLeases } from '../redis/leases.ts';
import { slotOf } from '../redis/slots.ts';
import { REDIS_USERS, type RedisUser, redisUrlAs, redisUsersFile } from '../redis/users.ts';
import { testLogger } from './samples.ts';

const TEMPLATE = readFileSync(new URL('../../../../deploy/redis/users.acl.template', import.meta.url), 'utf8');
const PASSWORDS = { gateway: 'g1', dispatcher: 'd2', telegram: 't3', admin: 'a4' };

export const PREFIX = 'p[1]:';
export const DETECTION = { timeoutMs: 60_000 };

/** A cluster with the product's own users, and adapters on it that `closeAll` ends. */
export class ClusterUnderTest {
  readonly cluster: RedisCluster;
  readonly #open: { close(): unknown }[] = [];

  static async start(replicas: 0 | 1 = 0): Promise<ClusterUnderTest> {
    const file = redisUsersFile(TEMPLATE, PASSWORDS, PREFIX);
    const users = { file, user: REDIS_USERS.admin, password: PASSWORDS.admin };
    return new ClusterUnderTest(await startRedisCluster({ replicas, users }));
  }

  private constructor(cluster: RedisCluster) {
    this.cluster = cluster;
  }

  keep<T extends { close(): unknown }>(adapter: T): T {
    this.#open.push(adapter);
    return adapter;
  }

  async closeAll(): Promise<void> {
    await Promise.all(this.#open.splice(0).map((adapter) => adapter.close()));
  }

  urlAs(user: RedisUser): string {
    return redisUrlAs(this.cluster.url, user, PASSWORDS[user]);
  }

  options(user: RedisUser = 'admin'): RedisFanoutOptions & { readonly clusterNodes: readonly string[] } {
    return { url: this.urlAs(user), clusterNodes: this.cluster.nodes, prefix: PREFIX, logger: testLogger };
  }

  fanout(user?: RedisUser): Fanout {
    return this.keep(connectRedisFanout(this.options(user)));
  }

  lastSeen(user?: RedisUser): LastSeen {
    return this.keep(createRedisLastSeen({ ...this.options(user), ttlSeconds: 100 }));
  }

  async leases(user?: RedisUser): Promise<Leases> {
    const leases = this.keep(createRedisLeases({ ...this.options(user), heartbeatSeconds: 1 }));
    await until(() => leases.mode === 'cluster', DETECTION);
    return leases;
  }

  /** On the master that had the key's slot at the beginning; the key without its prefix. */
  command(key: string, ...args: string[]): Promise<unknown> {
    return redisCommand(this.cluster.masterOf(slotOf(PREFIX + key)).url, ...args);
  }
}
