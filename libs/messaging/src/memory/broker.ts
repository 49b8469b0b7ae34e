import type { BrokerEphemeral, BrokerEvent, PendingErasure } from '@chat-realtime/protocol';
import { UnconfirmedError } from '../errors.ts';
import type { MessagingLogger } from '../logger.ts';
import {
  type Delivery,
  type EventConsumer,
  type EventPublisher,
  type OutgoingEvent,
  type PublishResult,
  type QueueConnected,
  EPHEMERAL_WAITING_MAX,
} from '../ports/event-queue.ts';

/** Durable events that may wait; the outbox keeps what does not fit. */
const MAX_WAITING = 10_000;
const BATCH = 256;
/** How soon unsettled messages are tried again. */
const REDELIVERY_DELAY_MS = 100;

export interface MemoryBroker {
  readonly publisher: EventPublisher;
  readonly consumer: EventConsumer;
}

interface QueuedEvent {
  readonly event: BrokerEvent;
  readonly traceparent: string | undefined;
  redelivered: boolean;
}

type Handler = (deliveries: readonly Delivery[]) => Promise<void>;

/** `idle`: not started or paused. A new generation begins with each pause, so that late acks of an old one do nothing. */
type ConsumerState = { readonly kind: 'idle' } | { readonly kind: 'consuming' } | { readonly kind: 'closed' };

/**
 * One queue in the process. Its content may be lost with the process, just as RabbitMQ may lose all its data: the edges
 * repair from the database.
 */
class MemoryQueue {
  readonly #waiting: QueuedEvent[] = [];
  readonly #ephemeral: BrokerEphemeral[] = [];
  /** Passed to the handler and not settled yet, in order. */
  #unsettled = new Set<QueuedEvent>();
  #state: ConsumerState = { kind: 'idle' };
  #handler: Handler | null = null;
  #running: Promise<void> | null = null;
  #scheduled = false;
  #generation = 0;
  #retryTimer: NodeJS.Timeout | null = null;
  readonly #logger: MessagingLogger | undefined;

  constructor(logger: MessagingLogger | undefined) {
    this.#logger = logger;
  }

  get room(): number {
    return MAX_WAITING - this.#waiting.length - this.#unsettled.size;
  }

  get consuming(): boolean {
    return this.#state.kind === 'consuming';
  }

  push(event: OutgoingEvent): void {
    this.#waiting.push({ event: event.event, traceparent: event.traceparent, redelivered: false });
    this.#schedule();
  }

