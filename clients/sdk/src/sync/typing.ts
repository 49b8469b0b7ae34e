import type { Typist } from '../api/customer.ts';
import type { Environment } from '../api/environment.ts';
import { type Alarm, createAlarm } from '../core/alarm.ts';

export const EXPIRES_MS = 6_000;
const REPEAT_MS = 3_000;
const IDLE_MS = 5_000;

export interface TypingList {
  readonly typists: readonly Typist[];
  readonly heard: (data: { by: 'client' | 'staff'; user_id?: string; name?: string; active: boolean }) => void;
  /** A message of this side came, so its typing is over. */
  readonly ended: (by: 'client' | 'staff', userId?: string | null) => void;
  readonly clear: () => void;
}

/** Who is typing; the end may be lost on the way, so each one expires by itself. */
export function createTypingList(environment: Environment, changed: () => void): TypingList {
  let typists: readonly Typist[] = [];
  const alarms = new Map<string, Alarm>();
  const remove = (key: string): void => {
    alarms.get(key)?.clear();
    if (!alarms.delete(key)) return;
    typists = typists.filter((one) => one.by + one.user_id !== key);
    changed();
  };
  return {
    get typists() {
      return typists;
    },
    heard({ by, user_id = null, name = null, active }) {
      const key = by + user_id;
      if (!active) return remove(key);
      const alarm = alarms.get(key) ?? createAlarm(environment);
      alarm.set(EXPIRES_MS, () => remove(key));
      if (alarms.has(key)) return;
      alarms.set(key, alarm);
      typists = [...typists, { by, user_id, name }];
      changed();
    },
    ended: (by, userId = null) => remove(by + userId),
    clear: () => [...alarms.keys()].forEach(remove),
  };
}

/** Own typing: told at once, repeated while it goes on (receivers forget it after 6 s), ended after a pause. */
export function createTypingSender(
  environment: Environment,
  send: (active: boolean) => void,
): { readonly set: (active: boolean) => void } {
  const alarm = createAlarm(environment);
  /** Null: not typing. */
  let toldAt: number | null = null;
  const end = (): void => {
    alarm.clear();
    if (toldAt !== null) send(false);
    toldAt = null;
  };
  return {
    set(next) {
      if (!next) return end();
      alarm.set(IDLE_MS, end);
      const now = environment.now();
      if (toldAt !== null && now - toldAt < REPEAT_MS) return;
      toldAt = now;
      send(true);
    },
  };
}
