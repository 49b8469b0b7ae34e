import { randomUUID } from 'node:crypto';
import { sleep } from '@chat-realtime/testkit';
import type { SeededRandom } from '../../support/seeded-random.ts';
import { type Attempt, bodyOf } from '../checker/history.ts';
import type { Traffic } from './cast.ts';
import type { SiteEvent, SiteOutbox } from './site-outbox.ts';

export interface SiteWriterOptions {
  readonly name: string;
  readonly sessionId: number;
  /** `client`, or the id of a manager of the site. */
  readonly sender: string;
  readonly outbox: SiteOutbox;
  readonly random: SeededRandom;
  readonly pauseMs: number;
  /** So many numbers of messages, of which none was given before. */
  readonly numbers: (count: number) => readonly number[];
}

const AT_ONCE = 4;
/** How often something comes that is no message. */
const OTHER = 0.2;

/** An event under an id of its own. */
export function siteEvent(sessionId: number, type: string, data: SiteEvent['data']): SiteEvent {
  return { type, session_id: sessionId, data, message_id: randomUUID() };
}

/**
 * One who writes at the site. Numbers of messages come in any order; now and then an assignment and a status, whichever
 * first, and each with a value that occurs once.
 */
export class SiteWriter implements Traffic {
  /** Until the end of the run nobody knows what the ledger calls them: `messageId` is the site's own number. */
  readonly attempts: Attempt[] = [];
  readonly #options: SiteWriterOptions;
  #numbers: number[] = [];

  constructor(options: SiteWriterOptions) {
    this.#options = options;
  }

  async run(stop: AbortSignal): Promise<void> {
    const { random, pauseMs } = this.#options;
    for (let index = 0; !stop.aborted; index += 1) {
      if (random.next() < OTHER) await this.#tellOther(index);
      await this.#write(index);
      await sleep(random.integer(0, 2 * pauseMs));
    }
  }

  async #write(index: number): Promise<void> {
    const { name, sessionId, sender, outbox } = this.#options;
    const body = bodyOf(sessionId, name, index);
    const id = this.#number();
    const who =
      sender === 'client'
        ? { sender_type: 'client' }
        : { sender_type: 'operator', sender_id: sender, sender_name: 'Анна' };
    const startedAt = Date.now();
    await outbox.give(siteEvent(sessionId, 'chat.message', { id, ...who, body }));
    this.attempts.push({
      ...{ writer: name, sessionId, sender, clientMessageId: body, body, startedAt, endedAt: Date.now() },
      outcome: { kind: 'ok', messageId: id },
    });
  }

  async #tellOther(index: number): Promise<void> {
    const { name, sessionId, outbox, random } = this.#options;
    const value = `${name} ${index}`;
    const assigned = siteEvent(sessionId, 'chat.session.assigned', { assigned_user_id: value });
    const status = siteEvent(sessionId, 'chat.session.status', { status: value });
    const [first, second] = random.next() < 0.5 ? [assigned, status] : [status, assigned];
    await outbox.give(first);
    await outbox.give(second);
  }

  #number(): number {
    if (this.#numbers.length === 0) this.#numbers = this.#options.random.shuffled(this.#options.numbers(AT_ONCE));
    const number = this.#numbers.pop();
    if (number === undefined) throw new Error('no numbers are left');
    return number;
  }
}
