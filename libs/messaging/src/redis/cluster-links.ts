import type { MessagingLogger } from '../logger.ts';
import type { ClusterMap } from './cluster-map.ts';
import { type RedisClient, RedisLink, type RedisLinkOptions } from './link.ts';

export interface ClusterLinksOptions extends Pick<RedisLinkOptions, 'name' | 'subscribes'> {
  readonly map: ClusterMap;
  readonly logger: MessagingLogger;
  /** A link came, went, or was made or ended with the map. */
  readonly onChange?: () => void;
}

/** One link to each server of a cluster that owns slots. */
export class ClusterLinks {
  readonly #options: ClusterLinksOptions;
  readonly #links = new Map<string, RedisLink>();
  #closed = false;

  constructor(options: ClusterLinksOptions) {
    this.#options = options;
    options.map.onChange(() => this.#follow());
  }

  /** The link to the owner of a key or shard channel. */
  of(key: string): RedisLink | undefined {
    const owner = this.#options.map.ownerOf(key);
    return owner === undefined ? undefined : this.#links.get(owner);
  }

  /** Null while its server is away or not known. */
  clientOf(key: string): RedisClient | null {
    return this.of(key)?.client ?? null;
  }

  /** Of all servers. Null while one is unavailable, or a slot has no owner. */
  get clients(): readonly RedisClient[] | null {
    if (!this.#options.map.isWhole) return null;
    const clients = [...this.#links.values()].map(({ client }) => client).filter((client) => client !== null);
    return clients.length === this.#links.size && clients.length > 0 ? clients : null;
  }

  close(): void {
    this.#closed = true;
    for (const link of this.#links.values()) link.close();
    this.#links.clear();
  }

  #follow(): void {
    if (this.#closed) return;
    const { map, logger, name, subscribes, onChange } = this.#options;
    for (const [address, link] of this.#links) {
      if (map.owners.has(address)) continue;
      this.#links.delete(address);
      link.close();
    }
    for (const address of map.owners) {
      if (this.#links.has(address)) continue;
      const link = new RedisLink({
        url: map.urlOf(address),
        name,
        logger,
        ...(subscribes === undefined ? {} : { subscribes }),
        onReady: () => onChange?.(),
        onLost: () => {
          // Another link may have replaced it.
          map.doubt();
          onChange?.();
        },
      });
      this.#links.set(address, link);
    }
    onChange?.();
  }
}
