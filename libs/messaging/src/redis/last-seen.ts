import { EPOCH_KEY, lastSeenKey } from '@chat-realtime/protocol';
import type { MessagingLogger } from '../logger.ts';
import { UnavailableError } from '../errors.ts';
import type { LastSeen, LastSeenEntry } from '../ports/last-seen.ts';
import type { RedisClient } from './link.ts';
import { RedisScript } from './script.ts';
import { connectServers, isCluster, type RedisPlace, type RedisServers } from './servers.ts';

const SCAN_COUNT = 500;
const AT_SUFFIX = ':at';

/** KEYS[1] the database; ARGV its epoch, unix ms, '1' if the caller has recorded marks of another one. */
const BEGIN = new RedisScript(`
if ARGV[3] == '1' or redis.call('HGET', KEYS[1], 'id') ~= ARGV[1] then
  redis.call('HSET', KEYS[1], 'id', ARGV[1], 'since', ARGV[2])
end
return 1
`);

/**
 * KEYS[1] hash, KEYS[2] the database, if one server has both; ARGV[1] TTL in seconds, ARGV[2] the time since which this
 * database is current, if not; then field, id, unix ms for each mark. An earlier mark belongs to another database, and
 * its larger id to another message. Ids stay text: Lua shortens large numbers.
 */
const RECORD = new RedisScript(`
local since = tonumber(KEYS[2] and redis.call('HGET', KEYS[2], 'since') or ARGV[2])
for i = 3, #ARGV, 3 do
  local known = redis.call('HGET', KEYS[1], ARGV[i])
  local at = tonumber(known and redis.call('HGET', KEYS[1], ARGV[i] .. ':at') or '0')
  if not known or at < since or tonumber(ARGV[i + 1]) > tonumber(known) then
    redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1], ARGV[i] .. ':at', ARGV[i + 2])
  end
end
redis.call('EXPIRE', KEYS[1], ARGV[1])
return 1
`);

export interface RedisLastSeenOptions extends RedisPlace {
  readonly prefix?: string;
  readonly ttlSeconds?: number;
  readonly logger: MessagingLogger;
}

class RedisLastSeen implements LastSeen {
  readonly #prefix: string;
  readonly #ttlSeconds: string;
  readonly #servers: RedisServers;
  readonly #isCluster: boolean;

  constructor({ prefix = '', ttlSeconds = 86_400, logger, ...place }: RedisLastSeenOptions) {
    this.#prefix = prefix;
    this.#ttlSeconds = String(ttlSeconds);
    this.#isCluster = isCluster(place);
    this.#servers = connectServers(place, 'chat-last-seen', logger);
  }

  async begin(epoch: string, changed: boolean): Promise<void> {
    const now = String(Date.now());
    await this.#reachable(
      BEGIN.run(this.#servers.require(this.#epochKey), [this.#epochKey], [epoch, now, changed ? '1' : '0']),
    );
  }

  async record(entries: readonly LastSeenEntry[]): Promise<void> {
    const bySession = new Map<number, string[]>();
    for (const { sessionId, participant, lastId, at } of entries) {
      const mark = [participant, String(lastId), String(at)];
      const marks = bySession.get(sessionId);
      if (marks === undefined) bySession.set(sessionId, mark);
      else marks.push(...mark);
    }
    // In a cluster the two keys are in different slots. A change of the database in between costs a mark, until the
    // next ack.
    const since = this.#isCluster ? await this.#since() : 0;
    const further = this.#isCluster ? [] : [this.#epochKey];
    const calls = [...bySession].map(([sessionId, marks]) => {
      const key = this.#key(sessionId);
      return { key, marks, client: this.#servers.require(key) };
    });
    await this.#reachable(
      Promise.all(
        calls.map(({ key, marks, client }) =>
          RECORD.run(client, [key, ...further], [this.#ttlSeconds, String(since), ...marks]),
        ),
      ),
    );
  }

  async read(sessionId: number): Promise<readonly LastSeenEntry[]> {
    const key = this.#key(sessionId);
    const client = this.#servers.require(key);
    const [fields, since] = await this.#reachable(Promise.all([client.hGetAll(key), this.#since()]));
    const entries: LastSeenEntry[] = [];
    for (const [participant, lastId] of Object.entries(fields)) {
      // A user id may itself end like a time field; only a mark has its time beside it.
      const at = fields[participant + AT_SUFFIX];
      if (at !== undefined && Number(at) >= since)
        entries.push({ sessionId, participant, lastId: Number(lastId), at: Number(at) });
    }
    return entries;
  }

  async sweep(): Promise<number> {
    let repaired = 0;
    for (const client of this.#servers.all()) repaired += await this.#sweepOne(client);
    return repaired;
  }

  async close(): Promise<void> {
    this.#servers.close();
  }

  async #sweepOne(client: RedisClient): Promise<number> {
    const pattern = `${escapeGlob(this.#prefix)}chat:last_seen:*`;
    let cursor = '0';
    let repaired = 0;
    do {
      const page = await this.#reachable(client.scan(cursor, { MATCH: pattern, COUNT: SCAN_COUNT }));
      cursor = page.cursor;
      const answers = await this.#reachable(
        Promise.all(page.keys.map((key) => client.sendCommand(['EXPIRE', key, this.#ttlSeconds, 'NX']))),
      );
      for (const answer of answers) if (Number(answer) === 1) repaired += 1;
    } while (cursor !== '0');
    return repaired;
  }

  /** Since when this database has been used, in unix ms; 0 if unknown. */
  async #since(): Promise<number> {
    const client = this.#servers.require(this.#epochKey);
    return Number((await this.#reachable(client.hGet(this.#epochKey, 'since'))) ?? 0);
  }

  get #epochKey(): string {
    return this.#prefix + EPOCH_KEY;
  }

  #key(sessionId: number): string {
    return this.#prefix + lastSeenKey(sessionId);
  }

  async #reachable<T>(call: Promise<T>): Promise<T> {
    try {
      return await call;
    } catch (error) {
      this.#servers.failed(error);
      throw new UnavailableError('redis', { cause: error });
    }
  }
}

function escapeGlob(text: string): string {
  return text.replace(/[\\*?[\]]/g, '\\$&');
}

export function createRedisLastSeen(options: RedisLastSeenOptions): LastSeen {
  return new RedisLastSeen(options);
}
