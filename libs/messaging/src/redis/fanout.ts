import { ErrorReply } from '@redis/client';
import { RefusedError, toError, UnavailableError } from '../errors.ts';
import type { MessagingLogger } from '../logger.ts';
import type { Fanout, FanoutCommand, FanoutListener, FanoutState } from '../ports/fanout.ts';
import { encodeCommand } from './fanout-commands.ts';
import { type RedisClient, RedisLink, ReplicaError } from './link.ts';
import { isCluster, type RedisPlace } from './servers.ts';
import { ShardedFanout } from './sharded-fanout.ts';

export interface RedisFanoutOptions extends RedisPlace {
  /** Prefix of every key and channel. */
  readonly prefix?: string;
  readonly logger: MessagingLogger;
}

interface Subscription {
  readonly listeners: Set<FanoutListener>;
  readonly dispatch: (payload: Buffer) => void;
  /** Settles when the server has confirmed it. */
  ready: Promise<void>;
  /** A pending one ends with its connection, a confirmed one is made again on the next. */
  phase: 'pending' | 'standing';
}

/**
 * Publishes on one connection and subscribes on another: a subscriber that Redis disconnects for being slow, or a flood
 * of subscriptions, must not delay publishing.
 */
class RedisFanout implements Fanout {
  readonly #prefix: string;
  readonly #logger: MessagingLogger;
  readonly #publisher: RedisLink;
  readonly #subscriber: RedisLink;
  readonly #subscriptions = new Map<string, Subscription>();
  /** Channels whose last listener has left and whose UNSUBSCRIBE is in flight. */
  readonly #leaving = new Map<string, Promise<void>>();
  readonly #stateListeners: ((state: FanoutState) => void)[] = [];
  #state: FanoutState = { kind: 'disconnected' };
  #everConnected = false;

