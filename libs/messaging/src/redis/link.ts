import { ErrorReply, RedisClient as Client } from '@redis/client';
import { Backoff } from '../backoff.ts';
import { toError, UnavailableError } from '../errors.ts';
import type { MessagingLogger } from '../logger.ts';

const CONNECT_DEADLINE_MS = 5_000;
const WATCHDOG_INTERVAL_MS = 1_000;
/** Intervals without an answer after which a connection is given up: a paused or half-open server never closes it. */
const WATCHDOG_MISSES = 4;
/** Commands that may wait for an answer; beyond that, new ones are rejected rather than kept in memory. */
const MAX_PENDING_COMMANDS = 50_000;
const RECONNECT_MIN_MS = 50;
const RECONNECT_MAX_MS = 5_000;
/** A connection that lasted this long was healthy: the next loss starts with short waits again. */
const STABLE_MS = 5_000;

export type RedisClient = ReturnType<typeof openClient>;

/**
 * The class with all commands of Redis, made once. `createClient` makes it anew for each client: with four links that
 * reconnect while Redis is unavailable, that and its garbage collection took all processor time of a gateway.
 */
const newClient = Client.factory();

function openClient(url: string, name: string) {
  return newClient({
    url,
    name,
    // Its own reconnecting cannot be told that a connection which looks open is dead, so the link below does it.
    socket: { connectTimeout: CONNECT_DEADLINE_MS, reconnectStrategy: false },
    disableOfflineQueue: true,
    commandsQueueMaxLength: MAX_PENDING_COMMANDS,
    // The default of 5 s makes an AbortSignal per command, seven times the cost of the command itself.
    commandOptions: { timeout: 0 },
    maintNotifications: 'disabled',
  });
}

type LinkState =
  | { readonly kind: 'connecting'; readonly client: RedisClient }
  | { readonly kind: 'ready'; readonly client: RedisClient; readonly since: number }
  | { readonly kind: 'waiting'; readonly timer: NodeJS.Timeout }
  | { readonly kind: 'closed' };

export interface RedisLinkOptions {
  /** A function is called before each attempt; while it throws there is nowhere to connect. */
  readonly url: string | (() => string);
  readonly name: string;
  readonly logger: MessagingLogger;
  /** Runs on each new connection before it counts as ready; if it fails, the connection is tried again. */
  readonly setup?: (client: RedisClient) => Promise<void>;
  readonly onReady?: () => void;
  readonly onLost?: (error: Error) => void;
  /** For a connection that subscribes: only PING is allowed on it, so its server's role is not checked. */
  readonly subscribes?: boolean;
  /** A replica is acceptable. */
  readonly anyRole?: boolean;
}

/** The server accepts no writes: it follows another one, like a primary that was replaced. */
export class ReplicaError extends Error {
  override readonly name = 'ReplicaError';
  readonly code = 'redis_replica';

  constructor() {
    super('this Redis is a replica, which takes no writes');
  }
}

/** The answer to HELLO as a list, a map or an object, by the version of the protocol. */
function isReplica(answer: unknown): boolean {
  if (Array.isArray(answer)) {
    const at = answer.indexOf('role');
    return at >= 0 && answer[at + 1] === 'replica';
  }
  if (answer instanceof Map) return answer.get('role') === 'replica';
  return typeof answer === 'object' && answer !== null && 'role' in answer && answer.role === 'replica';
}

/** One connection to Redis that is remade forever, and monitored by pings, so that a silent loss is noticed too. */
export class RedisLink {
  readonly #options: RedisLinkOptions;
  readonly #backoff = new Backoff(RECONNECT_MIN_MS, RECONNECT_MAX_MS);
  #state: LinkState;
  #watchdog: NodeJS.Timeout | null = null;
  #announcedAway = false;

  constructor(options: RedisLinkOptions) {
    this.#options = options;
    this.#state = { kind: 'waiting', timer: setTimeout(() => void this.#connect(), 0) };
  }

  /** Null while Redis is unavailable. */
  get client(): RedisClient | null {
    return this.#state.kind === 'ready' ? this.#state.client : null;
  }

