import { lastSeenKey } from '@chat-realtime/protocol';
import type { MessagingLogger } from '../logger.ts';
import { UnavailableError } from '../errors.ts';
import type { LastSeen, LastSeenEntry } from '../ports/last-seen.ts';
import { RedisLink } from './link.ts';
import { RedisScript } from './script.ts';

const SCAN_COUNT = 500;
const AT_SUFFIX = ':at';

/** KEYS[1] hash; ARGV[1] TTL in seconds, then field, id, unix ms for each mark. Ids stay text: Lua prints large numbers in short. */
const RECORD = new RedisScript(`
for i = 2, #ARGV, 3 do
  local known = redis.call('HGET', KEYS[1], ARGV[i])
  if not known or tonumber(ARGV[i + 1]) > tonumber(known) then
    redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1], ARGV[i] .. ':at', ARGV[i + 2])
  end
end
redis.call('EXPIRE', KEYS[1], ARGV[1])
return 1
`);

export interface RedisLastSeenOptions {
  readonly url: string;
  readonly prefix?: string;
  readonly ttlSeconds?: number;
  readonly logger: MessagingLogger;
}

class RedisLastSeen implements LastSeen {
  readonly #prefix: string;
  readonly #ttlSeconds: string;
  readonly #link: RedisLink;

  constructor({ url, prefix = '', ttlSeconds = 86_400, logger }: RedisLastSeenOptions) {
    this.#prefix = prefix;
    this.#ttlSeconds = String(ttlSeconds);
    this.#link = new RedisLink({ url, name: 'chat-last-seen', logger });
  }

  async record(entries: readonly LastSeenEntry[]): Promise<void> {
    const client = this.#link.require();
    const bySession = new Map<number, string[]>();
    for (const { sessionId, participant, lastId, at } of entries) {
      const mark = [participant, String(lastId), String(at)];
      const marks = bySession.get(sessionId);
      if (marks === undefined) bySession.set(sessionId, mark);
      else marks.push(...mark);
    }
    await this.#reachable(
      Promise.all(
        [...bySession].map(([sessionId, marks]) =>
          RECORD.run(client, [this.#key(sessionId)], [this.#ttlSeconds, ...marks]),
        ),
      ),
    );
  }

  async read(sessionId: number): Promise<readonly LastSeenEntry[]> {
    const fields = await this.#reachable(this.#link.require().hGetAll(this.#key(sessionId)));
    const entries: LastSeenEntry[] = [];
    for (const [participant, lastId] of Object.entries(fields)) {
      // A user id may itself end like a time field; only a mark has its own time beside it.
      const at = fields[participant + AT_SUFFIX];
      if (at !== undefined) entries.push({ sessionId, participant, lastId: Number(lastId), at: Number(at) });
    }
    return entries;
  }

  async sweep(): Promise<number> {
    const client = this.#link.require();
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

  async close(): Promise<void> {
    this.#link.close();
  }

  #key(sessionId: number): string {
    return this.#prefix + lastSeenKey(sessionId);
  }

  async #reachable<T>(call: Promise<T>): Promise<T> {
    try {
      return await call;
    } catch (error) {
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