  constructor({ url, prefix = '', logger }: RedisFanoutOptions) {
    this.#prefix = prefix;
    this.#logger = logger;
    const changed = (): void => this.#linksChanged();
    this.#publisher = new RedisLink({
      url,
      name: 'chat-fanout-publish',
      logger,
      onReady: changed,
      onLost: (error) => {
        // From now on, messages are received from the server to which the address leads now.
        if (error instanceof ReplicaError) this.#subscriber.drop(error);
        changed();
      },
    });
    this.#subscriber = new RedisLink({
      url,
      name: 'chat-fanout-subscribe',
      logger,
      subscribes: true,
      setup: (client) => this.#resubscribe(client),
      onReady: changed,
      onLost: () => {
        this.#dropPending();
        changed();
      },
    });
  }

  get connected(): boolean {
    return this.#state.kind !== 'disconnected';
  }

  async execute(commands: readonly FanoutCommand[]): Promise<void> {
    const client = this.#publisher.require();
    if (commands.length === 0) return;
    const refused: number[] = [];
    let refusal: unknown;
    let loss: unknown;
    // Counted by hand: an array of settled results per batch would cost more than the commands.
    await new Promise<void>((resolve) => {
      let open = commands.length;
      const answered = (): void => {
        open -= 1;
        if (open === 0) resolve();
      };
      commands.forEach((command, index) => {
        client.sendCommand(encodeCommand(command, this.#prefix, 'PUBLISH')).then(answered, (error: unknown) => {
          if (error instanceof ErrorReply) {
            refused.push(index);
            refusal ??= error;
          } else loss ??= error;
          answered();
        });
      });
    });
    if (loss !== undefined) throw new UnavailableError('redis', { cause: loss });
    if (refused.length > 0) throw new RefusedError(refused, { cause: refusal });
  }

  async subscribe(channel: string, listener: FanoutListener): Promise<void> {
    const client = this.#subscriber.require();
    let subscription = this.#subscriptions.get(channel);
    if (subscription === undefined) {
      subscription = this.#open(channel, client);
      this.#subscriptions.set(channel, subscription);
    }
    subscription.listeners.add(listener);
    try {
      await subscription.ready;
    } catch (error) {
      subscription.listeners.delete(listener);
      if (this.#subscriptions.get(channel) === subscription) this.#subscriptions.delete(channel);
      throw new UnavailableError('redis', { cause: error });
    }
  }

  async unsubscribe(channel: string, listener: FanoutListener): Promise<void> {
    const subscription = this.#subscriptions.get(channel);
    if (subscription === undefined || !subscription.listeners.delete(listener)) return;
    if (subscription.listeners.size > 0) return;
    this.#subscriptions.delete(channel);
    const client = this.#subscriber.client;
    // Without a connection there is no subscription on the server either, and the next one won't make it.
    if (client === null) return;
    const left = subscription.ready
      .then(() => client.unsubscribe(this.#prefix + channel))
      .catch((error: unknown) => {
        this.#logger.debug({ err: error, channel }, 'unsubscribe ended with its connection');
      })
      .finally(() => {
        if (this.#leaving.get(channel) === left) this.#leaving.delete(channel);
      });
    this.#leaving.set(channel, left);
    await left;
  }

  onState(listener: (state: FanoutState) => void): void {
    this.#stateListeners.push(listener);
    if (this.connected) queueMicrotask(() => listener(this.#state));
  }

  async close(): Promise<void> {
    this.#publisher.close();
    this.#subscriber.close();
    this.#dropPending();
    this.#subscriptions.clear();
    this.#state = { kind: 'disconnected' };
  }

  #open(channel: string, client: RedisClient): Subscription {
    const listeners = new Set<FanoutListener>();
    const dispatch = (payload: Buffer): void => {
      for (const listener of listeners) {
        try {
          listener(payload, channel);
        } catch (error) {
          // An exception here would reach the parser of the connection and lose the messages behind this one.
          this.#logger.error({ err: error, channel }, 'fan-out listener failed');
        }
      }
    };
    const subscribe = (): Promise<void> => {
      // A client that is gone would accept the command and never answer.
      if (this.#subscriber.client !== client) throw new UnavailableError('redis');
      return client.subscribe(this.#prefix + channel, dispatch, true);
    };
    const leaving = this.#leaving.get(channel);
    const subscription: Subscription = {
      listeners,
      dispatch,
      phase: 'pending',
      ready: (leaving === undefined ? subscribe() : leaving.then(subscribe)).then(() => {
        subscription.phase = 'standing';
      }),
    };
    return subscription;
  }

  /** All confirmed subscriptions on a new connection, in one pipeline. */
  async #resubscribe(client: RedisClient): Promise<void> {
    this.#leaving.clear();
    const channels = [...this.#subscriptions.keys()];
    await Promise.all(
      [...this.#subscriptions].map(([channel, { dispatch }]) =>
        client.subscribe(this.#prefix + channel, dispatch, true),
      ),
    );
    const left = channels.filter((channel) => !this.#subscriptions.has(channel));
    if (left.length > 0) await client.unsubscribe(left.map((channel) => this.#prefix + channel));
  }

  #dropPending(): void {
    for (const [channel, subscription] of this.#subscriptions) {
      if (subscription.phase === 'pending') this.#subscriptions.delete(channel);
    }
  }

  #linksChanged(): void {
    const ready = this.#publisher.client !== null && this.#subscriber.client !== null;
    if (ready === this.connected) return;
    this.#state = ready ? { kind: this.#everConnected ? 'resubscribed' : 'connected' } : { kind: 'disconnected' };
    this.#everConnected ||= ready;
    for (const listener of this.#stateListeners) {
      try {
        listener(this.#state);
      } catch (error) {
        this.#logger.error({ err: toError(error) }, 'fan-out state listener failed');
      }
    }
  }
}

/** Starts disconnected and reconnects forever. */
export function connectRedisFanout(options: RedisFanoutOptions): Fanout {
  return isCluster(options) ? new ShardedFanout(options) : new RedisFanout(options);
}
