import { randomUUID } from 'node:crypto';
import { type HttpAnswer, sleep } from '@chat-realtime/testkit';
import { postMessageResponseSchema } from '@chat-realtime/protocol';
import type { SeededRandom } from '../../support/seeded-random.ts';
import { type Attempt, bodyOf, type Outcome } from '../checker/history.ts';
import { Backoff } from './backoff.ts';

const ANSWER_MS = 5_000;
/** How often the answer is thrown away on purpose, and how often an answered post is sent again. */
const IMPATIENT = 0.05;
const REPEAT = 0.05;

export interface Post {
  readonly body: string;
  readonly clientMessageId: string;
  readonly signal: AbortSignal;
}

export interface WriterOptions {
  readonly name: string;
  readonly sessionId: number;
  readonly sender: string;
  readonly post: (post: Post) => Promise<HttpAnswer>;
  readonly random: SeededRandom;
  readonly pauseMs: number;
}

/** One person at the keyboard: one post at a time, each repeated under the same id until it is answered with 2xx. */
export class Writer {
  readonly attempts: Attempt[] = [];
  readonly #options: WriterOptions;
  #backoff: Backoff;

  constructor(options: WriterOptions) {
    this.#options = options;
    this.#backoff = new Backoff(options.random);
  }

  /** Writes until told to stop, and then sees the last message through. */
  async run(stop: AbortSignal): Promise<void> {
    const { random, pauseMs } = this.#options;
    for (let index = 0; !stop.aborted; index += 1) {
      await this.#send(index);
      await sleep(random.integer(0, 2 * pauseMs));
    }
  }

  async #send(index: number): Promise<void> {
    const { name, sessionId, random } = this.#options;
    const body = bodyOf(sessionId, name, index);
    const clientMessageId = randomUUID();
    this.#backoff = new Backoff(random);
    for (;;) {
      const patienceMs = random.next() < IMPATIENT ? random.integer(0, 8) : ANSWER_MS;
      const { outcome, waitMs } = await this.#attempt(body, clientMessageId, patienceMs);
      if (outcome.kind === 'ok') break;
      await sleep(waitMs ?? this.#backoff.next());
    }
    if (random.next() < REPEAT) await this.#attempt(body, clientMessageId, ANSWER_MS);
  }

  async #attempt(
    body: string,
    clientMessageId: string,
    patienceMs: number,
  ): Promise<{ outcome: Outcome; waitMs: number | null }> {
    const { name: writer, sessionId, sender, post } = this.#options;
    const startedAt = Date.now();
    const { outcome, waitMs } = await post({ body, clientMessageId, signal: AbortSignal.timeout(patienceMs) }).then(
      (answer) => judge(answer),
      (error: unknown) => ({ outcome: { kind: 'unknown', reason: String(error) } as const, waitMs: null }),
    );
    this.attempts.push({ writer, sessionId, sender, clientMessageId, body, startedAt, endedAt: Date.now(), outcome });
    return { outcome, waitMs };
  }
}

function judge(answer: HttpAnswer): { outcome: Outcome; waitMs: number | null } {
  const { status } = answer;
  if (status === 200 || status === 201) {
    return {
      outcome: { kind: 'ok', messageId: answer.as(postMessageResponseSchema, 200, 201).message.id },
      waitMs: null,
    };
  }
  if (status !== 429 && status < 500) throw new Error(`${answer.line} answered ${status}: ${answer.text}`);
  const seconds = Number(answer.header('retry-after') ?? Number.NaN);
  // An overload or an outage behind the service leaves it open whether the commit went through.
  const outcome: Outcome =
    status === 429 ? { kind: 'refused', status } : { kind: 'unknown', reason: `answered ${status}: ${answer.text}` };
  return { outcome, waitMs: Number.isNaN(seconds) ? null : seconds * 1_000 };
}
