import { enforceRate, RateLimiter, rateLimitKey } from '@chat-realtime/service-kit';
import type { Actor } from '../actors.ts';

export interface RatesConfig {
  /** New sessions, and callbacks without one, per minute and address; 0 = off. */
  readonly sessionsPerMinute: number;
  /** Messages, and uploads and devices each on their own count, per minute and principal; 0 = off. */
  readonly messagesPerMinute: number;
}

const MINUTE = 60;
/** Each test is sent to every alert target. */
const WEBHOOK_TESTS_PER_MINUTE = 10;

function principalKey(actor: Actor): string {
  return actor.kind === 'customer' ? `session:${actor.sessionId}` : `staff:${actor.userId}`;
}

/** Rate limits for requests that write a row. */
export class RequestRates {
  readonly #sessions: RateLimiter;
  readonly #callbacks: RateLimiter;
  readonly #messages: RateLimiter;
  readonly #uploads: RateLimiter;
  readonly #subscriptions: RateLimiter;
  readonly #webhookTests: RateLimiter;

  constructor(config: RatesConfig) {
    this.#sessions = new RateLimiter(config.sessionsPerMinute, MINUTE);
    this.#callbacks = new RateLimiter(config.sessionsPerMinute, MINUTE);
    this.#messages = new RateLimiter(config.messagesPerMinute, MINUTE);
    this.#uploads = new RateLimiter(config.messagesPerMinute, MINUTE);
    this.#subscriptions = new RateLimiter(config.messagesPerMinute, MINUTE);
    this.#webhookTests = new RateLimiter(config.messagesPerMinute === 0 ? 0 : WEBHOOK_TESTS_PER_MINUTE, MINUTE);
  }

  session(ip: string): Promise<void> {
    return enforceRate(this.#sessions, rateLimitKey(ip));
  }

  callback(ip: string): Promise<void> {
    return enforceRate(this.#callbacks, rateLimitKey(ip));
  }

  message(actor: Actor): Promise<void> {
    return enforceRate(this.#messages, principalKey(actor));
  }

  subscription(actor: Actor): Promise<void> {
    return enforceRate(this.#subscriptions, principalKey(actor));
  }

  /** Test deliveries of the webhooks. */
  webhookTest(actor: Actor): Promise<void> {
    return enforceRate(this.#webhookTests, principalKey(actor));
  }

  upload(actor: Actor): Promise<void> {
    return enforceRate(this.#uploads, principalKey(actor));
  }
}
