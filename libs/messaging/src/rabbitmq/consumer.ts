import { randomUUID } from 'node:crypto';
import {
  DEAD_LETTER_QUEUE,
  EPHEMERAL_QUEUE,
  type PendingErasure,
  queueNames,
  READER_TYPE,
} from '@chat-realtime/protocol';
import type { Channel, ChannelModel } from 'amqplib';
import { Backoff } from '../backoff.ts';
import { toError, UnavailableError } from '../errors.ts';
import type { MessagingLogger } from '../logger.ts';
import type { Delivery, EventConsumer } from '../ports/event-queue.ts';
import { closeChannel, onChannel } from './channels.ts';
import { Consumption } from './consumption.ts';
import { ErasureQueue } from './erasure-queue.ts';
import { type Connect, RabbitLink } from './link.ts';
import { answered } from './own-queues.ts';
import type { RabbitOptions } from './publisher.ts';
import { existingQueues, type QueueShape } from './queue-shape.ts';
import { QueueShares } from './queue-shares.ts';
import { declareForReading } from './topology.ts';

/**
 * Messages in flight or in work, over all queues. Small enough that a crash repeats little, large enough for a batch.
 */
const PREFETCH = 256;
const PREFETCH_MIN = 32;
const SHARE_ROUND_MS = 5_000;
const CLOSE_DEADLINE_MS = 5_000;
const REDELIVERY_MIN_MS = 200;
const REDELIVERY_MAX_MS = 30_000;

type Handler = (deliveries: readonly Delivery[]) => Promise<void>;

interface ActiveConsumption {
  readonly queue: string;
  readonly channel: Channel;
  readonly consumption: Consumption;
}

interface ConsumerSession {
  readonly model: ChannelModel;
  readonly drop: (error: Error) => void;
  /** The queues of the current shape, and remaining ones of another. */
  readonly queues: readonly string[];
  /** One for each queue and one for ephemeral messages; none while paused. */
  active: ActiveConsumption[];
}

export interface RabbitConsumerOptions extends RabbitOptions {
  /** How often several consumers announce themselves to each other. Default 5 s. */
  readonly shareRoundMs?: number;
  /** How long a queue may leave a request unanswered. Default 6 s. */
  readonly answerMs?: number;
  /** Default: to a real broker. */
  readonly connect?: Connect;
}

class RabbitConsumer implements EventConsumer {
  readonly #logger: MessagingLogger;
  readonly #link: RabbitLink<ConsumerSession>;
  readonly #redelivery = new Backoff(REDELIVERY_MIN_MS, REDELIVERY_MAX_MS);
  #handler: Handler | null = null;
  #wanted: 'paused' | 'consuming' | 'closed' = 'paused';
  #running: Promise<void> | null = null;
  #scheduled = false;
  /** Opening and closing of channels, one after the other. */
  #changes: Promise<void> = Promise.resolve();
  /** Settled by the next pause. A handler that pauses waits for `#changes`, and no change before it may wait for it. */
  #left = Promise.withResolvers<void>();
  #redeliveryTimer: NodeJS.Timeout | null = null;
  #purging: Promise<unknown> | null = null;
  readonly #answerMs: number | undefined;
  readonly #erasures: ErasureQueue;
  readonly #shape: QueueShape;
  readonly #shares: QueueShares;
  readonly #shareTimer: NodeJS.Timeout | null;

