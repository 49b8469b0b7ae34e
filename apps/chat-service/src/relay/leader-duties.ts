import type { EventPublisher } from '@chat-realtime/messaging';
import type { CountedBadge } from '@chat-realtime/protocol';
import type { ChatLog, ChatObserver, Sweep } from '../ports.ts';
import type { Outbox } from './outbox.ts';

const TICK_MS = 1_000;
const STATS_MS = 2_000;

export interface DutyDeps {
  readonly publisher: EventPublisher;
  readonly observer: ChatObserver;
  readonly log: ChatLog;
  badge(): Promise<CountedBadge>;
  revocationsHead(): Promise<number>;
  /** A source of the site is not read, so what the site writes does not arrive. */
  sourceLost(): Promise<boolean>;
  feedLagSeconds(): Promise<number>;
}

/**
 * What the leader does besides publishing: the tick that shows gateways that the live path works, the badge, the
 * metrics of the outbox, and the sweeps. Each has its own timer and never overlaps itself.
 */
export class LeaderDuties {
  readonly #deps: DutyDeps;
  readonly #sweeps: Sweep[] = [];
  readonly #timers = new Set<NodeJS.Timeout>();
  readonly #running = new Set<Promise<void>>();
  #active = false;
  #badgeAt = Number.NEGATIVE_INFINITY;
  #badgeTimer: NodeJS.Timeout | undefined;
  #badgeBusy = false;

  constructor(deps: DutyDeps) {
    this.#deps = deps;
  }

  /** Only before the relay starts. */
  add(sweep: Sweep): void {
    this.#sweeps.push(sweep);
  }

  start(outbox: Outbox): void {
    this.#active = true;
    this.#deps.observer.sweepStarts('badge');
    this.#every({ name: 'tick', everyMs: TICK_MS, run: () => this.#tick() });
    this.#every({ name: 'stats', everyMs: STATS_MS, run: () => this.#stats(outbox) });
    for (const sweep of this.#sweeps) this.#every(sweep);
  }

  /** Waits for running sweeps, so that a leader that gives the lock back sweeps no more. */
  async stop(): Promise<void> {
    this.#active = false;
    for (const timer of this.#timers) clearInterval(timer);
    this.#timers.clear();
    clearTimeout(this.#badgeTimer);
    this.#badgeTimer = undefined;
    await Promise.all(this.#running);
  }

  /** Something was committed: the badge is counted again, at most once a second. */
  changed(): void {
    if (!this.#active || this.#badgeTimer !== undefined) return;
    const wait = Math.max(0, this.#badgeAt + TICK_MS - performance.now());
    this.#badgeTimer = setTimeout(() => {
      this.#badgeTimer = undefined;
      this.#track(this.#guarded('badge', () => this.#publishBadge()));
    }, wait);
  }

  #every(sweep: Sweep): void {
    this.#deps.observer.sweepStarts(sweep.name);
    let busy = false;
    const run = () => {
      if (busy || !this.#active) return;
      busy = true;
      const done = this.#guarded(sweep.name, () => sweep.run()).finally(() => {
        busy = false;
      });
      this.#track(done);
    };
    this.#timers.add(setInterval(run, sweep.everyMs));
    run();
  }

  #track(work: Promise<void>): void {
    this.#running.add(work);
    void work.finally(() => this.#running.delete(work));
  }

  async #guarded(name: string, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.#deps.observer.sweepFailed(name);
      this.#deps.log.warn(
        { sweep: name, error: error instanceof Error ? error.message : String(error) },
        'a sweep failed; it will be retried',
      );
    }
  }

  async #tick(): Promise<void> {
    const [head, lost] = await Promise.all([this.#deps.revocationsHead(), this.#deps.sourceLost()]);
    const data = { revocations_head: head, ...(lost && { source_lost: true }) };
    this.#deps.publisher.publishEphemeral({ v: 1, type: 'control.tick', data });
    // A wake-up from another process may be lost, so the badge is counted with every tick too.
    if (performance.now() - this.#badgeAt >= TICK_MS) await this.#publishBadge();
  }

  async #publishBadge(): Promise<void> {
    if (this.#badgeBusy || !this.#active) return;
    this.#badgeBusy = true;
    this.#badgeAt = performance.now();
    try {
      const badge = await this.#deps.badge();
      // Published with every tick, changed or not: if one is lost or overtaken by an older count, the next is right a
      // second later. Gateways forward it only if it changed.
      this.#deps.publisher.publishEphemeral({ v: 1, type: 'chat.alert', session_id: null, seq: null, data: badge });
    } finally {
      this.#badgeBusy = false;
    }
  }

  async #stats(outbox: Outbox): Promise<void> {
    const { pending, oldestAgeSeconds } = await outbox.stats();
    this.#deps.observer.outbox(pending, oldestAgeSeconds);
    this.#deps.observer.feedLag(await this.#deps.feedLagSeconds());
  }
}
