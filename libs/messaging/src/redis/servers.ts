import { ErrorReply } from '@redis/client';
import { UnavailableError } from '../errors.ts';
import type { MessagingLogger } from '../logger.ts';
import { ClusterLinks } from './cluster-links.ts';
import { ClusterMap } from './cluster-map.ts';
import { type RedisClient, RedisLink, type RedisLinkOptions } from './link.ts';

/** The address of Redis: one server, or a cluster. */
export interface RedisPlace {
  /** Of the one server; of a cluster, user, password, scheme and one of its servers. */
  readonly url: string;
  /** Further servers of a cluster, as `host:port`; with any, it is a cluster. */
  readonly clusterNodes?: readonly string[] | undefined;
}

export function isCluster({ clusterNodes = [] }: RedisPlace): boolean {
  return clusterNodes.length > 0;
}

/** From a cluster: the server does not have this slot, or not now. The command was not executed. */
export function isElsewhere(error: unknown): error is ErrorReply {
  return (
    error instanceof ErrorReply &&
    /^(?:MOVED|ASK|TRYAGAIN|CLUSTERDOWN|READONLY|LOADING|MASTERDOWN) /.test(error.message)
  );
}

/** Clients by purpose. */
export interface RedisServers {
  /** Of the server that has this key. @throws UnavailableError */
  require(key: string): RedisClient;
  /** Of every server that has keys. @throws UnavailableError */
  all(): readonly RedisClient[];
  /** To be given the error of a failed command. */
  failed(error: unknown): void;
  close(): void;
}

export function connectServers(place: RedisPlace, name: string, logger: MessagingLogger): RedisServers {
  const { url, clusterNodes = [] } = place;
  if (!isCluster(place)) {
    const link = new RedisLink({ url, name, logger });
    return {
      require: () => link.require(),
      all: () => [link.require()],
      failed: () => undefined,
      close: () => link.close(),
    };
  }
  const map = new ClusterMap({ url, nodes: clusterNodes, logger });
  const links = new ClusterLinks({ map, name, logger });
  return {
    require: (key) => links.clientOf(key) ?? away(),
    all: () => links.clients ?? away(),
    failed: (error) => {
      if (isElsewhere(error)) map.doubt();
    },
    close: () => {
      links.close();
      map.close();
    },
  };
}

/** A link for one key and those of its slot. */
export type KeyLink = Pick<RedisLink, 'client' | 'require' | 'close'>;

/** In a cluster it follows the key from server to server: each move ends the connection, and the next is to the new one. */
export function connectToKey(place: RedisPlace, key: string, options: Omit<RedisLinkOptions, 'url'>): KeyLink {
  const { url, clusterNodes = [] } = place;
  if (!isCluster(place)) return new RedisLink({ ...options, url });
  const map = new ClusterMap({ url, nodes: clusterNodes, logger: options.logger });
  let connectedTo: string | undefined;
  let link: RedisLink | null = null;
  const open = (): RedisLink =>
    new RedisLink({
      ...options,
      url: () => {
        connectedTo = map.ownerOf(key);
        return connectedTo === undefined ? away() : map.urlOf(connectedTo);
      },
      onLost: (error) => {
        map.doubt();
        options.onLost?.(error);
      },
    });
  map.onChange(() => {
    if (link === null) link = open();
    else if (map.ownerOf(key) !== connectedTo) link.drop(new Error('the slot has moved to another server'));
  });
  return {
    get client() {
      return link?.client ?? null;
    },
    require: () => link?.require() ?? away(),
    close: () => {
      map.close();
      link?.close();
    },
  };
}

function away(): never {
  throw new UnavailableError('redis');
}
