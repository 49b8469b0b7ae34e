import { ERASURE_QUEUE, type PendingErasure, pendingErasureSchema } from '@chat-realtime/protocol';
import type { ChannelModel, ConfirmChannel } from 'amqplib';
import type { MessagingLogger } from '../logger.ts';
import { closeChannel } from './channels.ts';
import { answered, OwnQueues, QueueSilentError } from './own-queues.ts';

/** Without a delivery limit, of which RabbitMQ 4 has one by itself: what is tried again is given anew. */
const ARGUMENTS = { 'x-queue-type': 'quorum' };
/** Of one round; the rest has its turn in the next. */
const ROUND = 500;

/**
 * Erasures that wait. The queue is declared when it is first needed, not with the topology: one whose process was lost
 * does not respond, and events must not wait for it.
 */
export class ErasureQueue {
  readonly #queues: OwnQueues;
  readonly #answerMs: number | undefined;

  constructor(logger: MessagingLogger, answerMs: number | undefined) {
    this.#queues = new OwnQueues(logger);
    this.#answerMs = answerMs;
  }

  async keep(model: ChannelModel, erasures: readonly PendingErasure[]): Promise<void> {
    await this.#with(model, async (channel) => {
      for (const erasure of erasures) send(channel, Buffer.from(JSON.stringify(erasure)));
      await this.#answered(channel.waitForConfirms());
    });
  }

  async retry(model: ChannelModel, finish: (erasure: PendingErasure) => Promise<boolean>): Promise<number> {
    return this.#with(model, async (channel) => {
      const { messageCount } = await this.#answered(channel.checkQueue(ERASURE_QUEUE));
      let taken = 0;
      let kept = 0;
      while (taken < Math.min(messageCount, ROUND)) {
        const message = await this.#answered(channel.get(ERASURE_QUEUE, { noAck: false }));
        if (message === false) break;
        taken += 1;
        const erasure = decode(message.content);
        // One that a newer version has written waits for it.
        if (erasure === null || !(await finish(erasure))) {
          kept += 1;
          // Behind the others, and confirmed before the old one goes: it is rather done twice than forgotten.
          send(channel, message.content);
          await this.#answered(channel.waitForConfirms());
        }
        channel.ack(message);
      }
      return kept + Math.max(0, messageCount - taken);
    });
  }

  /** Declares the queue and uses a channel of its own. */
  async #with<T>(model: ChannelModel, use: (channel: ConfirmChannel) => Promise<T>): Promise<T> {
    await this.#queues.declare(model, ERASURE_QUEUE, { durable: true, arguments: ARGUMENTS });
    const channel = await model.createConfirmChannel();
    // The same error rejects the call that caused it.
    channel.on('error', () => undefined);
    try {
      const result = await use(channel);
      this.#queues.answers(ERASURE_QUEUE);
      return result;
    } catch (error) {
      if (error instanceof QueueSilentError) this.#queues.silent(ERASURE_QUEUE);
      throw error;
    } finally {
      // Returns messages that were received and not settled.
      await answered(closeChannel(channel), ERASURE_QUEUE, this.#answerMs).catch(() => undefined);
    }
  }

  #answered<T>(work: Promise<T>): Promise<T> {
    return answered(work, ERASURE_QUEUE, this.#answerMs);
  }
}

function send(channel: ConfirmChannel, content: Buffer): void {
  channel.sendToQueue(ERASURE_QUEUE, content, { persistent: true, contentType: 'application/json' });
}

function decode(content: Buffer): PendingErasure | null {
  try {
    const parsed = pendingErasureSchema.safeParse(JSON.parse(content.toString()));
    return parsed.success ? parsed.data : null;
  } catch {
    return null;
  }
}
