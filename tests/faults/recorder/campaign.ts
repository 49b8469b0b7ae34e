import { Customer, HttpClient, sleep, type Stack, Staff } from '@chat-realtime/testkit';
import type { SeededRandom } from '../../resume/seeded-random.ts';
import { bodyOf, type History, type OutboxSample } from '../checker/history.ts';
import { readOutbox, readTable } from './final-table.ts';
import { Follower, type Way } from './follower.ts';
import { MetricsPage } from './metrics.ts';
import { SessionWatch, StaffWatch } from './watch.ts';
import { Writer } from './writer.ts';

export interface CampaignOptions {
  readonly sessions?: number;
  /** Mean pause of a writer between two messages. */
  readonly pauseMs?: number;
}

const OUTBOX_EVERY_MS = 250;
const CUSTOMER_WAYS = ['websocket', 'websocket', 'sse', 'poll'] as const;
const STAFF_WAYS = ['websocket', 'websocket', 'sse', 'poll'] as const;

/**
 * Traffic over nginx and a record of all of it. Each session has two customers' tabs and an operator who write, and
 * observers on every transport; two operators follow everything. The first session has as many tabs as the limit allows.
 */
export class Campaign {
  readonly followers: readonly Follower[];
  readonly sessionIds: readonly number[];
  readonly #stack: Stack;
  readonly #http: HttpClient;
  readonly #writers: readonly Writer[];
  readonly #stopWriting = new AbortController();
  readonly #stopSampling = new AbortController();
  readonly #outbox: OutboxSample[] = [];
  readonly #writing: Promise<PromiseSettledResult<void>[]>;
  readonly #sampling: Promise<void>;
  #healedAt = Date.now();

  static async start(stack: Stack, random: SeededRandom, options: CampaignOptions = {}): Promise<Campaign> {
    const { sessions = 4, pauseMs = 120 } = options;
    const http = new HttpClient(stack.url);
    const anna = await Staff.login(http, 'anna', stack.password);
    const boris = await Staff.login(http, 'boris', stack.password);
    const sessionIds = new Set<number>();
    const cursor = await anna.feedHead();
    const followers = STAFF_WAYS.map((kind, index) => {
      const staff = index % 2 === 0 ? anna : boris;
      const watch = new StaffWatch(staff, cursor, sessionIds);
      return new Follower(`operator ${index + 1} on ${kind}`, { kind }, watch, stack.url, random.fork());
    });
    const writers: Writer[] = [];
    for (let number = 1; number <= sessions; number += 1) {
      const customer = await Customer.create(http);
      const id = customer.sessionId;
      sessionIds.add(id);
      const ways: Way[] = CUSTOMER_WAYS.map((kind) => ({ kind }));
      if (number === 1) {
        const link = new URL((await customer.streamLink()).url, stack.url);
        ways.push({ kind: 'link', path: link.pathname + link.search });
      }
      ways.forEach((way, index) => {
        const name = `tab ${index + 1} of session ${id} on ${way.kind}`;
        followers.push(new Follower(name, way, new SessionWatch(customer), stack.url, random.fork()));
      });
      for (const tab of ['tab 1', 'tab 2']) {
        writers.push(
          new Writer({
            ...{ name: tab, sessionId: id, sender: 'client', random: random.fork(), pauseMs },
            post: ({ body, clientMessageId, signal }) =>
              customer.request('POST', '/messages', { json: { body, client_message_id: clientMessageId }, signal }),
          }),
        );
      }
      const staff = number % 2 === 0 ? anna : boris;
      writers.push(
        new Writer({
          ...{ name: 'operator', sessionId: id, sender: staff.userId, random: random.fork(), pauseMs: 2 * pauseMs },
          post: ({ body, clientMessageId, signal }) =>
            staff.request('POST', `/chat/session/${id}/messages`, {
              json: { body, client_message_id: clientMessageId },
              signal,
            }),
        }),
      );
    }
    await Promise.all(followers.map((follower) => follower.start()));
    // Facts without a seq go another way than messages: only operators may see them, and only the feed has them.
    for (const id of sessionIds) await anna.note(id, bodyOf(id, 'note', 0));
    return new Campaign(stack, http, [...sessionIds], followers, writers);
  }

  private constructor(
    stack: Stack,
    http: HttpClient,
    sessionIds: readonly number[],
    followers: readonly Follower[],
    writers: readonly Writer[],
  ) {
    this.#stack = stack;
    this.#http = http;
    this.sessionIds = sessionIds;
    this.followers = followers;
    this.#writers = writers;
    this.#writing = Promise.allSettled(writers.map((writer) => writer.run(this.#stopWriting.signal)));
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
    const { table, sessions } = await readTable(this.#stack.postgres, this.sessionIds);
    const deadline = Math.max(this.#healedAt, Date.now()) + withinMs;
    const owed = (follower: Follower): number => {
      const { scope } = follower.watch;
      if (scope.kind === 'staff') return table.length;
      return table.filter((row) => row.sessionId === scope.sessionId && row.seq !== null).length;
    };
    const missing = this.followers.map((follower) => ({ follower, owed: owed(follower) }));
    while (Date.now() < deadline) {
      const shown = missing.every(({ follower, owed: count }) => follower.watch.deliveries.length >= count);
      if (shown && this.#outbox.at(-1)?.pending === 0 && this.#fresh()) break;
      await sleep(50);
    }
    // What comes twice or too much comes after the last that is owed.
    await sleep(300);
    this.#stopSampling.abort();
    await this.#sampling;
    await Promise.all(this.followers.map((follower) => follower.stop()));
    this.#http.close();
    return {
      sessions,
      attempts: this.#writers.flatMap((writer) => writer.attempts),
      table,
      observers: this.followers.map((follower) => follower.log()),
      outbox: this.#outbox,
      healedAt: this.#healedAt,
      endedAt: Date.now(),
    };
  }

  /** Whether the outbox was measured after the last write. */
  #fresh(): boolean {
    const last = Math.max(...this.#writers.flatMap((writer) => writer.attempts.map((attempt) => attempt.endedAt)));
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
