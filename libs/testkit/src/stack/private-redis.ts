import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { REDIS_USERS, type RedisUser, redisUrlAs, redisUsersFile } from '@chat-realtime/messaging/redis';
import type { ManagedServer } from '../managed-server.ts';
import { startRedis } from '../redis.ts';
import { type RedisCluster, startRedisCluster } from '../redis-cluster.ts';

export interface PrivateRedis extends ManagedServer {
  /** The address for each part of the product, with its own user. */
  readonly urls: Readonly<Record<RedisUser, string>>;
  /** Null for a single server; else this is the first master. */
  readonly cluster: RedisCluster | null;
}

const password = (): string => randomBytes(24).toString('base64url');

/** Redis with the product's own users: the tests run with what an administrator deploys. */
export async function startPrivateRedis(root: string, prefix = '', masters = 0): Promise<PrivateRedis> {
  const passwords = { gateway: password(), dispatcher: password(), telegram: password(), admin: password() };
  const template = readFileSync(join(root, 'deploy/redis/users.acl.template'), 'utf8');
  const file = redisUsersFile(template, passwords, prefix);
  const users = { file, user: REDIS_USERS.admin, password: passwords.admin };
  const cluster = masters > 0 ? await startRedisCluster({ masters, users }) : null;
  const server = cluster?.masters[0] ?? (await startRedis({ users }));
  const urlFor = (user: RedisUser): string => redisUrlAs(server.url, user, passwords[user]);
  const urls = {
    gateway: urlFor('gateway'),
    dispatcher: urlFor('dispatcher'),
    telegram: urlFor('telegram'),
    admin: urlFor('admin'),
  };
  // The server's own properties are accessors, so it is extended and not copied.
  return Object.assign(server, { urls, cluster });
}
