import {
  type BrokerEphemeral,
  brokerMessageId,
  EVENTS_EXCHANGE,
  ROUTING_KEYS,
  SESSION_HEADER,
} from '@chat-realtime/protocol';
import type { Channel, ChannelModel, ConfirmChannel, Message } from 'amqplib';
import { SilenceError, toError, UnavailableError, UnconfirmedError } from '../errors.ts';
import type { MessagingLogger } from '../logger.ts';
import type { EventPublisher, OutgoingEvent, PublishResult, QueueConnected } from '../ports/event-queue.ts';
import { CONFIRM_TIMEOUT_MS, PendingBatch } from './pending-batch.ts';
import { RabbitLink } from './link.ts';
import { QueueChange } from './queue-change.ts';
import { type QueueShape, shapesInUse } from './queue-shape.ts';
import { declareForPublishing, declareMarker, deleteBrokenQueues, wasMissing } from './topology.ts';

/** Consecutive connections on which the queue refused messages, and for how long, before it is considered broken. */
const BROKEN_AFTER_REFUSALS = 3;
const BROKEN_AFTER_MS = 3_000;
/** Consecutive connections that were made, with their topology, and then got no confirm at all within its time. */
const BROKEN_AFTER_SILENCES = 2;

export interface RabbitOptions {
  readonly url: string;
  readonly logger: MessagingLogger;
  /** Number of queues over which events are spread; the same for publisher and consumers. Default 1. */
  readonly queues?: QueueShape | undefined;
}

export interface RabbitPublisherOptions extends RabbitOptions {
  /** How long a batch may stay unconfirmed before it and its connection are given up. Default 10 s. */
  readonly confirmTimeoutMs?: number;
}

type ConnectedListener = (info: QueueConnected) => void | Promise<void>;

interface PublisherSession {
  readonly model: ChannelModel;
  readonly durable: ConfirmChannel;
  /** A separate channel: dropping here must not wait for confirms, nor they for it. */
  readonly ephemeral: Channel;
}

class RabbitPublisher implements EventPublisher {
  readonly #logger: MessagingLogger;
  readonly #link: RabbitLink<PublisherSession>;
  readonly #listeners: ConnectedListener[] = [];
  readonly #batches = new Set<PendingBatch>();
  #lastInfo: QueueConnected = { queueWasMissing: false };
  /** A message was returned as unroutable: the queue or its binding is gone, whatever the next passive declare says. */
  #queueWasGone = false;
  /**
   * Connections on which the queue refused something since it last accepted anything; during an election it may do so
   * briefly.
   */
  #refusals: { readonly since: number; connections: number } | null = null;
  /** Connections on which the queue neither accepted nor refused anything since it last accepted something. */
  #silences = 0;
  /** The broker accepts nothing for now (disk or memory alarm). */
  #blocked = false;
  #ephemeralFull = false;
  readonly #change: QueueChange;
  readonly #confirmTimeoutMs: number;

