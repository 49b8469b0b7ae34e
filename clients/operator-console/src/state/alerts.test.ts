import type { StaffClient } from '@chat-realtime/client/staff';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Alerts, merged, unseenCount } from './alerts.ts';

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

it.each([-300_000, 300_000])(
  'alerts are requested a second after an event, even if the clock was changed by %i ms',
  async (ms) => {
    const listeners = new Map<string, () => void>();
    let asked = 0;
    // Only the part of the client that is used here.
    const client: object = {
      on: (name: string, listener: () => void) => {
        listeners.set(name, listener);
        return () => undefined;
      },
      subscribe: () => () => undefined,
      getState: () => ({ badge: null }),
      api: {
        alerts: () => {
          asked += 1;
          return Promise.resolve({ alerts: [], waiting_count: 0, oldest_waiting_since: null, callbacks_due: 0 });
        },
      },
    };
    const values = new Map<string, string>();
    const storage = {
      getItem: (key: string) => values.get(key) ?? null,
      setItem: (key: string, value: string) => void values.set(key, value),
    };
    const alerts = new Alerts(client as StaffClient, storage, 'anna');
    // From here on the next request is due in half a minute.
    await alerts.load();
    const before = asked;
    vi.setSystemTime(Date.now() + ms);
    listeners.get('event')?.();
    await vi.advanceTimersByTimeAsync(1_001);
    expect(asked).toBe(before + 1);
    // A request that is already due is not postponed by a later one.
    listeners.get('event')?.();
    await vi.advanceTimersByTimeAsync(500);
    vi.setSystemTime(Date.now() - ms);
    listeners.get('event')?.();
    await vi.advanceTimersByTimeAsync(501);
    expect(asked).toBe(before + 2);
    alerts.destroy();
  },
);

describe('the list of alerts', () => {
  const alert = (id: number) => ({
    ...{ id, reason: 'waiting' as const, session_id: 1, created_at: '2026-01-01T10:00:00Z' },
    contact: { name: null, email: null, phone: null },
  });
  it('shows the newest first, each once, and counts those that were not seen', () => {
    const list = merged([alert(2), alert(1)], [alert(2), alert(3), alert(4)]);
    expect(list.map(({ id }) => id)).toEqual([4, 3, 2, 1]);
    expect(merged(list, [alert(3)])).toBe(list);
    expect(unseenCount({ list, seen: 2 })).toBe(2);
  });
});
