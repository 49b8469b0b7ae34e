import { randomUUID } from 'node:crypto';
import { toError } from '../errors.ts';
import { type LeaseEntry, LeaseTable } from '../lease-table.ts';
import type { MessagingLogger } from '../logger.ts';
import type { LeaseRequest, LeaseResult, Leases } from '../ports/leases.ts';
import { ACQUIRE, RELEASE, SET_STALE } from './lease-scripts.ts';
import type { RedisClient } from './link.ts';
import { connectToKey, isCluster, type KeyLink, type RedisPlace } from './servers.ts';

/** A new connection waits for Redis no longer than this; then this instance decides alone. */
const DECISION_DEADLINE_MS = 1_000;
/** Keys outlive their last registration by this much, so that those of crashed gateways do not stay forever. */
const KEY_TTL_MS = 3_600_000;
/** How often everything is registered again without a cause: the TTL is refreshed, and evicted keys return. */
const REFRESH_MS = 600_000;
const REGISTER_BATCH = 500;

export interface RedisLeasesOptions extends RedisPlace {
  readonly prefix?: string;
  readonly heartbeatSeconds?: number;
  readonly logger: MessagingLogger;
}

class RedisLeases implements Leases {
  /** Not the gateway's name: a gateway that restarts is another owner, and its old slots are free. */
  readonly #owner = randomUUID();
  readonly #table = new LeaseTable();
  readonly #link: KeyLink;
  readonly #logger: MessagingLogger;
  readonly #heartbeatPrefix: string;
  readonly #keyPrefix: string;
  readonly #groupPrefix: string;
  readonly #scriptKeys: readonly string[];
  readonly #heartbeatMs: number;
  readonly #heartbeatTimer: NodeJS.Timeout;
  /** Released while Redis was unavailable, or granted too late there: to be removed when it is back. */
  readonly #orphans = new Map<string, string>();
  #registered = false;
  #registeredAt = Number.NEGATIVE_INFINITY;
  #closed = false;

