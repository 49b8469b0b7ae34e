import { setTimeout as sleep } from 'node:timers/promises';
import type { ChannelModel, ConfirmChannel, Options } from 'amqplib';
import { closeChannel } from './channels.ts';
import { toError } from '../errors.ts';
import type { MessagingLogger } from '../logger.ts';

/** AMQP `type` of a message that only tests whether a queue accepts messages; its reader drops it. */
export const PROBE_TYPE = 'chat.probe';

/** How long a queue may leave a declaration, a consumer or a message without an answer. */
const ANSWER_MS = 6_000;
/** Connections in a row on which a queue gave no answer before it is taken for broken. */
const BROKEN_AFTER_CONNECTIONS = 2;
const PROBE_LIFE_MS = 30_000;

/** A queue was addressed by name and did not answer in time, or refused a message it must accept. */
export class QueueSilentError extends Error {
  override readonly name = 'QueueSilentError';
  readonly code = 'queue_silent';
}

/** @throws QueueSilentError after `ms` without an answer. */
export async function answered<T>(work: Promise<T>, queue: string, ms = ANSWER_MS): Promise<T> {
  const given = new AbortController();
  const silence = sleep(ms, undefined, { signal: given.signal, ref: false }).then(() => {
    throw new QueueSilentError(`the queue ${queue} does not respond`);
  });
  // Also what is too late ends somewhere: the connection is given up, which rejects it.
  work.catch(() => undefined);
  silence.catch(() => undefined);
  try {
    return await Promise.race([work, silence]);
  } finally {
    given.abort();
  }
}

/**
 * Quorum queues that only we use, recreated if the broker has lost their process.
 *
 * A queue that was declared some seconds before its node was killed may come back as a name without a process. It can
 * be declared, inspected and even consumed, but it accepts and delivers no message, and publishing to an exchange it is
 * bound to fails as well. So the queue is probed with a message of ours. It is recreated if the probe was not confirmed
 * on two connections in a row and once more now, and if the queue reports that it is empty.
 */
export class OwnQueues {
  readonly #logger: MessagingLogger;
  readonly #silent = new Map<string, number>();

  constructor(logger: MessagingLogger) {
    this.#logger = logger;
  }

  /** On this connection it gave no answer. */
  silent(queue: string): void {
    this.#silent.set(queue, (this.#silent.get(queue) ?? 0) + 1);
  }

  answers(queue: string): void {
    this.#silent.delete(queue);
  }

  /** Declares it, after deleting it where it is broken. */
  async declare(model: ChannelModel, queue: string, options: Options.AssertQueue): Promise<void> {
    if ((this.#silent.get(queue) ?? 0) >= BROKEN_AFTER_CONNECTIONS && (await this.#isBroken(model, queue))) {
      this.#logger.error({ queue }, 'the queue answers nothing and holds nothing: it is deleted and made anew');
      await this.#on(model, (channel) => channel.deleteQueue(queue), queue);
      this.#silent.delete(queue);
    }
    await this.#on(model, (channel) => channel.assertQueue(queue, options), queue);
  }

  /** @throws whatever says that it takes no message; the connection is to be given up then. */
  async probe(channel: ConfirmChannel, queue: string): Promise<void> {
    try {
      await this.#ask(channel, queue);
    } catch (error) {
      this.silent(queue);
      throw error;
    }
    this.answers(queue);
  }

  async #ask(channel: ConfirmChannel, queue: string): Promise<void> {
    // The queue's reader drops it; in a queue without a reader, like the dead letters, it expires.
    channel.sendToQueue(queue, Buffer.alloc(0), { type: PROBE_TYPE, persistent: true, expiration: PROBE_LIFE_MS });
    await answered(channel.waitForConfirms(), queue);
  }

  async #isBroken(model: ChannelModel, queue: string): Promise<boolean> {
    const { messageCount } = await this.#on(model, (channel) => channel.checkQueue(queue), queue);
    if (messageCount > 0) return false;
    const channel = await model.createConfirmChannel();
    channel.on('error', () => undefined);
    try {
      await this.#ask(channel, queue);
    } catch (error) {
      this.#logger.warn({ queue, err: toError(error) }, 'a queue takes no message');
      return true;
    } finally {
      // A channel that waits for the queue may not even be closed.
      await answered(closeChannel(channel), queue, 1_000).catch(() => undefined);
    }
    this.answers(queue);
    return false;
  }

  /** On a channel of its own, since an error closes it. */
  async #on<T>(
    model: ChannelModel,
    use: (channel: Awaited<ReturnType<ChannelModel['createChannel']>>) => Promise<T>,
    queue: string,
  ): Promise<T> {
    const channel = await model.createChannel();
    // The same error rejects the call that caused it.
    channel.on('error', () => undefined);
    try {
      const result = await answered(use(channel), queue);
      await closeChannel(channel);
      return result;
    } catch (error) {
      if (error instanceof QueueSilentError) this.silent(queue);
      throw error;
    }
  }
}
