import type { Logger } from '@chat-realtime/service-kit';
import type { Topic, TopicSend, TopicStore } from '../storage/topics.ts';
import type { TelegramApi } from '../telegram/api.ts';
import { TelegramFailure } from '../telegram/failures.ts';
import type { RetryBudget } from '../telegram/retry-budget.ts';
import { MinuteBudget } from './budget.ts';
import { joined } from './join.ts';
import type { GroupMetrics } from './metrics.ts';
import { type GroupFailure, type GroupProblem, groupFailure } from './problems.ts';
import { topicTitle } from './title.ts';
import type { Texts } from '../texts.ts';

/** Telegram's limits for one group. */
export const CALLS_PER_MINUTE = 20;
const IDLE_MS = 1_000;
const PROBLEM_RETRY_MS = 60_000;
const BACKOFF_MS = 1_000;
const BACKOFF_MAX_MS = 60_000;
const LOOK_FOR_NAMES_MS = 60_000;

export interface GroupWorkerParts {
  readonly topics: TopicStore;
  readonly api: TelegramApi;
  /** In the language of the group. */
  readonly texts: Texts;
  readonly metrics: GroupMetrics;
  readonly retryBudget: RetryBudget;
  readonly logger: Logger;
  /** How often it checks for work without a wake-up. */
  readonly idleMs?: number;
}

/**
 * Creates the topics and sends the texts queued for them: one call after the other, within the limits of a group. It
 * shares only the token with the texts to people's own chats.
 */
export class GroupWorker {
  readonly #parts: GroupWorkerParts;
  readonly #budget = new MinuteBudget(CALLS_PER_MINUTE);
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | null = null;
  #stopped = true;
  #pausedUntil = 0;
  #backoffMs = BACKOFF_MS;
  #problem: GroupProblem | null = null;
  #textsTurn = true;
  #namesAt = 0;
  readonly #idleMs: number;

  constructor(parts: GroupWorkerParts) {
    this.#parts = parts;
    this.#idleMs = parts.idleMs ?? IDLE_MS;
  }

  start(): void {
    this.#stopped = false;
    this.wake();
  }

  /** Something is queued. */
  wake(): void {
    if (this.#stopped || this.#running !== null) return;
    clearTimeout(this.#timer);
    this.#running = this.#run().finally(() => {
      this.#running = null;
    });
  }

