import { type Fanout, type FanoutCommand, type FanoutListener, type FanoutState } from '@chat-realtime/messaging';
import { UnavailableError } from '@chat-realtime/messaging';
import type { Clock } from '../clock.ts';

/** The fate of one publication: how often it arrives, and how much later. */
export interface Passage {
  readonly copies: number;
  readonly delayMs: number;
}

/** Publish and subscribe in virtual time, which loses, repeats, delays and fails as the test wants. */
export class VirtualFanout implements Fanout {
  readonly #clock: Clock;
  readonly #listeners = new Map<string, Set<FanoutListener>>();
  readonly #stateListeners: ((state: FanoutState) => void)[] = [];
  #connected = true;
  /** Called for every publication. */
  passage: () => Passage = () => ({ copies: 1, delayMs: 0 });

  /** Subscriptions are confirmed when this resolves, as over a link that has gone silent. */
  hold: Promise<void> | null = null;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get connected(): boolean {
    return this.#connected;
  }

  disconnect(): void {
    if (!this.#connected) return;
    this.#connected = false;
    this.#notify({ kind: 'disconnected' });
  }

  /** Subscriptions are kept; publications in the meantime are lost. */
  reconnect(): void {
    if (this.#connected) return;
    this.#connected = true;
    this.#notify({ kind: 'resubscribed' });
  }

  async execute(commands: readonly FanoutCommand[]): Promise<void> {
    if (!this.#connected) throw new UnavailableError('redis');
    for (const command of commands) {
      if (command.kind !== 'publish') continue;
      const { copies, delayMs } = this.passage();
      for (let copy = 0; copy < copies; copy += 1) this.#clock.after(delayMs, () => this.#deliver(command));
    }
  }

  async subscribe(channel: string, listener: FanoutListener): Promise<void> {
    if (!this.#connected) throw new UnavailableError('redis');
    if (this.hold !== null) await this.hold;
    const listeners = this.#listeners.get(channel) ?? new Set();
    listeners.add(listener);
    this.#listeners.set(channel, listeners);
  }

  async unsubscribe(channel: string, listener: FanoutListener): Promise<void> {
    this.#listeners.get(channel)?.delete(listener);
  }

  onState(listener: (state: FanoutState) => void): void {
    this.#stateListeners.push(listener);
  }

  async close(): Promise<void> {
    this.#listeners.clear();
    this.#stateListeners.length = 0;
  }

  #notify(state: FanoutState): void {
    for (const listener of this.#stateListeners) listener(state);
  }

  #deliver({ channel, payload }: Extract<FanoutCommand, { kind: 'publish' }>): void {
    if (!this.#connected) return;
    const bytes = Buffer.from(payload);
    for (const listener of this.#listeners.get(channel) ?? []) listener(bytes, channel);
  }
}
