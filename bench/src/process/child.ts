import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import type { Offer, Reply } from './calls.ts';

function canPin(): boolean {
  if (availableParallelism() < 2) return false;
  try {
    execFileSync('taskset', ['-c', '0,1', 'true'], { stdio: 'ignore' });
    return true;
  } catch {
    // Not installed, or the container may not use these cores: figures are then printed as unpinned.
    return false;
  }
}

/** Whether servers and generators have a core each. */
export const PINNED = canPin();

function isReply(message: unknown): message is Reply {
  return typeof message === 'object' && message !== null && 'id' in message && 'kind' in message;
}

/** A script in a process of its own, on a core of its own, with typed calls to what it offers. */
export class PinnedChild<T extends Offer> {
  readonly #process: ChildProcess;
  readonly #pending = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>();
  readonly #name: string;
  #nextId = 1;

  constructor(script: string, core: 0 | 1, nodeOptions: readonly string[] = []) {
    this.#name = script;
    const path = fileURLToPath(new URL(`../${script}`, import.meta.url));
    const node = [process.execPath, '--expose-gc', '--disable-warning=ExperimentalWarning', ...nodeOptions, path];
    const [command = '', ...args] = PINNED ? ['taskset', '-c', String(core), ...node] : node;
    this.#process = spawn(command, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    this.#process.on('message', (message: unknown) => {
      if (isReply(message)) this.#settle(message);
    });
    this.#process.on('exit', (code, signal) => {
      for (const waiting of this.#pending.values())
        waiting.reject(new Error(`${script} ended (${signal ?? `code ${code}`})`));
      this.#pending.clear();
    });
  }

  call<K extends keyof T & string>(name: K, argument: Parameters<T[K]>[0]): Promise<Awaited<ReturnType<T[K]>>> {
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      if (!this.#process.connected) {
        reject(new Error(`${this.#name} is gone`));
        return;
      }
      this.#pending.set(id, { resolve: (value) => resolve(value as Awaited<ReturnType<T[K]>>), reject });
      this.#process.send({ id, name, argument });
    });
  }

  async stop(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const ended = new Promise((resolve) => this.#process.once('exit', resolve));
    this.#process.disconnect();
    await ended;
  }

  #settle(reply: Reply): void {
    const waiting = this.#pending.get(reply.id);
    this.#pending.delete(reply.id);
    if (reply.kind === 'value') waiting?.resolve(reply.value);
    else waiting?.reject(new Error(`${this.#name}: ${reply.message}`));
  }
}
