import { readFileSync } from 'node:fs';
import { type ManagedServer, redisCommand, startRedis, until } from '@chat-realtime/testkit';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { recorder, publishTo } from '../testing/fanout-suite.ts';
import { lastSeenSuite } from '../testing/last-seen-suite.ts';
import { leasesSuite } from '../testing/leases-suite.ts';
import { testLogger } from '../testing/samples.ts';
import { connectRedisFanout } from './fanout.ts';
import { createRedisLastSeen } from './last-seen.ts';
import { createRedisLeases } from './leases.ts';
import { REDIS_USERS, type RedisUser, RedisUsersError, redisUrlAs, redisUsersFile } from './users.ts';

const TEMPLATE = readFileSync(new URL('../../../../deploy/redis/users.acl.template', import.meta.url), 'utf8');
/** With signs of a pattern in it, so that the users' rights stay with the prefix as it is written. */
const PREFIX = 'p[1]*:';
const PASSWORDS = { gateway: 'g@/:#1', dispatcher: 'd2', telegram: 't3', admin: 'a4' };
const DETECTION = { timeoutMs: 15_000 };

let server: ManagedServer;
const open: { close(): Promise<void> }[] = [];
const as = (user: RedisUser): string => redisUrlAs(server.url, user, PASSWORDS[user]);

beforeAll(async () => {
  const file = redisUsersFile(TEMPLATE, PASSWORDS, PREFIX);
  server = await startRedis({ users: { file, user: REDIS_USERS.admin, password: PASSWORDS.admin } });
});
afterAll(() => server.stop());
beforeEach(async () => {
  await command('admin', 'FLUSHALL');
  await command('admin', 'ACL', 'LOG', 'RESET');
});
afterEach(closeAll);

function keep<T extends { close(): Promise<void> }>(adapter: T): T {
  open.push(adapter);
  return adapter;
}
async function closeAll(): Promise<void> {
  await Promise.all(open.splice(0).map((adapter) => adapter.close()));
}

/** The answer as JSON, or the first word of the refusal. */
async function command(user: RedisUser | 'nobody', ...args: string[]): Promise<string> {
  const url = user === 'nobody' ? `redis://127.0.0.1:${server.port}` : as(user);
  try {
    return JSON.stringify(await redisCommand(url, ...args));
  } catch (error) {
    return error instanceof Error ? (error.message.split(' ')[0] ?? '') : String(error);
  }
}

/** What Redis has refused since the last reset. */
async function refusals(): Promise<string[]> {
  const entries: unknown = JSON.parse(await command('admin', 'ACL', 'LOG'));
  if (!Array.isArray(entries)) throw new Error(`ACL LOG answered ${String(entries)}`);
  return entries.map((entry) => JSON.stringify(entry));
}

const connection = (user: RedisUser) => ({ url: as(user), prefix: PREFIX, logger: testLogger });

