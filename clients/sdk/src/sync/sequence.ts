import type { Environment } from '../api/environment.ts';
import { createCountdown } from '../core/countdown.ts';
import { backoffMs } from '../core/backoff.ts';
import { asError } from '../errors.ts';
import { resetReasonOf } from '../transport/http-close.ts';

const HOLD_MS = 500;
export const HELD_MAX = 100;
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
  /** Events that wait for an earlier one. */
  readonly held: Iterable<E>;
  readonly offer: (event: E) => void;
  /** The head is at least here: fetches what is missing. */
  readonly expect: (head: number) => void;
  /** Starts again after this seq; null: everything offered is held until there is a snapshot. */
  readonly restart: (cursor: number | null) => void;
  readonly stop: () => void;
}

/**
 * The contiguity check: at or below the cursor → drop, the next → apply, beyond → hold for a moment, in case frames
 * were only reordered, then fetch the gap. However lossy the path, events come out once and in order.
 */
export function createSequence<E extends Sequenced>(environment: Environment, port: SequencePort<E>): Sequence<E> {
  const countdown = createCountdown(environment);
  /** NaN while no snapshot has set the start: it is equal to nothing, and neither above nor below. */
  let cursor = Number.NaN;
  let wanted = 0;
  let held = new Map<number, E>();
  let repairing = false;
  let failures = 0;
  let generation = 0;

  const take = (event: E): void => {
    if (event.seq !== cursor + 1) return;
    cursor = event.seq;
    port.apply(event);
  };
  const drain = (): void => {
    for (let next = held.get(cursor + 1); next; next = held.get(cursor + 1)) take(next);
    for (const seq of held.keys()) if (seq <= cursor) held.delete(seq);
    if (complete()) countdown.clear();
  };
  const complete = (): boolean => held.size === 0 && cursor >= wanted;
  const later = (ms: number): void => countdown.set(ms, () => void repair());

  const repair = async (): Promise<void> => {
    if (repairing || Number.isNaN(cursor) || complete()) return;
    const current = generation;
    const known = wanted;
    repairing = true;
    try {
      for (let more = true; more; ) {
        const from = cursor;
        const page = await port.fetchAfter(from, PAGE);
        if (current !== generation) return;
        page.events.forEach(take);
        drain();
        more = page.has_more && cursor > from;
      }
      repairing = false;
      failures = 0;
      // An event expected beyond the head that REST knows is in flight, or never existed; newer events are requested.
      if (wanted === known) wanted = 0;
      if (!complete()) later(HOLD_MS);
    } catch (thrown) {
      if (current !== generation) return;
      repairing = false;
      const error = asError(thrown);
      const reason = resetReasonOf(error);
      if (reason) port.reset(reason);
      // A lasting refusal is the connection's to settle; its next `ready` asks again.
      else if (error.retryable) later(backoffMs((failures += 1), environment.random()));
    }
  };
  const stop = (): void => {
    generation += 1;
    countdown.clear();
  };

  return {
    get cursor() {
      return Number.isNaN(cursor) ? null : cursor;
    },
    get held() {
      return held.values();
    },
    offer(event) {
      if (event.seq <= cursor) return;
      if (event.seq === cursor + 1) {
        take(event);
        drain();
        return;
      }
      // Beyond the bound nothing is lost: what is not held is fetched.
      if (held.size < HELD_MAX) held.set(event.seq, event);
      wanted = Math.max(wanted, event.seq);
      if (held.size === 1) later(HOLD_MS);
    },
    expect(head) {
      if (head <= cursor) return;
      wanted = Math.max(wanted, head);
      void repair();
    },
    restart(next) {
      stop();
      repairing = false;
      failures = 0;
      cursor = next ?? Number.NaN;
      if (next === null) {
        held = new Map();
        wanted = 0;
        return;
      }
      drain();
      void repair();
    },
    stop,
  };
}
