import type { Fanout, FanoutListener, FanoutState } from '@chat-realtime/messaging';
import { type Clock, LATE, within } from '../clock.ts';
import { type CoreLogger, quietly } from '../ports.ts';

/** A fan-out that does not answer must not keep a client waiting longer: the head check serves it until it does. */
const PATIENCE_MS = 2_000;

export interface FanoutLinkOptions {
  readonly fanout: Fanout;
  readonly clock: Clock;
  readonly logger: CoreLogger;
}

/** Wraps the fan-out. Its failures cost time, never correctness, so nothing here rejects. */
export class FanoutLink {
  readonly #options: FanoutLinkOptions;

  constructor(options: FanoutLinkOptions) {
    this.#options = options;
  }

  get connected(): boolean {
    return this.#options.fanout.connected;
  }

  onState(listener: (state: FanoutState) => void): void {
    this.#options.fanout.onState(listener);
  }

  /** Returns true if everything published from now on will be received. */
  subscribe(name: string, listener: FanoutListener): Promise<boolean> {
    return this.#quietly('subscribe', this.#options.fanout.subscribe(name, listener));
  }

  /** As `subscribe`; `settled` gets false if the answer takes long, and later the actual outcome. */
  async follow(name: string, listener: FanoutListener, settled: (subscribed: boolean) => void): Promise<void> {
    const confirmed = this.subscribe(name, listener);
    if ((await within(this.#options.clock, PATIENCE_MS, confirmed)) === LATE) settled(false);
    settled(await confirmed);
  }

  async unsubscribe(name: string, listener: FanoutListener): Promise<void> {
    await this.#quietly('unsubscribe', this.#options.fanout.unsubscribe(name, listener));
  }

  publish(channel: string, message: object): Promise<boolean> {
    const payload = JSON.stringify(message);
    return this.#quietly('publish', this.#options.fanout.execute([{ kind: 'publish', channel, payload }]));
  }

  #quietly(what: string, call: Promise<void>): Promise<boolean> {
    return quietly(this.#options.logger, what, call);
  }
}
