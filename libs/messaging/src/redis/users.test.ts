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
import { connectRedisStream } from './stream.ts';
import { REDIS_USERS, type RedisUser, RedisUsersError, redisUrlAs, redisUsersFile } from './users.ts';

const TEMPLATE = readFileSync(new URL('../../../../deploy/redis/users.acl.template', import.meta.url), 'utf8');
/** Contains pattern characters, which must be taken literally in the users' rights. */
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

const staffStream = () => {
  const reader = connectRedisStream({ ...connection('telegram'), group: 'telegram-bot', consumer: 'one' });
  return Object.assign(reader, {
    close: (
      (end) => async () =>
        end()
    )(reader.close),
  });
};
/** The first read creates the group, as soon as there is a connection. */
const begun = (reader: { read(): Promise<{ begun: boolean }> }) =>
  until(
    () =>
      reader.read().then(
        ({ begun: isMade }) => isMade,
        () => false,
      ),
    DETECTION,
  );
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

  it('[RDS9] lets the gateway subscribe, publish and record marks; the dispatcher publish, append and set TTLs', async () => {
    const gateway = keep(connectRedisFanout(connection('gateway')));
    const dispatcher = keep(connectRedisFanout(connection('dispatcher')));
    const marks = keep(createRedisLastSeen(connection('gateway')));
    const lastSeen = keep(createRedisLastSeen(connection('dispatcher')));
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
    expect(await lastSeen.sweep()).toBe(1);
    expect(await refusals()).toEqual([]);
  });

  it('[RDS9] lets the bot read the staff stream as a group, and report who is on duty', async () => {
    const stream = keep(staffStream());
    await begun(stream);
    await command('dispatcher', 'XADD', `${PREFIX}chat:staff:stream`, 'MAXLEN', '~', '10', '*', 'frame', '{}');
    const { entries } = await stream.read();
    expect(entries).toEqual([{ id: expect.stringMatching(/^\d+-\d+$/), frame: '{}' }]);
    await stream.ack(entries.map(({ id }) => id));
    const fanout = keep(connectRedisFanout(connection('telegram')));
    await until(() => fanout.connected, DETECTION);
    await publishTo(fanout, 'chat:control', '{}');
    expect(await refusals()).toEqual([]);
  });
});

describe('a right of a user is used by its service', () => {
  /** Commands used only on a cluster: `npm run campaign -- cluster-and-queues` runs the services over one, as these users. */
  const OF_A_CLUSTER = ['cluster|slots', 'ssubscribe', 'sunsubscribe', 'spublish'];
  const rightsOf = (user: RedisUser): string[] => {
    const line = TEMPLATE.split('\n').find((text) => text.startsWith(`user ${REDIS_USERS[user]} `)) ?? '';
    return [...line.matchAll(/\+([a-z|]+)/g)]
      .map(([, name = '']) => name)
      .filter((name) => !OF_A_CLUSTER.includes(name));
  };
  /** All commands since the last reset, including those in scripts; their user is unknown, so one service runs at a time. */
  const run = async (): Promise<Set<string>> => {
    const stats = JSON.parse(await command('admin', 'INFO', 'commandstats')) as string;
    return new Set([...stats.matchAll(/^cmdstat_([a-z|]+):calls=[1-9]/gm)].map(([, name = '']) => name));
  };
  /** A link pings once in a second. */
  const pinged = () => until(async () => (await run()).has('ping'), DETECTION);

  const SERVICES: Readonly<Record<'gateway' | 'dispatcher' | 'telegram', () => Promise<void>>> = {
    gateway: async () => {
      const leases = keep(createRedisLeases({ ...connection('gateway'), heartbeatSeconds: 0.3 }));
      await until(() => leases.mode === 'cluster', DETECTION);
      const group = { key: 'operators', member: '7', limit: 1 };
      await leases.acquire({ key: 'staff:7', limit: 1, holder: 'a', group });
      await leases.setStale('staff:7', 'a', true);
      await leases.acquire({ key: 'staff:7', limit: 1, holder: 'b', group });
      // Of another instance, whose heartbeat is looked for.
      const elsewhere = keep(createRedisLeases({ ...connection('gateway'), heartbeatSeconds: 0.3 }));
      await until(() => elsewhere.mode === 'cluster', DETECTION);
      await elsewhere.acquire({ key: 'staff:7', limit: 1, holder: 'c', group });
      await leases.release('staff:7', 'b');
      await leases.close();
      const fanout = keep(connectRedisFanout(connection('gateway')));
      await until(() => fanout.connected, DETECTION);
      const heard = recorder();
      await fanout.subscribe('chat:staff', heard.listener);
      await publishTo(fanout, 'chat:staff', 'from the gateway');
      await fanout.unsubscribe('chat:staff', heard.listener);
      const marks = keep(createRedisLastSeen(connection('gateway')));
      await until(() => marks.record([{ sessionId: 1, participant: 'client', lastId: 5, at: 1 }]).then(() => true));
    },
    dispatcher: async () => {
      const fanout = keep(connectRedisFanout(connection('dispatcher')));
      await until(() => fanout.connected, DETECTION);
      await publishTo(fanout, 'chat:1', 'from the dispatcher');
      const [stream, field] = ['chat:staff:stream', 'frame'];
      const payload = '{"type":"chat.message","session_id":1,"seq":1}';
      await fanout.execute([
        { kind: 'append', stream, field, payload, maxLength: 10 },
        { kind: 'scrub', stream, field, sessionId: 1, throughSeq: 5 },
      ]);
      // Made by somebody else, without a lifetime.
      await command('admin', 'HMSET', `${PREFIX}chat:last_seen:1`, 'client', '5');
      const lastSeen = keep(createRedisLastSeen(connection('dispatcher')));
      await until(() => lastSeen.sweep().then((mended) => mended === 1), DETECTION);
    },
    telegram: async () => {
      const stream = keep(staffStream());
      await begun(stream);
      await command('admin', 'XADD', `${PREFIX}chat:staff:stream`, '*', 'frame', '{}');
      const { entries } = await stream.read();
      await stream.ack(entries.map(({ id }) => id));
      const fanout = keep(connectRedisFanout(connection('telegram')));
      await until(() => fanout.connected, DETECTION);
      await publishTo(fanout, 'chat:control', '{}');
    },
  };

  it.each(['gateway', 'dispatcher', 'telegram'] as const)('[RDS9] the %s has no unused right', async (user) => {
    await command('admin', 'CONFIG', 'RESETSTAT');
    await command('admin', 'SCRIPT', 'FLUSH');
    await SERVICES[user]();
    await pinged();
    const done = await run();
    expect(rightsOf(user).length).toBeGreaterThan(4);
    expect(rightsOf(user).filter((name) => !done.has(name))).toEqual([]);
    expect(await refusals()).toEqual([]);
  });
});

describe('what a service does not do in Redis, its user may not do', () => {
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
    ['gateway', 'HGETALL', key('chat:elsewhere')],
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
    ['telegram', 'SET', key('chat:telegram:offset'), '1'],
    ['telegram', 'XPENDING', key('chat:staff:stream'), 'telegram-bot'],
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
  it('[RDS9] contains no password and no comment', () => {
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
