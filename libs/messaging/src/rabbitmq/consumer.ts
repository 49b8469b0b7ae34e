import { DEAD_LETTER_QUEUE, DISPATCHER_QUEUE, EPHEMERAL_QUEUE } from '@chat-realtime/protocol';
import type { Channel, ChannelModel } from 'amqplib';
import { Backoff } from '../backoff.ts';
import { toError, UnavailableError } from '../errors.ts';
import type { MessagingLogger } from '../logger.ts';
import type { Delivery, EventConsumer } from '../ports/event-queue.ts';
import { Consumption } from './consumption.ts';
import { RabbitLink } from './link.ts';
import { answered } from './own-queues.ts';
import type { RabbitOptions } from './publisher.ts';
import { declareTopology } from './topology.ts';

/** Messages on their way or in work. Small enough that a crash repeats little, large enough for a batch. */
const PREFETCH = 256;
const CLOSE_DEADLINE_MS = 5_000;
const REDELIVERY_MIN_MS = 200;
const REDELIVERY_MAX_MS = 30_000;

type Handler = (deliveries: readonly Delivery[]) => Promise<void>;

interface ActiveConsumption {
  readonly channel: Channel;
  readonly consumption: Consumption;
}

interface ConsumerSession {
  readonly model: ChannelModel;
  readonly drop: (error: Error) => void;
  active: ActiveConsumption | null;
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
  #redeliveryTimer: NodeJS.Timeout | null = null;

  constructor({ url, logger }: RabbitOptions) {
    this.#logger = logger;
    this.#link = new RabbitLink({
      url,
      name: 'chat-channel-dispatcher',
      logger,
      setup: async (model, drop) => {
        await declareTopology(model);
        const session: ConsumerSession = { model, drop, active: null };
        model.once('close', () => session.active?.consumption.end());
        return session;
      },
      onReady: () => void this.#apply(),
    });
  }

  get connected(): boolean {
    return this.#link.session !== null;
  }

  async start(handler: Handler): Promise<void> {
    this.#handler = handler;
    await this.resume();
  }

  async pause(): Promise<void> {
    if (this.#wanted === 'closed') return;
    this.#wanted = 'paused';
    await this.#apply();
  }

  async resume(): Promise<void> {
    if (this.#wanted === 'closed' || this.#handler === null) return;
    this.#wanted = 'consuming';
    await this.#apply();
  }

  async emptyDeadLetters(): Promise<void> {
    const session = this.#link.session;
    if (session === null) throw new UnavailableError('rabbitmq');
    const channel = await session.model.createChannel();
    // The same error rejects the call that caused it; without a listener it would end the process.
    channel.on('error', (error: unknown) => this.#logger.debug({ err: error }, 'channel of the dead letters ended'));
    await channel.purgeQueue(DEAD_LETTER_QUEUE);
    await channel.close();
  }

  async close(): Promise<void> {
    this.#wanted = 'closed';
    if (this.#redeliveryTimer !== null) clearTimeout(this.#redeliveryTimer);
    // What is in work may still be acked; nothing new is begun.
    if (this.#running !== null) await within(this.#running, CLOSE_DEADLINE_MS);
    await within(this.#apply(), CLOSE_DEADLINE_MS);
    await this.#link.close();
  }

  /** Makes the channel of the current connection fit what is wanted. */
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
    if (session.active !== null || this.#redeliveryTimer !== null) return;
    const channel = await session.model.createChannel();
    const consumption = new Consumption(channel, this.#logger, () => this.#schedule());
    session.active = { channel, consumption };
    channel.on('error', session.drop);
    channel.on('close', () => {
      // Closed by the broker: an unknown tag, an ack that took too long, a queue that cannot be reached.
      if (!consumption.ended) session.drop(new Error('channel closed'));
      consumption.end();
    });
    await channel.prefetch(PREFETCH);
    const cancelled = (): void => session.drop(new Error('consumer cancelled: the queue is gone'));
    const events = channel.consume(DISPATCHER_QUEUE, (message) =>
      message === null ? cancelled() : consumption.receive(message),
    );
    // A queue whose process hangs leaves it without an answer, and everything that waits for its turn behind it.
    await answered(events, DISPATCHER_QUEUE);
    const ephemeral = channel.consume(
      EPHEMERAL_QUEUE,
      (message) => (message === null ? cancelled() : consumption.receiveEphemeral(message)),
      { noAck: true },
    );
    await answered(ephemeral, EPHEMERAL_QUEUE);
  }

  /** Closing the channel ends the consumer and gives back, in order, what is unacked. */
  async #shut(session: ConsumerSession): Promise<void> {
    const active = session.active;
    if (active === null) return;
    session.active = null;
    active.consumption.end();
    await active.channel.close();
  }

  #schedule(): void {
    if (this.#scheduled || this.#running !== null) return;
    this.#scheduled = true;
    // What arrived in one turn of the loop is handled as one batch.
    setImmediate(() => {
      this.#scheduled = false;
      if (this.#running === null && this.#wanted === 'consuming') this.#begin();
    });
  }

  #begin(): void {
    // Settled in a later turn even when there was nothing to do, so that it never ends before it is noted as running.
    this.#running = this.#run().then(() => {
      this.#running = null;
      if (this.#link.session?.active?.consumption.hasDeliveries === true) this.#schedule();
    });
  }

  async #run(): Promise<void> {
    const consumption = this.#link.session?.active?.consumption;
    const deliveries = consumption?.take() ?? [];
    if (consumption === undefined || deliveries.length === 0) return;
    try {
      await this.#handler?.(deliveries);
    } catch (error) {
      this.#logger.error({ err: error }, 'handler of queued events failed; what it left unsettled comes again');
    }
    if (!consumption.ended && consumption.unsettled > 0) this.#redeliverLater();
    else this.#redelivery.reset();
  }

  /** Gives everything back at once, so that nothing overtakes what failed, and takes it again after a while. */
  #redeliverLater(): void {
    const session = this.#link.session;
    if (session === null || this.#wanted !== 'consuming') return;
    // Now, not when its turn comes behind an opening that still waits for the broker: what arrives until then would
    // overtake what failed.
    session.active?.consumption.end();
    this.#redeliveryTimer = setTimeout(() => {
      this.#redeliveryTimer = null;
      void this.#apply();
    }, this.#redelivery.next());
    this.#changes = this.#changes
      .then(() => this.#shut(session))
      .catch((error: unknown) => session.drop(toError(error)));
  }
}

async function within(work: Promise<void>, ms: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([work, deadline]);
  clearTimeout(timer);
}

/** Starts disconnected and reconnects for ever. */
export function connectRabbitConsumer(options: RabbitOptions): EventConsumer {
  return new RabbitConsumer(options);
}
