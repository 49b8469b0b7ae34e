import {
  CATCHUP_MAX_SESSIONS,
  type CatchupRequest,
  type CatchupResponse,
  type ChatSource,
} from '@chat-realtime/protocol';
import { type Clock, LATE, type Timer, within } from '../clock.ts';
import type { CoreMetrics } from '../core-metrics.ts';
import type { CoreLogger } from '../ports.ts';
import { CatchupDraft, type CatchupParticipant } from './catchup-draft.ts';
import type { EpochGuard } from './epoch-guard.ts';

/** Time that earns one call. A single request goes at once; a reconnect storm is spread into full batches. */
const CALL_INTERVAL_MS = 70;
/** The more sessions asked at once, the longer the next call gathers: a storm needs few calls however long it takes. */
const GATHER_MS_PER_SESSION = 2;
const CALL_INTERVAL_MAX_MS = 250;
const CALL_BURST = 2;
const CALL_TIMEOUT_MS = 10_000;
const RETRY_MIN_MS = 200;
const RETRY_MAX_MS = 3_000;
/** A failed call may have been too large: the next one requests half, down to this share. */
const SMALLEST_SHARE = 1 / 64;

export interface CatchupLoopOptions {
  readonly clock: Clock;
  readonly random: () => number;
  readonly source: ChatSource;
  readonly epoch: EpochGuard;
  /** In the order in which they take an answer. */
  readonly participants: readonly CatchupParticipant[];
  /** This database answers from now on; `changed`: another one did before. */
  readonly epochBegins: (epoch: string, changed: boolean) => void;
  /** The database is another one; the participants have not been informed yet. */
  readonly databaseChanged: () => void;
  readonly metrics: CoreMetrics;
  readonly logger: CoreLogger;
}

/**
 * The gateway's only way to chat-service. One call is in flight, and requests that arrive meanwhile join the next one.
 * So a resume, a gap, the head check, the staff feed, presence and revocations together cost one query.
 */
export class CatchupLoop {
  readonly #options: CatchupLoopOptions;
  #timer: Timer | null = null;
  #inFlight = false;
  #wanted = false;
  #interval = CALL_INTERVAL_MS;
  #tokens = CALL_BURST;
  #tokensAt: number;
  #failures = 0;
  #failingSince = 0;
  #succeededAt = Number.NEGATIVE_INFINITY;
  /** The share of a full call: halved by a failure, doubled by an answer. */
  #share = 1;
  #stopped = false;

  constructor(options: CatchupLoopOptions) {
    this.#options = options;
    this.#tokensAt = options.clock.now();
  }

  /** Since when, on the monotonic clock, every call has failed; 0 while they succeed. */
  get failingSince(): number {
    return this.#failingSince;
  }

  /** When, on the monotonic clock, the last call was answered. */
  get succeededAt(): number {
    return this.#succeededAt;
  }

  /** Something is wanted: it goes with the next call, in this turn of the event loop at the earliest. */
  request(): void {
    this.#wanted = true;
    if (this.#inFlight || this.#timer !== null || this.#stopped) return;
    this.#arm(this.#untilToken());
  }

  /** Everything known of the previous database is void. */
  databaseChanged(): void {
    for (const participant of this.#options.participants) participant.databaseChanged();
    this.request();
  }

  headCheckDue(): void {
    for (const participant of this.#options.participants) participant.headCheckDue?.();
    this.request();
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
    this.#timer = null;
  }

  #arm(delay: number): void {
    this.#timer = this.#options.clock.after(delay, () => {
      this.#timer = null;
      void this.#call();
    });
  }

  #refillTokens(): void {
    const now = this.#options.clock.now();
    this.#tokens = Math.min(CALL_BURST, this.#tokens + (now - this.#tokensAt) / this.#interval);
    this.#tokensAt = now;
  }

  #untilToken(): number {
    this.#refillTokens();
    return this.#tokens >= 1 ? 0 : Math.ceil((1 - this.#tokens) * this.#interval);
  }

  async #call(): Promise<void> {
    const { clock, metrics } = this.#options;
    this.#wanted = false;
    const request = this.#compose();
    if (request === null || this.#stopped) return;
    this.#refillTokens();
    this.#tokens -= 1;
    this.#interval = intervalAfter(request);
    this.#inFlight = true;
    const startedAt = clock.now();
    const secondsTaken = (): number => (clock.now() - startedAt) / 1_000;
    try {
      const response = await this.#ask(request);
      const seconds = secondsTaken();
      this.#inFlight = false;
      // Before it counts: an unusable answer has delivered nothing.
      if (!this.#stopped) this.#apply(request, response);
      metrics.catchupRequest('ok', seconds);
      this.#failures = 0;
      this.#failingSince = 0;
      this.#succeededAt = clock.now();
    } catch (error) {
      this.#inFlight = false;
      metrics.catchupRequest('failed', secondsTaken());
      this.#retry(request, error);
    }
    if (this.#wanted && !this.#stopped && this.#timer === null) this.#arm(this.#untilToken());
  }

  #compose(): CatchupRequest | null {
    const draft = new CatchupDraft(this.#share);
    for (const participant of this.#options.participants) participant.compose(draft);
    return draft.finish();
  }

  async #ask(request: CatchupRequest): Promise<CatchupResponse> {
    const response = await within(this.#options.clock, CALL_TIMEOUT_MS, this.#options.source.catchup(request));
    if (response === LATE) throw new Error(`no answer within ${CALL_TIMEOUT_MS} ms`);
    return response;
  }

  #apply(request: CatchupRequest, response: CatchupResponse): void {
    const { participants } = this.#options;
    this.#share = Math.min(1, this.#share * 2);
    if (!this.#acceptEpoch(response.epoch)) {
      for (const participant of participants) participant.failed(request);
      return;
    }
    for (const participant of participants) participant.apply(request, response);
  }

  /**
   * False when the database is another one than before.
   * @throws Error when it is one that was left: the instance that answered is behind.
   */
  #acceptEpoch(epoch: string | undefined): boolean {
    if (epoch === undefined) return true;
    const { epoch: guard, clock, epochBegins, databaseChanged } = this.#options;
    const before = guard.current;
    const verdict = guard.judge(epoch, clock.now());
    if (verdict === 'left') throw new Error('chat-service answered from a database that was left');
    if (epoch !== before) epochBegins(epoch, verdict === 'changed');
    if (verdict === 'changed') databaseChanged();
    return verdict === 'same';
  }

  #retry(request: CatchupRequest, error: unknown): void {
    if (this.#stopped) return;
    const { clock, random, logger, participants } = this.#options;
    this.#failures += 1;
    if (this.#failures === 1) this.#failingSince = clock.now();
    logger.warn({ err: error, failures: this.#failures }, 'catch-up call failed');
    this.#share = Math.max(SMALLEST_SHARE, this.#share / 2);
    for (const participant of participants) participant.failed(request);
    const ceiling = Math.min(RETRY_MAX_MS, RETRY_MIN_MS * 2 ** (this.#failures - 1));
    this.#timer?.cancel();
    this.#arm(ceiling * (0.5 + random() / 2));
  }
}

/** A full call means that more are waiting already: these must not be kept. */
function intervalAfter(request: CatchupRequest): number {
  const sessions = request.sessions.filter((session) => session.after_seq !== undefined).length;
  if (sessions >= CATCHUP_MAX_SESSIONS) return CALL_INTERVAL_MS;
  return Math.min(CALL_INTERVAL_MAX_MS, CALL_INTERVAL_MS + sessions * GATHER_MS_PER_SESSION);
}
