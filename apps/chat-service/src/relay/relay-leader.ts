import type { Database, DedicatedSession } from '@chat-realtime/database';
import { LeaderDuties } from './leader-duties.ts';
import { WakeUp, WAKE_UP_CHANNEL } from './wake-up.ts';
import { Outbox, republish } from './outbox.ts';
import { type PublishDeps, publishBatch } from './publish-batches.ts';
import { Signal } from './signal.ts';

/** One leader among all chat-services of a database ('CTRL'). */
export const RELAY_LOCK = 1_129_599_564;
/** Finds events whose wake-up from another process was lost. */
const POLL_MS = 250;
/**
 * How often a standby tries the lock, and how often a leader that lost its connection comes back. A takeover takes less
 * than 5 s altogether.
 */
const STANDBY_MS = 1_500;
/** A leader that is paused or cut off loses its lock after this long. */
const SILENCE_MS = 3_000;
const BLOCKED_MIN_MS = 250;
const BLOCKED_MAX_MS = 2_000;
/** Events of this time are published again when the broker has lost its queue. */
const REPUBLISH_SECONDS = 600;

export interface RelayDeps extends PublishDeps {
  readonly database: Database;
  readonly duties: LeaderDuties;
  readonly retryMs?: number;
}

type Phase = 'idle' | 'standby' | 'leading' | 'stopping';

/**
 * Assigns feed numbers to events and publishes them in that order. One process leads at a time, by an advisory lock on
 * a connection of its own, and the others stand by. Several relays at once would reorder sessions.
 */
export class RelayLeader {
  readonly #deps: RelayDeps;
  readonly #signal = new Signal();
  readonly #wakeUp: WakeUp;
  readonly #retryMs: number;
  #phase: Phase = 'idle';
  #running: Promise<void> | undefined;
  /** The broker is back: the next attempt need not wait. */
  #unblocked = false;

  constructor(deps: RelayDeps) {
    this.#deps = deps;
    this.#retryMs = deps.retryMs ?? STANDBY_MS;
    this.#wakeUp = new WakeUp(deps.database, deps.log);
    deps.publisher.onConnected(async ({ queueWasMissing }) => {
      // Awaited by the publisher: a broker that lost its queue counts as connected only when this has succeeded.
      if (queueWasMissing) {
        const events = await republish(deps.database, REPUBLISH_SECONDS);
        deps.log.warn({ events }, 'the broker had lost its queue: recent events are published again');
      }
      this.#unblocked = true;
      this.#signal.set();
    });
  }

  get leading(): boolean {
    return this.#phase === 'leading';
  }

  /** Something was committed here: publish it, or wake the leader. */
  wake(): void {
    if (this.#phase === 'leading') this.#changed();
    else if (this.#phase !== 'idle') this.#wakeUp.send();
  }

  #changed(): void {
    this.#signal.set();
    this.#deps.duties.changed();
  }

  start(): void {
    if (this.#phase !== 'idle') return;
    this.#phase = 'standby';
    this.#running = this.#run();
  }

  async stop(): Promise<void> {
    if (this.#phase === 'idle') return;
    this.#phase = 'stopping';
    this.#signal.set();
    await this.#running;
    this.#phase = 'idle';
  }

  get #stopping(): boolean {
    return this.#phase === 'stopping';
  }

  async #run(): Promise<void> {
    this.#deps.observer.relayLeader(false);
    while (!this.#stopping) {
      try {
        await this.#campaign();
      } catch (error) {
        this.#deps.log.warn(
          { error: error instanceof Error ? error.message : String(error) },
          'relay lost its database connection',
        );
        await this.#pause(this.#retryMs);
      }
    }
  }

  async #pause(ms: number): Promise<void> {
    const end = performance.now() + ms;
    while (!this.#stopping && performance.now() < end) await this.#signal.wait(end - performance.now());
  }

  /** From a fresh connection to its end: waits for the lock, leads, gives it back. */
  async #campaign(): Promise<void> {
    const session = await this.#deps.database.acquireSession({ silenceMs: SILENCE_MS, readsByIndex: true });
    session.onLost(() => this.#signal.set());
    try {
      while (!this.#stopping && !(await session.tryLock(RELAY_LOCK))) await this.#pause(this.#retryMs);
      if (!this.#stopping) await this.#lead(session);
    } finally {
      await session.release();
    }
  }

  async #lead(session: DedicatedSession): Promise<void> {
    const { duties, observer, log } = this.#deps;
    const outbox = new Outbox(session);
    this.#phase = 'leading';
    observer.relayLeader(true);
    log.info({}, 'this instance leads the relay');
    duties.start(outbox);
    try {
      await session.listen(WAKE_UP_CHANNEL, () => this.#changed());
      await this.#relayForever(outbox);
    } finally {
      // `stop` may have changed the phase meanwhile; only a leader falls back to standby.
      if (this.#phase === 'leading') this.#phase = 'standby';
      observer.relayLeader(false);
      await duties.stop();
      // The next leader reports the backlog. A figure that nobody updates would stay here forever.
      observer.outbox(0, 0);
      observer.feedLag(0);
    }
  }

  /** Stamping continues while the broker is down: the feed, and staff with it, need no broker. */
  async #relayForever(outbox: Outbox): Promise<void> {
    let blockedMs = BLOCKED_MIN_MS;
    let publishAt = 0;
    while (!this.#stopping) {
      if (this.#unblocked) {
        this.#unblocked = false;
        publishAt = 0;
      }
      if (performance.now() < publishAt) {
        await outbox.stamp();
      } else {
        const result = await publishBatch(outbox, this.#deps);
        if (result === 'blocked') {
          publishAt = performance.now() + blockedMs * (0.75 + Math.random() / 2);
          blockedMs = Math.min(blockedMs * 2, BLOCKED_MAX_MS);
        } else {
          blockedMs = BLOCKED_MIN_MS;
        }
        // The next statement marks what was published, and looks for more.
        if (result === 'published') continue;
      }
      await this.#signal.wait(POLL_MS);
    }
    await outbox.mark();
  }
}
