import type { Environment } from '../api/environment.ts';
import type { StaffEvent } from '../api/protocol.ts';
import { asError } from '../errors.ts';
import { createSequence, type Sequence } from '../sync/sequence.ts';

const FEED_IDS_MAX = 5_000;

type SeqEvent = StaffEvent & { readonly seq: number; readonly session_id: number };

export interface EventSequencer {
  readonly offer: (event: StaffEvent) => void;
  /** Events up to here are known from a list; later ones must follow without a hole. */
  readonly seed: (sessionId: number, lastSeq: number) => void;
  readonly clear: () => void;
}

/**
 * Passes on the events of all sessions, each once and in order within its session, however often a resume repeats them.
 */
export function createEventSequencer(
  environment: Environment,
  fetchAfter: (
    sessionId: number,
    afterSeq: number,
    limit: number,
  ) => Promise<{ events: StaffEvent[]; has_more: boolean }>,
  apply: (event: StaffEvent) => void,
): EventSequencer {
  /** Seq last applied; most sessions never need more than this number. */
  let applied = new Map<number, number>();
  let seeds = new Map<number, number>();
  let repairs = new Map<number, Sequence<SeqEvent>>();
  /** Of staff-only events; the feed of a version 0.1 gives them no number. */
  let feedIds = new Set<number>();
  /** Number in the feed of the last event: live and in every page they come in this order. */
  let feedSeq = 0;

  const take = (event: SeqEvent): void => {
    applied.set(event.session_id, event.seq);
    apply(event);
  };
  /**
   * The session is outside the operator's scope, and so are the missing events. What they received after it is in their
   * scope.
   */
  const leave = (sessionId: number, sequence: Sequence<SeqEvent>): void => {
    sequence.stop();
    repairs.delete(sessionId);
    for (const event of [...sequence.held].sort((a, b) => a.seq - b.seq)) take(event);
  };
  const startRepair = (sessionId: number, after: number): Sequence<SeqEvent> => {
    const sequence = createSequence<SeqEvent>(environment, {
      fetchAfter: async (afterSeq, limit) => {
        try {
          const page = await fetchAfter(sessionId, afterSeq, limit);
          return { events: page.events as SeqEvent[], has_more: page.has_more };
        } catch (error) {
          if (asError(error).code === 'session_not_found') leave(sessionId, sequence);
          throw error;
        }
      },
      apply: take,
      // The session is of another database; the feed's own reset says so as well.
      reset: () => repairs.delete(sessionId),
    });
    sequence.restart(after);
    repairs.set(sessionId, sequence);
    return sequence;
  };
  const isSequenced = (event: StaffEvent): event is SeqEvent => event.seq !== null;

  return {
    offer(event) {
      if (event.feed_seq !== undefined) {
        if (event.feed_seq <= feedSeq) return;
        feedSeq = event.feed_seq;
      }
      if (!isSequenced(event)) {
        if ('feed_id' in event && feedIds.has(event.feed_id)) return;
        if ('feed_id' in event) feedIds.add(event.feed_id);
        if (feedIds.size > FEED_IDS_MAX) feedIds = new Set([...feedIds].slice(FEED_IDS_MAX / 2));
        return apply(event);
      }
      const { session_id: id, seq } = event;
      const repair = repairs.get(id);
      if (repair) {
        repair.offer(event);
        return;
      }
      const seed = seeds.get(id);
      const last = applied.get(id) ?? (seed !== undefined && seed < seq ? seed : seq - 1);
      if (seq <= last) return;
      if (seq === last + 1) take(event);
      else startRepair(id, last).offer(event);
    },
    seed(sessionId, lastSeq) {
      if (!applied.has(sessionId)) seeds.set(sessionId, Math.max(lastSeq, seeds.get(sessionId) ?? 0));
    },
    clear() {
      for (const sequence of repairs.values()) sequence.stop();
      applied = new Map();
      seeds = new Map();
      repairs = new Map();
      feedIds = new Set();
      feedSeq = 0;
    },
  };
}
