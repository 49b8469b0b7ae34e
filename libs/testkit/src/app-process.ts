import { Child, type ExitStatus } from './child.ts';
import { sleep, until } from './wait.ts';

/**
 * The flags with which deploy/ starts every service. Without a bound the young generation grows under load and is kept:
 * 9 KB for each of 8,000 connections. With half of this bound a service that posts messages collects garbage for twice
 * as long.
 */
export const SERVICE_FLAGS: readonly string[] = ['--enable-source-maps', '--max-semi-space-size=16'];

/** One line a service logged; its fields are unknown until a test looks at them. */
export type LogRecord = Record<string, unknown>;

export interface ProcessOptions {
  name: string;
  /** Default: the node that runs this process. */
  command?: string;
  args: string[];
  /** The whole environment except PATH and HOME, which are passed on; nothing else leaks in from the caller's shell. */
  env?: Record<string, string>;
  cwd?: string;
  /** A url that answers 2xx once it serves, a line it prints, or any probe. Without one: as soon as it is started. */
  ready?: string | RegExp | (() => Promise<boolean>);
  readyTimeoutMs?: number;
  stopTimeoutMs?: number;
  uid?: number;
  gid?: number;
  onLine?: (line: string) => void;
}

export interface AppProcess {
  readonly name: string;
  readonly pid: number;
  readonly running: boolean;
  /** Lines of this and all earlier runs that are JSON objects. */
  readonly logs: readonly LogRecord[];
  /** How its current run ended; resolves when it does. */
  readonly exited: Promise<ExitStatus>;
  start(env?: Record<string, string>): Promise<void>;
  /** SIGTERM, as a supervisor sends it; fails if the process does not exit in time. */
  stop(signal?: NodeJS.Signals): Promise<ExitStatus>;
  kill(): Promise<void>;
  /** The given variables are added to the environment, for this and later runs. */
  restart(env?: Record<string, string>): Promise<void>;
  pause(): void;
  resume(): void;
  signal(signal: NodeJS.Signals): void;
  waitForLog(matches: (record: LogRecord) => boolean, timeoutMs?: number): Promise<LogRecord>;
  output(): string;
  /** Throws with its output if it has exited without stop() or kill(). */
  assertAlive(): void;
}

function parseRecord(line: string): LogRecord | null {
  if (!line.startsWith('{')) return null;
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? { ...value } : null;
  } catch {
    // A line that only looks like JSON stays in output().
    return null;
  }
}

export async function startProcess(options: ProcessOptions): Promise<AppProcess> {
  const app = new RunningApp(options);
  await app.start();
  return app;
}

class RunningApp implements AppProcess {
  readonly name: string;
  readonly logs: LogRecord[] = [];
  readonly #options: ProcessOptions;
  #env: Record<string, string>;
  #child: Child | null = null;
  #sawLine = false;
  #wanted = false;

  constructor(options: ProcessOptions) {
    this.#options = options;
    this.name = options.name;
    this.#env = {
      PATH: process.env.PATH ?? '/usr/bin:/bin',
      HOME: process.env.HOME ?? '/',
      ...options.env,
    };
  }

  get pid(): number {
    return this.#current().pid;
  }

  get running(): boolean {
    return this.#child?.running ?? false;
  }

  get exited(): Promise<ExitStatus> {
    return this.#current().exited;
  }

  async start(env: Record<string, string> = {}): Promise<void> {
    if (this.running) return;
    this.#env = { ...this.#env, ...env };
    this.#sawLine = false;
    this.#wanted = true;
    const { ready, readyTimeoutMs = 30_000 } = this.#options;
    const child = new Child({
      name: this.name,
      command: this.#options.command ?? process.execPath,
      args: this.#options.args,
      env: this.#env,
      ...(this.#options.cwd === undefined ? {} : { cwd: this.#options.cwd }),
      ...(this.#options.uid === undefined ? {} : { uid: this.#options.uid }),
      ...(this.#options.gid === undefined ? {} : { gid: this.#options.gid }),
      onLine: (line) => {
        if (ready instanceof RegExp && ready.test(line)) this.#sawLine = true;
        const record = parseRecord(line);
        if (record !== null) this.logs.push(record);
        this.#options.onLine?.(line);
      },
    });
    this.#child = child;
    const deadline = performance.now() + readyTimeoutMs;
    for (;;) {
      child.assertRunning();
      if (await this.#isReady()) return;
      if (performance.now() > deadline) {
        await child.kill();
        throw new Error(`${this.name} was not ready within ${readyTimeoutMs} ms:\n${child.output()}`);
      }
      await sleep(25);
    }
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<ExitStatus> {
    const child = this.#current();
    this.#wanted = false;
    child.resume();
    return child.stop(signal, this.#options.stopTimeoutMs ?? 30_000);
  }

  async kill(): Promise<void> {
    this.#wanted = false;
    await this.#child?.kill();
  }

  async restart(env?: Record<string, string>): Promise<void> {
    if (this.running) await this.stop();
    await this.start(env);
  }

  pause(): void {
    this.#child?.pause();
  }

  resume(): void {
    this.#child?.resume();
  }

  signal(signal: NodeJS.Signals): void {
    this.#child?.signal(signal);
  }

  waitForLog(matches: (record: LogRecord) => boolean, timeoutMs = 10_000): Promise<LogRecord> {
    return until(() => this.logs.find(matches), { timeoutMs, what: `a log line of ${this.name}` });
  }

  output(): string {
    return this.#child?.output() ?? '';
  }

  assertAlive(): void {
    if (this.#wanted) this.#child?.assertRunning();
  }

  #current(): Child {
    if (this.#child === null) throw new Error(`${this.name} was never started`);
    return this.#child;
  }

  async #isReady(): Promise<boolean> {
    const { ready } = this.#options;
    if (ready === undefined) return true;
    if (ready instanceof RegExp) return this.#sawLine;
    if (typeof ready === 'function') return ready().catch(() => false);
    const answer = await fetch(ready, { signal: AbortSignal.timeout(2_000) }).catch(() => null);
    await answer?.body?.cancel();
    return answer?.ok ?? false;
  }
}
