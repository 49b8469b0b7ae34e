import {
  Backoff,
  type Delivery,
  type EventConsumer,
  type Fanout,
  type FanoutCommand,
  type LastSeen,
} from '@chat-realtime/messaging';
import type { BrokerEvent, PendingErasure } from '@chat-realtime/protocol';
import { EventTrace, type Logger, type Metrics } from '@chat-realtime/service-kit';
import { FanoutWriter, type Scrub } from './fanout-writer.ts';
import { ephemeralCommands, eventCommands } from './frames.ts';
import { type DispatcherMetrics, dispatcherMetrics } from './metrics.ts';
import { PendingErasures } from './pending-erasures.ts';

/** A restart of Redis takes less than this. Only a longer outage is worth returning the queue's messages. */
const PATIENCE_MS = 3_000;
const RESUME_MIN_MS = 200;
const RESUME_MAX_MS = 30_000;
/**
 * Each return counts towards the queue's delivery limit, beyond which a message is parked. If Redis is reachable but
 * accepts nothing, the batch is kept instead, for as long as it takes: a healthy message is never parked.
 */
const MAX_RETURNS_WITHOUT_SUCCESS = 5;
const DEFAULT_SWEEP_MS = 60_000;
/** A batch in work for this long is stuck: longer than a restart of Redis is waited for. */
const DEFAULT_STANDSTILL_MS = 5_000;

export interface DispatcherOptions {
  readonly consumer: EventConsumer;
  readonly fanout: Fanout;
  readonly lastSeen: LastSeen;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Unless given, only this process remembers an event's path. */
  readonly trace?: EventTrace | undefined;
  readonly sweepIntervalMs?: number;
  readonly standstillMs?: number;
}

export interface Dispatcher {
  /** Resolves at once, even while queue and fan-out are unavailable: it begins when they are available. */
  start(): Promise<void>;
  /** Finishes work in progress and closes the consumer; everything unacked stays in the queue. */
  stop(): Promise<void>;
  /** Events are moving, or would if there were any. */
  readonly healthy: boolean;
}

type EventDelivery = Extract<Delivery, { kind: 'event' }>;

/** The work of one handler call. */
interface Work {
  readonly durable: FanoutCommand[];
  readonly ephemeral: FanoutCommand[];
  readonly accepted: EventDelivery[];
  staffOnly: number;
  ephemeralCount: number;
}

/**
 * Moves events from the queue to the fan-out. It keeps no events and removes no duplicates: what is acknowledged was
 * accepted by Redis, everything else is redelivered, and the gateways show each event once.
 */
class ChannelDispatcher implements Dispatcher {
  readonly #consumer: EventConsumer;
  readonly #fanout: Fanout;
  readonly #lastSeen: LastSeen;
  readonly #logger: Logger;
  readonly #metrics: DispatcherMetrics;
  readonly #trace: EventTrace;
  readonly #writer: FanoutWriter;
  readonly #erasures: PendingErasures;
  readonly #sweepIntervalMs: number;
  readonly #resumeBackoff = new Backoff(RESUME_MIN_MS, RESUME_MAX_MS);
  #returns = 0;
  readonly #standstillMs: number;
  /** Since when a batch is in work. */
  #workingSince: number | null = null;
  #state: 'idle' | 'consuming' | 'waiting_for_fanout' | 'stopped' = 'idle';
  #resumeTimer: NodeJS.Timeout | null = null;
  #sweepTimer: NodeJS.Timeout | null = null;

  constructor(options: DispatcherOptions) {
    this.#consumer = options.consumer;
    this.#fanout = options.fanout;
    this.#lastSeen = options.lastSeen;
    this.#logger = options.logger;
    this.#trace = options.trace ?? new EventTrace(options.logger);
    this.#metrics = dispatcherMetrics(options.metrics, options.consumer, options.fanout);
    const { consumer, fanout, logger } = options;
    this.#erasures = new PendingErasures({ consumer, fanout, logger, metrics: this.#metrics });
    this.#writer = new FanoutWriter({ fanout, logger, metrics: this.#metrics });
    this.#standstillMs = options.standstillMs ?? DEFAULT_STANDSTILL_MS;
    this.#sweepIntervalMs = options.sweepIntervalMs ?? DEFAULT_SWEEP_MS;
  }

  get healthy(): boolean {
    const stuck = this.#workingSince !== null && performance.now() - this.#workingSince > this.#standstillMs;
    const connected = this.#consumer.connected && this.#fanout.connected;
    return this.#state === 'consuming' && connected && this.#consumer.consuming && !stuck;
  }

  async start(): Promise<void> {
    if (this.#state !== 'idle') return;
    this.#sweepTimer = setInterval(() => {
      void this.#sweep();
      void this.#erasures.retry();
    }, this.#sweepIntervalMs);
    // While Redis is down, nothing is consumed.
    if (this.#fanout.connected) await this.#consume();
    else this.#waitForFanout(0);
  }

  async stop(): Promise<void> {
    this.#state = 'stopped';
    if (this.#sweepTimer !== null) clearInterval(this.#sweepTimer);
    if (this.#resumeTimer !== null) clearTimeout(this.#resumeTimer);
    this.#writer.stop();
    await this.#consumer.close();
  }

  async #consume(): Promise<void> {
    this.#state = 'consuming';
    await this.#consumer.start(async (deliveries) => {
      this.#workingSince = performance.now();
      try {
        await this.#handle(deliveries);
      } finally {
        this.#workingSince = null;
      }
    });
  }

