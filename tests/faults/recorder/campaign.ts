import { sleep, type Stack } from '@chat-realtime/testkit';
import type { SeededRandom } from '../../support/seeded-random.ts';
import type { History, OutboxSample } from '../checker/history.ts';
import type { Cast, MakeCast } from './cast.ts';
import { readOutbox } from './final-table.ts';
import type { Follower } from './follower.ts';
import { MetricsPage } from './metrics.ts';
import { ownChat } from './own-chat.ts';

export interface CampaignOptions {
  readonly sessions?: number;
  /** Mean pause of a writer between two messages. */
  readonly pauseMs?: number;
  /** Who writes and who follows; our own chat unless said. */
  readonly cast?: MakeCast;
}

const OUTBOX_EVERY_MS = 250;

/** Traffic over nginx and a record of all of it. */
export class Campaign {
  readonly followers: readonly Follower[];
  readonly sessionIds: readonly number[];
  readonly #stack: Stack;
  readonly #cast: Cast;
  readonly #stopWriting = new AbortController();
  readonly #stopSampling = new AbortController();
  readonly #outbox: OutboxSample[] = [];
  readonly #writing: Promise<PromiseSettledResult<void>[]>;
  readonly #sampling: Promise<void>;
  #healedAt = Date.now();

  static async start(stack: Stack, random: SeededRandom, options: CampaignOptions = {}): Promise<Campaign> {
    const { sessions = 4, pauseMs = 120, cast: make = ownChat } = options;
    const cast = await make(stack, random, { sessions, pauseMs });
    await Promise.all(cast.followers.map((follower) => follower.start()));
    await cast.opened();
    return new Campaign(stack, cast);
  }

  private constructor(stack: Stack, cast: Cast) {
    this.#stack = stack;
    this.#cast = cast;
    this.followers = cast.followers;
    this.sessionIds = cast.sessionIds;
    this.#writing = Promise.allSettled(cast.writers.map((writer) => writer.run(this.#stopWriting.signal)));
    this.#sampling = this.#sample();
  }

  /** The fault is over. */
  healed(): void {
    this.#healedAt = Date.now();
  }

  /**
   * Ends the traffic (a message under way is seen through, however long the outage) and waits until everyone has been shown
   * everything, or the time is over.
   */
  async settle(withinMs: number): Promise<History> {
    this.#stopWriting.abort();
    for (const result of await this.#writing) if (result.status === 'rejected') throw result.reason;
    const { table, sessions, attempts, complaints } = await this.#cast.outcome();
    const deadline = Math.max(this.#healedAt, Date.now()) + withinMs;
    const due = (follower: Follower): number => {
      const { scope } = follower.watch;
      if (scope.kind === 'staff') return table.length;
      return table.filter((row) => row.sessionId === scope.sessionId && row.seq !== null).length;
    };
    const missing = this.followers.map((follower) => ({ follower, due: due(follower) }));
    while (Date.now() < deadline) {
      const shown = missing.every(({ follower, due: count }) => follower.watch.deliveries.length >= count);
      if (shown && this.#outbox.at(-1)?.pending === 0 && this.#fresh()) break;
      await sleep(50);
    }
    // What comes twice or too much comes after the last that is due.
    await sleep(300);
    this.#stopSampling.abort();
    await this.#sampling;
    await Promise.all(this.followers.map((follower) => follower.stop()));
    this.#cast.close();
    return {
      sessions,
      attempts,
      table,
      observers: this.followers.map((follower) => follower.log()),
      outbox: this.#outbox,
      healedAt: this.#healedAt,
      endedAt: Date.now(),
      complaints,
    };
  }

  /** Whether the outbox was measured after the last write. */
  #fresh(): boolean {
    const last = Math.max(...this.#cast.writers.flatMap(({ attempts }) => attempts.map(({ endedAt }) => endedAt)));
    return (this.#outbox.at(-1)?.at ?? 0) > last;
  }

  async #sample(): Promise<void> {
    while (!this.#stopSampling.signal.aborted) {
      try {
        const waiting = await readOutbox(this.#stack.postgres);
        const { chat, standby } = this.#stack.addresses;
        const pages = await Promise.all([chat, standby].filter((at) => at !== null).map((at) => MetricsPage.read(at)));
        // Empty is what the table and the metrics all call empty: one that lags would hide what operators must see.
        const pending = Math.max(waiting, ...pages.map((page) => page.sum('chat_outbox_pending')));
        const oldestAgeSeconds = Math.max(...pages.map((page) => page.sum('chat_outbox_oldest_age_seconds')));
        this.#outbox.push({ at: Date.now(), pending, oldestAgeSeconds });
      } catch (error) {
        // What a case has killed cannot be asked; a sample less is no finding, none at all is one.
        if (!(error instanceof Error)) throw error;
      }
      await sleep(OUTBOX_EVERY_MS);
    }
  }
}
