import type { Dispatcher } from '@chat-realtime/channel-dispatcher';

/** The dispatcher, which can be stopped as a killed process is and started anew some time later. */
export class RestartableDispatcher implements Dispatcher {
  readonly #create: () => Dispatcher;
  readonly #changed: () => void;
  #current: Dispatcher | null = null;
  #timer: NodeJS.Timeout | null = null;
  /** Unix milliseconds at which it comes back; null while it runs. */
  #backAt: number | null = null;

  constructor(create: () => Dispatcher, changed: () => void) {
    this.#create = create;
    this.#changed = changed;
  }

  get healthy(): boolean {
    return this.#current?.healthy ?? false;
  }

  get backAt(): number | null {
    return this.#backAt;
  }

  async start(): Promise<void> {
    this.#backAt = null;
    this.#current = this.#create();
    await this.#current.start();
    this.#changed();
  }

  async stop(): Promise<void> {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    const current = this.#current;
    this.#current = null;
    await current?.stop();
  }

  async stopFor(ms: number, onError: (error: unknown) => void): Promise<void> {
    await this.stop();
    this.#backAt = performance.now() + ms;
    this.#changed();
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.start().catch(onError);
    }, ms);
  }
}
