import { setTimeout as sleep } from 'node:timers/promises';
import type { Channel, ChannelModel, ConfirmChannel, ConsumeMessage } from 'amqplib';
import { Backoff } from '../backoff.ts';
import { toError } from '../errors.ts';
import type { MessagingLogger } from '../logger.ts';
import type { SiteDelivery, SiteHandler, SiteSource, SiteSourceState } from '../ports/site-source.ts';
import { RabbitLink } from './link.ts';

/** Where a site's events are: an exchange of theirs, to which a queue of ours is bound, or a queue that is for us alone. */
export type SiteAddress =
  | { readonly kind: 'exchange'; readonly exchange: string; readonly key: string }
  | { readonly kind: 'queue'; readonly queue: string };

export interface SiteSourceOptions {
  readonly url: string;
  readonly address: SiteAddress;
  readonly logger: MessagingLogger;
  readonly handler: SiteHandler;
}

/** The queue of ours behind `exchange:`, and where refused messages lie. */
export const SITE_QUEUE = 'chat-ledger';
export const SITE_DEAD_LETTERS = 'chat-ledger.dead';

/** Messages here at a time, and in one batch. */
const PREFETCH = 200;
const DEAD_LETTERS_MAX_BYTES = 67_108_864;
/** Each lost connection counts; a healthy message is never parked for the broker's troubles. */
const DELIVERIES_MAX = 1_000_000;
const RETRY_MIN_MS = 200;
const RETRY_MAX_MS = 10_000;
const LOOK_EVERY_MS = 5_000;
const CLOSE_DEADLINE_MS = 5_000;
const REASON_MAX = 500;

interface Reading {
  readonly channel: Channel;
  readonly dead: ConfirmChannel;
  readonly queue: string;
  readonly drop: (error: Error) => void;
  ended: boolean;
}

class SourceRefusedError extends Error {
  override readonly name = 'SourceRefusedError';
  readonly code = 'source_refused';
}

class RabbitSiteSource implements SiteSource {
  readonly #options: SiteSourceOptions;
  readonly #link: RabbitLink<Reading>;
  readonly #retry = new Backoff(RETRY_MIN_MS, RETRY_MAX_MS);
  readonly #looking: NodeJS.Timeout;
  #state: SiteSourceState = { kind: 'waiting', reason: 'not connected yet' };
  #waiting: number | undefined;
  #pending: ConsumeMessage[] = [];
  #working: Promise<void> | null = null;
  #closing = false;

