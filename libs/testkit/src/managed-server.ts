import { Child, type ChildSpec } from './child.ts';
import { sleep, until } from './wait.ts';

/** A real server on a private port and folder. Port, folder and url stay the same over stop, kill, restart and wipe. */
export interface ManagedServer {
  readonly url: string;
  readonly host: string;
  readonly port: number;
  readonly folder: string;
  readonly pid: number;
  readonly running: boolean;
  /** Starts it again after stop() or kill(); nothing to do when it runs. */
  start(): Promise<void>;
  /** Ends it as an administrator would. */
  stop(): Promise<void>;
  /** kill -9 of the whole process tree: what a crash or a power cut leaves behind. */
  kill(): Promise<void>;
  restart(): Promise<void>;
  /** Loses all data, as after a lost disk; a running server is up again, empty, when this resolves. */
  wipe(): Promise<void>;
  /** SIGSTOP of the whole tree: connections stay open, nothing answers. */
  pause(): void;
  resume(): void;
  /** The last lines it printed, for error messages. */
  output(): string;
}

export interface ServerSpec {
  name: string;
  url: string;
  host: string;
  port: number;
  folder: string;
  stopSignal: NodeJS.Signals;
  readyTimeoutMs: number;
  stopTimeoutMs: number;
  child(): ChildSpec;
  /** Makes the data folder when it is missing. */
  prepare(): Promise<void>;
  eraseData(): Promise<void>;
  /** Resolves when the server serves; throwing or false = not yet. */
  ready(): Promise<boolean>;
}

export async function startServer(spec: ServerSpec): Promise<ManagedServer> {
  const server = new Server(spec);
  await server.start();
  return server;
}

class Server implements ManagedServer {
  readonly #spec: ServerSpec;
  #child: Child | null = null;

  constructor(spec: ServerSpec) {
    this.#spec = spec;
  }

  get url(): string {
    return this.#spec.url;
  }

  get host(): string {
    return this.#spec.host;
  }

  get port(): number {
    return this.#spec.port;
  }

  get folder(): string {
    return this.#spec.folder;
  }

  get pid(): number {
    if (this.#child === null) throw new Error(`${this.#spec.name} was never started`);
    return this.#child.pid;
  }

  get running(): boolean {
    return this.#child?.running ?? false;
  }

  async start(): Promise<void> {
    if (this.running) return;
    await this.#spec.prepare();
    const child = new Child(this.#spec.child());
    this.#child = child;
    const deadline = performance.now() + this.#spec.readyTimeoutMs;
    for (;;) {
      child.assertRunning();
      const ready = await this.#spec.ready().catch(() => false);
      if (ready) return;
      if (performance.now() > deadline) {
        const printed = child.output();
        await child.kill();
        throw new Error(`${this.#spec.name} was not ready within ${this.#spec.readyTimeoutMs} ms:\n${printed}`);
      }
      await sleep(20);
    }
  }

  async stop(): Promise<void> {
    if (this.#child === null || !this.#child.running) return;
    this.#child.resume();
    await this.#child.stop(this.#spec.stopSignal, this.#spec.stopTimeoutMs);
  }

  async kill(): Promise<void> {
    await this.#child?.kill();
  }

  async restart(): Promise<void> {
    await this.stop();
    await this.start();
  }

  async wipe(): Promise<void> {
    const wasRunning = this.running;
    await this.kill();
    // A process that was just killed may still hold a file for a moment.
    await until(async () => (await this.#spec.eraseData(), true), {
      timeoutMs: 5_000,
      what: `erasing ${this.#spec.name}`,
    });
    if (wasRunning) await this.start();
  }

  pause(): void {
    this.#child?.pause();
  }

  resume(): void {
    this.#child?.resume();
  }

  output(): string {
    return this.#child?.output() ?? '';
  }
}