  /** Somebody has changed the bot's rights in the group. */
  retry(): void {
    if (this.#problem === null) return;
    this.#pausedUntil = 0;
    this.wake();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#running;
  }

  async #run(): Promise<void> {
    let waitMs = 0;
    while (!this.#stopped && waitMs === 0) {
      try {
        waitMs = await this.#step();
      } catch (error) {
        this.#parts.logger.warn({ err: error }, 'the queue of the staff group cannot be worked on; it is tried again');
        waitMs = this.#backoff();
      }
    }
    if (!this.#stopped) this.#timer = setTimeout(() => this.wake(), waitMs);
  }

  /** One call; returns how long to wait before the next. */
  async #step(): Promise<number> {
    const { topics } = this.#parts;
    const now = performance.now();
    if (now < this.#pausedUntil) return Math.min(this.#pausedUntil - now, this.#idleMs);
    if (now >= this.#namesAt) {
      this.#namesAt = now + LOOK_FOR_NAMES_MS;
      await topics.findRenamed();
    }
    const due = await topics.due();
    const changed = due === undefined || !this.#textsTurn ? await topics.changed() : undefined;
    if (due === undefined && changed === undefined) return this.#idleMs;
    const full = this.#budget.wait();
    if (full > 0) return Math.min(full, this.#idleMs);
    const topic = changed ?? due?.topic;
    this.#textsTurn = changed !== undefined;
    if (topic === undefined) return this.#idleMs;
    const work = changed === undefined ? await this.#textOf(topic, due?.sends ?? []) : this.#changeOf(changed);
    if (work === null) return 0;
    this.#budget.take();
    try {
      await work.call();
    } catch (error) {
      if (!(error instanceof TelegramFailure)) throw error;
      return this.#failed(groupFailure(error), error, topic, work);
    }
    this.#well();
    return 0;
  }

  async #textOf(topic: Topic, queued: readonly TopicSend[]): Promise<Work | null> {
    const { topics, api, texts, metrics, retryBudget } = this.#parts;
    const { threadId, sessionId } = topic;
    const groupId = await topics.groupId();
    if (threadId === null) {
      if (topic.maybeMade) this.#topicMaybeTwice(sessionId, 'crash');
      await topics.making(sessionId);
      const title = topicTitle(texts, topic.session, sessionId);
      return {
        call: async () => topics.made(topic, await api.createTopic(groupId, title), title),
        notDone: () => topics.notMade(sessionId),
        giveUp: null,
        key: null,
        maybeTwice: () => this.#topicMaybeTwice(sessionId, 'no_answer'),
      };
    }
    const { sends, content } = joined(queued);
    const ids = sends.map(({ id }) => id);
    const key = `text ${ids[0]}`;
    if (sends.some(({ maybeSent }) => maybeSent)) this.#maybeTwice(sends, 'crash');
    if (!(await topics.begin(ids))) return null;
    return {
      call: async () => {
        const telegramIds = await api.send(groupId, content, threadId);
        await topics.sent(groupId, sends, telegramIds);
        retryBudget.end(key);
        metrics.sent.inc({ result: 'sent' });
      },
      notDone: () => topics.notSent(ids),
      giveUp: () => topics.lessen(sends),
      key,
      maybeTwice: () => this.#maybeTwice(sends, 'no_answer'),
    };
  }

  /** Name first, then open or closed: a closed topic can be renamed too. */
  #changeOf(topic: Topic): Work {
    const { topics, api, texts } = this.#parts;
    const { threadId, session } = topic;
    const title = topicTitle(texts, session, topic.sessionId);
    const isClosed = session.status === 'closed';
    return {
      call: async () => {
        const groupId = await topics.groupId();
        if (threadId === null) return;
        if (title !== topic.title) {
          await unlessDone(() => api.renameTopic(groupId, threadId, title));
          await topics.renamed(topic, title);
          if (isClosed !== topic.closed) this.#budget.take();
        }
        if (isClosed !== topic.closed) {
          await unlessDone(() => api.closeTopic(groupId, threadId, isClosed));
          await topics.setClosed(topic, isClosed);
        }
        await topics.shown(topic);
      },
      notDone: async () => undefined,
      giveUp: () => topics.shown(topic),
      key: `topic ${topic.sessionId}`,
    };
  }

