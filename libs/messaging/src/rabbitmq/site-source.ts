import { setTimeout as sleep } from 'node:timers/promises';
import type { Channel, ChannelModel, ConfirmChannel, ConsumeMessage, GetMessage } from 'amqplib';
import { Backoff } from '../backoff.ts';
import { closeChannel } from './channels.ts';
import { toError } from '../errors.ts';
import type { MessagingLogger } from '../logger.ts';
import type { SiteDelivery, SiteHandler, SiteSource, SiteSourceState } from '../ports/site-source.ts';
import { RabbitLink } from './link.ts';
import { answered, OwnQueues, PROBE_TYPE, QueueSilentError } from './own-queues.ts';
import { declareLimited, SITE_LIMITS, type SiteLimits } from './site-limits.ts';
import { bindInlet, declareInlet, SITE_SPARE, spareCount, takeSpare } from './site-spare.ts';

/** Where a site's events are: an exchange of the site, to which our queue is bound, or a queue that is ours alone. */
export type SiteAddress =
  | { readonly kind: 'exchange'; readonly exchange: string; readonly key: string }
  | { readonly kind: 'queue'; readonly queue: string };

export interface SiteSourceOptions {
  readonly url: string;
  readonly address: SiteAddress;
  readonly logger: MessagingLogger;
  readonly handler: SiteHandler;
  readonly limits?: SiteLimits;
}

/** Our queue behind `exchange:`, and the queue for refused messages. */
export const SITE_QUEUE = 'chat-ledger';
export const SITE_DEAD_LETTERS = 'chat-ledger.dead';

/** Messages unacknowledged at a time, and in one batch. */
const PREFETCH = 200;
/** Redelivered messages follow each other within less than this. */
const REDELIVERY_PAUSE_MS = 50;
const DEAD_LETTERS_MAX_BYTES = 67_108_864;
/** Each lost connection counts. A healthy message must never be parked because of the broker's troubles. */
const DELIVERIES_MAX = 1_000_000;
const RETRY_MIN_MS = 200;
const RETRY_MAX_MS = 10_000;
const LOOK_EVERY_MS = 5_000;
const CLOSE_DEADLINE_MS = 5_000;
const REASON_MAX = 500;
/** They contain customers' texts. The limit is set on each message, since an existing queue keeps its arguments. */
const DEAD_LETTERS_KEPT_MS = 30 * 86_400_000;
const DEAD_LETTERS_OPTIONS = {
  durable: true,
  arguments: { 'x-queue-type': 'quorum', 'x-max-length-bytes': DEAD_LETTERS_MAX_BYTES, 'x-overflow': 'drop-head' },
};
const SITE_QUEUE_ARGUMENTS = {
  'x-queue-type': 'quorum',
  'x-single-active-consumer': true,
  'x-delivery-limit': DELIVERIES_MAX,
};

type SiteMessage = ConsumeMessage | GetMessage;

interface Reading {
  readonly channel: Channel;
  readonly dead: ConfirmChannel;
  /** A separate channel: a queue that does not answer blocks everything else on its channel. */
  readonly probes: ConfirmChannel;
  readonly queue: string;
  readonly drop: (error: Error) => void;
  /** The spare queue has no reader, and passive checks do not count as use for the broker. Declaring it again does. */
  readonly renew: () => Promise<unknown>;
  renewedAt: number;
  /** The spare queue is read first and the queue itself only after it, because its messages are older. */
  spare: boolean;
  ended: boolean;
}

class SourceRefusedError extends Error {
  override readonly name = 'SourceRefusedError';
  readonly code = 'source_refused';
}

class RabbitSiteSource implements SiteSource {
  readonly #options: SiteSourceOptions;
  readonly #link: RabbitLink<Reading>;
  readonly #own: OwnQueues;
  readonly #retry = new Backoff(RETRY_MIN_MS, RETRY_MAX_MS);
  readonly #looking: NodeJS.Timeout;
  #state: SiteSourceState = { kind: 'waiting', reason: 'not connected yet' };
  #waiting: number | undefined;
  #pending: ConsumeMessage[] = [];
  #working: Promise<void> | null = null;
  /** Whose messages are pending. Set before its consumer answers, since messages may come first. */
  #reading: Reading | null = null;
  #closing = false;

