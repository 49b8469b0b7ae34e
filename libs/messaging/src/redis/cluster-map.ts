import type { MessagingLogger } from '../logger.ts';
import { type RedisClient, RedisLink } from './link.ts';
import { SLOTS, slotOf } from './slots.ts';

const READ_INTERVAL_MS = 1_000;
/** After a server reported that a slot is elsewhere. */
const DOUBT_MS = 50;
/** Consecutive doubts that the queried server could not confirm: it may be cut off from the others. */
const DOUBTS_BEFORE_ANOTHER = 5;

export interface ClusterAddress {
  /** User, password and scheme for all servers, and one of them. */
  readonly url: string;
  /** Further servers to query, as `host:port`. */
  readonly nodes: readonly string[];
}

export interface ClusterMapOptions extends ClusterAddress {
  readonly logger: MessagingLogger;
}

/**
 * Which server of a Redis Cluster owns which slot, as `host:port`. Requested once a second, and at once in case of
 * doubt.
 */
export class ClusterMap {
  readonly #url: string;
  readonly #nodes: readonly string[];
  readonly #logger: MessagingLogger;
  readonly #link: RedisLink;
  readonly #listeners: (() => void)[] = [];
  readonly #timer: NodeJS.Timeout;
  #slots: readonly (string | undefined)[] = [];
  #owners: ReadonlySet<string> = new Set();
  #known = '';
  #asked = 0;
  #askedAt = '';
  #doubt: NodeJS.Timeout | null = null;
  #doubts = 0;

  constructor({ url, nodes, logger }: ClusterMapOptions) {
    this.#url = url;
    this.#nodes = [...new Set([hostOf(url), ...nodes])];
    this.#logger = logger;
    this.#link = new RedisLink({
      url: () => this.#next(),
      name: 'chat-cluster-map',
      logger,
      anyRole: true,
      setup: (client) => this.#read(client),
    });
    this.#timer = setInterval(() => void this.#readAgain(), READ_INTERVAL_MS);
  }

  /** Undefined while the slot has no owner, or no server has responded yet. */
  ownerOf(key: string): string | undefined {
    return this.#slots[slotOf(key)];
  }

  /** Servers with slots. Empty until a server has responded. */
  get owners(): ReadonlySet<string> {
    return this.#owners;
  }

  /** Every slot has an owner. */
  get isWhole(): boolean {
    return this.#slots.length === SLOTS && !this.#slots.includes(undefined);
  }

  urlOf(address: string): string {
    const url = new URL(this.#url);
    // If host and port are set together, the default port would be ignored.
    const at = address.lastIndexOf(':');
    url.hostname = address.slice(0, at);
    url.port = address.slice(at + 1);
    return url.href;
  }

  onChange(listener: () => void): void {
    this.#listeners.push(listener);
  }

  /** An answer showed that this map is outdated. */
  doubt(): void {
    this.#doubt ??= setTimeout(() => {
      this.#doubt = null;
      this.#doubts += 1;
      if (this.#doubts > DOUBTS_BEFORE_ANOTHER) {
        this.#doubts = 0;
        this.#link.drop(new Error('querying another server of the cluster'));
      } else void this.#readAgain();
    }, DOUBT_MS);
  }

  close(): void {
    clearInterval(this.#timer);
    if (this.#doubt !== null) clearTimeout(this.#doubt);
    this.#link.close();
  }

  /** All known servers in turn, so that one that is down or cut off is not asked forever. */
  #next(): string {
    const candidates = [...new Set([...this.#nodes, ...this.#owners])];
    this.#askedAt = candidates[this.#asked % candidates.length] ?? hostOf(this.#url);
    this.#asked += 1;
    return this.urlOf(this.#askedAt);
  }

  async #readAgain(): Promise<void> {
    const { client } = this.#link;
    if (client === null) return;
    try {
      await this.#read(client);
    } catch (error) {
      this.#logger.debug({ err: error }, 'the slots of the cluster could not be queried');
    }
  }

  async #read(client: RedisClient): Promise<void> {
    const answer: unknown = await client.sendCommand(['CLUSTER', 'SLOTS']);
    const known = JSON.stringify(answer);
    if (known === this.#known) return;
    const slots = slotsOf(answer, hostnameOf(this.#askedAt));
    this.#known = known;
    this.#doubts = 0;
    this.#slots = slots;
    this.#owners = new Set(slots.filter((owner) => owner !== undefined));
    this.#logger.info({ servers: this.#owners.size }, 'slots of the redis cluster');
    for (const listener of this.#listeners) listener();
  }
}

/** Of CLUSTER SLOTS: `[first, last, [host, port, …], replicas…]` for each range. */
function slotsOf(answer: unknown, asked: string): (string | undefined)[] {
  const slots = Array.from<string | undefined>({ length: SLOTS });
  for (const range of listOf(answer)) {
    const [first, last, owner] = listOf(range);
    const [host, port] = listOf(owner);
    if (typeof first !== 'number' || typeof last !== 'number') continue;
    // A server that does not know its own address is at the address where it was queried.
    const name = typeof host === 'string' && host !== '' && host !== '?' ? host : asked;
    slots.fill(`${name.includes(':') ? `[${name}]` : name}:${Number(port)}`, first, last + 1);
  }
  return slots;
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function hostOf(url: string): string {
  const { hostname, port } = new URL(url);
  return `${hostname}:${port === '' ? '6379' : port}`;
}

function hostnameOf(address: string): string {
  return address.slice(0, address.lastIndexOf(':'));
}
