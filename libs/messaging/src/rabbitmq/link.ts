import { Duplex } from 'node:stream';
import { type ChannelModel, connect } from 'amqplib';
import { Backoff } from '../backoff.ts';
import { toError } from '../errors.ts';
import type { MessagingLogger } from '../logger.ts';

const HEARTBEAT_SECONDS = 10;
export const CONNECT_TIMEOUT_MS = 5_000;
const SETUP_DEADLINE_MS = 15_000;
const CLOSE_DEADLINE_MS = 2_000;
const RECONNECT_MIN_MS = 100;
const RECONNECT_MAX_MS = 5_000;
/** A connection that lasted this long was healthy: the next loss starts with short waits again. */
const STABLE_MS = 5_000;

type LinkState<S> =
  | { readonly kind: 'waiting'; readonly timer: NodeJS.Timeout }
  | { readonly kind: 'connecting'; readonly model: ChannelModel | null }
  | { readonly kind: 'ready'; readonly model: ChannelModel; readonly session: S; readonly since: number }
  | { readonly kind: 'closed' };

export type Connect = (url: string, options?: Parameters<typeof connect>[1]) => Promise<ChannelModel>;

export interface RabbitLinkOptions<S> {
  readonly url: string;
  readonly name: string;
  readonly logger: MessagingLogger;
  /** Sets up the connection: topology, channels. A failure, or a later `drop`, leads to a new connection. */
  readonly setup: (model: ChannelModel, drop: (error: Error) => void) => Promise<S>;
  readonly onReady?: (session: S) => void;
  readonly onLost?: (error: Error) => void;
  /** Default: to a real broker. */
  readonly connect?: Connect | undefined;
}

/**
 * One connection to RabbitMQ that is remade forever. Any fault, even of a single channel, ends the connection: there is
 * one way back from every fault. (amqplib's own recovery waits for a close handshake that a frozen broker never
 * answers.)
 */
export class RabbitLink<S> {
  readonly #options: RabbitLinkOptions<S>;
  readonly #url: string;
  readonly #backoff = new Backoff(RECONNECT_MIN_MS, RECONNECT_MAX_MS);
  #state: LinkState<S>;
  #announcedAway = false;

  constructor(options: RabbitLinkOptions<S>) {
    this.#options = options;
    this.#url = withHeartbeat(options.url);
    this.#state = { kind: 'waiting', timer: setTimeout(() => void this.#connect(), 0) };
  }

  /** Null while the broker is unavailable. */
  get session(): S | null {
    return this.#state.kind === 'ready' ? this.#state.session : null;
  }

  get model(): ChannelModel | null {
    return this.#state.kind === 'ready' ? this.#state.model : null;
  }

  /** Gives up the current connection and makes a new one. */
  drop(error: Error): void {
    if (this.#state.kind === 'ready') this.#lost(this.#state.model, error);
  }

  async close(): Promise<void> {
    const state = this.#state;
    this.#state = { kind: 'closed' };
    if (state.kind === 'waiting') clearTimeout(state.timer);
    if ((state.kind === 'ready' || state.kind === 'connecting') && state.model !== null) await closeModel(state.model);
  }

  async #connect(): Promise<void> {
    if (this.#state.kind !== 'waiting') return;
    this.#state = { kind: 'connecting', model: null };
    let model: ChannelModel;
    try {
      model = await (this.#options.connect ?? connect)(this.#url, {
        timeout: CONNECT_TIMEOUT_MS,
        noDelay: true,
        clientProperties: { connection_name: this.#options.name },
      });
    } catch (error) {
      if (this.#state.kind === 'connecting') this.#retry(toError(error));
      return;
    }
    // 'close' follows with the same error; alone, an 'error' event would end the process.
    model.on('error', (error: Error) => this.#lost(model, error));
    model.on('close', (error?: Error) => this.#lost(model, error ?? new Error('connection closed')));
    // Closed in the meantime.
    if (this.#state.kind !== 'connecting') {
      await closeModel(model);
      return;
    }
    this.#state = { kind: 'connecting', model };
    const deadline = setTimeout(() => this.#lost(model, new Error('setup got no answer')), SETUP_DEADLINE_MS);
    try {
      const session = await this.#options.setup(model, (error) => this.#lost(model, error));
      if (!this.#isCurrent(model)) return;
      this.#state = { kind: 'ready', model, session, since: performance.now() };
      this.#announcedAway = false;
      this.#options.logger.info({ component: this.#options.name }, 'connected to rabbitmq');
      this.#options.onReady?.(session);
    } catch (error) {
      this.#lost(model, toError(error));
    } finally {
      clearTimeout(deadline);
    }
  }

  #isCurrent(model: ChannelModel): boolean {
    return (this.#state.kind === 'connecting' || this.#state.kind === 'ready') && this.#state.model === model;
  }

  #lost(model: ChannelModel, error: Error): void {
    if (!this.#isCurrent(model)) return;
    const state = this.#state;
    if (state.kind === 'ready' && performance.now() - state.since > STABLE_MS) this.#backoff.reset();
    this.#retry(error);
    void closeModel(model);
    if (state.kind === 'ready') this.#options.onLost?.(error);
  }

  #retry(error: Error): void {
    this.#state = { kind: 'waiting', timer: setTimeout(() => void this.#connect(), this.#backoff.next()) };
    // Once per outage; each further attempt would say the same.
    if (this.#announcedAway) return;
    this.#announcedAway = true;
    this.#options.logger.warn({ component: this.#options.name, err: error }, 'rabbitmq is unavailable, reconnecting');
  }
}

/** Closes cleanly if the broker responds, and ends the socket if not. */
async function closeModel(model: ChannelModel): Promise<void> {
  const deadline = setTimeout(() => {
    const stream: unknown = Reflect.get(model.connection, 'stream');
    if (stream instanceof Duplex) stream.destroy(new Error('the broker did not close the connection in time'));
  }, CLOSE_DEADLINE_MS);
  const closed = new Promise<void>((resolve) => model.once('close', () => resolve()));
  try {
    await Promise.race([model.close(), closed]);
  } catch {
    // It was closed already, which is the goal.
    return;
  } finally {
    clearTimeout(deadline);
  }
}

function withHeartbeat(url: string): string {
  if (!URL.canParse(url)) return url;
  const parsed = new URL(url);
  if (!parsed.searchParams.has('heartbeat')) parsed.searchParams.set('heartbeat', String(HEARTBEAT_SECONDS));
  return parsed.href;
}