describe('what each service does in Redis, its own user may do', () => {
  leasesSuite('redis, as the gateway', async () => {
    const leases = keep(createRedisLeases({ ...connection('gateway'), heartbeatSeconds: 1 }));
    await until(() => leases.mode === 'cluster', DETECTION);
    return { leases, cleanUp: closeAll };
  });

  it('[RDS9] lets the gateway keep, mark, release and renew leases without a refusal', async () => {
    const leases = keep(createRedisLeases({ ...connection('gateway'), heartbeatSeconds: 0.3 }));
    await until(() => leases.mode === 'cluster', DETECTION);
    const group = { key: 'operators', member: '7', limit: 1 };
    await leases.acquire({ key: 'staff:7', limit: 1, holder: 'a', group });
    await leases.setStale('staff:7', 'a', true);
    expect(await leases.acquire({ key: 'staff:7', limit: 1, holder: 'b', group })).toEqual({
      kind: 'granted',
      displaced: ['a'],
    });
    // Emptied, so that the heartbeat registers all of them again.
    await command('admin', 'FLUSHALL');
    await until(async () => (await command('admin', 'EXISTS', `${PREFIX}chat:lease:key:staff:7`)) === '1', DETECTION);
    await leases.release('staff:7', 'b');
    await leases.close();
    expect(await refusals()).toEqual([]);
  });

  lastSeenSuite('redis, as people who may read it', async () => {
    const lastSeen = keep(createRedisLastSeen(connection('admin')));
    await until(() => lastSeen.read(1).then(() => true));
    return { lastSeen, cleanUp: closeAll };
  });

  it('[RDS9] lets the gateway subscribe, publish and record marks; the dispatcher publish, append and sweep', async () => {
    const gateway = keep(connectRedisFanout(connection('gateway')));
    const dispatcher = keep(connectRedisFanout(connection('dispatcher')));
    const marks = keep(createRedisLastSeen(connection('gateway')));
    const sweeper = keep(createRedisLastSeen(connection('dispatcher')));
    await until(() => gateway.connected && dispatcher.connected, DETECTION);
    const heard = recorder();
    const channels = ['chat:1', 'chat:9007199254740991', 'chat:staff', 'chat:control'];
    for (const channel of channels) await gateway.subscribe(channel, heard.listener);
    for (const channel of channels) {
      await publishTo(gateway, channel, 'from the gateway');
      await publishTo(dispatcher, channel, 'from the dispatcher');
    }
    await dispatcher.execute([
      { kind: 'append', stream: 'chat:staff:stream', field: 'frame', payload: '{}', maxLength: 10 },
      { kind: 'scrub', stream: 'chat:staff:stream', field: 'frame', sessionId: 1, throughSeq: 5 },
    ]);
    await until(() => heard.texts.length === 2 * channels.length);
    for (const channel of channels) await gateway.unsubscribe(channel, heard.listener);
    await until(() => marks.record([{ sessionId: 1, participant: 'client', lastId: 5, at: 1 }]).then(() => true));
    await command('admin', 'PERSIST', `${PREFIX}chat:last_seen:1`);
    expect(await sweeper.sweep()).toBe(1);
    expect(await refusals()).toEqual([]);
  });

  it('[RDS9] lets the bot read the staff stream as a group, keep notes of its own, and tell who is on duty', async () => {
    const stream = `${PREFIX}chat:staff:stream`;
    const note = `${PREFIX}chat:telegram:offset`;
    expect(await command('telegram', 'XGROUP', 'CREATE', stream, 'telegram-bot', '$', 'MKSTREAM')).toBe('"OK"');
    await command('dispatcher', 'XADD', stream, 'MAXLEN', '~', '10', '*', 'frame', '{}');
    const read = ['XREADGROUP', 'GROUP', 'telegram-bot', 'one', 'COUNT', '10', 'STREAMS', stream, '>'];
    const id = /\d+-\d+/.exec(await command('telegram', ...read))?.[0] ?? '';
    expect(await command('telegram', 'XPENDING', stream, 'telegram-bot')).toContain(id);
    expect(await command('telegram', 'XAUTOCLAIM', stream, 'telegram-bot', 'two', '0', '0')).toContain(id);
    expect(await command('telegram', 'XACK', stream, 'telegram-bot', id)).toBe('1');
    expect(await command('telegram', 'SET', note, '7', 'PX', '1000')).toBe('"OK"');
    expect(await command('telegram', 'GET', note)).toBe('"7"');
    expect(await command('telegram', 'PUBLISH', `${PREFIX}chat:control`, '{}')).toBe('0');
    expect(await refusals()).toEqual([]);
  });
});