  /** The client, or an error if there is none. */
  require(): RedisClient {
    if (this.#state.kind !== 'ready') throw new UnavailableError('redis');
    return this.#state.client;
  }

  /** Gives up the current connection and makes a new one. */
  drop(error: Error): void {
    if (this.#state.kind === 'ready') this.#lost(this.#state.client, error);
  }

  close(): void {
    const state = this.#state;
    this.#state = { kind: 'closed' };
    this.#stopWatchdog();
    if (state.kind === 'waiting') clearTimeout(state.timer);
    if (state.kind === 'connecting' || state.kind === 'ready') state.client.destroy();
  }

  async #connect(): Promise<void> {
    if (this.#state.kind !== 'waiting') return;
    let client: RedisClient;
    try {
      const { url, name } = this.#options;
      client = openClient(typeof url === 'string' ? url : url(), name);
    } catch (error) {
      // No address yet, or a malformed one: the configuration should have refused it, but this must not end the
      // process.
      this.#retry(toError(error));
      return;
    }
    this.#state = { kind: 'connecting', client };
    client.on('error', (error: unknown) => this.#lost(client, toError(error)));
    const deadline = setTimeout(() => this.#lost(client, new Error('no answer in time')), CONNECT_DEADLINE_MS);
    try {
      await client.connect();
      // HELLO is open to every user, whatever the permissions.
      if (this.#wantsPrimary && isReplica(await client.sendCommand(['HELLO']))) throw new ReplicaError();
      await this.#options.setup?.(client);
      if (!this.#isCurrent(client)) return;
      this.#state = { kind: 'ready', client, since: performance.now() };
      this.#announcedAway = false;
      this.#startWatchdog(client);
      this.#options.logger.info({ component: this.#options.name }, 'connected to redis');
      this.#options.onReady?.();
    } catch (error) {
      this.#lost(client, toError(error));
    } finally {
      clearTimeout(deadline);
    }
  }

  get #wantsPrimary(): boolean {
    return this.#options.subscribes !== true && this.#options.anyRole !== true;
  }

  #isCurrent(client: RedisClient): boolean {
    return (this.#state.kind === 'connecting' || this.#state.kind === 'ready') && this.#state.client === client;
  }

  #lost(client: RedisClient, error: Error): void {
    if (!this.#isCurrent(client)) return;
    const wasReady = this.#state.kind === 'ready';
    if (this.#state.kind === 'ready' && performance.now() - this.#state.since > STABLE_MS) this.#backoff.reset();
    this.#stopWatchdog();
    this.#retry(error);
    // Rejects everything that waits for an answer.
    client.destroy();
    if (wasReady) this.#options.onLost?.(error);
  }

  #retry(error: Error): void {
    const delayMs = this.#backoff.next();
    this.#state = { kind: 'waiting', timer: setTimeout(() => void this.#connect(), delayMs) };
    // Once per outage; each further attempt would say the same.
    if (this.#announcedAway) return;
    this.#announcedAway = true;
    this.#options.logger.warn({ component: this.#options.name, err: error }, 'redis is unavailable, reconnecting');
  }

  #startWatchdog(client: RedisClient): void {
    let misses = 0;
    let waiting = false;
    this.#watchdog = setInterval(() => {
      if (waiting) {
        misses += 1;
        if (misses >= WATCHDOG_MISSES) this.#lost(client, new Error('redis does not answer'));
        return;
      }
      waiting = true;
      const alive = (): void => {
        waiting = false;
        misses = 0;
      };
      // An error as answer (a full disk answers MISCONF even to PING) is a sign of life as well.
      const asked = this.#options.subscribes === true ? 'PING' : 'HELLO';
      client.sendCommand([asked]).then(
        (answer) => {
          if (this.#wantsPrimary && isReplica(answer)) this.#lost(client, new ReplicaError());
          else alive();
        },
        (error: unknown) => {
          if (error instanceof ErrorReply) alive();
        },
      );
    }, WATCHDOG_INTERVAL_MS);
  }

  #stopWatchdog(): void {
    if (this.#watchdog !== null) clearInterval(this.#watchdog);
    this.#watchdog = null;
  }
}
