import { sleep } from '@chat-realtime/testkit';
import type { SeededRandom } from '../../support/seeded-random.ts';
import type { ObserverLog } from '../checker/history.ts';
import { Backoff } from './backoff.ts';
import { attendPoll, attendSse, attendWebSocket, readOnce, type Attendance, type End } from './transports.ts';
import type { Watch } from './watch.ts';

const LIMITED_MS = 60_000;
const PLAIN_READ_MS = 5_000;

export type Way =
  | { readonly kind: 'websocket' | 'sse' | 'poll' }
  /** A signed link in a browser's own EventSource. */
  | { readonly kind: 'link'; readonly path: string };

export interface Outage {
  readonly lostAt: number;
  /** Infinity: not back when the run ended. */
  readonly backAt: number;
  /** The loss and every attempt that failed after it, as offset and reason. */
  readonly why: string;
}

/** One client that follows something for the whole run and comes back by itself, by the rules of SPEC.md. */
export class Follower {
  readonly name: string;
  readonly way: Way;
  readonly watch: Watch;
  readonly outages: Outage[] = [];
  readonly #baseUrl: string;
  readonly #backoff: Backoff;
  readonly #stop = new AbortController();
  readonly #complaints: string[] = [];
  #connections = 0;
  #replaces: string | undefined;
  #lost: { at: number; failures: string[] } | null = null;
  #since = Infinity;
  #running: Promise<void> = Promise.resolve();

  constructor(name: string, way: Way, watch: Watch, baseUrl: string, random: SeededRandom) {
    this.name = name;
    this.way = way;
    this.watch = watch;
    this.#baseUrl = baseUrl;
    this.#backoff = new Backoff(random);
  }

  /** Resolves when it is connected for the first time, or was turned away for good. */
  start(): Promise<void> {
    return new Promise((resolve) => {
      this.#running = this.#run(resolve).finally(resolve);
    });
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
    if (this.#lost !== null)
      this.outages.push({ lostAt: this.#lost.at, backAt: Infinity, why: this.#lost.failures.join(', ') });
  }

  log(): ObserverLog {
    const complaints = [...this.#complaints, ...this.watch.complaints];
    return {
      name: this.name,
      scope: this.watch.scope,
      since: this.#since,
      deliveries: this.watch.deliveries,
      complaints,
    };
  }

  async #run(started: () => void): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      this.#connections += 1;
      const end = await this.#attend(() => {
        this.#ready();
        started();
      });
      if (signal.aborted) return;
      this.#lost ??= { at: Date.now(), failures: [] };
      this.#lost.failures.push(`${Date.now() - this.#lost.at} ms ${end.why}`);
      if (end.kind === 'terminal') {
        this.#complaints.push(end.why);
        return;
      }
      if (end.kind === 'limited') await this.#readPlainly();
      else await this.#pause(end.kind === 'retry_after' ? end.ms : this.#backoff.next());
    }
  }

  /** What SPEC.md says to do when there are too many connections: read every five seconds, try again in a minute. */
  async #readPlainly(): Promise<void> {
    const until = Date.now() + LIMITED_MS;
    while (!this.#stop.signal.aborted && Date.now() < until) {
      const end = await readOnce(this.#attendance(() => undefined));
      // A polling client does the same as before, only less often.
      if (end === null && this.way.kind === 'poll') this.#ready();
      await this.#pause(PLAIN_READ_MS);
    }
  }

  async #pause(ms: number): Promise<void> {
    const { signal } = this.#stop;
    await sleep(ms, undefined, { signal }).catch((error: unknown) => {
      if (!signal.aborted) throw error;
    });
  }

  #ready(): void {
    if (this.#since === Infinity) this.#since = Date.now();
    this.#backoff.connected();
    if (this.#lost === null) return;
    this.outages.push({ lostAt: this.#lost.at, backAt: Date.now(), why: this.#lost.failures.join(', ') });
    this.#lost = null;
  }

  async #attend(ready: () => void): Promise<End> {
    const attendance = this.#attendance(ready);
    try {
      if (this.way.kind === 'websocket') return await attendWebSocket(attendance);
      if (this.way.kind === 'poll') return await attendPoll(attendance);
      return await attendSse(attendance, this.way.kind === 'link' ? this.way.path : null);
    } finally {
      this.#replaces = attendance.replaces;
    }
  }

  #attendance(ready: () => void): Attendance {
    return {
      baseUrl: this.#baseUrl,
      watch: this.watch,
      via: `${this.way.kind} ${this.#connections}`,
      signal: this.#stop.signal,
      replaces: this.#replaces,
      ready,
    };
  }
}
