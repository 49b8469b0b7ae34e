import type { ErasedKind } from '@chat-realtime/protocol';
import type { Metrics } from '@chat-realtime/service-kit';
import type { Sweep } from '../ports.ts';
import type { ErasedFiles, Eraser } from './eraser.ts';
import { REFUSED_DAYS } from './refused-events.ts';

/** Days that each kind is kept; 0 = forever. */
export interface RetentionDays {
  readonly messages: number;
  readonly files: number;
  readonly contacts: number;
  readonly callbacks: number;
}

const EVERY_MS = 60_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const SESSIONS_PER_LOOK = 1_000;
/** Time budget per part of a run. The next run continues where it ended. */
const PART_MS = 2_000;

/** Whole hours, so that a chat that never ends gets an erasure event once an hour at most. */
function cutoff(days: number, now: number): Date | null {
  return days === 0 ? null : new Date(Math.floor((now - days * DAY_MS) / HOUR_MS) * HOUR_MS);
}

function budget(): () => boolean {
  const began = performance.now();
  return () => performance.now() - began < PART_MS;
}

/** What could not be erased. The rest of the run was done; the next one tries again. */
export class RetentionError extends Error {
  readonly code = 'retention_incomplete';

  constructor(failures: readonly unknown[]) {
    const [first] = failures;
    super(`not erased: ${failures.length}, first: ${first instanceof Error ? first.message : String(first)}`, {
      cause: first,
    });
  }
}

const PARTS = ['session', 'callbacks', 'file'] as const;

/** The result of one run: what was erased, and what could not be. */
class Run {
  readonly chats: Partial<Record<ErasedKind, number>> = {};
  readonly failures: unknown[] = [];
  readonly #failed: (part: (typeof PARTS)[number]) => void;

  constructor(failed: (part: (typeof PARTS)[number]) => void) {
    this.#failed = failed;
  }

  fail(part: (typeof PARTS)[number], error: unknown): void {
    this.failures.push(error);
    this.#failed(part);
  }

  count(kind: ErasedKind, chats = 1): void {
    this.chats[kind] = (this.chats[kind] ?? 0) + chats;
  }

  /** A chat that cannot be erased must not block the others. */
  async erase(eraser: Eraser, id: number, kind: ErasedKind, at: Date): Promise<void> {
    try {
      const done = await eraser.eraseBefore(id, [kind], at);
      if (done.has(kind)) this.count(kind);
    } catch (error) {
      this.fail(kind === 'callbacks' ? 'callbacks' : 'session', error);
    }
  }
}

/** Erases data past its retention, in small steps. `days` is read on each run. */
export function retentionSweep(
  eraser: Eraser,
  files: ErasedFiles,
  days: () => RetentionDays | Promise<RetentionDays>,
  metrics?: Metrics,
  clock: () => number = Date.now,
): Sweep {
  const failed = metrics?.counter({
    name: 'chat_retention_failures_total',
    help: 'Chats, callback requests and files that a retention run could not erase',
    labels: ['part'],
    series: PARTS.map((part) => ({ part })),
  });
  let afterId = 0;
  return {
    name: 'retention',
    everyMs: EVERY_MS,
    run: async () => {
      const kept = await days();
      const now = clock();
      const run = new Run((part) => failed?.inc({ part }));
      const at: Readonly<Record<ErasedKind, Date | null>> = {
        messages: cutoff(kept.messages, now),
        files: cutoff(kept.files, now),
        contacts: cutoff(kept.contacts, now),
        callbacks: cutoff(kept.callbacks, now),
      };
      try {
        const refusedAt = new Date(now - Math.min(kept.messages || REFUSED_DAYS, REFUSED_DAYS) * DAY_MS);
        await eraser.emptyOldRefused(refusedAt, budget());
        if (at.callbacks !== null) await eraseOldCallbacks(eraser, run, at.callbacks, budget());
        if (at.messages !== null || at.files !== null || at.contacts !== null)
          afterId = await eraseOldSessions(eraser, run, at, afterId, budget());
        // Deletes the bytes of the files erased so far, even when more is left to erase in the next run.
        const { failures } = await files.removeErased(budget());
        for (const failure of failures) run.fail('file', failure);
      } finally {
        if (Object.keys(run.chats).length > 0) await eraser.record(run.chats);
      }
      if (run.failures.length > 0) throw new RetentionError(run.failures);
    },
  };
}

/** Returns the session after which the next run continues. */
async function eraseOldSessions(
  eraser: Eraser,
  run: Run,
  at: Readonly<Record<ErasedKind, Date | null>>,
  from: number,
  hasTime: () => boolean,
): Promise<number> {
  let afterId = from;
  do {
    const page = await eraser.candidates(afterId, SESSIONS_PER_LOOK, at);
    for (const { id, kinds } of page.sessions) {
      for (const kind of kinds) {
        const bound = at[kind];
        if (bound !== null) await run.erase(eraser, id, kind, bound);
      }
      afterId = id;
      if (!hasTime()) return afterId;
    }
    afterId = page.lastId ?? 0;
  } while (afterId !== 0 && hasTime());
  return afterId;
}

async function eraseOldCallbacks(eraser: Eraser, run: Run, at: Date, hasTime: () => boolean): Promise<void> {
  for (let afterId = 0; hasTime(); ) {
    const ids = await eraser.sessionsWithOldCallbacks(afterId, at);
    for (const id of ids) await run.erase(eraser, id, 'callbacks', at);
    const last = ids.at(-1);
    if (last === undefined) break;
    afterId = last;
  }
  for (let more = true; more && hasTime(); ) {
    const done = await eraser.eraseLooseCallbacks(at);
    if (done.count > 0) run.count('callbacks', done.count);
    more = done.more;
  }
}
