import type { Environment, Timer } from '../api/environment.ts';
import { ChatClientError } from '../errors.ts';
import { backoffMs } from '../core/backoff.ts';
import { resetReasonOf } from '../transport/http-close.ts';

const HOLD_MS = 500;
const HELD_MAX = 100;
const PAGE = 500;

export interface Sequenced {
  readonly seq: number;
}

export interface SequencePort<E extends Sequenced> {
  readonly fetchAfter: (
    afterSeq: number,
    limit: number,
  ) => Promise<{ readonly events: readonly E[]; readonly has_more: boolean }>;
  readonly apply: (event: E) => void;
  /** The server does not know this cursor: a snapshot is needed. */
  readonly reset: (reason: string) => void;
}

export interface Sequence<E extends Sequenced> {
  /** Seq of the last event applied; null until a snapshot said where to begin. */
  readonly cursor: number | null;
  readonly offer: (event: E) => void;
  /** The head is at least here: fetches what is missing. */
  readonly expect: (head: number) => void;
  /** Begins anew behind this seq; null: everything offered is held until a snapshot is there. */
  readonly restart: (cursor: number | null) => void;
  readonly stop: () => void;
}

/**
 * The contiguity check: at or below the cursor → drop, the next → apply, beyond → hold for a moment (order may right
 * itself), then fetch the difference. However lossy what is above it, the events come out each once and in order.
 */
export function createSequence<E extends Sequenced>(environment: Environment, port: SequencePort<E>): Sequence<E> {
  let cursor: number | null = null;
  let wanted = 0;
  let held = new Map<number, E>();
  let timer: Timer = null;
  let repairing = false;
  let failures = 0;
  let generation = 0;

  const take = (event: E): void => {
    if (cursor === null || event.seq !== cursor + 1) return;
    cursor = event.seq;
    port.apply(event);
  };
  const drain = (): void => {
    for (;;) {
      const next = cursor === null ? undefined : held.get(cursor + 1);
      if (!next) break;
      held.delete(next.seq);
      take(next);
    }
    for (const seq of held.keys()) if (cursor !== null && seq <= cursor) held.delete(seq);
    if (complete()) environment.clearTimer(timer);
  };
  const complete = (): boolean => cursor !== null && held.size === 0 && cursor >= wanted;
  const later = (ms: number): void => {
    environment.clearTimer(timer);
    timer = environment.setTimer(() => void repair(), ms);
  };

  const repair = async (): Promise<void> => {
    if (repairing || cursor === null || complete()) return;
    const current = generation;
    const known = wanted;
    repairing = true;
    try {
      for (let more = true; more; ) {
        const from: number = cursor ?? 0;
        const page = await port.fetchAfter(from, PAGE);
        if (current !== generation) return;
        for (const event of page.events) take(event);
        drain();
        more = page.has_more && (cursor ?? 0) > from;
      }
      failures = 0;
      // What was expected beyond the head that REST knows is on its way, or was never there; news since then are asked for.
      if (wanted === known) wanted = 0;
    } catch (error) {
      if (current !== generation) return;
      const reason = resetReasonOf(error);
      if (reason) port.reset(reason);
      // A lasting refusal is the connection's to settle; its next `ready` asks again.
      else if (error instanceof ChatClientError && !error.retryable) failures = 0;
      else later(backoffMs((failures += 1), environment.random()));
    } finally {
      if (current === generation) {
        repairing = false;
        if (!complete() && failures === 0) later(HOLD_MS);
      }
    }
  };

  return {
    get cursor() {
      return cursor;
    },
    offer(event) {
      if (cursor !== null && event.seq <= cursor) return;
      if (cursor !== null && event.seq === cursor + 1) {
        take(event);
        drain();
        return;
      }
      // Beyond the bound nothing is lost: what is not held is fetched.
      if (held.size < HELD_MAX) held.set(event.seq, event);
      wanted = Math.max(wanted, event.seq);
      if (cursor !== null && held.size === 1) later(HOLD_MS);
    },
    expect(head) {
      if (cursor !== null && head <= cursor) return;
      wanted = Math.max(wanted, head);
      void repair();
    },
    restart(next) {
      generation += 1;
      environment.clearTimer(timer);
      repairing = false;
      failures = 0;
      cursor = next;
      if (next === null) {
        held = new Map();
        wanted = 0;
        return;
      }
      drain();
      if (!complete()) void repair();
    },
    stop() {
      generation += 1;
      environment.clearTimer(timer);
    },
  };
}
