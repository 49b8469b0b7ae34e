import { expect, it } from 'vitest';
import { fanoutSuite } from '../testing/fanout-suite.ts';
import { lastSeenSuite } from '../testing/last-seen-suite.ts';
import { leasesSuite } from '../testing/leases-suite.ts';
import { createMemoryFanout } from './fanout.ts';
import { createMemoryLastSeen } from './last-seen.ts';
import { createMemoryLeases } from './leases.ts';

fanoutSuite('memory', async () => {
  const fanout = createMemoryFanout();
  return { fanout, cleanUp: () => fanout.close() };
});

leasesSuite('memory', async () => {
  const leases = createMemoryLeases();
  return { leases, cleanUp: () => leases.close() };
});

lastSeenSuite('memory', async () => {
  const lastSeen = createMemoryLastSeen();
  return { lastSeen, cleanUp: () => lastSeen.close() };
});

it('forgets expired marks', async () => {
  const lastSeen = createMemoryLastSeen({ ttlSeconds: 0 });
  await lastSeen.record([{ sessionId: 1, participant: 'client', lastId: 1, at: 1 }]);
  expect(await lastSeen.read(1)).toEqual([]);
  expect(await lastSeen.sweep()).toBe(0);
});
