import { type ChildProcess, spawn } from 'node:child_process';
import { Socket } from 'node:net';
import { guardProcessGroup, releaseProcessGroup } from './guard.ts';
import { isAlive, killTree, processTree, sendSignal, signalTree } from './process-tree.ts';
import { sleep, until } from './wait.ts';

export interface ChildSpec {
  name: string;
  command: string;
  args: string[];
  env: Record<string, string>;
  cwd?: string;
  uid?: number;
  gid?: number;
  /** Ends the whole tree at once; PostgreSQL needs QUIT since its backends live in groups of their own. */
  guardSignal?: 'KILL' | 'QUIT';
  onLine?: (line: string, stream: 'stdout' | 'stderr') => void;
}

export interface ExitStatus {
  code: number | null;
  signal: NodeJS.Signals | null;
}

const KEPT_LINES = 400;

/** One run of one program in a process group of its own, with its output kept for error messages. */
export class Child {
  readonly #exited: Promise<ExitStatus>;
  readonly #process: ChildProcess;
  readonly #name: string;
  readonly #lines: string[] = [];
  #exit: ExitStatus | null = null;
  #spawnError: Error | null = null;

  constructor(spec: ChildSpec) {
    this.#name = spec.name;
    this.#process = spawn(spec.command, spec.args, {
      cwd: spec.cwd,
      env: spec.env,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      ...(spec.uid === undefined ? {} : { uid: spec.uid }),
      ...(spec.gid === undefined ? {} : { gid: spec.gid }),
    });
    const pid = this.#process.pid;
    if (pid !== undefined) guardProcessGroup(pid, spec.guardSignal);
    for (const stream of ['stdout', 'stderr'] as const) this.#read(stream, spec.onLine);
    this.#exited = new Promise((resolve) => {
      this.#process.once('error', (error) => {
        this.#spawnError = error;
        this.#exit = { code: null, signal: null };
        resolve(this.#exit);
      });
      this.#process.once('exit', (code, signal) => {
        this.#exit = { code, signal };
        if (pid !== undefined) releaseProcessGroup(pid);
        resolve(this.#exit);
      });
    });
    // A test process that has nothing else to do may end: the guard then ends this child.
    this.#process.unref();
  }

  get pid(): number {
    const pid = this.#process.pid;
    if (pid === undefined) throw new Error(`${this.#name} could not be started`, { cause: this.#spawnError });
    return pid;
  }

  /** Whoever waits for the end keeps this process alive until then. */
  get exited(): Promise<ExitStatus> {
    if (this.#exit === null) this.#process.ref();
    return this.#exited;
  }

  get running(): boolean {
    return this.#exit === null;
  }

  output(): string {
    return this.#lines.join('\n');
  }

  /** Throws when the program ended while it was being waited for, with what it printed. */
  assertRunning(): void {
    if (this.#exit === null) return;
    const how = this.#spawnError?.message ?? `code ${this.#exit.code}, signal ${this.#exit.signal}`;
    throw new Error(`${this.#name} ended (${how}):\n${this.output()}`);
  }

  signal(signal: NodeJS.Signals): void {
    if (this.running) sendSignal(this.pid, signal);
  }

  async stop(signal: NodeJS.Signals, timeoutMs: number): Promise<ExitStatus> {
    if (this.#exit !== null) return this.#exit;
    const members = processTree(this.pid);
    sendSignal(this.pid, signal);
    const ended = await Promise.race([this.exited, sleep(timeoutMs, null, { ref: false })]);
    if (ended === null) {
      await killTree(this.pid);
      throw new Error(`${this.#name} did not stop within ${timeoutMs} ms after ${signal}:\n${this.output()}`);
    }
    for (const pid of members) sendSignal(pid, 'SIGKILL');
    await until(() => members.every((pid) => !isAlive(pid)), { what: `end of all processes of ${this.#name}` });
    return ended;
  }

  async kill(): Promise<void> {
    if (this.running) await killTree(this.pid);
    await this.exited;
  }

  pause(): void {
    if (!this.running) return;
    // Twice: the first pass stops the parents, the second the children that appeared meanwhile.
    signalTree(this.pid, 'SIGSTOP');
    signalTree(this.pid, 'SIGSTOP');
  }

  resume(): void {
    if (this.running) signalTree(this.pid, 'SIGCONT');
  }

  #read(stream: 'stdout' | 'stderr', onLine: ChildSpec['onLine']): void {
    const source = this.#process[stream];
    if (source === null) return;
    source.setEncoding('utf8');
    let rest = '';
    const take = (line: string): void => {
      this.#lines.push(line);
      if (this.#lines.length > KEPT_LINES) this.#lines.shift();
      onLine?.(line, stream);
    };
    source.on('data', (chunk: string) => {
      const lines = (rest + chunk).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) take(line);
    });
    source.on('end', () => {
      if (rest !== '') take(rest);
    });
    if (source instanceof Socket) source.unref();
  }
}
