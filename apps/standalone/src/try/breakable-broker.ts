import {
  createMemoryBroker,
  type Delivery,
  type EventConsumer,
  type EventPublisher,
  type MemoryBroker,
  type OutgoingEvent,
  type PublishResult,
  type QueueConnected,
} from '@chat-realtime/messaging';
import type { PathMeter } from './path-meter.ts';

type Handler = (deliveries: readonly Delivery[]) => Promise<void>;
type ConnectedListener = (info: QueueConnected) => void | Promise<void>;

/** The queue of this process, which can lose everything as a broker's disk can, and one event on its way. */
export class BreakableBroker {
  readonly publisher: EventPublisher;
  /** Closing it ends a consumer, not the queue: as with a real broker, what is unacked waits for the next one. */
  readonly consumer: EventConsumer;
  readonly #meter: PathMeter;
  readonly #connected: ConnectedListener[] = [];
  #queue: MemoryBroker = createMemoryBroker();
  #handler: Handler | null = null;
  /** Nothing is published between the loss and the moment when its listeners know of it. */
  #ready: Promise<void> = Promise.resolve();
  #waiting = new Map<number, number>();
  #dropNextOf: number | null = null;

  constructor(meter: PathMeter) {
    this.#meter = meter;
    const canPublish = (): boolean => this.#queue.publisher.connected;
    const canConsume = (): boolean => this.#queue.consumer.connected;
    const isConsuming = (): boolean => this.#queue.consumer.consuming;
    this.publisher = {
      publish: (batch) => this.#publish(batch),
      publishEphemeral: (message) => this.#queue.publisher.publishEphemeral(message),
      onConnected: (listener) => {
        this.#connected.push(listener);
        this.#queue.publisher.onConnected(listener);
      },
      get connected() {
        return canPublish();
      },
      close: () => this.#queue.publisher.close(),
    };
    this.consumer = {
      start: (handler) => this.#start(handler),
      pause: () => this.#queue.consumer.pause(),
      resume: () => this.#queue.consumer.resume(),
      emptyDeadLetters: () => this.#queue.consumer.emptyDeadLetters(),
      keepErasures: (erasures) => this.#queue.consumer.keepErasures(erasures),
      retryErasures: (finish) => this.#queue.consumer.retryErasures(finish),
      get connected() {
        return canConsume();
      },
      get consuming() {
        return isConsuming();
      },
      close: async () => {
        this.#handler = null;
        await this.#queue.consumer.pause();
      },
    };
  }

  /** Events of this chat that no consumer has taken yet. */
  waiting(sessionId: number): number {
    return this.#waiting.get(sessionId) ?? 0;
  }

  /** The next event of this chat is taken from the queue and reaches nobody. */
  dropNext(sessionId: number): void {
    this.#dropNextOf = sessionId;
    this.#meter.changed();
  }

  isDropArmed(sessionId: number): boolean {
    return this.#dropNextOf === sessionId;
  }

  /** All its data is gone, as after a lost disk; a new, empty queue takes its place. */
  async wipe(): Promise<void> {
    const ready = Promise.withResolvers<void>();
    this.#ready = ready.promise;
    try {
      const lost = this.#queue;
      this.#queue = createMemoryBroker();
      await lost.consumer.close();
      for (const [sessionId, count] of this.#waiting) if (count > 0) this.#meter.count(sessionId, 'wiped', count);
      this.#waiting = new Map();
      if (this.#handler !== null) await this.#start(this.#handler);
      for (const listener of this.#connected) await listener({ queueWasMissing: true });
    } finally {
      ready.resolve();
    }
  }

  async #publish(batch: readonly OutgoingEvent[]): Promise<PublishResult> {
    await this.#ready;
    const result = await this.#queue.publisher.publish(batch);
    for (const { event } of batch.slice(0, result.confirmed)) this.#passed(event.session_id, 'queued', 1);
    return result;
  }

  async #start(handler: Handler): Promise<void> {
    this.#handler = handler;
    await this.#queue.consumer.start((deliveries) => this.#handle(deliveries));
  }

  async #handle(deliveries: readonly Delivery[]): Promise<void> {
    const taken = deliveries.filter((delivery) => delivery.kind !== 'event' || !this.#drops(delivery));
    for (const delivery of taken) {
      if (delivery.kind === 'event' && !delivery.redelivered) this.#passed(delivery.event.session_id, 'taken', -1);
    }
    if (taken.length > 0) await this.#handler?.(taken);
  }

  #drops(delivery: Extract<Delivery, { kind: 'event' }>): boolean {
    const { event } = delivery;
    if (event.seq === null || event.session_id === null || event.session_id !== this.#dropNextOf) return false;
    this.#dropNextOf = null;
    delivery.ack();
    this.#passed(event.session_id, 'dropped', -1);
    return true;
  }

  #passed(sessionId: number | null, hop: 'queued' | 'taken' | 'dropped', change: 1 | -1): void {
    if (sessionId === null) return;
    this.#waiting.set(sessionId, Math.max(0, this.waiting(sessionId) + change));
    this.#meter.count(sessionId, hop);
  }
}