  constructor(options: SiteSourceOptions) {
    this.#options = options;
    this.#own = new OwnQueues(options.logger);
    this.#link = new RabbitLink({
      url: options.url,
      name: 'chat-ledger',
      logger: options.logger,
      setup: (model, drop) => this.#setup(model, drop),
      onReady: () => {
        this.#state = { kind: 'reading' };
      },
      onLost: (error) => this.#lost(error.message),
    });
    this.#looking = setInterval(() => void this.#look(), LOOK_EVERY_MS);
  }

  get state(): SiteSourceState {
    return this.#state;
  }

  get waiting(): number | undefined {
    return this.#waiting;
  }

  async emptyDeadLetters(): Promise<void> {
    const reading = this.#link.session;
    if (reading === null || reading.ended) throw new Error('there is no connection to the broker');
    await answered(reading.dead.purgeQueue(SITE_DEAD_LETTERS), SITE_DEAD_LETTERS);
  }

  async close(): Promise<void> {
    this.#closing = true;
    this.#state = { kind: 'closed' };
    clearInterval(this.#looking);
    this.#pending = [];
    // A batch that is being stored is finished and acknowledged; one that cannot be stored is left to the broker.
    if (this.#working !== null)
      await Promise.race([this.#working, sleep(CLOSE_DEADLINE_MS, undefined, { ref: false })]);
    const reading = this.#link.session;
    if (reading !== null) {
      reading.ended = true;
      // Closing only the connection would drop acknowledgements that the channel still has to send.
      const closed = closeChannel(reading.channel).catch(() => undefined);
      await Promise.race([closed, sleep(CLOSE_DEADLINE_MS, undefined, { ref: false })]);
    }
    await this.#link.close();
  }

  #lost(reason: string): void {
    this.#pending = [];
    this.#waiting = undefined;
    if (!this.#closing) this.#state = { kind: 'waiting', reason };
  }

  async #setup(model: ChannelModel, giveUp: (error: Error) => void): Promise<Reading> {
    try {
      const queue = await this.#prepare(model);
      const dead = await model.createConfirmChannel();
      const probes = await model.createConfirmChannel();
      const channel = await model.createChannel();
      const drop = (error: Error): void => {
        // At once: unacknowledged messages are redelivered on the next connection, which may exist before this one
        // ends.
        reading.ended = true;
        giveUp(error);
      };
      const { limits = SITE_LIMITS } = this.#options;
      const renew = () => declareInlet(model, limits);
      const reading: Reading = {
        channel,
        dead,
        probes,
        queue,
        drop,
        renew,
        renewedAt: performance.now(),
        spare: false,
        ended: false,
      };
      this.#pending = [];
      this.#reading = reading;
      for (const one of [dead, probes, channel]) {
        one.on('error', drop);
        one.on('close', () => {
          if (!reading.ended) drop(new Error('channel closed'));
        });
      }
      model.once('close', () => {
        reading.ended = true;
      });
      await channel.prefetch(PREFETCH);
      reading.spare = queue === SITE_QUEUE && (await spareCount(channel)) > 0;
      if (reading.spare) this.#begin();
      else await this.#consume(reading);
      return reading;
    } catch (error) {
      if (this.#reading !== null) this.#reading.ended = true;
      this.#lost(toError(error).message);
      throw error;
    }
  }

  /** A site's own queue is the site's to repair. Only ours is probed and recreated. */
  async #consume(reading: Reading): Promise<void> {
    const { queue, channel, probes, drop } = reading;
    const consuming = channel.consume(queue, (message) => {
      if (message === null) drop(new Error('consumer cancelled: the queue is gone'));
      else this.#receive(reading, message);
    });
    try {
      await answered(consuming, queue);
    } catch (error) {
      if (error instanceof QueueSilentError && queue === SITE_QUEUE) this.#own.silent(queue);
      throw error;
    }
    if (queue === SITE_QUEUE) await this.#own.probe(probes, queue);
  }

  /** Checks, declares nothing of the site's, and returns the queue to read. */
  async #prepare(model: ChannelModel): Promise<string> {
    const { address } = this.#options;
    await this.#own.declare(model, SITE_DEAD_LETTERS, DEAD_LETTERS_OPTIONS);
    const channel = await model.createChannel();
    // The same error rejects the call that caused it.
    channel.on('error', () => undefined);
    if (address.kind === 'queue') {
      const { consumerCount } = await answered(channel.checkQueue(address.queue), address.queue);
      if (consumerCount > 0) {
        throw new SourceRefusedError(
          `the queue ${address.queue} has ${consumerCount} consumers: messages would be shared with them. Give the ledger its own queue, or an exchange`,
        );
      }
      await closeChannel(channel);
      return address.queue;
    }
    await channel.checkExchange(address.exchange);
    await closeChannel(channel);
    const limits = this.#options.limits ?? SITE_LIMITS;
    const spareIsLimited = await declareInlet(model, limits);
    const isLimited = await declareLimited(limits, SITE_QUEUE_ARGUMENTS, (options) =>
      this.#own.declare(model, SITE_QUEUE, options),
    );
    if (!isLimited || !spareIsLimited)
      this.#options.logger.warn(
        { queues: [SITE_QUEUE, SITE_SPARE] },
        'these queues have no limit, as they were made before there was one: while the chat does not run they may fill the disk of the broker. `admin rabbit-source remove` with the chat stopped; the next start makes them anew',
      );
    await bindInlet(model, { queue: SITE_QUEUE, exchange: address.exchange, key: address.key });
    return SITE_QUEUE;
  }

  /** Counts waiting messages, and checks that no other consumer has come to a queue that only we may read. */
  async #look(): Promise<void> {
    const reading = this.#link.session;
    if (reading === null || reading.ended) return;
    try {
      const { messageCount, consumerCount } = await answered(reading.dead.checkQueue(reading.queue), reading.queue);
      const spare = reading.queue === SITE_QUEUE ? await this.#lookAtSpare(reading) : 0;
      this.#waiting = messageCount + spare;
      // It was in flight when the queue was bound again.
      if (spare > 0 && !reading.spare) reading.drop(new Error('a message lies in the spare queue'));
      // A queue without a process looks healthy and delivers nothing to its reader.
      else if (reading.queue === SITE_QUEUE) await this.#own.probe(reading.probes, reading.queue);
      if (this.#options.address.kind === 'queue' && consumerCount > 1)
        reading.drop(
          new SourceRefusedError(`the queue ${reading.queue} has another consumer: messages are lost to it`),
        );
    } catch (error) {
      reading.drop(toError(error));
    }
  }

  async #lookAtSpare(reading: Reading): Promise<number> {
    const { unreadMs } = this.#options.limits ?? SITE_LIMITS;
    if (performance.now() - reading.renewedAt > unreadMs / 4) {
      await reading.renew();
      reading.renewedAt = performance.now();
    }
    return spareCount(reading.dead);
  }

  #receive(reading: Reading, message: ConsumeMessage): void {
    if (this.#closing || reading.ended) return;
    this.#pending.push(message);
    this.#begin();
  }

  #begin(): void {
    const reading = this.#reading;
    if (this.#working !== null || reading === null) return;
    if (this.#pending.length === 0 && !reading.spare) return;
    this.#working = this.#work(reading).finally(() => {
      this.#working = null;
      // From a newer connection: it arrived while the work of the previous one was ending.
      if (!this.#closing && this.#reading !== reading) this.#begin();
    });
  }

  async #work(reading: Reading): Promise<void> {
    // Messages that arrive in one turn of the event loop form one batch.
    await new Promise<void>((resolve) => setImmediate(resolve));
    if (reading.spare) await this.#emptySpare(reading);
    while (!reading.ended && this.#reading === reading && this.#pending.length > 0) {
      await this.#gatherRedelivered(reading);
      const batch = this.#pending.splice(0, PREFETCH);
      await this.#decide(reading, batch);
    }
  }

  /** Redelivered messages are collected: events without an id are recognised only when they are compared together. */
  async #gatherRedelivered(reading: Reading): Promise<void> {
    for (let before = -1; before < this.#pending.length && this.#pending.length < PREFETCH; ) {
      if (this.#pending.at(-1)?.fields.redelivered !== true || reading.ended) return;
      before = this.#pending.length;
      await sleep(REDELIVERY_PAUSE_MS);
    }
  }

  async #emptySpare(reading: Reading): Promise<void> {
    try {
      while (!reading.ended && !this.#closing) {
        const batch = await takeSpare(reading.channel, PREFETCH);
        if (batch.length > 0) await this.#decide(reading, batch);
        else {
          reading.spare = false;
          await this.#consume(reading);
          return;
        }
      }
    } catch (error) {
      reading.drop(toError(error));
    }
  }

  /** Until the batch is decided, or its connection is gone and the broker redelivers it. */
  async #decide(reading: Reading, batch: readonly SiteMessage[]): Promise<void> {
    const given = batch.filter((message) => !isProbe(message));
    const deliveries = given.map(deliveryOf);
    while (!reading.ended) {
      try {
        const verdicts = deliveries.length === 0 ? [] : await this.#options.handler(deliveries);
        await this.#bury(reading, given, verdicts);
        const last = batch.at(-1);
        if (last !== undefined && !reading.ended) reading.channel.ack(last, true);
        this.#retry.reset();
        return;
      } catch (error) {
        if (this.#closing) return;
        this.#options.logger.warn({ err: toError(error) }, "a site's events wait: they could not be stored");
        await sleep(this.#retry.next());
      }
    }
  }

  /** Refused messages go to the dead letters with the reason, and are stored there before they are acknowledged. */
  async #bury(reading: Reading, batch: readonly SiteMessage[], verdicts: Awaited<ReturnType<SiteHandler>>) {
    let buried = 0;
    for (const [index, message] of batch.entries()) {
      const verdict = verdicts[index];
      if (verdict === undefined) throw new Error('the handler did not decide on every message');
      if (verdict.kind === 'taken') continue;
      buried += 1;
      const { properties, fields } = message;
      const messageId: unknown = properties.messageId;
      const contentType: unknown = properties.contentType;
      reading.dead.sendToQueue(SITE_DEAD_LETTERS, message.content, {
        persistent: true,
        expiration: DEAD_LETTERS_KEPT_MS,
        ...(typeof messageId === 'string' ? { messageId } : {}),
        ...(typeof contentType === 'string' ? { contentType } : {}),
        headers: {
          'x-refused-reason': verdict.reason.slice(0, REASON_MAX),
          'x-refused-at': new Date().toISOString(),
          'x-original-exchange': fields.exchange,
          'x-original-routing-key': fields.routingKey,
        },
      });
    }
    if (buried === 0) return;
    try {
      await answered(reading.dead.waitForConfirms(), SITE_DEAD_LETTERS);
      this.#own.answers(SITE_DEAD_LETTERS);
    } catch (error) {
      this.#own.silent(SITE_DEAD_LETTERS);
      // The broker redelivers the batch. The ledger then recognises what it has stored.
      reading.drop(toError(error));
      throw error;
    }
  }
}

function isProbe({ properties, fields }: SiteMessage): boolean {
  return properties.type === PROBE_TYPE && fields.exchange === '';
}

function deliveryOf({ content, properties, fields }: SiteMessage): SiteDelivery {
  const messageId: unknown = properties.messageId;
  const traceparent: unknown = properties.headers?.['traceparent'];
  return {
    content,
    messageId: typeof messageId === 'string' && messageId !== '' ? messageId : undefined,
    traceparent: typeof traceparent === 'string' ? traceparent : undefined,
    redelivered: fields.redelivered,
  };
}

/** Starts disconnected and reconnects forever. It waits for an exchange or queue that does not exist yet. */
export function connectSiteSource(options: SiteSourceOptions): SiteSource {
  return new RabbitSiteSource(options);
}
