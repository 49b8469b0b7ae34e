import { ChatError } from '@chat-realtime/protocol';
import { RateLimiter, rateLimitKey } from '@chat-realtime/service-kit';
import type { Actor } from '../actors.ts';

export interface RatesConfig {
  /** New sessions, and callbacks without one, per minute and address; 0 = off. */
  readonly sessionsPerMinute: number;
  /** Messages, and uploads and devices each on their own count, per minute and principal; 0 = off. */
  readonly messagesPerMinute: number;
}

const MINUTE = 60;
/** Each goes out to every address of alerts. */
const TRIALS_PER_MINUTE = 10;

function principalKey(actor: Actor): string {
  return actor.kind === 'customer' ? `session:${actor.sessionId}` : `staff:${actor.userId}`;
}

/** How often one address or person may do what costs us a row. */
export class RequestRates {
  readonly #sessions: RateLimiter;
  readonly #callbacks: RateLimiter;
  readonly #messages: RateLimiter;
  readonly #uploads: RateLimiter;
  readonly #subscriptions: RateLimiter;
  readonly #trials: RateLimiter;

  constructor(config: RatesConfig) {
    this.#sessions = new RateLimiter(config.sessionsPerMinute, MINUTE);
    this.#callbacks = new RateLimiter(config.sessionsPerMinute, MINUTE);
    this.#messages = new RateLimiter(config.messagesPerMinute, MINUTE);
    this.#uploads = new RateLimiter(config.messagesPerMinute, MINUTE);
    this.#subscriptions = new RateLimiter(config.messagesPerMinute, MINUTE);
    this.#trials = new RateLimiter(config.messagesPerMinute === 0 ? 0 : TRIALS_PER_MINUTE, MINUTE);
  }

  session(ip: string): Promise<void> {
    return take(this.#sessions, rateLimitKey(ip));
  }

  callback(ip: string): Promise<void> {
    return take(this.#callbacks, rateLimitKey(ip));
  }

  message(actor: Actor): Promise<void> {
    return take(this.#messages, principalKey(actor));
  }

  subscription(actor: Actor): Promise<void> {
    return take(this.#subscriptions, principalKey(actor));
  }

  /** A webhook that is tried. */
  trial(actor: Actor): Promise<void> {
    return take(this.#trials, principalKey(actor));
  }

  upload(actor: Actor): Promise<void> {
    return take(this.#uploads, principalKey(actor));
  }
}

async function take(limiter: RateLimiter, key: string): Promise<void> {
  const verdict = await limiter.consume(key);
  if (verdict.ok) return;
  throw new ChatError('rate_limited', 'too many requests', { retryAfterSeconds: verdict.retryAfterSeconds });
}
