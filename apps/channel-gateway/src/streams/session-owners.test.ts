import { describe, expect, it } from 'vitest';
import { liveFrameOf } from './live-frame.ts';
import { SessionOwners } from './session-owners.ts';

const ALL = { userId: 'anna', scope: 'all' } as const;
const ASSIGNED = { userId: 'anna', scope: 'assigned' } as const;
const OWN = { userId: 'anna', scope: 'own' } as const;

function frame(event: object) {
  const made = liveFrameOf(event);
  if (made === null) throw new Error('no frame');
  return made;
}
const message = (sessionId: number, seq: number, assigned?: string | null) =>
  frame({
    ...{ type: 'chat.message', session_id: sessionId, seq, feed_seq: seq, data: { id: 1 } },
    ...(assigned !== undefined && { subscribers: { session_id: sessionId, assigned_user_id: assigned } }),
  });

describe('the known assignee of a session', () => {
  it('is the one at the larger seq, in whatever order they arrive', () => {
    const owners = new SessionOwners();
    expect(owners.learn(1, 'anna', 5)).toBe(true);
    expect(owners.learn(1, 'boris', 4)).toBe(false);
    expect(owners.of(1)).toBe('anna');
    expect(owners.learn(1, null, 6)).toBe(true);
    expect(owners.of(1)).toBeNull();
  });

  it('is news only if it changes', () => {
    const owners = new SessionOwners();
    owners.learn(1, 'anna', 5);
    expect(owners.learn(1, 'anna', 9)).toBe(false);
  });

  it('is read from what a frame says about its session, and from an assignment itself', () => {
    const owners = new SessionOwners();
    owners.learnFrom(message(1, 3, 'boris'));
    owners.learnFrom(
      frame({ type: 'chat.session.assigned', session_id: 2, seq: 4, data: { assigned_user_id: 'anna' } }),
    );
    expect([owners.of(1), owners.of(2), owners.learnFrom(message(3, 1))]).toEqual(['boris', 'anna', false]);
  });

  it('is dropped for the least recently used session beyond twenty thousand', () => {
    const owners = new SessionOwners();
    for (let id = 1; id <= 20_000; id += 1) owners.learn(id, null, 1);
    owners.learn(1, null, 2);
    owners.learn(20_001, null, 1);
    expect([owners.of(1), owners.of(2)]).toEqual([null, undefined]);
  });
});

describe('an unknown assignee', () => {
  it('is requested once a decision about visibility depends on it, and not again after the response', () => {
    const owners = new SessionOwners();
    expect(owners.sees(ASSIGNED, 1)).toBe(false);
    expect(owners.sees(ASSIGNED, 2)).toBe(false);
    expect(owners.wanted()).toEqual([1, 2]);
    owners.learn(1, null, 1);
    owners.unknown(2);
    expect([owners.wanted(), owners.sees(ASSIGNED, 1)]).toEqual([[], true]);
  });

  it('is not requested for operators who see everything', () => {
    const owners = new SessionOwners();
    expect([owners.sees(ALL, 1), owners.seesLive(ALL, message(1, 1)), owners.wanted()]).toEqual([true, true, []]);
  });

  it('is requested in calls of a thousand', () => {
    const owners = new SessionOwners();
    for (let id = 1; id <= 1_500; id += 1) owners.ask(id);
    expect(owners.wanted()).toHaveLength(1_000);
  });
});

describe('a live frame', () => {
  it('[ASG13] is judged by the current assignee, not by the one when the frame was created', () => {
    const owners = new SessionOwners();
    owners.learn(1, 'boris', 9);
    expect(owners.seesLive(ASSIGNED, message(1, 4, 'anna'))).toBe(false);
    owners.learn(1, 'anna', 10);
    expect(owners.seesLive(ASSIGNED, message(1, 4, 'boris'))).toBe(true);
  });

  it('names the assignee itself if nothing newer is known', () => {
    const owners = new SessionOwners();
    expect(owners.seesLive(OWN, message(1, 4, 'anna'))).toBe(true);
    expect(owners.seesLive(OWN, message(1, 4, 'boris'))).toBe(false);
    expect(owners.wanted()).toEqual([]);
  });

  it('[STF6] without an assignee is not shown, and the assignee is requested', () => {
    const owners = new SessionOwners();
    expect([owners.seesLive(ASSIGNED, message(1, 4)), owners.wanted()]).toEqual([false, [1]]);
  });

  it('[ASG12] of a callback is shown to the operator to whom it was given', () => {
    const owners = new SessionOwners();
    owners.learn(1, 'boris', 1);
    const callback = (user: string) =>
      frame({ type: 'chat.callback.staff', session_id: 1, feed_seq: 2, data: { id: 7, assigned_user_id: user } });
    expect([owners.seesLive(OWN, callback('anna')), owners.seesLive(OWN, callback('boris'))]).toEqual([true, false]);
  });
});

describe('an event of a page', () => {
  it('is judged by the assignees that came with the page', () => {
    const owners = new SessionOwners();
    owners.learnPage({ sessions: [{ id: 1, assigned_user_id: 'anna', last_seq: 5 }], callbacks: [] });
    expect([owners.seesPaged(OWN, message(1, 4)), owners.seesPaged(OWN, message(2, 4))]).toEqual([true, false]);
    // It is read again with the next page, without a call for it.
    expect(owners.wanted()).toEqual([]);
  });

  it('is judged by live frames, if they are newer', () => {
    const owners = new SessionOwners();
    owners.learn(1, 'boris', 6);
    owners.learnPage({ sessions: [{ id: 1, assigned_user_id: 'anna', last_seq: 5 }], callbacks: [] });
    expect(owners.seesPaged(OWN, message(1, 4))).toBe(false);
  });

  it('uses only the callbacks of its own page', () => {
    const owners = new SessionOwners();
    const callback = frame({ type: 'chat.callback.staff', session_id: 1, feed_seq: 2, data: { id: 7 } });
    owners.learnPage({
      sessions: [{ id: 1, assigned_user_id: 'boris', last_seq: 5 }],
      callbacks: [{ id: 7, assigned_user_id: 'anna' }],
    });
    expect(owners.seesPaged(OWN, callback)).toBe(true);
    owners.learnPage(undefined);
    expect(owners.seesPaged(OWN, callback)).toBe(false);
  });
});
