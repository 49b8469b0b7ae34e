import { describe, expect, it } from 'vitest';
import { movesOf } from './site-moves.ts';

describe('[BES36] what the console offers', () => {
  const all = { reopen: true, release: true, transfer: true, handOver: true, records: true, alerts: true };
  const ours = { ...all, contact: ['name', 'phone', 'email'], calls: true, callSteps: null };
  it('is everything if the chat is ours', () => {
    expect(movesOf(undefined, false)).toEqual(ours);
  });

  it('is what the site has a path for if the chat is the site’s', () => {
    const no = { reopen: false, release: false, transfer: false, handOver: false, records: false, alerts: false };
    const none = { ...no, contact: [], calls: false, callSteps: [] };
    expect(movesOf({}, false)).toEqual(none);
    // The ledger's alerts are not at the root, where `/chat/` belongs to the site.
    expect(movesOf({}, true)).toEqual({ ...none, alerts: true });
    const paths = { reopen: '/chat/{id}/reopen', unassign: '/chat/{id}/free' };
    expect(movesOf({ paths, request: { user_id: 'manager' } }, false)).toEqual({
      ...none,
      reopen: true,
      release: true,
      transfer: true,
    });
  });

  it('[BES42] includes contact data that the site stores, if it has a path for them', () => {
    const paths = { contact: '/chat/{id}/contact' };
    expect(movesOf({ paths }, false).contact).toEqual(['name', 'phone', 'email']);
    expect(movesOf({ paths, request: { phone: 'tel', email: '' } }, false).contact).toEqual(['name', 'phone']);
    expect(movesOf({ paths: { contact: '' } }, false).contact).toEqual([]);
  });

  it('[BES41] includes the steps of a callback for which the site has a path', () => {
    const { calls, callSteps } = movesOf({ callbacks: { list: '/calls' } }, false);
    expect([calls, callSteps]).toEqual([true, []]);
    const steps = { done: '/calls/{callback}/done', assigned: '/calls/{callback}/take', no_answer: '' };
    expect(movesOf({ callbacks: { list: '/calls', steps } }, false).callSteps).toEqual(['assigned', 'done']);
  });
});