  constructor(options: SiteSourceOptions) {
    this.#options = options;
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

  async close(): Promise<void> {
    this.#closing = true;
    this.#state = { kind: 'closed' };
    clearInterval(this.#looking);
    this.#pending = [];
    // A batch that is being stored is finished and acknowledged; one that cannot be is left to the broker.
    if (this.#working !== null)
      await Promise.race([this.#working, sleep(CLOSE_DEADLINE_MS, undefined, { ref: false })]);
    const reading = this.#link.session;
    if (reading !== null) {
      reading.ended = true;
      // Closing the connection alone would drop acknowledgements that the channel still has to send.
      const closed = reading.channel.close().catch(() => undefined);
      await Promise.race([closed, sleep(CLOSE_DEADLINE_MS, undefined, { ref: false })]);
    }
    await this.#link.close();
  }

  #lost(reason: string): void {
    this.#pending = [];
    this.#waiting = undefined;
    if (!this.#closing) this.#state = { kind: 'waiting', reason };
  }

  async #setup(model: ChannelModel, drop: (error: Error) => void): Promise<Reading> {
    try {
      const queue = await this.#prepare(model);
      const dead = await model.createConfirmChannel();
      const channel = await model.createChannel();
      const reading: Reading = { channel, dead, queue, drop, ended: false };
      for (const one of [dead, channel]) {
        one.on('error', drop);
        one.on('close', () => {
          if (!reading.ended) drop(new Error('channel closed'));
        });
      }
      model.once('close', () => {
        reading.ended = true;
      });
      await channel.prefetch(PREFETCH);
      await channel.consume(queue, (message) => {
        if (message === null) drop(new Error('consumer cancelled: the queue is gone'));
        else this.#receive(reading, message);
      });
      return reading;
    } catch (error) {
      this.#lost(toError(error).message);
      throw error;
    }
  }

  /** Looks, declares nothing of the site's, and answers the queue to read. */
  async #prepare(model: ChannelModel): Promise<string> {
    const { address } = this.#options;
    const channel = await model.createChannel();
    // The same error rejects the call that caused it.
    channel.on('error', () => undefined);
    await channel.assertQueue(SITE_DEAD_LETTERS, {
      durable: true,
      arguments: { 'x-queue-type': 'quorum', 'x-max-length-bytes': DEAD_LETTERS_MAX_BYTES, 'x-overflow': 'drop-head' },
    });
    if (address.kind === 'queue') {
      const { consumerCount } = await channel.checkQueue(address.queue);
      if (consumerCount > 0) {
        throw new SourceRefusedError(
          `the queue ${address.queue} has ${consumerCount} consumers: messages would be shared with them. Give the ledger a queue of its own, or an exchange`,
        );
      }
      await channel.close();
      return address.queue;
    }
    await channel.checkExchange(address.exchange);
    await channel.assertQueue(SITE_QUEUE, {
      durable: true,
      arguments: { 'x-queue-type': 'quorum', 'x-single-active-consumer': true, 'x-delivery-limit': DELIVERIES_MAX },
    });
    await channel.bindQueue(SITE_QUEUE, address.exchange, address.key);
    await channel.close();
    return SITE_QUEUE;
  }

  /** How much waits, and whether somebody else came to a queue that must be ours alone. */
  async #look(): Promise<void> {
    const reading = this.#link.session;
    if (reading === null || reading.ended) return;
    try {
      const { messageCount, consumerCount } = await reading.dead.checkQueue(reading.queue);
      this.#waiting = messageCount;
      if (this.#options.address.kind === 'queue' && consumerCount > 1)
        reading.drop(
          new SourceRefusedError(`the queue ${reading.queue} has another consumer: messages are lost to it`),
        );
    } catch (error) {
      reading.drop(toError(error));
    }
  }

  #receive(reading: Reading, message: ConsumeMessage): void {
    if (this.#closing || reading.ended) return;
    this.#pending.push(message);
    if (this.#working !== null) return;
    this.#working = this.#work(reading).finally(() => {
      this.#working = null;
    });
  }

  async #work(reading: Reading): Promise<void> {
    // What arrived in one turn of the loop is one batch.
    await new Promise<void>((resolve) => setImmediate(resolve));
    while (!reading.ended && this.#link.session === reading && this.#pending.length > 0) {
      const batch = this.#pending.splice(0, PREFETCH);
      await this.#decide(reading, batch);
    }
  }

  /** Until the batch is decided on, or its connection is gone and the broker gives it again. */
  async #decide(reading: Reading, batch: readonly ConsumeMessage[]): Promise<void> {
    const deliveries = batch.map(deliveryOf);
    while (!reading.ended && this.#link.session === reading) {
      try {
        const verdicts = await this.#options.handler(deliveries);
        await this.#bury(reading, batch, verdicts);
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

  /** Refused messages go to the dead letters with the reason, and are safe there before they are acknowledged. */
  async #bury(reading: Reading, batch: readonly ConsumeMessage[], verdicts: Awaited<ReturnType<SiteHandler>>) {
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
    if (buried > 0) await reading.dead.waitForConfirms();
  }
}

function deliveryOf({ content, properties, fields }: ConsumeMessage): SiteDelivery {
  const messageId: unknown = properties.messageId;
  const traceparent: unknown = properties.headers?.['traceparent'];
  return {
    content,
    messageId: typeof messageId === 'string' && messageId !== '' ? messageId : undefined,
    traceparent: typeof traceparent === 'string' ? traceparent : undefined,
    redelivered: fields.redelivered,
  };
}

/** Starts disconnected and reconnects for ever; an exchange or queue that is not there yet is waited for. */
export function connectSiteSource(options: SiteSourceOptions): SiteSource {
  return new RabbitSiteSource(options);
}
