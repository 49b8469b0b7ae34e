import { type Database, recordPresence } from '@chat-realtime/database';
import type { Fanout } from '@chat-realtime/messaging';
import { CONTROL_CHANNEL, type ControlMessage } from '@chat-realtime/protocol';
import type { Logger } from '@chat-realtime/service-kit';
import type { People } from './storage/people.ts';

/** As gateways repeat theirs. */
const HEARTBEAT_MS = 5_000;
/** Written less often: what chat-service reads holds for 30 s. */
const RECORD_EVERY = 2;
/** How often the bot says that it runs, whoever is on duty. */
const ALIVE_EVERY = 6;

export interface PresenceParts {
  readonly id: string;
  readonly database: Database;
  readonly fanout: Fanout;
  readonly people: Pick<People, 'onDuty' | 'botRuns'>;
  readonly logger: Logger;
}

/**
 * An operator on duty in Telegram counts as connected: this is told as a gateway tells of its connections, so that all
 * who count operators count these as well. It ends with the bot: nobody is reached by one that does not run.
 */
export class DutyPresence {
  readonly #parts: PresenceParts;
  #timer: NodeJS.Timeout | undefined;
  #beats = 0;
  #last = '[]';
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
      .then(() => this.#tell())
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

  async #tell(): Promise<void> {
    const operators = (await this.#parts.people.onDuty()).map(({ userId, name }) => ({ id: userId, name }));
    await this.#say(operators);
  }

  async #say(operators: { id: string; name: string | null }[]): Promise<void> {
    const { id, database, fanout } = this.#parts;
    const text = JSON.stringify(operators);
    const isNews = text !== this.#last;
    this.#beats += 1;
    if (this.#beats % ALIVE_EVERY === 1) await this.#parts.people.botRuns();
    if (isNews || (operators.length > 0 && this.#beats % RECORD_EVERY === 0))
      await recordPresence(database, { gateway_id: id, operators });
    const message: ControlMessage = { type: 'control.presence', data: { gateway_id: id, operators } };
    // Without Redis gateways count without Telegram for a while; chat-service knows from the database.
    if (fanout.connected && (isNews || operators.length > 0))
      await fanout.execute([{ kind: 'publish', channel: CONTROL_CHANNEL, payload: JSON.stringify(message) }]);
    this.#last = text;
  }
}