  constructor({ prefix = '', heartbeatSeconds = 5, logger, ...place }: RedisLeasesOptions) {
    // One script reads keys, groups and heartbeats, so in a cluster all of them are in one slot.
    const leases = isCluster(place) ? `${prefix}chat:lease:{leases}:` : `${prefix}chat:lease:`;
    this.#heartbeatPrefix = `${leases}gateway:`;
    this.#keyPrefix = `${leases}key:`;
    this.#groupPrefix = `${leases}group:`;
    // Passed to the scripts, so that a server that no longer has the slot says so.
    this.#scriptKeys = isCluster(place) ? [this.#heartbeatPrefix + this.#owner] : [];
    this.#heartbeatMs = heartbeatSeconds * 1_000;
    this.#logger = logger;
    this.#link = connectToKey(place, this.#heartbeatPrefix, {
      name: 'chat-leases',
      logger,
      setup: (client) => this.#register(client),
      onLost: () => {
        this.#registered = false;
      },
    });
    this.#heartbeatTimer = setInterval(() => void this.#beat(), this.#heartbeatMs / 3);
  }

  get mode(): 'cluster' | 'local' {
    return this.#registered && this.#link.client !== null ? 'cluster' : 'local';
  }

  async acquire(request: LeaseRequest): Promise<LeaseResult> {
    const client = this.#link.client;
    if (client === null || !this.#registered) return this.#table.acquire(request);
    const call = this.#acquireInCluster(client, request);
    const result = await Promise.race([call, deadline(DECISION_DEADLINE_MS)]);
    if (result !== null) {
      if (result.kind === 'granted') this.#adopt(request, result.displaced);
      return result;
    }
    const local = this.#table.acquire(request);
    if (local.kind === 'refused') this.#takeBackWhenGranted(call, request);
    return local;
  }

  async release(key: string, holder: string): Promise<void> {
    this.#table.release(key, holder);
    const client = this.#link.client;
    try {
      if (client === null) throw new Error('redis is away');
      await RELEASE.run(client, this.#scriptKeys, this.#args(key, holder));
    } catch (error) {
      if (this.#closed) return;
      this.#orphans.set(holder, key);
      this.#logger.debug({ err: error, key }, 'lease will be released when redis is back');
    }
  }

  async setStale(key: string, holder: string, stale: boolean): Promise<void> {
    this.#table.setStale(key, holder, stale);
    const client = this.#link.client;
    if (client === null) return;
    try {
      await SET_STALE.run(client, this.#scriptKeys, [...this.#args(key, holder), stale ? '1' : '0']);
    } catch (error) {
      // The local table has it and registers it with the rest.
      this.#logger.debug({ err: error, key }, 'lease could not be marked');
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#heartbeatTimer);
    const client = this.#link.client;
    if (client !== null) {
      // Without the heartbeat all leases of this instance are free at once.
      const gone = client.sendCommand(['DEL', this.#heartbeatPrefix + this.#owner]).catch((error: unknown) => {
        this.#logger.debug({ err: error }, 'heartbeat will expire by itself');
      });
      await Promise.race([gone, deadline(DECISION_DEADLINE_MS)]);
    }
    this.#link.close();
  }

  /** Null when Redis could not decide. */
  async #acquireInCluster(client: RedisClient, request: LeaseRequest): Promise<LeaseResult | null> {
    const { key, holder, limit, group, replaces = '' } = request;
    const { key: groupKey, member, limit: groupLimit } = group ?? { key: '', member: '', limit: 0 };
    const args = [String(limit), replaces, groupKey, member, String(groupLimit), String(KEY_TTL_MS)];
    let answer: unknown;
    try {
      answer = await ACQUIRE.run(client, this.#scriptKeys, [...this.#args(key, holder), ...args]);
    } catch (error) {
      this.#logger.warn({ err: error, key }, 'lease decided by this instance alone');
      return null;
    }
    const [verdict, ...displaced] = Array.isArray(answer) ? answer.map(String) : [];
    if (verdict === 'ok') return { kind: 'granted', displaced };
    if (verdict === 'key' || verdict === 'group') return { kind: 'refused', limit: verdict };
    this.#logger.error({ key }, 'redis answered a lease request with something unknown');
    return null;
  }

  #adopt(request: LeaseRequest, displaced: readonly string[]): void {
    if (displaced.length > 0) {
      const gone = new Set(displaced);
      for (const entry of [...this.#table.entries()])
        if (gone.has(entry.holder)) this.#table.release(entry.key, entry.holder);
    }
    this.#table.put(request);
  }

  #takeBackWhenGranted(call: Promise<LeaseResult | null>, { key, holder }: LeaseRequest): void {
    void call.then(async (late) => {
      if (late?.kind === 'granted') await this.release(key, holder);
    });
  }

  async #beat(): Promise<void> {
    const client = this.#link.client;
    if (client === null || this.#closed) return;
    try {
      const refreshed = await client.sendCommand([
        ...['SET', this.#heartbeatPrefix + this.#owner, '1', 'PX', String(this.#heartbeatMs), 'XX'],
      ]);
      // Missing: flushed, evicted, or this process was too slow to refresh it. The leases may be gone as well.
      if (refreshed === null || performance.now() - this.#registeredAt > REFRESH_MS) await this.#register(client);
    } catch (error) {
      this.#logger.debug({ err: error }, 'lease heartbeat failed');
    }
  }

  /** Writes every lease of this instance, whatever the limits say: these connections exist. */
  async #register(client: RedisClient): Promise<void> {
    await client.sendCommand(['SET', this.#heartbeatPrefix + this.#owner, '1', 'PX', String(this.#heartbeatMs)]);
    const written = new Set<LeaseEntry>();
    for (;;) {
      // Repeats until nothing is left: connections come and go in the meantime.
      const orphans = [...this.#orphans];
      const missing = [...this.#table.entries()].filter((entry) => !written.has(entry));
      if (orphans.length === 0 && missing.length === 0) break;
      await inBatches(orphans, ([holder, key]) => [RELEASE.run(client, this.#scriptKeys, this.#args(key, holder))]);
      for (const [holder, key] of orphans) if (this.#orphans.get(holder) === key) this.#orphans.delete(holder);
      await inBatches(missing, (entry) => this.#writeEntry(client, entry));
      for (const entry of missing) written.add(entry);
    }
    this.#registered = true;
    this.#registeredAt = performance.now();
  }

  #writeEntry(client: RedisClient, { key, holder, stale, group }: LeaseEntry): Promise<unknown>[] {
    const value = JSON.stringify({
      owner: this.#owner,
      key,
      group: group?.key ?? '',
      member: group?.member ?? '',
      stale,
    });
    const hashes = group === null ? [this.#keyPrefix + key] : [this.#keyPrefix + key, this.#groupPrefix + group.key];
    return hashes.flatMap((hash) => [
      client.sendCommand(['HSET', hash, holder, value]),
      client.sendCommand(['PEXPIRE', hash, String(KEY_TTL_MS)]),
    ]);
  }

  #args(key: string, holder: string): string[] {
    return [this.#heartbeatPrefix, this.#keyPrefix, this.#groupPrefix, this.#owner, key, holder];
  }
}

async function inBatches<T>(items: readonly T[], send: (item: T) => Promise<unknown>[]): Promise<void> {
  for (let from = 0; from < items.length; from += REGISTER_BATCH) {
    const answers = await Promise.allSettled(items.slice(from, from + REGISTER_BATCH).flatMap(send));
    const failed = answers.find((answer) => answer.status === 'rejected');
    if (failed !== undefined) throw toError(failed.reason);
  }
}

function deadline(ms: number): Promise<null> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms, null).unref();
  });
}

export function createRedisLeases(options: RedisLeasesOptions): Leases {
  return new RedisLeases(options);
}
