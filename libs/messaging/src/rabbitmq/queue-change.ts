import { queueNames } from '@chat-realtime/protocol';
import type { ChannelModel } from 'amqplib';
import type { MessagingLogger } from '../logger.ts';
import { onChannel } from './channels.ts';
import { changeShape, declareQueues, existingQueues, type QueueShape, shapesInUse } from './queue-shape.ts';
import { readToTheirEnd } from './queue-readers.ts';

const NEW_READERS_MS = 3_000;
/** Nothing is published meanwhile. Waiting clients are served by head checks. */
const OLD_END_MS = 15_000;
const AGAIN_MIN_MS = 10_000;
/** Each attempt leaves a question in a queue that nobody reads. */
const AGAIN_MAX_MS = 300_000;

/**
 * From the number of queues that is in use to the one that is wanted, without an event of a session overtaking another:
 * first the new queues must have readers, then everything in all queues must have been read, and only then the next
 * event is published into the new ones. Until it succeeds events go the old way.
 */
export class QueueChange {
  readonly #wanted: QueueShape;
  readonly #logger: MessagingLogger;
  #used: readonly QueueShape[];
  #notBefore = 0;
  #backoff = AGAIN_MIN_MS;

  constructor(wanted: QueueShape, logger: MessagingLogger) {
    this.#wanted = wanted;
    this.#logger = logger;
    this.#used = [wanted];
  }

  /** On a new connection, whose broker has these in use; answers those to declare. */
  begin(used: readonly QueueShape[]): readonly QueueShape[] {
    this.#used = used.length === 0 ? [this.#wanted] : used;
    this.#notBefore = 0;
    return this.#used;
  }

  /** Events need the header by which they are spread. */
  get spreads(): boolean {
    return this.#wanted > 1 || this.#used.some((shape) => shape > 1);
  }

  isDue(now: number): boolean {
    return (this.#used.length !== 1 || this.#used[0] !== this.#wanted) && now >= this.#notBefore;
  }

  /** Never rejects: what fails is tried again later. To be called while nothing is published and unconfirmed. */
  async attempt(model: ChannelModel): Promise<void> {
    try {
      if (await this.#change(model)) {
        this.#used = [this.#wanted];
        this.#backoff = AGAIN_MIN_MS;
      }
    } catch (error) {
      this.#logger.warn({ err: error }, 'the number of queues could not be changed');
    }
    this.#notBefore = performance.now() + this.#backoff;
    this.#backoff = Math.min(2 * this.#backoff, AGAIN_MAX_MS);
  }

  async #change(model: ChannelModel): Promise<boolean> {
    const wanted = queueNames(this.#wanted);
    await onChannel(model, (channel) => declareQueues(channel, this.#wanted));
    if (!(await this.#areRead(model, wanted, NEW_READERS_MS, 'no dispatcher reads the new queues'))) return false;
    const all = await existingQueues(model);
    if (!(await this.#areRead(model, all, OLD_END_MS, 'the queues were not read to their end'))) return false;
    await changeShape(model, await shapesInUse(model), this.#wanted);
    this.#logger.info({ from: this.#used, to: this.#wanted }, 'the number of queues was changed');
    return true;
  }

  async #areRead(model: ChannelModel, queues: readonly string[], ms: number, complaint: string): Promise<boolean> {
    const answered = await readToTheirEnd(model, queues, ms);
    const silent = queues.filter((queue) => !answered.has(queue));
    if (silent.length === 0) return true;
    const waiting = { queues: silent, wanted: this.#wanted, used: this.#used };
    this.#logger.error(waiting, `${complaint}; events use the old queues until they do (RABBITMQ_QUEUES)`);
    return false;
  }
}