describe('what a service does not do in Redis, its user may not', () => {
  const key = (name: string): string => PREFIX + name;
  const FORBIDDEN: readonly (readonly [RedisUser | 'nobody', ...string[]])[] = [
    ['nobody', 'PING'],
    ['nobody', 'PUBLISH', key('chat:1'), '{}'],
    ['nobody', 'SUBSCRIBE', key('chat:1')],
    // The names of other deployments, and what the prefix would match as a pattern.
    ['gateway', 'PUBLISH', 'chat:1', '{}'],
    ['gateway', 'PUBLISH', 'p1xx:chat:1', '{}'],
    ['gateway', 'SET', 'p1xx:chat:lease:gateway:x', '1'],
    ['gateway', 'PUBLISH', key('chat:other'), '{}'],
    ['gateway', 'SUBSCRIBE', key('other')],
    ['gateway', 'PSUBSCRIBE', '*'],
    ['gateway', 'XADD', key('chat:staff:stream'), '*', 'frame', '{}'],
    ['gateway', 'XRANGE', key('chat:staff:stream'), '-', '+'],
    ['gateway', 'GET', key('chat:lease:gateway:x')],
    ['gateway', 'HGETALL', key('chat:telegram:notes')],
    ['gateway', 'SCAN', '0'],
    ['gateway', 'EVAL', "return redis.call('GET', KEYS[1])", '1', key('chat:lease:x')],
    ['gateway', 'EVAL', "return redis.call('SET', 'elsewhere', '1')", '0'],
    ['gateway', 'EVAL', "return redis.call('FLUSHALL')", '0'],
    ['dispatcher', 'SUBSCRIBE', key('chat:1')],
    ['dispatcher', 'PUBLISH', key('chat:other'), '{}'],
    ['dispatcher', 'XREAD', 'STREAMS', key('chat:staff:stream'), '0'],
    ['dispatcher', 'XREADGROUP', 'GROUP', 'g', 'c', 'STREAMS', key('chat:staff:stream'), '>'],
    ['dispatcher', 'HGETALL', key('chat:last_seen:1')],
    ['dispatcher', 'EXPIRE', key('chat:lease:key:x'), '1'],
    ['dispatcher', 'SET', key('chat:last_seen:1'), '1'],
    ['dispatcher', 'EVAL', "return redis.call('GET', KEYS[1])", '1', key('chat:staff:stream')],
    ['dispatcher', 'EVAL', "return redis.call('HGETALL', 'chat:lease:x')", '0'],
    ['telegram', 'PUBLISH', key('chat:staff'), '{}'],
    ['telegram', 'SUBSCRIBE', key('chat:staff')],
    ['telegram', 'XADD', key('chat:staff:stream'), '*', 'frame', '{}'],
    ['telegram', 'DEL', key('chat:staff:stream')],
    ['telegram', 'GET', key('chat:last_seen:1')],
    ['telegram', 'XREADGROUP', 'GROUP', 'g', 'c', 'STREAMS', key('chat:other:stream'), '>'],
    ['telegram', 'EVAL', 'return 1', '0'],
    ...(['gateway', 'dispatcher', 'telegram'] as const).flatMap((user) =>
      [['FLUSHALL'], ['CONFIG', 'GET', '*'], ['KEYS', '*'], ['ACL', 'LIST'], ['SHUTDOWN'], ['MONITOR']]
        .concat([
          ['SCRIPT', 'FLUSH'],
          ['CLIENT', 'LIST'],
          ['REPLICAOF', 'NO', 'ONE'],
          ['FUNCTION', 'FLUSH'],
        ])
        .map((args): readonly [RedisUser, ...string[]] => [user, ...args]),
    ),
  ];

  it.each(FORBIDDEN.map(([user, ...args]) => ({ user, args, line: args.join(' ') })))(
    '[RDS9] refuses $user: $line',
    async ({ user, args }) => {
      expect(await command(user, ...args)).toMatch(user === 'nobody' ? /^NOAUTH$/ : /^(?:NOPERM|ERR)$/);
      if (user !== 'nobody') expect(await refusals()).not.toEqual([]);
    },
  );
});

describe('the users file', () => {
  it('[RDS9] holds no password and no line of explanation', () => {
    const file = redisUsersFile(TEMPLATE, PASSWORDS);
    expect(file).not.toContain(PASSWORDS.gateway);
    expect(file.split('\n').filter((line) => line !== '' && !line.startsWith('user '))).toEqual([]);
  });

  it('[RDS9] refuses a prefix that would end a word of it', () => {
    expect(() => redisUsersFile(TEMPLATE, PASSWORDS, 'a b:')).toThrow(RedisUsersError);
  });

  it('[RDS9] names every user that a service signs in with', () => {
    const users = [...redisUsersFile(TEMPLATE, PASSWORDS).matchAll(/^user (\S+) on /gm)].map(([, name]) => name);
    expect(users).toEqual(Object.values(REDIS_USERS));
  });
});
