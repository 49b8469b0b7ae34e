import { expect, it } from 'vitest';
import { createEnvironment } from '../core/environment.ts';
import type { StaffEvent } from '../api/protocol.ts';
import { ChatClientError } from '../errors.ts';
import { createClock } from '../testing/clock.ts';
import { createEventSequencer } from './event-sequencer.ts';

const event = (feed_seq: number, seq: number): StaffEvent => ({
  type: 'chat.session.assigned',
  session_id: 7,
  seq,
  data: { assigned_user_id: 'anna', assigned_user_name: null, by: 'boris' },
  feed_seq,
  cursor: String(feed_seq),
});

it('[ASG10] [ASG13] shows the assignment that takes a chat away, even if earlier events are hidden by now', async () => {
  const clock = createClock();
  let isInSight = false;
  const shown: number[] = [];
  const sequencer = createEventSequencer(
    createEnvironment({ setTimer: clock.setTimer, clearTimer: clock.clearTimer, random: () => 0.5 }),
    async (_id, after) => {
      if (!isInSight) throw new ChatClientError('session_not_found', undefined, { status: 404 });
      return { events: [7, 8].filter((seq) => seq > after).map((seq) => event(seq, seq)), has_more: false };
    },
    ({ seq }) => shown.push(seq ?? 0),
  );
  sequencer.offer(event(1, 1));
  // 2 to 4 were unassigned, and the page that is read later omits them. 6 arrives while the gap is being fetched.
  sequencer.offer(event(5, 5));
  sequencer.offer(event(6, 6));
  await clock.advance(1_000);
  expect(shown).toEqual([1, 5, 6]);
  // The chat is assigned to them: what they could not see meanwhile is read.
  isInSight = true;
  sequencer.offer(event(12, 8));
  await clock.advance(1_000);
  expect(shown).toEqual([1, 5, 6, 7, 8]);
});
