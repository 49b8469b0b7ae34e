import { ErrorReply } from '@redis/client';
import { RefusedError, toError, UnavailableError } from '../errors.ts';
import type { MessagingLogger } from '../logger.ts';
import type { Fanout, FanoutCommand, FanoutListener, FanoutState } from '../ports/fanout.ts';
import { ClusterLinks } from './cluster-links.ts';
import { ClusterMap } from './cluster-map.ts';
import { encodeCommand } from './fanout-commands.ts';
import type { RedisClient } from './link.ts';
import { isElsewhere, type RedisPlace } from './servers.ts';
import { ShardSubscriptions } from './shard-subscriptions.ts';

const SETTLE_AGAIN_MS = 100;

export interface ShardedFanoutOptions extends RedisPlace {
  readonly prefix?: string;
  readonly logger: MessagingLogger;
}

/**
 * The fan-out over a Redis Cluster: each channel is on the server that owns its slot, and a publish reaches only that
 * one. It counts as connected while every slot has an owner that answers and every subscription is confirmed there. A
 * slot that moves, or a server that is lost, ends that until all are confirmed again. What was published in between is
 * lost, and is read with the head check.
 */
export class ShardedFanout implements Fanout {
  readonly #prefix: string;
  readonly #logger: MessagingLogger;
  readonly #map: ClusterMap;
  readonly #publishers: ClusterLinks;
  readonly #subscribers: ClusterLinks;
  readonly #subscriptions: ShardSubscriptions;
  readonly #stateListeners: ((state: FanoutState) => void)[] = [];
  #state: FanoutState = { kind: 'disconnected' };
  #everConnected = false;
  #settling: 'no' | 'yes' | 'again' = 'no';
  #again: NodeJS.Timeout | null = null;
  #closed = false;

  constructor({ url, clusterNodes = [], prefix = '', logger }: ShardedFanoutOptions) {
    this.#prefix = prefix;
    this.#logger = logger;
    this.#map = new ClusterMap({ url, nodes: clusterNodes, logger });
    const options = { map: this.#map, logger, onChange: () => void this.#settle() };
    this.#publishers = new ClusterLinks({ ...options, name: 'chat-fanout-publish' });
    this.#subscribers = new ClusterLinks({ ...options, name: 'chat-fanout-subscribe', subscribes: true });
    this.#subscriptions = new ShardSubscriptions(this.#subscribers, prefix, logger, () => this.#unsettle());
  }

  get connected(): boolean {
    return this.#state.kind !== 'disconnected';
  }

  async execute(commands: readonly FanoutCommand[]): Promise<void> {
    if (commands.length === 0) {
      if (!this.connected) throw new UnavailableError('redis');
      return;
    }
    // Before any is sent: a batch with a part that no server accepts is repeated as a whole.
    const calls = commands.map((command) => ({ command, client: this.#clientFor(command) }));
    const refused: number[] = [];
    let refusal: unknown;
    let loss: unknown;
    // Each server gets its commands in order, and a channel or key belongs to one server.
    await new Promise<void>((resolve) => {
      let open = calls.length;
      const answered = (): void => {
        open -= 1;
        if (open === 0) resolve();
      };
      calls.forEach(({ command, client }, index) => {
        client.sendCommand(encodeCommand(command, this.#prefix, 'SPUBLISH')).then(answered, (error: unknown) => {
          if (isElsewhere(error)) this.#map.doubt();
          if (error instanceof ErrorReply && !isElsewhere(error)) {
            refused.push(index);
            refusal ??= error;
          } else loss ??= error;
          answered();
        });
      });
    });
    if (loss !== undefined) throw new UnavailableError('redis', { cause: loss });
    refused.sort((one, other) => one - other);
    if (refused.length > 0) throw new RefusedError(refused, { cause: refusal });
  }

  async subscribe(channel: string, listener: FanoutListener): Promise<void> {
    if (this.#closed) throw new UnavailableError('redis');
    try {
      await this.#subscriptions.add(channel, listener);
    } catch (error) {
      // A caller that retries once the state is good finds it subscribed.
      this.#unsettle();
      throw new UnavailableError('redis', { cause: error });
    }
  }

  unsubscribe(channel: string, listener: FanoutListener): Promise<void> {
    return this.#subscriptions.remove(channel, listener);
  }

  onState(listener: (state: FanoutState) => void): void {
    this.#stateListeners.push(listener);
    if (this.connected) queueMicrotask(() => listener(this.#state));
  }

  async close(): Promise<void> {
    this.#closed = true;
    if (this.#again !== null) clearTimeout(this.#again);
    this.#publishers.close();
    this.#subscribers.close();
    this.#map.close();
    this.#subscriptions.clear();
    this.#state = { kind: 'disconnected' };
  }

  #clientFor(command: FanoutCommand): RedisClient {
    const name = command.kind === 'publish' ? command.channel : command.stream;
    const client = this.#publishers.clientOf(this.#prefix + name);
    if (client === null) throw new UnavailableError('redis');
    return client;
  }

  /** Something is not where the map says. */
  #unsettle(): void {
    this.#map.doubt();
    this.#tell(false);
    this.#settleLater();
  }

  #settleLater(): void {
    if (this.#closed) return;
    this.#again ??= setTimeout(() => {
      this.#again = null;
      void this.#settle();
    }, SETTLE_AGAIN_MS);
  }

  /** Moves every subscription to the server that now owns its channel; ready when all are confirmed. */
  async #settle(): Promise<void> {
    if (this.#settling !== 'no') {
      this.#settling = 'again';
      return;
    }
    do {
      this.#settling = 'yes';
      const isWhole = this.#isWhole();
      if (!isWhole || !this.#subscriptions.stand) this.#tell(false);
      // Even if a server is unavailable: the channels of the others need not wait for it.
      const placed = await this.#subscriptions.place();
      if (this.#closed) return;
      if (isWhole && !placed) {
        this.#map.doubt();
        this.#settleLater();
      }
    } while (this.#isAskedAgain());
    this.#settling = 'no';
    if (this.#isWhole() && this.#subscriptions.stand && this.#again === null) this.#tell(true);
  }

  #isAskedAgain(): boolean {
    return this.#settling === 'again';
  }

  #isWhole(): boolean {
    return this.#publishers.clients !== null && this.#subscribers.clients !== null;
  }

  #tell(ready: boolean): void {
    if (ready === this.connected || this.#closed) return;
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