  async #handle(deliveries: readonly Delivery[]): Promise<void> {
    const work = this.#sort(deliveries);
    const spans = work.accepted.map(({ event, traceparent }) => {
      this.#trace.note(event.session_id, event.seq, { hop: 'dispatched' });
      return this.#trace.begin('chat.dispatch', event, traceparent, new Date());
    });
    const commands = work.durable.length + work.ephemeral.length;
    const patienceMs = this.#returns < MAX_RETURNS_WITHOUT_SUCCESS ? PATIENCE_MS : Number.POSITIVE_INFINITY;
    const written = commands > 0 ? await this.#writer.write(work, patienceMs) : { unfinished: [] };
    if (written === null) {
      await this.#giveBack();
      return;
    }
    const isFinished = await this.#finishErasures(work, written.unfinished);
    // An erasure that was not recorded is redelivered; events dispatched in the same batch are not.
    for (const delivery of work.accepted) if (isFinished || delivery.event.type !== 'chat.erased') delivery.ack();
    for (const { event } of work.accepted) this.#trace.note(event.session_id, event.seq, { hop: 'published' });
    for (const span of spans) span?.end();
    this.#count(work);
    if (work.accepted.length === 0) return;
    this.#returns = 0;
    this.#resumeBackoff.reset();
  }

  #sort(deliveries: readonly Delivery[]): Work {
    const work: Work = { durable: [], ephemeral: [], accepted: [], staffOnly: 0, ephemeralCount: 0 };
    for (const delivery of deliveries) {
      switch (delivery.kind) {
        case 'event': {
          const result = eventCommands(delivery.event);
          if (result.kind === 'bad') {
            this.#refuse(delivery, result.reason);
            break;
          }
          work.durable.push(...result.commands);
          work.accepted.push(delivery);
          if (result.kind === 'staff_only') work.staffOnly += 1;
          break;
        }
        case 'ephemeral':
          work.ephemeral.push(...ephemeralCommands(delivery.message));
          work.ephemeralCount += 1;
          break;
        case 'bad':
          this.#refuse(delivery, delivery.reason);
      }
    }
    return work;
  }

  /** True when everything erased is gone everywhere, or RabbitMQ has recorded what is not. */
  async #finishErasures({ accepted }: Work, unfinished: readonly Scrub[]): Promise<boolean> {
    // What was refused before is only settled by the event that erases, when it comes again.
    if (!accepted.some(({ event }) => event.type === 'chat.erased')) return true;
    const pending: PendingErasure[] = unfinished.map(({ sessionId, throughSeq }) => ({
      v: 1,
      from: 'stream',
      session_id: sessionId,
      through_seq: throughSeq,
    }));
    if (accepted.some(({ event }) => erasesChat(event)) && !(await this.#erasures.emptyDeadLetters()))
      pending.push({ v: 1, from: 'dead_letters' });
    return this.#erasures.keep(pending);
  }

  #refuse(delivery: { refuse(): void }, reason: string): void {
    delivery.refuse();
    this.#metrics.deadLettered.inc({ reason });
    this.#metrics.events.inc({ result: 'refused', kind: 'bad' });
    this.#logger.error({ reason }, 'message moved to the dead-letter queue');
  }

  #count({ accepted, staffOnly, ephemeralCount }: Work): void {
    const { events, lag } = this.#metrics;
    const durable = accepted.length - staffOnly;
    if (durable > 0) events.inc({ result: 'dispatched', kind: 'durable' }, durable);
    if (staffOnly > 0) events.inc({ result: 'dispatched', kind: 'staff_only' }, staffOnly);
    if (ephemeralCount > 0) events.inc({ result: 'dispatched', kind: 'ephemeral' }, ephemeralCount);
    const now = Date.now();
    for (const { event } of accepted) lag.observe(Math.max(0, now - Date.parse(event.occurred_at)) / 1_000);
  }

  /** Cancels the consumer, so that nothing is requeued in a loop, and another dispatcher may take over. */
  async #giveBack(): Promise<void> {
    if (this.#state !== 'consuming') return;
    this.#returns += 1;
    this.#logger.warn({ returns: this.#returns }, 'Redis unreachable; consumption paused');
    this.#waitForFanout(this.#resumeBackoff.next());
    await this.#consumer.pause();
  }

  #waitForFanout(delayMs: number): void {
    this.#state = 'waiting_for_fanout';
    this.#resumeTimer = setTimeout(() => {
      if (!this.#fanout.connected) {
        this.#waitForFanout(RESUME_MIN_MS);
        return;
      }
      this.#resumeTimer = null;
      this.#logger.info({}, 'Redis reachable; consuming');
      // Starting again resumes; it is also the first start if Redis was unavailable from the beginning.
      this.#consume().catch((error: unknown) => {
        this.#logger.error({ err: error }, 'consuming could not start');
        this.#waitForFanout(this.#resumeBackoff.next());
      });
    }, delayMs);
  }

  async #sweep(): Promise<void> {
    if (!this.#fanout.connected) return;
    try {
      const repaired = await this.#lastSeen.sweep();
      if (repaired > 0) this.#logger.warn({ repaired }, 'last_seen keys without a TTL were given one');
    } catch (error) {
      this.#metrics.errors.inc({ reason: 'sweep_failed' });
      this.#logger.warn({ err: error }, 'last_seen could not be swept');
    }
  }
}

/** A whole chat was erased: parked messages may contain its text. */
function erasesChat({ type, data }: BrokerEvent): boolean {
  return type === 'chat.erased' && data['scope'] === 'session';
}

export function createDispatcher(options: DispatcherOptions): Dispatcher {
  return new ChannelDispatcher(options);
}
