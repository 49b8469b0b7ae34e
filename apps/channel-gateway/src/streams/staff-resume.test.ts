import type { StaffEvent } from '@chat-realtime/protocol';
import { describe, expect, it } from 'vitest';
import type { Connection, StartCursor } from '../connections/connection.ts';
import { RecordedPoll, RecordedSocket } from '../testing/recorded-transport.ts';
import { operator, registryUnderTest } from '../testing/registry-under-test.ts';
import { liveFrameOf } from './live-frame.ts';
import { RecentFrames } from './recent-frames.ts';
import { SessionOwners } from './session-owners.ts';
import { StaffAudiences } from './staff-audiences.ts';
import type { StaffStreamHost } from './staff-host.ts';
import { StaffResume } from './staff-resume.ts';
import { PAGE_QUEUE_LIMIT } from './stream-host.ts';

const after = (cursor: number): StartCursor => ({ kind: 'after', cursor });
const HEAD: StartCursor = { kind: 'head' };

/** An event of the feed: session 1 is unassigned, session 2 is boris's. */
function frame(feedSeq: number, sessionId = 1) {
  const event = { type: 'chat.message', session_id: sessionId, seq: feedSeq, feed_seq: feedSeq, cursor: `${feedSeq}` };
  const made = liveFrameOf({ ...event, data: { id: feedSeq } });
  if (made === null) throw new Error('no frame');
  return made;
}

/** A stream at `cursor` that keeps the frames after `floor`. */
function resumeUnderTest({ cursor = 10, floor = 5 } = {}) {
  const under = registryUnderTest();
  const { clock, metrics, registry } = under;
  const announced: [Connection, number, string | null][] = [];
  const polled: [number, boolean][] = [];
  const state = { cursor, calls: 0 };
  const host: StaffStreamHost = {
    clock,
    metrics,
    trace: { exports: false, note: () => undefined, begin: () => null },
    scheduleFlush: () => undefined,
    noteBacklog: () => undefined,
    shed: () => undefined,
    completePoll: () => undefined,
    write: (connection, bytes) => registry.write(connection, bytes),
    wentLive: () => undefined,
    sendReady: (connection, from, reset) => {
      announced.push([connection, from, reset]);
      connection.reach(from);
      return true;
    },
    finishPoll: (_, at, hasMore) => void polled.push([at, hasMore]),
    requestCatchup: () => {
      state.calls += 1;
    },
  };
  const owners = new SessionOwners();
  owners.learn(1, null, 1);
  owners.learn(2, 'boris', 1);
  const recent = new RecentFrames();
  recent.restart(floor);
  for (let number = floor + 1; number <= cursor; number += 1) recent.push(number, frame(number));
  const audiences = new StaffAudiences(owners, host);
  const sent: (number | null)[] = [];
  const target = {
    ...{ audiences, owners, recent },
    cursor: () => state.cursor,
    stateFor: () => ({
      badge: { reason: 'badge' as const, unassigned_unread: 0, mine_unread: {}, waiting_count: 0 },
      users: [],
    }),
    sent: ({ feedSeq }: { feedSeq: number | null }) => void sent.push(feedSeq),
  };
  const resume = new StaffResume(target, host);
  const come = <T extends RecordedSocket | RecordedPoll>(
    transport: T,
    start: StartCursor,
    principal = operator('anna'),
  ) => {
    const connection = registry.open(transport);
    connection.admit(principal);
    connection.catchUp(start);
    resume.add(connection);
    return { transport, connection };
  };
  const socket = (start: StartCursor, principal = operator('anna')) => come(new RecordedSocket(), start, principal);
  const poll = (start: StartCursor) => come(new RecordedPoll(0), start);
  const page = (from: number, end: number, more: { has_more?: boolean; reset?: 'cursor_ahead' } = {}) => ({
    ...{ after: from, end, frames: Array.from({ length: end - from }, (_, index) => frame(from + 1 + index)) },
    feed: { events: [] as StaffEvent[], cursor: String(end), has_more: false, ...more },
    atHead: more.has_more !== true,
  });
  return { ...under, resume, state, announced, polled, recent, audiences, owners, sent, socket, poll, page };
}
const numbers = ({ frames }: RecordedSocket) => frames.map(({ feed_seq: number }) => number);

describe('an operator who is a little behind', () => {
  it('[STF3] receives the most recent frames without a call to chat-service, and joins the others', () => {
    const { resume, socket, announced, audiences, state } = resumeUnderTest();
    const { transport, connection } = socket(after(7));
    resume.advance();
    expect(announced).toEqual([[connection, 7, null]]);
    expect(numbers(transport)).toEqual([8, 9, 10]);
    expect([connection.isLive, [...audiences.connections()], resume.connections, state.calls]).toEqual([
      ...[true, [connection], [], 0],
    ]);
  });

  it('waits until the position of the stream is known', () => {
    const { resume, socket, state, announced } = resumeUnderTest();
    socket(after(7));
    // @ts-expect-error: as it is before the first page
    state.cursor = null;
    resume.advance();
    expect([announced, resume.readers()]).toEqual([[], []]);
  });
});

