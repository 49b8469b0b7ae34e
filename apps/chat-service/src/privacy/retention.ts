import type { ErasedKind } from '@chat-realtime/protocol';
import type { Sweep } from '../domain/index.ts';
import type { ErasedFiles, Eraser } from './eraser.ts';
import { REFUSED_DAYS } from './refused-events.ts';

/** Days that each kind is kept; 0 = for ever. */
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
/** So long one run takes at most; the next goes on where it ended. */
const RUN_MS = 2_000;

/** Whole hours, so that a chat that goes on for ever is told of what was erased once an hour at most. */
function cutoff(days: number, now: number): Date | null {
  return days === 0 ? null : new Date(Math.floor((now - days * DAY_MS) / HOUR_MS) * HOUR_MS);
}

/** Erases what is older than the owner wants to keep it, a little at a time. `days` is asked anew at each run. */
export function retentionSweep(
  eraser: Eraser,
  files: ErasedFiles,
  days: () => RetentionDays | Promise<RetentionDays>,
  clock: () => number = Date.now,
): Sweep {
  let afterId = 0;
  return {
    name: 'retention',
    everyMs: EVERY_MS,
    run: async () => {
      const kept = await days();
      const now = clock();
      const [messages, ofFiles, contacts, callbacks] = [
        cutoff(kept.messages, now),
        cutoff(kept.files, now),
        cutoff(kept.contacts, now),
        cutoff(kept.callbacks, now),
      ];
      const began = performance.now();
      const hasTime = (): boolean => performance.now() - began < RUN_MS;
      await eraser.emptyOldRefused(new Date(now - Math.min(kept.messages || REFUSED_DAYS, REFUSED_DAYS) * DAY_MS));
      if (callbacks !== null) await eraseOldCallbacks(eraser, callbacks, hasTime);
      const at: Readonly<Record<ErasedKind, Date | null>> = { messages, files: ofFiles, contacts, callbacks };
      if (messages !== null || ofFiles !== null || contacts !== null) {
        do {
          const page = await eraser.candidates(afterId, SESSIONS_PER_LOOK, { messages, files: ofFiles, contacts });
          for (const { id, kinds } of page.sessions) {
            for (const kind of kinds) {
              const bound = at[kind];
              if (bound !== null) await eraser.eraseBefore(id, [kind], bound);
            }
            afterId = id;
            if (!hasTime()) return;
          }
          afterId = page.lastId ?? 0;
        } while (afterId !== 0 && hasTime());
      }
      await files.removeErased();
    },
  };
}

async function eraseOldCallbacks(eraser: Eraser, at: Date, hasTime: () => boolean): Promise<void> {
  while (hasTime()) {
    const ids = await eraser.sessionsWithOldCallbacks(at);
    for (const id of ids) await eraser.eraseBefore(id, ['callbacks'], at);
    if (ids.length === 0) break;
  }
  while (hasTime() && (await eraser.eraseLooseCallbacks(at)));
}
