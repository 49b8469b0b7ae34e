import { QUESTION_TYPE, READER_TYPE } from '@chat-realtime/protocol';
import type { Channel, ConsumeMessage } from 'amqplib';
import type { MessagingLogger } from '../logger.ts';
import { type Delivery, EPHEMERAL_WAITING_MAX } from '../ports/event-queue.ts';
import { decodeEphemeral, decodeEvent } from './decode.ts';

interface Outstanding {
  readonly message: ConsumeMessage;
  /** `question`: the sender gets its answer when everything before it is settled. */
  state: 'open' | 'acked' | 'refused' | 'question';
}

export interface ConsumptionListener {
  /** A message is available. */
  due(): void;
  /** A reader of this queue, perhaps this one, has announced itself. */
  readerSeen(id: string): void;
}

/**
 * The deliveries of one channel between two pauses. It passes them to the handler in batches and collects acks, so that
 * a batch costs one frame. After `end` it has no effect any more: the broker redelivers its messages.
 */
export class Consumption {
  readonly #channel: Channel;
  readonly #logger: MessagingLogger;
  readonly #listener: ConsumptionListener;
  #pending: Delivery[] = [];
  #ephemeral: Delivery[] = [];
  /** In the order of their tags; the settled ones at its front are acked in one go. */
  #outstanding: Outstanding[] = [];
  #flushing = false;
  #ended = false;

  constructor(channel: Channel, logger: MessagingLogger, listener: ConsumptionListener) {
    this.#channel = channel;
    this.#logger = logger;
    this.#listener = listener;
  }

  get ended(): boolean {
    return this.#ended;
  }

  get hasDeliveries(): boolean {
    return this.#pending.length > 0 || this.#ephemeral.length > 0;
  }

  receive(message: ConsumeMessage): void {
    if (this.#ended || this.#isForReaders(message)) return;
    const outstanding: Outstanding = { message, state: 'open' };
    this.#outstanding.push(outstanding);
    const refuse = (): void => this.#refuse(outstanding);
    const decoded = decodeEvent(message.content);
    if (decoded.ok) {
      const traceparent: unknown = message.properties.headers?.['traceparent'];
      this.#pending.push({
        kind: 'event',
        event: decoded.value,
        redelivered: message.fields.redelivered,
        traceparent: typeof traceparent === 'string' ? traceparent : undefined,
        ack: () => this.#ack(outstanding),
        refuse,
      });
    } else this.#pending.push({ kind: 'bad', reason: decoded.reason, refuse });
    this.#listener.due();
  }

  receiveEphemeral(message: ConsumeMessage): void {
    if (this.#ended) return;
    const decoded = decodeEphemeral(message.content);
    if (this.#ephemeral.length >= EPHEMERAL_WAITING_MAX) this.#ephemeral.shift();
    // Consumed without acknowledgement, so there is nothing to refuse; the handler still counts it.
    this.#ephemeral.push(
      decoded.ok
        ? { kind: 'ephemeral', message: decoded.value }
        : { kind: 'bad', reason: decoded.reason, refuse: nothing },
    );
    this.#listener.due();
  }

  /** Messages between readers and the publisher are not events. */
  #isForReaders(message: ConsumeMessage): boolean {
    const type: unknown = message.properties.type;
    const appId: unknown = message.properties.appId;
    if (type === READER_TYPE) {
      this.#send(() => this.#channel.ack(message));
      if (typeof appId === 'string') this.#listener.readerSeen(appId);
      return true;
    }
    if (type !== QUESTION_TYPE) return false;
    this.#outstanding.push({ message, state: 'question' });
    this.#flushLater();
    return true;
  }

  take(): Delivery[] {
    const deliveries = this.#ephemeral.length === 0 ? this.#pending : [...this.#ephemeral, ...this.#pending];
    this.#pending = [];
    this.#ephemeral = [];
    return deliveries;
  }

  /** The number of deliveries that are neither acked nor refused. */
  get unsettled(): number {
    let open = -this.#pending.filter((delivery) => delivery.kind !== 'ephemeral').length;
    for (const { state } of this.#outstanding) if (state === 'open') open += 1;
    return open;
  }

  /** Settles what was decided, and releases the rest. */
  end(): void {
    if (this.#ended) return;
    this.#flush();
    for (const { message, state } of this.#outstanding) {
      if (state === 'acked') this.#send(() => this.#channel.ack(message));
    }
    this.#ended = true;
    this.#outstanding = [];
    this.take();
  }

  #ack(outstanding: Outstanding): void {
    if (this.#ended || outstanding.state !== 'open') return;
    outstanding.state = 'acked';
    this.#flushLater();
  }

  #flushLater(): void {
    if (this.#flushing) return;
    this.#flushing = true;
    queueMicrotask(() => this.#flush());
  }

  #refuse(outstanding: Outstanding): void {
    if (this.#ended || outstanding.state !== 'open') return;
    outstanding.state = 'refused';
    this.#send(() => this.#channel.nack(outstanding.message, false, false));
    this.#flushLater();
  }

  #flush(): void {
    this.#flushing = false;
    if (this.#ended) return;
    let settled = 0;
    let last: ConsumeMessage | null = null;
    for (const { message, state } of this.#outstanding) {
      if (state === 'open') break;
      settled += 1;
      if (state !== 'refused') last = message;
    }
    const done = this.#outstanding.splice(0, settled);
    const upTo = last;
    if (upTo !== null) this.#send(() => this.#channel.ack(upTo, true));
    for (const { message, state } of done) if (state === 'question') this.#answer(message);
  }

  #answer({ properties }: ConsumeMessage): void {
    const replyTo: unknown = properties.replyTo;
    const correlationId: unknown = properties.correlationId;
    if (typeof replyTo !== 'string' || typeof correlationId !== 'string') return;
    this.#send(() => this.#channel.publish('', replyTo, Buffer.alloc(0), { correlationId }));
  }

  #send(action: () => void): void {
    try {
      action();
    } catch (error) {
      // The channel is gone, and the broker will redeliver the messages: an event may come twice, but is never lost.
      this.#logger.debug({ err: error }, 'acknowledgement lost with its channel');
    }
  }
}

function nothing(): void {}
