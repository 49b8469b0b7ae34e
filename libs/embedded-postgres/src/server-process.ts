import { type ChildProcess, spawn } from 'node:child_process';
import { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { DatabaseStartError } from '@chat-realtime/database';
import { isReady } from './leftover.ts';
import type { ServiceUser } from './service-user.ts';

export interface ServerSpec {
  readonly command: string;
  readonly args: readonly string[];
  /** Entered before the user is changed, so the user does not need access to it. */
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  readonly user: ServiceUser | undefined;
  readonly onLine: (line: string) => void;
}

const READY_MS = 60_000;
const READY_LOOK_MS = 25;
const KEPT_LINES = 20;
const CLEAN_MS = 20_000;
const AT_ONCE_MS = 5_000;

/**
 * Waits until the process at the other end of its input is gone, also by a kill -9, and then ends the server: where the
 * system can tell, only while the process id still belongs to the server that works in this folder.
 */
const GUARD =
  'trap "" INT TERM HUP; read -r _; [ ! -d /proc/self/cwd ] || [ "/proc/$1/cwd" -ef . ] || exit 0; kill -INT "$1"';

/**
 * One run of PostgreSQL. It runs in a separate session, or Ctrl+C in a terminal would end it before the chat has closed
 * its connections. A guard ends it when this process is killed.
 */
export class ServerProcess {
  readonly exited: Promise<void>;
  readonly #process: ChildProcess;
  readonly #lines: string[] = [];
  #running = true;

  constructor(spec: ServerSpec) {
    const { cwd, env, user } = spec;
    const options = { cwd, env, detached: process.platform !== 'win32', ...user };
    this.#process = spawn(spec.command, [...spec.args], {
      ...options,
      stdio: ['ignore', 'ignore', 'pipe'],
      windowsHide: true,
    });
    this.#read(spec.onLine);
    const guard = this.#guard(options);
    this.exited = new Promise((resolve) => {
      const ended = (): void => {
        this.#running = false;
        guard?.kill('SIGKILL');
        resolve();
      };
      this.#process.once('exit', ended);
      this.#process.once('error', (error) => {
        this.#keep(error.message);
        ended();
      });
    });
  }

  get running(): boolean {
    return this.#running;
  }

  get pid(): number | undefined {
    return this.#process.pid;
  }

  /** Its last output, for anyone who must find out why it does not start. */
  get lastWords(): string {
    return this.#lines.join('\n');
  }

  /** Cleanly; a server that hangs is ended anyway. */
  async stop(): Promise<void> {
    for (const [signal, withinMs] of [
      ['SIGINT', CLEAN_MS],
      ['SIGQUIT', AT_ONCE_MS],
      ['SIGKILL', AT_ONCE_MS],
    ] as const) {
      if (!this.#running) return;
      this.#process.ref();
      this.#process.kill(signal);
      await Promise.race([this.exited, sleep(withinMs, undefined, { ref: false })]);
    }
  }

  #guard(options: object): ChildProcess | undefined {
    const { pid } = this.#process;
    if (pid === undefined || process.platform === 'win32') return undefined;
    const guard = spawn('/bin/sh', ['-c', GUARD, 'sh', String(pid)], {
      ...options,
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    guard.on('error', (error) => this.#keep(error.message));
    // Neither it nor the server keeps a process alive that has nothing else to do.
    guard.unref();
    if (guard.stdin instanceof Socket) {
      guard.stdin.on('error', () => undefined);
      guard.stdin.unref();
    }
    this.#process.unref();
    return guard;
  }

  #read(onLine: (line: string) => void): void {
    const { stderr } = this.#process;
    if (stderr === null) return;
    stderr.setEncoding('utf8');
    if (stderr instanceof Socket) stderr.unref();
    let rest = '';
    stderr.on('data', (chunk: string) => {
      const lines = (rest + chunk).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines.filter((text) => text.trim() !== '')) {
        this.#keep(line);
        onLine(line);
      }
    });
  }

  #keep(line: string): void {
    this.#lines.push(line);
    if (this.#lines.length > KEPT_LINES) this.#lines.shift();
  }
}

/**
 * The server's own status in `data` decides, since it logs everybody who connects too early.
 * @throws DatabaseStartError if it exits, or is not ready in time.
 */
export async function untilReady(run: ServerProcess, data: string): Promise<void> {
  const deadline = performance.now() + READY_MS;
  while (!(await isReady(data, run.pid))) {
    if (!run.running) throw new DatabaseStartError(`the embedded PostgreSQL does not start:\n${run.lastWords}`);
    if (performance.now() > deadline) {
      await run.stop();
      throw new DatabaseStartError(
        `the embedded PostgreSQL was not ready within ${READY_MS / 1_000} s:\n${run.lastWords}`,
      );
    }
    await sleep(READY_LOOK_MS);
  }
}
