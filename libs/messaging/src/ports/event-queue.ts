import type { BrokerEphemeral, BrokerEvent, PendingErasure, RoutingKey } from '@chat-realtime/protocol';

/** Ephemeral messages that wait for a consumer; the oldest are dropped. Every adapter keeps as many. */
export const EPHEMERAL_WAITING_MAX = 1_000;

/** Durable event on its way from the outbox to the dispatcher. */
export interface OutgoingEvent {
  readonly routingKey: Exclude<RoutingKey, 'chat.ephemeral'>;
  readonly event: BrokerEvent;
  readonly traceparent?: string;
}

export interface PublishResult {
  /** How many events from the start of the batch are confirmed as stored; only these may be marked published. */
  readonly confirmed: number;
  /** Why the rest is not; absent when all are. */
  readonly failure?: Error;
}

export interface QueueConnected {
  /** The dispatcher's queue did not exist: what was in it is gone, so recent events must be published again. */
  readonly queueWasMissing: boolean;
}

export interface EventPublisher {
  /** Publishes in order and waits for confirms. Never rejects: without a broker it returns `confirmed: 0` at once. */
  publish(batch: readonly OutgoingEvent[]): Promise<PublishResult>;
  /** Best effort, never waits, silently dropped while the broker is away. */
  publishEphemeral(message: BrokerEphemeral): void;
  /**
   * Called on every (re)connect, and soon if already connected; no `publish` succeeds before its promise settles. With
   * `queueWasMissing` the connection counts as made only after it succeeded, so that no loss of the broker is
   * forgotten; every instance may be the one that is told, also one that is not the relay's leader.
   */
  onConnected(listener: (info: QueueConnected) => void | Promise<void>): void;
  readonly connected: boolean;
  close(): Promise<void>;
}

export type Delivery =
  | {
      readonly kind: 'event';
      readonly event: BrokerEvent;
      readonly redelivered: boolean;
      readonly traceparent: string | undefined;
      ack(): void;
      /** Bad content: to the dead letters, never requeued. */
      refuse(): void;
    }
  | { readonly kind: 'ephemeral'; readonly message: BrokerEphemeral }
  /** Content that does not parse: the consumer counts it and refuses it. */
  | { readonly kind: 'bad'; readonly reason: string; refuse(): void };

export interface EventConsumer {
  /**
   * Starts consuming; reconnects automatically, forever. `handler` gets deliveries in queue order, as many as have
   * arrived, and is not called again before its promise settles. Deliveries that are neither acked nor refused are
   * redelivered.
   */
  start(handler: (deliveries: readonly Delivery[]) => Promise<void>): Promise<void>;
  /** Cancels the consumer and returns unacked messages, so that nothing is requeued in a loop. */
  pause(): Promise<void>;
  resume(): Promise<void>;
  /** Deletes the dead letters for good, so that erased content cannot be found in them. Rejects if it cannot now. */
  emptyDeadLetters(): Promise<void>;
  /** Keeps them where no restart forgets them. Rejects if that is not certain; some may have been kept then. */
  keepErasures(erasures: readonly PendingErasure[]): Promise<void>;
  /**
   * Passes the stored erasures to `finish`, the oldest first and up to a limit, and keeps those for which it returns
   * false. Resolves with how many are left. Rejects if the queue cannot be read now.
   */
  retryErasures(finish: (erasure: PendingErasure) => Promise<boolean>): Promise<number>;
  readonly connected: boolean;
  /** Takes events, or would if there were any: it is neither paused nor waiting after a handler that failed. */
  readonly consuming: boolean;
  close(): Promise<void>;
}
