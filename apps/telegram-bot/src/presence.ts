import { type Database, recordPresence } from '@chat-realtime/database';
import type { Fanout } from '@chat-realtime/messaging';
import { CONTROL_CHANNEL, type ControlMessage } from '@chat-realtime/protocol';
import type { Logger } from '@chat-realtime/service-kit';
import type { People } from './storage/people.ts';
import type { Availability } from './telegram/availability.ts';

/** As gateways repeat theirs. */
const HEARTBEAT_MS = 5_000;
/** Written less often: chat-service's reading is valid for 30 s. */
const RECORD_EVERY = 2;
/** How often the bot says that it runs, whoever is on duty. */
const ALIVE_EVERY_MS = 30_000;

export interface PresenceParts {
  readonly id: string;
  readonly database: Database;
  readonly fanout: Fanout;
  readonly people: Pick<People, 'onDuty' | 'botRuns'>;
  readonly availability: Pick<Availability, 'isFresh'>;
  readonly logger: Logger;
}

/**
 * An operator on duty in Telegram counts as connected. This is reported in the same way as a gateway reports its
 * connections, so that it counts everywhere. It ends with the bot, and while Telegram does not answer: then nobody is
 * reached, and mail and push act as they do without Telegram.
 */
export class DutyPresence {
  readonly #parts: PresenceParts;
  #timer: NodeJS.Timeout | undefined;
  #beats = 0;
  #last = '[]';
  #aliveAt = Number.NEGATIVE_INFINITY;
  #reached = false;
  #running: Promise<void> = Promise.resolve();
  #stopped = false;

  constructor(parts: PresenceParts) {
    this.#parts = parts;
  }

  start(): void {
    this.beat();
  }

  /** Also at once when somebody's duty may have changed. */
  beat(): void {
    if (this.#stopped) return;
    clearTimeout(this.#timer);
    this.#running = this.#running
      .then(() => this.#publish())
      .catch((error: unknown) => {
        this.#parts.logger.warn({ err: error }, 'who is on duty in Telegram could not be told');
      })
      .finally(() => {
        clearTimeout(this.#timer);
        if (!this.#stopped) this.#timer = setTimeout(() => this.beat(), HEARTBEAT_MS);
      });
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#running;
    await this.#say([]).catch((error: unknown) => {
      this.#parts.logger.debug({ err: error }, 'the end of the duty could not be told; it expires');
    });
  }

  async #publish(): Promise<void> {
    const { people, availability } = this.#parts;
    if (!this.#isReached(availability.isFresh)) return this.#say([]);
    const now = performance.now();
    if (now - this.#aliveAt >= ALIVE_EVERY_MS) {
      await people.botRuns();
      this.#aliveAt = now;
    }
    await this.#say((await people.onDuty()).map(({ userId, name }) => ({ id: userId, name })));
  }

  /** Said once, as it changes. */
  #isReached(isFresh: boolean): boolean {
    if (isFresh === this.#reached) return isFresh;
    this.#reached = isFresh;
    this.#aliveAt = Number.NEGATIVE_INFINITY;
    if (isFresh) this.#parts.logger.info({}, 'Telegram answers: whoever is on duty there counts as connected');
    else this.#parts.logger.warn({}, 'Telegram does not answer: nobody counts as connected by it until it does');
    return isFresh;
  }

  async #say(operators: { id: string; name: string | null }[]): Promise<void> {
    const { id, database, fanout } = this.#parts;
    const text = JSON.stringify(operators);
    const isNews = text !== this.#last;
    this.#beats += 1;
    if (isNews || (operators.length > 0 && this.#beats % RECORD_EVERY === 0))
      await recordPresence(database, { gateway_id: id, operators });
    const message: ControlMessage = { type: 'control.presence', data: { gateway_id: id, operators } };
    // Without Redis gateways count without Telegram for a while; chat-service knows from the database.
    if (fanout.connected && (isNews || operators.length > 0))
      await fanout.execute([{ kind: 'publish', channel: CONTROL_CHANNEL, payload: JSON.stringify(message) }]);
    this.#last = text;
  }
}
