import { toError, UnavailableError } from '../errors.ts';
import type { MessagingLogger } from '../logger.ts';
import type { FanoutListener } from '../ports/fanout.ts';
import type { ClusterLinks } from './cluster-links.ts';
import type { RedisClient } from './link.ts';

interface Subscription {
  readonly listeners: Set<FanoutListener>;
  readonly dispatch: (payload: Buffer) => void;
  /** The connection on which the server has confirmed it. */
  standsOn: RedisClient | null;
  /** In progress. */
  attempt: Promise<void> | null;
}

/** Subscriptions of a Redis Cluster, each on the connection to the server that owns its channel. */
export class ShardSubscriptions {
  readonly #links: ClusterLinks;
  readonly #prefix: string;
  readonly #logger: MessagingLogger;
  readonly #moved: () => void;
  readonly #subscriptions = new Map<string, Subscription>();
  /** Channels whose last listener has left and whose SUNSUBSCRIBE is on its way. */
  readonly #leaving = new Map<string, Promise<void>>();
  /**
   * Names on a connection whose channel has since moved to another server: the client still considers them subscribed.
   */
  readonly #left = new WeakMap<RedisClient, Set<string>>();
  readonly #watched = new WeakSet<RedisClient>();

  /** `moved`: a server has dropped a channel that was subscribed on it. */
  constructor(links: ClusterLinks, prefix: string, logger: MessagingLogger, moved: () => void) {
    this.#links = links;
    this.#prefix = prefix;
    this.#logger = logger;
    this.#moved = moved;
  }

  /** Every subscription is where its channel is now. */
  get stand(): boolean {
    for (const [channel, { standsOn }] of this.#subscriptions) {
      if (standsOn === null || standsOn !== this.#clientOf(channel)) return false;
    }
    return true;
  }

  /** Resolves when the server has confirmed. Rejects if it could not be reached or refused. */
  async add(channel: string, listener: FanoutListener): Promise<void> {
    let subscription = this.#subscriptions.get(channel);
    if (subscription === undefined) {
      subscription = this.#make(channel);
      this.#subscriptions.set(channel, subscription);
    }
    subscription.listeners.add(listener);
    try {
      await this.#stand(channel, subscription);
    } catch (error) {
      subscription.listeners.delete(listener);
      const isCurrent = this.#subscriptions.get(channel) === subscription;
      if (isCurrent && subscription.listeners.size === 0) this.#subscriptions.delete(channel);
      throw error;
    }
  }

  async remove(channel: string, listener: FanoutListener): Promise<void> {
    const subscription = this.#subscriptions.get(channel);
    if (subscription === undefined || !subscription.listeners.delete(listener)) return;
    if (subscription.listeners.size > 0) return;
    this.#subscriptions.delete(channel);
    const left = this.#leave(channel, subscription).finally(() => {
      if (this.#leaving.get(channel) === left) this.#leaving.delete(channel);
    });
    this.#leaving.set(channel, left);
    await left;
  }

  /** Moves the others to where their channel is now; false if one could not be moved. */
  async place(): Promise<boolean> {
    const attempts = [...this.#subscriptions].map(([channel, subscription]) => this.#stand(channel, subscription));
    const results = await Promise.allSettled(attempts);
    const failed = results.find((result) => result.status === 'rejected');
    if (failed !== undefined)
      this.#logger.debug({ err: toError(failed.reason) }, 'a channel could not be subscribed where it is now');
    return failed === undefined;
  }

  clear(): void {
    this.#subscriptions.clear();
  }

  #make(channel: string): Subscription {
    const listeners = new Set<FanoutListener>();
    return {
      listeners,
      standsOn: null,
      attempt: null,
      dispatch: (payload) => {
        for (const listener of listeners) {
          try {
            listener(payload, channel);
          } catch (error) {
            // An exception here would reach the parser of the connection and lose the messages behind this one.
            this.#logger.error({ err: error, channel }, 'fan-out listener failed');
          }
        }
      },
    };
  }

  #clientOf(channel: string): RedisClient | null {
    return this.#links.clientOf(this.#prefix + channel);
  }

  #stand(channel: string, subscription: Subscription): Promise<void> {
    if (subscription.attempt !== null) return subscription.attempt;
    const client = this.#clientOf(channel);
    if (client !== null && subscription.standsOn === client) return Promise.resolve();
    subscription.attempt = this.#subscribe(channel, subscription).finally(() => {
      subscription.attempt = null;
    });
    return subscription.attempt;
  }

  async #subscribe(channel: string, subscription: Subscription): Promise<void> {
    await this.#leaving.get(channel);
    const link = this.#links.of(this.#prefix + channel);
    const client = link?.client ?? null;
    if (link === undefined || client === null) throw new UnavailableError('redis');
    this.#leaveBehind(channel, subscription);
    this.#watch(client);
    if (this.#left.get(client)?.has(channel) === true) {
      // Without a notice that it was dropped there, the client would answer without asking the server.
      const error = new Error('a slot came back without a notice that it had left');
      link.drop(error);
      throw error;
    }
    await client.sSubscribe(this.#prefix + channel, subscription.dispatch, true);
    if (this.#clientOf(channel) !== client) throw new UnavailableError('redis');
    subscription.standsOn = client;
  }

  /** It was subscribed elsewhere: that server drops it, or is gone. */
  #leaveBehind(channel: string, subscription: Subscription): void {
    const { standsOn } = subscription;
    if (standsOn === null) return;
    subscription.standsOn = null;
    const left = this.#left.get(standsOn) ?? new Set();
    this.#left.set(standsOn, left.add(channel));
  }

  #watch(client: RedisClient): void {
    if (this.#watched.has(client)) return;
    this.#watched.add(client);
    client.on('sharded-channel-moved', (name: unknown) => {
      const channel = String(name).slice(this.#prefix.length);
      this.#left.get(client)?.delete(channel);
      const subscription = this.#subscriptions.get(channel);
      if (subscription?.standsOn !== client) return;
      subscription.standsOn = null;
      this.#moved();
    });
  }

  async #leave(channel: string, subscription: Subscription): Promise<void> {
    try {
      await subscription.attempt;
      const { standsOn } = subscription;
      // Without that connection there is no subscription on the server either, and the next one won't make it.
      if (standsOn === null || standsOn !== this.#clientOf(channel)) return;
      await standsOn.sUnsubscribe(this.#prefix + channel, subscription.dispatch, true);
    } catch (error) {
      this.#logger.debug({ err: error, channel }, 'unsubscribe ended with its connection');
    }
  }
}
