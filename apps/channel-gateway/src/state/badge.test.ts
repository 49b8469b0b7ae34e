import type { CountedBadge } from '@chat-realtime/protocol';
import { expect, it } from 'vitest';
import { Badge } from './badge.ts';

const counted = (at: number | undefined, unread: number, mine: Record<string, number> = {}): CountedBadge => ({
  ...{ reason: 'badge', unassigned_unread: unread, mine_unread: mine, waiting_count: 0 },
  ...(at !== undefined && { feed_seq: at }),
});
const EVERYTHING = { userId: '', scope: 'all' } as const;

function badgeUnderTest() {
  const pushed: CountedBadge[] = [];
  const badge = new Badge({ push: (one) => pushed.push(one) });
  const answer = (one: CountedBadge): void => badge.apply({ sessions: [], limit: 1 }, { sessions: [], badge: one });
  return { badge, pushed, answer };
}

it('[STF9] [ALR3] orders badges from the live path and from responses by the feed number at which they were counted', () => {
  const { badge, pushed, answer } = badgeUnderTest();
  badge.receive(counted(5, 1));
  answer(counted(4, 9));
  answer(counted(5, 1));
  answer(counted(6, 2));
  badge.receive(counted(5, 1));
  badge.receive(counted(7, 2, { anna: 1 }));
  badge.receive(counted(8, 2, { boris: 1 }));
  expect(pushed.map(({ feed_seq: at }) => at)).toEqual([5, 6, 7, 8]);
  expect(badge.for(EVERYTHING)).toEqual(counted(8, 2, { boris: 1 }));
});

it('ignores anything that is not a badge, whatever its source', () => {
  const { badge, pushed, answer } = badgeUnderTest();
  badge.receive({ reason: 'badge' });
  badge.receive(undefined);
  // @ts-expect-error: as a site's own source may answer it
  answer({ ...counted(3, 1), mine_unread: undefined });
  expect(pushed).toEqual([]);
  answer(counted(4, 1));
  expect(pushed).toHaveLength(1);
});

it('takes the latest badge of a source that gives no number', () => {
  const { badge, pushed } = badgeUnderTest();
  for (const unread of [1, 1, 2, 1]) badge.receive(counted(undefined, unread));
  expect(pushed.map(({ unassigned_unread: unread }) => unread)).toEqual([1, 2, 1]);
});

it('takes the count of a new database, whose numbers start over', () => {
  const { badge, pushed } = badgeUnderTest();
  badge.receive(counted(5, 1));
  badge.receive(counted(6, 1));
  badge.receive(counted(4, 2));
  expect(pushed.map(({ feed_seq: at }) => at)).toEqual([5]);
  badge.databaseChanged();
  badge.receive(counted(2, 3));
  expect(badge.for(EVERYTHING)).toEqual(counted(2, 3));
});