  constructor(options: RabbitConsumerOptions) {
    const { url, logger, queues = 1, shareRoundMs = SHARE_ROUND_MS } = options;
    this.#logger = logger;
    this.#answerMs = options.answerMs;
    this.#erasures = new ErasureQueue(logger, options.answerMs);
    this.#shape = queues;
    this.#shares = new QueueShares(randomUUID(), shareRoundMs);
    this.#shareTimer = queues === 1 ? null : setInterval(() => this.#share(), shareRoundMs);
    this.#link = new RabbitLink({
      url,
      name: 'chat-channel-dispatcher',
      logger,
      setup: async (model, drop) => {
        await declareForReading(model, this.#shape);
        const all = new Set([...queueNames(this.#shape), ...(await existingQueues(model))]);
        const session: ConsumerSession = { model, drop, queues: [...all], active: [] };
        model.once('close', () => endAll(session));
        return session;
      },
      onReady: () => void this.#apply(),
      connect: options.connect,
    });
  }

  get connected(): boolean {
    return this.#link.session !== null;
  }

  get consuming(): boolean {
    return this.#wanted === 'consuming' && this.#redeliveryTimer === null && this.#active.length > 0;
  }

  async start(handler: Handler): Promise<void> {
    this.#handler = handler;
    await this.resume();
  }

  async pause(): Promise<void> {
    if (this.#wanted === 'closed') return;
    this.#wanted = 'paused';
    this.#left.resolve();
    await this.#apply();
  }

  async resume(): Promise<void> {
    if (this.#wanted === 'closed' || this.#handler === null) return;
    if (this.#wanted === 'paused') this.#left = Promise.withResolvers();
    this.#wanted = 'consuming';
    await this.#apply();
  }

  async emptyDeadLetters(): Promise<void> {
    const session = this.#require();
    // An unanswered one is waited for, not repeated: each would occupy a channel.
    if (this.#purging !== null) await answered(this.#purging, DEAD_LETTER_QUEUE, this.#answerMs);
    const purging = onChannel(session.model, (channel) => channel.purgeQueue(DEAD_LETTER_QUEUE));
    this.#purging = purging.finally(() => {
      this.#purging = null;
    });
    await answered(this.#purging, DEAD_LETTER_QUEUE, this.#answerMs);
  }

  async keepErasures(erasures: readonly PendingErasure[]): Promise<void> {
    await this.#erasures.keep(this.#require().model, erasures);
  }

  async retryErasures(finish: (erasure: PendingErasure) => Promise<boolean>): Promise<number> {
    return this.#erasures.retry(this.#require().model, finish);
  }

  async close(): Promise<void> {
    this.#wanted = 'closed';
    if (this.#redeliveryTimer !== null) clearTimeout(this.#redeliveryTimer);
    if (this.#shareTimer !== null) clearInterval(this.#shareTimer);
    // Work in progress may still be acked; nothing new is started.
    if (this.#running !== null) await within(this.#running, CLOSE_DEADLINE_MS);
    this.#left.resolve();
    await within(this.#apply(), CLOSE_DEADLINE_MS);
    await this.#link.close();
  }

  #require(): ConsumerSession {
    const session = this.#link.session;
    if (session === null) throw new UnavailableError('rabbitmq');
    return session;
  }

  /** Makes the channel of the current connection match the wanted state. */
  #apply(): Promise<void> {
    this.#changes = this.#changes.then(async () => {
      const session = this.#link.session;
      if (session === null) return;
      try {
        if (this.#wanted === 'consuming') await this.#open(session);
        else await this.#shut(session);
      } catch (error) {
        session.drop(toError(error));
      }
    });
    return this.#changes;
  }

  async #open(session: ConsumerSession): Promise<void> {
    if (session.active.length > 0 || this.#redeliveryTimer !== null) return;
    const ephemeral = await this.#openChannel(session, EPHEMERAL_QUEUE);
    const consumed = ephemeral.channel.consume(
      EPHEMERAL_QUEUE,
      (message) => (message === null ? cancelled(session) : ephemeral.consumption.receiveEphemeral(message)),
      { noAck: true },
    );
    await answered(consumed, EPHEMERAL_QUEUE, this.#answerMs);
    for (const queue of session.queues) await this.#openQueue(session, queue);
  }

  async #openQueue(session: ConsumerSession, queue: string): Promise<void> {
    const { channel, consumption } = await this.#openChannel(session, queue);
    await channel.prefetch(Math.max(PREFETCH_MIN, Math.floor(PREFETCH / session.queues.length)));
    const consumed = channel.consume(queue, (message) =>
      message === null ? cancelled(session) : consumption.receive(message),
    );
    // A queue whose process hangs does not answer, and blocks everything queued behind it.
    await answered(consumed, queue, this.#answerMs);
  }

  async #openChannel(session: ConsumerSession, queue: string): Promise<ActiveConsumption> {
    const channel = await session.model.createChannel();
    const consumption = new Consumption(channel, this.#logger, {
      due: () => this.#schedule(),
      readerSeen: (reader) => this.#shares.seen(queue, reader, performance.now()),
    });
    const active: ActiveConsumption = { queue, channel, consumption };
    session.active.push(active);
    channel.on('error', session.drop);
    channel.on('close', () => {
      // Closed by the broker: an unknown tag, an ack that took too long, a queue that cannot be reached.
      if (!consumption.ended) session.drop(new Error('channel closed'));
      consumption.end();
    });
    return active;
  }

  /** Closing the channels ends the consumers and returns the unacked messages in order. */
  async #shut(session: ConsumerSession): Promise<void> {
    const { active } = session;
    session.active = [];
    for (const { consumption } of active) consumption.end();
    for (const { channel, queue } of active) await answered(closeChannel(channel), queue, this.#answerMs);
  }

  #schedule(): void {
    if (this.#scheduled || this.#running !== null) return;
    this.#scheduled = true;
    // Messages that arrived in one turn of the event loop are handled as one batch.
    setImmediate(() => {
      this.#scheduled = false;
      if (this.#running === null && this.#wanted === 'consuming') this.#begin();
    });
  }

  #begin(): void {
    // Settled in a later turn even when there was nothing to do, so that it never ends before it is noted as running.
    this.#running = this.#run().then(() => {
      this.#running = null;
      if (this.#active.some(({ consumption }) => consumption.hasDeliveries)) this.#schedule();
    });
  }

  async #run(): Promise<void> {
    const consumptions = this.#active.map(({ consumption }) => consumption);
    const deliveries = consumptions.flatMap((consumption) => consumption.take());
    if (deliveries.length === 0) return;
    try {
      await this.#handler?.(deliveries);
    } catch (error) {
      this.#logger.error({ err: error }, 'handler of queued events failed; unsettled events will be redelivered');
    }
    if (consumptions.some((consumption) => !consumption.ended && consumption.unsettled > 0)) this.#redeliverLater();
    else this.#redelivery.reset();
  }

  /** Returns everything at once, so that nothing overtakes the failed messages, and consumes again after a pause. */
  #redeliverLater(): void {
    const session = this.#link.session;
    if (session === null || this.#wanted !== 'consuming') return;
    // Now, not after an opening that still waits for the broker: messages that arrive until then would overtake the
    // failed ones.
    endAll(session);
    this.#redeliveryTimer = setTimeout(() => {
      this.#redeliveryTimer = null;
      void this.#apply();
    }, this.#redelivery.next());
    this.#changes = this.#changes
      .then(() => this.#shut(session))
      .catch((error: unknown) => session.drop(toError(error)));
  }

  get #active(): readonly ActiveConsumption[] {
    return this.#link.session?.active ?? [];
  }

  /** Announces this consumer to the others, and gives them their queues. */
  #share(): void {
    const session = this.#link.session;
    if (session === null || this.#wanted !== 'consuming') return;
    const queues = queueNames(this.#shape);
    for (const { queue, channel, consumption } of session.active) {
      if (consumption.ended || !queues.includes(queue)) continue;
      const options = { type: READER_TYPE, appId: this.#shares.id };
      channel.sendToQueue(queue, Buffer.alloc(0), options);
    }
    for (const queue of this.#shares.toHandOver(queues, performance.now())) this.#handOver(session, queue);
  }

  /** Leaves the queue between two batches, and rejoins behind all that wait for it. */
  #handOver(session: ConsumerSession, queue: string): void {
    this.#shares.forget(queue);
    // The current state: the consumer may have been resumed before its turn.
    const left = this.#left.promise;
    this.#changes = this.#changes
      .then(async () => {
        await Promise.race([this.#running, left]);
        const place = session.active.findIndex((active) => active.queue === queue);
        const [given] = place < 0 ? [] : session.active.splice(place, 1);
        if (given === undefined || given.consumption.ended) return;
        given.consumption.end();
        await answered(closeChannel(given.channel), queue, this.#answerMs);
        this.#logger.info({ queue }, 'another dispatcher reads this queue from now on');
        if (this.#wanted === 'consuming' && this.#redeliveryTimer === null) await this.#openQueue(session, queue);
      })
      .catch((error: unknown) => session.drop(toError(error)));
  }
}

function endAll(session: ConsumerSession): void {
  for (const { consumption } of session.active) consumption.end();
}

function cancelled(session: ConsumerSession): void {
  session.drop(new Error('consumer cancelled: the queue is gone'));
}

async function within(work: Promise<void>, ms: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([work, deadline]);
  clearTimeout(timer);
}

/** Starts disconnected and reconnects forever. */
export function connectRabbitConsumer(options: RabbitConsumerOptions): EventConsumer {
  return new RabbitConsumer(options);
}
