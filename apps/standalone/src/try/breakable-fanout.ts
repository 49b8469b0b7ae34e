import {
  createMemoryFanout,
  type Fanout,
  type FanoutCommand,
  type FanoutListener,
  type FanoutState,
} from '@chat-realtime/messaging';
import { sessionChannel } from '@chat-realtime/protocol';
import type { PathMeter } from './path-meter.ts';

type Publish = Extract<FanoutCommand, { kind: 'publish' }>;

/**
 * The fan-out of this process, which can lose accepted messages that it has not passed on yet, as a killed Redis does.
 */
export class BreakableFanout implements Fanout {
  readonly #meter: PathMeter;
  readonly #subscriptions = new Map<string, Map<FanoutListener, FanoutListener>>();
  readonly #states: ((state: FanoutState) => void)[] = [];
  #inner: Fanout = createMemoryFanout();
  #wipeAt: string | null = null;

  constructor(meter: PathMeter) {
    this.#meter = meter;
  }

  get connected(): boolean {
    return this.#inner.connected;
  }

  async execute(commands: readonly FanoutCommand[]): Promise<void> {
    await this.#inner.execute(commands);
    const frames = commands.filter((command): command is Publish => command.kind === 'publish');
    for (const { channel, payload } of frames) this.#count(channel, payload, 'fanned');
    if (this.#wipeAt === null || !frames.some(({ channel }) => channel === this.#wipeAt)) return;
    this.#wipeAt = null;
    for (const { channel, payload } of frames) this.#count(channel, payload, 'wiped');
    await this.wipe();
  }

  /** The next events of this chat are taken, confirmed and then lost with everything else in here. */
  wipeAfterNext(sessionId: number): void {
    this.#wipeAt = sessionChannel(sessionId);
  }

  async wipe(): Promise<void> {
    const lost = this.#inner;
    this.#inner = createMemoryFanout();
    await lost.close();
    for (const state of this.#states) state({ kind: 'disconnected' });
    for (const [channel, listeners] of this.#subscriptions) {
      for (const wrapped of listeners.values()) await this.#inner.subscribe(channel, wrapped);
    }
    for (const state of this.#states) state({ kind: 'resubscribed' });
  }

  async subscribe(channel: string, listener: FanoutListener): Promise<void> {
    await this.#add(channel, listener, (payload, from) => {
      this.#count(from, payload.toString('utf8'), 'arrived');
      listener(payload, from);
    });
  }

  /** A subscriber beside the gateways that is not part of the picture. */
  async tap(channel: string, listener: FanoutListener): Promise<void> {
    await this.#add(channel, listener, listener);
  }

  async unsubscribe(channel: string, listener: FanoutListener): Promise<void> {
    const listeners = this.#subscriptions.get(channel);
    const wrapped = listeners?.get(listener);
    if (listeners === undefined || wrapped === undefined) return;
    listeners.delete(listener);
    if (listeners.size === 0) this.#subscriptions.delete(channel);
    await this.#inner.unsubscribe(channel, wrapped);
  }

  onState(listener: (state: FanoutState) => void): void {
    this.#states.push(listener);
    this.#inner.onState(listener);
  }

  close(): Promise<void> {
    return this.#inner.close();
  }

  async #add(channel: string, listener: FanoutListener, wrapped: FanoutListener): Promise<void> {
    const listeners = this.#subscriptions.get(channel) ?? new Map<FanoutListener, FanoutListener>();
    if (listeners.has(listener)) return;
    this.#subscriptions.set(channel, listeners.set(listener, wrapped));
    await this.#inner.subscribe(channel, wrapped);
  }

  /** Events alone: typing and marks have no number and may be lost by design. */
  #count(channel: string, payload: string, hop: 'fanned' | 'arrived' | 'wiped'): void {
    const sessionId = /^chat:(\d+)$/.exec(channel)?.[1];
    if (sessionId !== undefined && /"seq":\d/.test(payload.slice(0, 200))) this.#meter.count(Number(sessionId), hop);
  }
}
