import { CATCHUP_MAX_SESSIONS, type CatchupRequest, type CatchupResponse } from '@chat-realtime/protocol';
import type { HubMetrics } from './metrics.ts';
import type { ChatSource, HubLogger } from './ports.ts';

/** Time that earns one call. A lone question goes at once; a reconnect storm is spread into full batches. */
const CALL_INTERVAL_MS = 70;
/** The more sessions asked at once, the longer the next call gathers: a storm needs few calls however long it takes. */
const GATHER_MS_PER_SESSION = 2;
const CALL_INTERVAL_MAX_MS = 250;
const CALL_BURST = 2;
const CALL_TIMEOUT_MS = 10_000;
const RETRY_MIN_MS = 200;
const RETRY_MAX_MS = 3_000;

export interface CatchupClient {
  /** Everything that is wanted now; null when nothing is. What it contains counts as asked. */
  compose(): CatchupRequest | null;
  apply(request: CatchupRequest, response: CatchupResponse): void;
  /** The call failed: what it contained is wanted again. */
  failed(request: CatchupRequest): void;
}

export interface CatchupSchedulerOptions {
  readonly source: ChatSource;
  readonly metrics: HubMetrics;
  readonly logger: HubLogger;
}

/**
 * The gateway's only way to chat-service. One call is in flight; what is wanted meanwhile goes into the next one. So a
 * resume, a gap, the head check, the staff feed, presence and revocations cost one query together, whoever asks.
 */
export class CatchupScheduler {
  readonly #options: CatchupSchedulerOptions;
  readonly #client: CatchupClient;
  #timer: NodeJS.Timeout | null = null;
  #inFlight = false;
  #wanted = false;
  #interval = CALL_INTERVAL_MS;
  #tokens = CALL_BURST;
  #tokensAt = performance.now();
  #failures = 0;
  #failingSince = 0;
  #succeededAt = Number.NEGATIVE_INFINITY;
  #stopped = false;

  constructor(client: CatchupClient, options: CatchupSchedulerOptions) {
    this.#client = client;
    this.#options = options;
  }

  /** Since when, on the monotonic clock, every call has failed; 0 while they succeed. */
  get failingSince(): number {
    return this.#failingSince;
  }

  /** When, on the monotonic clock, the last call was answered. */
  get succeededAt(): number {
    return this.#succeededAt;
  }

  /** Something is wanted: it goes with the next call, in this turn of the loop at the earliest. */
  request(): void {
    this.#wanted = true;
    if (this.#inFlight || this.#timer !== null || this.#stopped) return;
    this.#arm(this.#waitForToken());
  }

  stop(): void {
    this.#stopped = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  #arm(delay: number): void {
    this.#timer = setTimeout(() => {
      this.#timer = null;
      void this.#call();
    }, delay);
  }

  #waitForToken(): number {
    const now = performance.now();
    this.#tokens = Math.min(CALL_BURST, this.#tokens + (now - this.#tokensAt) / this.#interval);
    this.#tokensAt = now;
    return this.#tokens >= 1 ? 0 : Math.ceil((1 - this.#tokens) * this.#interval);
  }

  async #call(): Promise<void> {
    this.#wanted = false;
    const request = this.#client.compose();
    if (request === null || this.#stopped) return;
    this.#waitForToken();
    this.#tokens -= 1;
    this.#interval = intervalAfter(request);
    this.#inFlight = true;
    const startedAt = performance.now();
    try {
      const response = await withTimeout(this.#options.source.catchup(request), CALL_TIMEOUT_MS);
      this.#options.metrics.catchupRequest('ok', (performance.now() - startedAt) / 1000);
      this.#inFlight = false;
      this.#failures = 0;
      this.#failingSince = 0;
      this.#succeededAt = performance.now();
      if (!this.#stopped) this.#client.apply(request, response);
    } catch (error) {
      this.#inFlight = false;
      this.#options.metrics.catchupRequest('failed', (performance.now() - startedAt) / 1000);
      this.#retry(request, error);
    }
    if (this.#wanted && !this.#stopped && this.#timer === null) this.#arm(this.#waitForToken());
  }

  #retry(request: CatchupRequest, error: unknown): void {
    if (this.#stopped) return;
    this.#failures += 1;
    if (this.#failures === 1) this.#failingSince = performance.now();
    this.#options.logger.warn({ err: error, failures: this.#failures }, 'catch-up call failed');
    this.#client.failed(request);
    const ceiling = Math.min(RETRY_MAX_MS, RETRY_MIN_MS * 2 ** (this.#failures - 1));
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#arm(ceiling * (0.5 + Math.random() / 2));
  }
}

/** A full call means that more are waiting already: these must not be kept. */
function intervalAfter(request: CatchupRequest): number {
  const sessions = request.sessions.filter((session) => session.after_seq !== undefined).length;
  if (sessions >= CATCHUP_MAX_SESSIONS) return CALL_INTERVAL_MS;
  return Math.min(CALL_INTERVAL_MAX_MS, CALL_INTERVAL_MS + sessions * GATHER_MS_PER_SESSION);
}

async function withTimeout<T>(promise: Promise<T>, ms: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${ms} ms`)), ms);
  });
  try {
    return await Promise.race([promise, timeout]);
  } finally {
    clearTimeout(timer);
  }
}
