import { ChatError } from '@chat-realtime/protocol';
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';

export type RateVerdict = { readonly ok: true } | { readonly ok: false; readonly retryAfterSeconds: number };

const OK: RateVerdict = { ok: true };

/** Allows `points` per key and `durationSeconds`, in this process. 0 points: no limit. */
export class RateLimiter {
  readonly #limiter: RateLimiterMemory | undefined;
  readonly #points: number;

  constructor(points: number, durationSeconds: number) {
    this.#points = points;
    this.#limiter = points <= 0 ? undefined : new RateLimiterMemory({ points, duration: durationSeconds });
  }

  /** Takes one point. */
  async consume(key: string): Promise<RateVerdict> {
    if (this.#limiter === undefined) return OK;
    try {
      await this.#limiter.consume(key);
      return OK;
    } catch (error) {
      if (error instanceof RateLimiterRes) return refusal(error.msBeforeNext);
      throw error;
    }
  }

  /** Whether a point is left, without taking it: for limits that count failures only. */
  async check(key: string): Promise<RateVerdict> {
    const state = this.#limiter === undefined ? null : await this.#limiter.get(key);
    return state === null || state.consumedPoints < this.#points ? OK : refusal(state.msBeforeNext);
  }

  async reset(key: string): Promise<void> {
    await this.#limiter?.delete(key);
  }
}

function refusal(msBeforeNext: number): RateVerdict {
  return { ok: false, retryAfterSeconds: Math.max(1, Math.ceil(msBeforeNext / 1000)) };
}

/** Takes one point. @throws ChatError `rate_limited` with the time to wait */
export async function enforceRate(limiter: RateLimiter, key: string): Promise<void> {
  const verdict = await limiter.consume(key);
  if (!verdict.ok) {
    throw new ChatError('rate_limited', 'too many requests', { retryAfterSeconds: verdict.retryAfterSeconds });
  }
}
