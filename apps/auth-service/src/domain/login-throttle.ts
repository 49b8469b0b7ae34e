import { ChatError } from '@chat-realtime/protocol';
import { RateLimiter } from '@chat-realtime/service-kit';

const WINDOW_SECONDS = 300;
/** Attempts of one key waiting for their turn; more of them is no person at a keyboard. */
const MAX_WAITING = 50;

/**
 * Counts failed sign-ins by (login, address). Attempts of one key run one after the other, or many sent at once would
 * all be let through before the first of them has failed.
 */
export class LoginThrottle {
  readonly #failures: RateLimiter;
  readonly #turns = new Map<string, { tail: Promise<void>; waiting: number }>();

  constructor(failuresAllowed: number) {
    this.#failures = new RateLimiter(failuresAllowed, WINDOW_SECONDS);
  }

  /** `attempt` gives `undefined` for a failure. @throws ChatError `rate_limited` once there were too many. */
  async run<T>(key: string, attempt: () => Promise<T | undefined>): Promise<T | undefined> {
    const turn = this.#turns.get(key) ?? { tail: Promise.resolve(), waiting: 0 };
    if (turn.waiting >= MAX_WAITING) throw tooMany(1);
    this.#turns.set(key, turn);
    turn.waiting += 1;
    const result = turn.tail.then(() => this.#attempt(key, attempt));
    turn.tail = result.then(
      () => undefined,
      () => undefined,
    );
    try {
      return await result;
    } finally {
      turn.waiting -= 1;
      if (turn.waiting === 0) this.#turns.delete(key);
    }
  }

  async #attempt<T>(key: string, attempt: () => Promise<T | undefined>): Promise<T | undefined> {
    const verdict = await this.#failures.check(key);
    if (!verdict.ok) throw tooMany(verdict.retryAfterSeconds);
    const outcome = await attempt();
    if (outcome === undefined) await this.#failures.consume(key);
    else await this.#failures.reset(key);
    return outcome;
  }
}

function tooMany(retryAfterSeconds: number): ChatError {
  return new ChatError('rate_limited', 'too many failed sign-ins; wait before the next', { retryAfterSeconds });
}
