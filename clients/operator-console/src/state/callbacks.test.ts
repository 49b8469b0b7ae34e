import type { CallbackStatus } from '@chat-realtime/client/staff';
import { CALLBACK_STEPS, callbackStatusSchema, isOpenCallback } from '@chat-realtime/protocol';
import { describe, expect, it } from 'vitest';
import { byDue, callsToMake, dueGroup, isOpen, nextSteps, stepsOf } from './callbacks.ts';

describe('callbacks', () => {
  const now = Date.parse('2026-01-01T10:00:00Z');
  const callback = (due_at: string, status: CallbackStatus = 'new') => ({
    ...{ id: 1, session_id: null, status, phone: '+70000000000', name: null, comment: null, preferred_at: null },
    ...{ due_at, assigned_user_id: null, result: null, created_at: due_at, updated_at: due_at },
  });
  it('are overdue once their time has passed, but never when finished', () => {
    expect(dueGroup(callback('2026-01-01T10:00:00Z'), now)).toBe('overdue');
    expect(dueGroup(callback('2026-01-09T10:00:00Z'), now)).toBe('later');
    expect(dueGroup(callback('2026-01-01T09:00:00Z', 'done'), now)).toBe('finished');
    expect(byDue(callback('2026-01-02T00:00:00Z'), callback('2026-01-01T00:00:00Z', 'done'))).toBeLessThan(0);
  });
  it('count in «Звонки» while they are new or overdue, each once', () => {
    const [past, future] = ['2026-01-01T10:00:00Z', '2026-01-09T10:00:00Z'];
    const open = [callback(past), callback(future), callback(past, 'assigned')];
    expect(callsToMake([...open, callback(future, 'calling'), callback(past, 'done')], now)).toBe(3);
    expect(callsToMake([], now)).toBe(0);
  });
  it("[BES41] offer the site's other steps while they are open", () => {
    expect(stepsOf('assigned', ['assigned', 'done'])).toEqual(['done']);
    expect(stepsOf('new', ['assigned', 'done'])).toEqual(['assigned', 'done']);
    expect(stepsOf('done', ['assigned', 'done'])).toEqual([]);
  });
  it('[CB5] offer the steps of the protocol if the chat is ours', () => {
    expect(stepsOf('calling', null)).toEqual(nextSteps('calling'));
  });
  it('[CB5] offer the steps of the protocol, and no others', () => {
    for (const status of callbackStatusSchema.options) {
      expect(nextSteps(status).toSorted(), status).toEqual(CALLBACK_STEPS[status].toSorted());
      expect(isOpen({ status }), status).toBe(isOpenCallback(status));
    }
  });
});