  constructor({ url, logger, queues = 1, confirmTimeoutMs = CONFIRM_TIMEOUT_MS }: RabbitPublisherOptions) {
    this.#logger = logger;
    this.#change = new QueueChange(queues, logger);
    this.#confirmTimeoutMs = confirmTimeoutMs;
    this.#link = new RabbitLink({
      url,
      name: 'chat-publisher',
      logger,
      setup: (model, drop) => this.#setup(model, drop),
      onLost: (error) => this.#failAll(new UnavailableError('rabbitmq', { cause: error })),
    });
  }

  get connected(): boolean {
    return this.#link.session !== null && !this.#blocked;
  }

  publish(batch: readonly OutgoingEvent[]): Promise<PublishResult> {
    if (batch.length === 0) return Promise.resolve({ confirmed: 0 });
    const session = this.#link.session;
    if (session === null) return Promise.resolve({ confirmed: 0, failure: new UnavailableError('rabbitmq') });
    if (this.#blocked) return Promise.resolve({ confirmed: 0, failure: new UnconfirmedError('the broker is blocked') });
    // Whoever publishes changes the queues: an instance on standby must not.
    if (this.#change.isDue(performance.now()) && this.#batches.size === 0)
      return this.#change.attempt(session.model).then(() => this.publish(batch));
    return new Promise((resolve) => {
      const ids = batch.map(({ event }) => brokerMessageId(event));
      const pending = new PendingBatch(ids, this.#confirmTimeoutMs, (result) => {
        this.#batches.delete(pending);
        this.#judge(result);
        // After an unconfirmed message nothing may overtake it: the rest is sent again on a new connection.
        if (result.failure instanceof UnconfirmedError && !this.#blocked) this.#link.drop(result.failure);
        resolve(result);
      });
      this.#batches.add(pending);
      try {
        batch.forEach((outgoing, index) => this.#send(session.durable, outgoing, pending, index));
      } catch (error) {
        pending.fail(new UnconfirmedError(toError(error).message));
      }
    });
  }

  publishEphemeral(message: BrokerEphemeral): void {
    const session = this.#link.session;
    if (session === null || this.#blocked || this.#ephemeralFull) return;
    const content = Buffer.from(JSON.stringify(message));
    try {
      const room = session.ephemeral.publish(EVENTS_EXCHANGE, ROUTING_KEYS.ephemeral, content, {
        persistent: false,
        contentType: 'application/json',
      });
      this.#ephemeralFull = !room;
    } catch (error) {
      this.#logger.debug({ err: error }, 'ephemeral message dropped with its channel');
    }
  }

  onConnected(listener: ConnectedListener): void {
    this.#listeners.push(listener);
    if (this.#link.session === null) return;
    // It came too late to delay the connection, so a failure can only be answered by a new connection.
    Promise.resolve(this.#lastInfo)
      .then(listener)
      .catch((error: unknown) => this.#link.drop(toError(error)));
  }

  async close(): Promise<void> {
    await this.#link.close();
    this.#failAll(new UnavailableError('rabbitmq'));
  }

  #send(
    channel: ConfirmChannel,
    { routingKey, event, traceparent }: OutgoingEvent,
    batch: PendingBatch,
    index: number,
  ): void {
    channel.publish(
      EVENTS_EXCHANGE,
      routingKey,
      Buffer.from(JSON.stringify(event)),
      {
        persistent: true,
        mandatory: true,
        messageId: batch.id(index),
        contentType: 'application/json',
        ...this.#headersOf(event, traceparent),
      },
      (error: unknown) => {
        if (error === null || error === undefined) batch.confirm(index);
        else batch.fail(new UnconfirmedError(toError(error).message));
      },
    );
  }

  #headersOf(event: OutgoingEvent['event'], traceparent: string | undefined): { headers?: Record<string, string> } {
    const headers: Record<string, string> = traceparent === undefined ? {} : { traceparent };
    // Events without a session all use the same queue.
    if (this.#change.spreads) headers[SESSION_HEADER] = String(event.session_id ?? 'none');
    return Object.keys(headers).length === 0 ? {} : { headers };
  }

  async #setup(model: ChannelModel, drop: (error: Error) => void): Promise<PublisherSession> {
    this.#blocked = false;
    this.#ephemeralFull = false;
    if (this.#looksBroken()) await this.#makeAnew(model);
    const used = await shapesInUse(model);
    const missing = (await wasMissing(model, used)) || this.#queueWasGone;
    await declareForPublishing(model, this.#change.begin(used));
    const durable = await model.createConfirmChannel();
    const ephemeral = await model.createChannel();
    for (const channel of [durable, ephemeral]) {
      channel.on('error', drop);
      channel.on('close', () => drop(new Error('channel closed')));
    }
    durable.on('return', (message: Message) => this.#returned(message));
    durable.once('nack', () => {
      this.#refusals ??= { since: performance.now(), connections: 0 };
      this.#refusals.connections += 1;
    });
    ephemeral.on('drain', () => {
      this.#ephemeralFull = false;
    });
    model.on('blocked', (reason: string) => this.#block(reason));
    model.on('unblocked', () => this.#unblock());
    const info: QueueConnected = { queueWasMissing: missing };
    await Promise.all(this.#listeners.map(async (listener) => listener(info)));
    if (missing) {
      this.#logger.warn({}, 'the queue was missing: its messages are published again');
      await declareMarker(model);
      this.#queueWasGone = false;
    }
    this.#lastInfo = info;
    return { model, durable, ephemeral };
  }

  #judge({ confirmed, failure }: PublishResult): void {
    if (confirmed > 0) {
      this.#refusals = null;
      this.#silences = 0;
    } else if (failure instanceof SilenceError) {
      this.#silences += 1;
    }
  }

  #looksBroken(): boolean {
    if (this.#silences >= BROKEN_AFTER_SILENCES) return true;
    if (this.#refusals === null || this.#refusals.connections < BROKEN_AFTER_REFUSALS) return false;
    return performance.now() - this.#refusals.since > BROKEN_AFTER_MS;
  }

  async #makeAnew(model: ChannelModel): Promise<void> {
    this.#logger.error({}, 'the queue accepts no message: it is deleted and recreated');
    this.#queueWasGone = true;
    await deleteBrokenQueues(model, await shapesInUse(model));
    this.#refusals = null;
    this.#silences = 0;
  }

  /** Comes before the confirm of the same message, which is then meaningless. */
  #returned(message: Message): void {
    this.#queueWasGone = true;
    const id: unknown = message.properties.messageId;
    for (const batch of this.#batches) {
      if (typeof id === 'string' && batch.has(id)) batch.fail(new UnconfirmedError(`${id} was returned as unroutable`));
    }
  }

  #block(reason: string): void {
    this.#blocked = true;
    this.#logger.error({ reason }, 'rabbitmq takes no messages');
    this.#failAll(new UnconfirmedError('the broker is blocked'));
  }

  #unblock(): void {
    this.#blocked = false;
    this.#logger.info({}, 'rabbitmq takes messages again');
  }

  #failAll(error: Error): void {
    for (const batch of this.#batches) batch.fail(error);
  }
}

/** Starts disconnected and reconnects forever. */
export function connectRabbitPublisher(options: RabbitPublisherOptions): EventPublisher {
  return new RabbitPublisher(options);
}
