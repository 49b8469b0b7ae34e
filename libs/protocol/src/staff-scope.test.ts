import { describe, expect, it } from 'vitest';
import { badgeFor, type EventOwners, presenceFor, type StaffScope, seesEvent, seesSession } from './index.ts';

const anna = (scope: StaffScope) => ({ userId: 'anna', scope });
const message = { type: 'chat.message' };
const callback = { type: 'chat.callback.staff' };
const taken = (previous: string | null | undefined, to: string | null = 'boris') => ({
  type: 'chat.session.assigned',
  subscribers: { session_id: 1, assigned_user_id: to, previous_user_id: previous },
});

describe('scope of staff', () => {
  it('[ASG10] [ASG12] is decided by the current assignee', () => {
    const seen = (scope: StaffScope) => [null, 'anna', 'boris'].map((owner) => seesSession(anna(scope), owner));
    expect(seen('all')).toEqual([true, true, true]);
    expect(seen('assigned')).toEqual([true, true, false]);
    expect(seen('own')).toEqual([false, true, false]);
  });

  it.each<[string, StaffScope, Parameters<typeof seesEvent>[1], EventOwners, boolean]>([
    ['whatever the event said at its time', 'assigned', message, { session: 'boris' }, false],
    ['nobody’s', 'assigned', message, { session: null }, true],
    ['nobody’s, with the narrowest scope', 'own', message, { session: null }, false],
    ['unknown is not shown', 'assigned', message, { session: undefined }, false],
    ['unknown, with scope all', 'all', message, { session: undefined }, true],
    ['the assignment that took it away', 'own', taken('anna'), { session: 'boris' }, true],
    ['an assignment between others', 'own', taken('carl'), { session: 'boris' }, false],
    ['the assignment that took nobody’s out of sight', 'assigned', taken(null), { session: 'boris' }, true],
    ['what was taken goes on to a third', 'assigned', taken('boris', 'carl'), { session: 'carl' }, false],
    ['an assignment of nobody’s, with the narrowest scope', 'own', taken(null), { session: 'boris' }, false],
    ['an assignment that does not say whose it was', 'assigned', taken(undefined), { session: 'boris' }, false],
    ['an assignment to the viewer, gone since', 'assigned', taken(null, 'anna'), { session: 'boris' }, false],
    ['an assignment to nobody, gone since', 'assigned', taken('anna', null), { session: 'boris' }, false],
    ['an assignment to nobody, with the narrowest scope', 'own', taken('anna', null), { session: 'boris' }, true],
    ['a callback given to the viewer', 'own', callback, { session: 'boris', callback: 'anna' }, true],
    [
      'a callback of another in a foreign session',
      'assigned',
      callback,
      { session: 'boris', callback: 'boris' },
      false,
    ],
    ['a callback without a session', 'assigned', callback, { session: null, callback: null }, true],
    ['a callback without a session, scope own', 'own', callback, { session: null, callback: 'boris' }, false],
  ])('[ASG13] judges an event by the current assignee of its session: %s', (_name, scope, event, owners, seen) => {
    expect(seesEvent(anna(scope), event, owners)).toBe(seen);
  });

  it('[ASG12] counts the badge as the viewer’s own inbox does', () => {
    const badge = {
      reason: 'badge' as const,
      unassigned_unread: 2,
      mine_unread: { anna: 1, boris: 5 },
      waiting_count: 9,
      waiting: { unassigned: 3, mine: { anna: 2, boris: 4 } },
    };
    const { waiting: _waiting, ...whole } = badge;
    expect(badgeFor(anna('all'), badge)).toEqual(whole);
    const narrow = { reason: 'badge', mine_unread: { anna: 1 } };
    expect(badgeFor(anna('assigned'), badge)).toEqual({ ...narrow, unassigned_unread: 2, waiting_count: 5 });
    expect(badgeFor(anna('own'), badge)).toEqual({ ...narrow, unassigned_unread: 0, waiting_count: 2 });
  });

  it('[ASG14] hides sessions outside the scope from presence', () => {
    const user = (id: string, viewing?: number) => ({
      id,
      name: null,
      state: 'online' as const,
      ...(viewing === undefined ? {} : { viewing }),
    });
    const users = [user('boris', 1), user('carl', 2), user('dora', 3), user('emil', 4), user('fred')];
    const owners = new Map([
      [1, 'boris'],
      [2, 'anna'],
      [3, null],
    ]);
    const viewed = (scope: StaffScope) =>
      presenceFor(anna(scope), users, (id) => owners.get(id)).map(({ viewing }) => viewing);
    expect(viewed('all')).toEqual([1, 2, 3, 4, undefined]);
    expect(viewed('assigned')).toEqual([undefined, 2, 3, undefined, undefined]);
    expect(viewed('own')).toEqual([undefined, 2, undefined, undefined, undefined]);
  });
});
