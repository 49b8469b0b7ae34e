import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { LastSeen, LastSeenEntry } from '../ports/last-seen.ts';

export interface LastSeenFixture {
  readonly lastSeen: LastSeen;
  cleanUp(): Promise<void>;
}

const byParticipant = (one: LastSeenEntry, other: LastSeenEntry): number =>
  one.participant < other.participant ? -1 : 1;

export function lastSeenSuite(name: string, make: () => Promise<LastSeenFixture>): void {
  describe(`last_seen: ${name}`, () => {
    let lastSeen: LastSeen;
    let cleanUp: () => Promise<void>;
    beforeEach(async () => {
      ({ lastSeen, cleanUp } = await make());
    });
    afterEach(() => cleanUp());

    it('[ACK] keeps each participant’s mark of a session', async () => {
      const entries: LastSeenEntry[] = [
        { sessionId: 1, participant: 'client', lastId: 9_007_199_254_740_991, at: 1_700_000_000_000 },
        { sessionId: 1, participant: 'staff:7', lastId: 5, at: 1_700_000_000_001 },
        { sessionId: 1, participant: 'staff:x:at', lastId: 6, at: 1_700_000_000_002 },
        { sessionId: 2, participant: 'client', lastId: 3, at: 1_700_000_000_003 },
      ];
      await lastSeen.record(entries);
      expect([...(await lastSeen.read(1))].sort(byParticipant)).toEqual(entries.slice(0, 3));
      expect(await lastSeen.read(2)).toEqual(entries.slice(3));
      expect(await lastSeen.read(3)).toEqual([]);
    });

    it('[ACK] lets the larger id win, in whatever order they come', async () => {
      const mark = (lastId: number, at: number): LastSeenEntry => ({ sessionId: 1, participant: 'client', lastId, at });
      await lastSeen.record([mark(100, 1_000), mark(99, 2_000)]);
      await Promise.all([
        lastSeen.record([mark(9, 3_000)]),
        lastSeen.record([mark(1_000, 4_000)]),
        lastSeen.record([mark(500, 5_000)]),
      ]);
      expect(await lastSeen.read(1)).toEqual([mark(1_000, 4_000)]);
    });

    it('[RDS10] forgets marks of another database, whose larger ids are of other messages', async () => {
      const record = async (lastId: number): Promise<void> => {
        const at = Date.now();
        await lastSeen.record([1, 2].map((sessionId) => ({ sessionId, participant: 'client', lastId, at })));
        // Marks within one millisecond have no order.
        await expect.poll(() => Date.now(), { interval: 1 }).toBeGreaterThan(at);
      };
      const known = async (): Promise<number[]> =>
        (await Promise.all([1, 2].map((sessionId) => lastSeen.read(sessionId)))).flat().map(({ lastId }) => lastId);
      await lastSeen.begin('before', false);
      await record(900);
      // A gateway that comes later, or back, finds its own database.
      await lastSeen.begin('before', false);
      expect(await known()).toEqual([900, 900]);
      await lastSeen.begin('after', false);
      expect(await known()).toEqual([]);
      await record(12);
      expect(await known()).toEqual([12, 12]);
      // One that had not noticed yet may have recorded once more.
      await record(900);
      await lastSeen.begin('after', true);
      expect(await known()).toEqual([]);
      await record(13);
      expect(await known()).toEqual([13, 13]);
    });

    it('has nothing to sweep when all marks have their TTL', async () => {
      await lastSeen.record([{ sessionId: 1, participant: 'client', lastId: 1, at: 1 }]);
      expect(await lastSeen.sweep()).toBe(0);
      expect(await lastSeen.read(1)).toHaveLength(1);
    });
  });
}
