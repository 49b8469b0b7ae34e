import { describe, expect, it } from 'vitest';
import { Beginning, type NewestRows } from './beginning.ts';
import { MemoryLedger } from './testing/memory-ledger.ts';

/** A site whose response to one query may be held back, as over a slow connection. */
function growingSite() {
  let newest = 1;
  const look = (until: Promise<void>): NewestRows => {
    const rows = () => [{ id: String(newest) }];
    return {
      newestSessions: async () => rows(),
      newestMessages: async () => {
        const found = rows();
        await until;
        return found;
      },
    };
  };
  return { look, write: () => (newest += 1) };
}

/** A point at which something waits, and its release. */
function gate(): { readonly opened: Promise<void>; open(): void } {
  let open = (): void => undefined;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open: () => open() };
}

const turns = async (): Promise<void> => {
  for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
};

describe('[TAB8] the recorded end of the tables', () => {
  it('stays where the first start put it, even if a second one had begun before it was stored', async () => {
    const ledger = new MemoryLedger();
    const beginning = new Beginning(ledger, true);
    const site = growingSite();
    const first = gate();
    const second = gate();
    const follower = beginning.note(site.look(first.opened));
    await turns();
    site.write();
    // The scan sees no mark either, and its response comes later.
    const scan = beginning.note(site.look(second.opened));
    await turns();
    first.open();
    await follower;
    // From now on the tables are followed: a trigger should have recorded this.
    site.write();
    second.open();
    await scan;
    const older = await beginning.older();
    expect(['1', '2', '3'].map((id) => [older.session(id), older.message(id)])).toEqual([
      [true, true],
      [false, false],
      [false, false],
    ]);
  });
});
