import type { Typist } from '../api/customer.ts';
import type { Environment } from '../api/environment.ts';
import { type Countdown, createCountdown } from '../core/countdown.ts';

export const EXPIRES_MS = 6_000;
const REPEAT_MS = 3_000;
const IDLE_MS = 5_000;

export interface TypingList {
  readonly typists: readonly Typist[];
  readonly apply: (data: { by: 'client' | 'staff'; user_id?: string; name?: string; active: boolean }) => void;
  /** A message of this side came, so its typing is over. */
  readonly ended: (by: 'client' | 'staff', userId?: string | null) => void;
  readonly clear: () => void;
}

/** Who is typing; the end may be lost on the way, so each one expires by itself. */
export function createTypingList(environment: Environment, changed: () => void): TypingList {
  let typists: readonly Typist[] = [];
  const countdowns = new Map<string, Countdown>();
  const remove = (key: string): void => {
    countdowns.get(key)?.clear();
    if (!countdowns.delete(key)) return;
    typists = typists.filter((one) => one.by + one.user_id !== key);
    changed();
  };
  return {
    get typists() {
      return typists;
    },
    apply({ by, user_id = null, name = null, active }) {
      const key = by + user_id;
      if (!active) return remove(key);
      const countdown = countdowns.get(key) ?? createCountdown(environment);
      countdown.set(EXPIRES_MS, () => remove(key));
      if (countdowns.has(key)) return;
      countdowns.set(key, countdown);
      typists = [...typists, { by, user_id, name }];
      changed();
    },
    ended: (by, userId = null) => remove(by + userId),
    clear: () => [...countdowns.keys()].forEach(remove),
  };
}

/** Own typing: sent at once, repeated while it continues (receivers drop it after 6 s), ended after a pause. */
export function createTypingSender(
  environment: Environment,
  send: (active: boolean) => void,
): { readonly set: (active: boolean) => void } {
  const countdown = createCountdown(environment);
  /** Null: not typing. */
  let toldAt: number | null = null;
  const end = (): void => {
    countdown.clear();
    if (toldAt !== null) send(false);
    toldAt = null;
  };
  return {
    set(next) {
      if (!next) return end();
      countdown.set(IDLE_MS, end);
      const now = environment.now();
      if (toldAt !== null && now - toldAt < REPEAT_MS) return;
      toldAt = now;
      send(true);
    },
  };
}