  pushEphemeral(message: BrokerEphemeral): void {
    if (this.#ephemeral.length >= EPHEMERAL_WAITING_MAX) this.#ephemeral.shift();
    this.#ephemeral.push(message);
    this.#schedule();
  }

  start(handler: Handler): void {
    this.#handler = handler;
    this.resume();
  }

  resume(): void {
    if (this.#state.kind !== 'idle' || this.#handler === null) return;
    this.#state = { kind: 'consuming' };
    this.#schedule();
  }

  pause(): void {
    if (this.#state.kind !== 'consuming') return;
    this.#state = { kind: 'idle' };
    this.#giveBack();
  }

  async close(): Promise<void> {
    this.#state = { kind: 'closed' };
    if (this.#retryTimer !== null) clearTimeout(this.#retryTimer);
    await this.#running;
  }

  #giveBack(): void {
    this.#generation += 1;
    const returned = [...this.#unsettled];
    this.#unsettled = new Set();
    for (const entry of returned) entry.redelivered = true;
    this.#waiting.unshift(...returned);
  }

  #schedule(): void {
    if (this.#scheduled || this.#running !== null || this.#retryTimer !== null || !this.consuming) return;
    this.#scheduled = true;
    // After the publisher's turn of the event loop: what it publishes in one turn arrives in one batch.
    setImmediate(() => {
      this.#scheduled = false;
      if (this.#running !== null || !this.consuming) return;
      // Settled in a later turn even when there was nothing to do, so that it never ends before it is noted as running.
      this.#running = this.#run().then(() => {
        this.#running = null;
        if (this.#waiting.length > 0 || this.#ephemeral.length > 0) this.#schedule();
      });
    });
  }

  async #run(): Promise<void> {
    const generation = this.#generation;
    const deliveries = this.#take();
    try {
      if (deliveries.length > 0) await this.#handler?.(deliveries);
    } catch (error) {
      this.#logger?.error({ err: error }, 'handler of queued events failed; unsettled events will be redelivered');
    }
    if (generation !== this.#generation || this.#unsettled.size === 0 || this.#state.kind === 'closed') return;
    this.#giveBack();
    this.#retryTimer = setTimeout(() => {
      this.#retryTimer = null;
      this.#schedule();
    }, REDELIVERY_DELAY_MS);
  }

  #take(): Delivery[] {
    const deliveries: Delivery[] = [];
    for (const message of this.#ephemeral.splice(0)) deliveries.push({ kind: 'ephemeral', message });
    for (const entry of this.#waiting.splice(0, BATCH)) {
      this.#unsettled.add(entry);
      // After a pause there is another set, so settling an entry of an older generation has no effect.
      const unsettled = this.#unsettled;
      const settle = (): void => {
        unsettled.delete(entry);
      };
      const { event, redelivered, traceparent } = entry;
      deliveries.push({ kind: 'event', event, redelivered, traceparent, ack: settle, refuse: settle });
    }
    return deliveries;
  }
}

class MemoryPublisher implements EventPublisher {
  readonly #queue: MemoryQueue;
  readonly #logger: MessagingLogger | undefined;
  #closed = false;

  constructor(queue: MemoryQueue, logger: MessagingLogger | undefined) {
    this.#queue = queue;
    this.#logger = logger;
  }

  get connected(): boolean {
    return !this.#closed;
  }

  async publish(batch: readonly OutgoingEvent[]): Promise<PublishResult> {
    if (this.#closed) return { confirmed: 0, failure: new UnconfirmedError('closed') };
    const confirmed = Math.min(batch.length, Math.max(0, this.#queue.room));
    for (const event of batch.slice(0, confirmed)) this.#queue.push(event);
    return confirmed === batch.length
      ? { confirmed }
      : { confirmed, failure: new UnconfirmedError('the queue is full') };
  }

  publishEphemeral(message: BrokerEphemeral): void {
    if (!this.#closed) this.#queue.pushEphemeral(message);
  }

  onConnected(listener: (info: QueueConnected) => void | Promise<void>): void {
    Promise.resolve({ queueWasMissing: false })
      .then(listener)
      .catch((error: unknown) => this.#logger?.error({ err: error }, 'listener of the connection failed'));
  }

  async close(): Promise<void> {
    this.#closed = true;
  }
}

class MemoryConsumer implements EventConsumer {
  readonly #queue: MemoryQueue;
  /** As long as the process lives, like the stream and the queue themselves. */
  #erasures: PendingErasure[] = [];
  #closed = false;

  constructor(queue: MemoryQueue) {
    this.#queue = queue;
  }

  get connected(): boolean {
    return !this.#closed;
  }

  get consuming(): boolean {
    return this.#queue.consuming;
  }

  async start(handler: Handler): Promise<void> {
    this.#queue.start(handler);
  }

  async pause(): Promise<void> {
    this.#queue.pause();
  }

  async resume(): Promise<void> {
    this.#queue.resume();
  }

  /** There are none: a refused message is gone at once. */
  async emptyDeadLetters(): Promise<void> {
    return undefined;
  }

  async keepErasures(erasures: readonly PendingErasure[]): Promise<void> {
    this.#erasures.push(...erasures);
  }

  async retryErasures(finish: (erasure: PendingErasure) => Promise<boolean>): Promise<number> {
    for (const erasure of this.#erasures.splice(0)) if (!(await finish(erasure))) this.#erasures.push(erasure);
    return this.#erasures.length;
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#queue.close();
  }
}

/** The queue of a single process: standalone, and tests of code behind the port. */
export function createMemoryBroker(options: { readonly logger?: MessagingLogger } = {}): MemoryBroker {
  const queue = new MemoryQueue(options.logger);
  return { publisher: new MemoryPublisher(queue, options.logger), consumer: new MemoryConsumer(queue) };
}
