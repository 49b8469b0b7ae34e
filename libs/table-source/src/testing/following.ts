import type { OutboxState } from '../ports.ts';
import type { Missed } from '../reconcile.ts';
import { TableSource } from '../table-source.ts';
import type { MemoryLedger } from './memory-ledger.ts';
import type { SampleSite } from './sample-site.ts';

export const QUIET = { info: () => undefined, warn: () => undefined, error: () => undefined };

/** A running follower, and the events it delivered. */
export interface Following {
  readonly source: TableSource;
  readonly missed: Partial<Record<Missed, number>>;
  readonly older: Partial<Record<Missed, number>>;
  outbox: OutboxState | undefined;
  connected: boolean | undefined;
}

export function followTables(site: SampleSite, ledger: MemoryLedger): Following {
  const missed: Partial<Record<Missed, number>> = {};
  const older: Partial<Record<Missed, number>> = {};
  const source = new TableSource({
    config: site.config,
    intake: ledger,
    ledger,
    places: ledger,
    deadLetters: ledger,
    log: QUIET,
    observer: {
      step: () => undefined,
      outbox: (state) => {
        following.outbox = state;
      },
      missed: (what, count) => {
        missed[what] = (missed[what] ?? 0) + count;
      },
      older: (what, count) => {
        older[what] = (older[what] ?? 0) + count;
      },
      connected: (is) => {
        following.connected = is;
      },
    },
  });
  const following: Following = { source, missed, older, outbox: undefined, connected: undefined };
  source.start();
  return following;
}