describe('an operator who is further behind', () => {
  it('reads pages from their own number', () => {
    const { resume, socket } = resumeUnderTest();
    const { connection } = socket(after(2));
    resume.advance();
    expect(resume.readers()).toEqual([{ key: connection, after: 2 }]);
  });

  it('[STF3] receives the page that follows their number, and no other', () => {
    const { resume, socket, page } = resumeUnderTest();
    const { transport, connection } = socket(after(2));
    resume.serve(page(0, 4, { has_more: true }));
    expect(numbers(transport)).toEqual([]);
    resume.serve(page(2, 4, { has_more: true }));
    expect(numbers(transport)).toEqual([3, 4]);
    resume.serve(page(0, 8, { has_more: true }));
    expect(numbers(transport)).toEqual([3, 4]);
    expect([connection.state, resume.readers()]).toMatchObject([{ cursor: 4 }, [{ after: 4 }]]);
  });

  it('continues from the most recent frames once a page has brought them near', () => {
    const { resume, socket, page } = resumeUnderTest();
    const { transport, connection } = socket(after(2));
    resume.serve(page(2, 6));
    resume.advance();
    expect([numbers(transport), connection.isLive]).toEqual([[3, 4, 5, 6, 7, 8, 9, 10], true]);
  });

  it('requests no further page while their socket is full, and one at once when it has drained', () => {
    const { resume, socket, page, state } = resumeUnderTest();
    const { transport } = socket(after(1));
    resume.serve(page(1, 3, { has_more: true }));
    transport.queuedBytes = PAGE_QUEUE_LIMIT;
    expect([resume.readers(), state.calls]).toEqual([[], 0]);
    transport.drain();
    expect([resume.readers().length, state.calls]).toEqual([1, 1]);
  });
});

describe('an operator who begins at the head', () => {
  it('[STF2] gets a position once a page shows that nothing follows', () => {
    const { resume, socket, announced, page } = resumeUnderTest();
    const { connection } = socket(HEAD);
    expect(resume.waitsForHead).toBe(true);
    resume.serve(page(8, 10, { has_more: true }));
    expect(announced).toEqual([]);
    resume.serve(page(9, 10));
    expect([announced, resume.waitsForHead]).toEqual([[[connection, 10, null]], false]);
  });
});

describe('an invalid cursor', () => {
  it('[STF7] is answered with a reset and the current cursor if it was never given to anyone', () => {
    const { resume, socket, announced, page } = resumeUnderTest();
    const { connection } = socket({ kind: 'unreadable' });
    resume.serve(page(9, 10));
    expect(announced).toEqual([[connection, 10, 'cursor_unknown']]);
  });

  it('[STF7] is answered with a reset and the current cursor if it is beyond the feed', () => {
    const { resume, socket, announced, page } = resumeUnderTest();
    const { transport, connection } = socket(after(50));
    resume.serve({ ...page(50, 50, { reset: 'cursor_ahead' }), frames: [frame(1)] });
    expect([announced, numbers(transport)]).toEqual([[[connection, 10, 'cursor_ahead']], []]);
  });
});

describe('an operator with a narrow scope', () => {
  it('[STF4] [STF6] moves past events they may not see', () => {
    const { resume, socket, recent, state, sent } = resumeUnderTest();
    recent.push(11, frame(11, 2));
    recent.push(12, frame(12, 1));
    state.cursor = 12;
    const { transport, connection } = socket(after(10), operator('anna', 'assigned'));
    resume.advance();
    expect([numbers(transport), sent, connection.isLive]).toEqual([[12], [12], true]);
  });

  it('is judged by the page if the frames come from one', () => {
    const { resume, socket, page, owners } = resumeUnderTest();
    const { transport } = socket(after(2), operator('anna', 'own'));
    owners.learnPage({ sessions: [{ id: 1, assigned_user_id: 'anna', last_seq: 9 }], callbacks: [] });
    resume.serve({ ...page(2, 4), frames: [frame(3, 2), frame(4, 1)] });
    expect(numbers(transport)).toEqual([4]);
  });
});

describe('a poll of staff', () => {
  it('[POLL4] is answered with one page that says whether more follows', () => {
    const { resume, poll, page, polled } = resumeUnderTest();
    poll(after(2));
    resume.serve(page(2, 4, { has_more: true }));
    expect(polled).toEqual([[4, true]]);
  });

  it('[POLL4] is answered from the most recent frames if it is near', () => {
    const { resume, poll, polled } = resumeUnderTest();
    const { connection } = poll(after(7));
    resume.advance();
    expect([polled, connection.isLive]).toEqual([[[10, false]], false]);
  });
});