  async #failed(failure: GroupFailure, error: TelegramFailure, topic: Topic, work: Work): Promise<number> {
    const { topics, metrics, logger } = this.#parts;
    const { sessionId } = topic;
    metrics.sent.inc({ result: error.code });
    if ((failure.kind === 'unknown' || error.isOfTheFile) && this.#isAtFault(work)) {
      await work.notDone();
      return this.#giveUp(work, error, sessionId);
    }
    if (failure.kind === 'unknown') {
      // A repeated name or state is invisible; a repeated text or topic is not.
      work.maybeTwice?.();
      await work.notDone();
      return this.#pause(this.#backoff());
    }
    await work.notDone();
    switch (failure.kind) {
      case 'wait':
        return this.#pause(failure.seconds * 1_000);
      case 'moved':
        metrics.problems.inc({ cause: 'moved' });
        logger.warn({}, 'the staff group has become a supergroup: topics are made there');
        await topics.move(failure.to);
        return 0;
      case 'topic_deleted':
        metrics.problems.inc({ cause: 'topic_deleted' });
        logger.warn(
          { session_id: sessionId },
          'somebody has deleted a topic of the staff group; it is made again when needed',
        );
        await topics.gone(sessionId);
        // A chat without activity needs none.
        return 0;
      case 'topic_closed':
        // Someone closed it by hand: the bot may write there again once it is reopened.
        await topics.setClosed(topic, true);
        await topics.touch(sessionId);
        return this.#reopen(topic);
      case 'problem':
        return this.#trouble(failure.problem, error);
      case 'again':
        return this.#pause(this.#backoff());
      case 'no_change':
        return 0;
      case 'refused':
        return this.#giveUp(work, error, sessionId);
    }
  }

  /** Whether Telegram answers everything else: the whole group waits behind one call. */
  #isAtFault({ key, giveUp }: Work): boolean {
    return key !== null && giveUp !== null && this.#parts.retryBudget.isOver(key);
  }

  async #giveUp({ giveUp }: Work, error: TelegramFailure, sessionId: number): Promise<number> {
    if (giveUp === null) return this.#trouble('refused', error);
    this.#parts.logger.error(
      { err: error, session_id: sessionId },
      'Telegram does not take this in the staff group; it is left out, or sent with less',
    );
    await giveUp();
    return 0;
  }

  async #reopen(topic: Topic): Promise<number> {
    const { topics, api } = this.#parts;
    if (topic.threadId === null) return 0;
    this.#budget.take();
    try {
      await api.closeTopic(await topics.groupId(), topic.threadId, false);
    } catch (error) {
      if (!(error instanceof TelegramFailure)) throw error;
      return this.#trouble('not_admin', error);
    }
    await topics.setClosed(topic, false);
    return 0;
  }

  /** Logged once, until it is over. */
  #trouble(problem: GroupProblem, error: TelegramFailure): number {
    const { metrics, logger } = this.#parts;
    if (this.#problem !== problem) {
      this.#problem = problem;
      metrics.problems.inc({ cause: problem });
      metrics.ready.set(0);
      logger.error({ err: error, reason: problem }, 'the staff group cannot be used; it is tried again once a minute');
    }
    return this.#pause(PROBLEM_RETRY_MS);
  }

  #well(): void {
    this.#backoffMs = BACKOFF_MS;
    this.#parts.metrics.ready.set(1);
    if (this.#problem === null) return;
    this.#problem = null;
    this.#parts.logger.info({}, 'the staff group can be used again');
  }

  #maybeTwice(sends: readonly TopicSend[], cause: 'crash' | 'no_answer'): void {
    const { metrics, logger } = this.#parts;
    metrics.ambiguous.inc({ cause });
    const { id, sessionId, seq } = sends[0] ?? {};
    logger.warn(
      { cause, id, session_id: sessionId, seq, kind: 'group' },
      'a text is sent again: nobody knows whether Telegram took it',
    );
  }

  #topicMaybeTwice(sessionId: number, cause: 'crash' | 'no_answer'): void {
    const { metrics, logger } = this.#parts;
    metrics.ambiguous.inc({ cause });
    logger.warn({ cause, session_id: sessionId }, 'a topic is made again: nobody knows whether Telegram made it');
  }

  #pause(ms: number): number {
    this.#pausedUntil = performance.now() + ms;
    return Math.min(ms, this.#idleMs);
  }

  #backoff(): number {
    const ms = this.#backoffMs;
    this.#backoffMs = Math.min(ms * 2, BACKOFF_MAX_MS);
    return ms;
  }
}

/** One call to Telegram, and what to store if it failed. */
interface Work {
  readonly call: () => Promise<void>;
  readonly notDone: () => Promise<void>;
  /** Null: it cannot be left out. */
  readonly giveUp: (() => Promise<void>) | null;
  /** Identifies it at the next try. */
  readonly key: string | null;
  /** For calls whose repeat is visible. */
  readonly maybeTwice?: () => void;
}

async function unlessDone(call: () => Promise<void>): Promise<void> {
  try {
    await call();
  } catch (error) {
    if (!(error instanceof TelegramFailure) || groupFailure(error).kind !== 'no_change') throw error;
  }
}
