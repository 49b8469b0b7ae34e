import type { Fanout, FanoutCommand, FanoutListener, FanoutState } from '../ports/fanout.ts';
import { UnavailableError } from '../errors.ts';
import type { MessagingLogger } from '../logger.ts';

interface Message {
  readonly channel: string;
  readonly payload: string;
}

/**
 * Fan-out within one process. Delivery is asynchronous and in order: a publisher never runs its listeners on its own
 * stack. A payload is encoded once, whatever the number of listeners, and not at all without one.
 */
class MemoryFanout implements Fanout {
  readonly #listeners = new Map<string, Set<FanoutListener>>();
  #due: Message[] = [];
  #closed = false;
  readonly #logger: MessagingLogger | undefined;

  constructor(logger: MessagingLogger | undefined) {
    this.#logger = logger;
  }

  get connected(): boolean {
    return !this.#closed;
  }

  async execute(commands: readonly FanoutCommand[]): Promise<void> {
    if (this.#closed) throw new UnavailableError('redis');
    for (const command of commands) {
      // Streams are for other processes, and here there is none.
      if (command.kind === 'publish' && this.#listeners.has(command.channel)) this.#enqueue(command);
    }
  }

  async subscribe(channel: string, listener: FanoutListener): Promise<void> {
    if (this.#closed) throw new UnavailableError('redis');
    const listeners = this.#listeners.get(channel);
    if (listeners === undefined) this.#listeners.set(channel, new Set([listener]));
    else listeners.add(listener);
  }

  async unsubscribe(channel: string, listener: FanoutListener): Promise<void> {
    const listeners = this.#listeners.get(channel);
    if (listeners === undefined) return;
    listeners.delete(listener);
    if (listeners.size === 0) this.#listeners.delete(channel);
  }

  onState(listener: (state: FanoutState) => void): void {
    queueMicrotask(() => {
      if (!this.#closed) listener({ kind: 'connected' });
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#listeners.clear();
    this.#due = [];
  }

  #enqueue(message: Message): void {
    this.#due.push(message);
    if (this.#due.length === 1) setImmediate(() => this.#deliver());
  }

  #deliver(): void {
    const due = this.#due;
    this.#due = [];
    for (const { channel, payload } of due) {
      const listeners = this.#listeners.get(channel);
      if (listeners === undefined) continue;
      const buffer = Buffer.from(payload);
      for (const listener of listeners) {
        try {
          listener(buffer, channel);
        } catch (error) {
          // One listener's fault must not keep the message from the others.
          this.#logger?.error({ err: error, channel }, 'fan-out listener failed');
        }
      }
    }
  }
}

export function createMemoryFanout(options: { readonly logger?: MessagingLogger } = {}): Fanout {
  return new MemoryFanout(options.logger);
}
