import type { Typist } from '../api/customer.ts';
import type { Environment, Timer } from '../api/environment.ts';

const EXPIRES_MS = 6_000;
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
  const timers = new Map<string, Timer>();
  const remove = (key: string): void => {
    environment.clearTimer(timers.get(key));
    if (!timers.delete(key)) return;
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
      if (!timers.has(key)) {
        typists = [...typists, { by, user_id, name }];
        changed();
      }
      environment.clearTimer(timers.get(key));
      timers.set(
        key,
        environment.setTimer(() => remove(key), EXPIRES_MS),
      );
    },
    ended: (by, userId = null) => remove(by + userId),
    clear() {
      for (const key of [...timers.keys()]) remove(key);
    },
  };
}

/** Own typing: told at once, repeated while it goes on (receivers forget it after 6 s), ended after a pause. */
export function createTypingSender(
  environment: Environment,
  send: (active: boolean) => void,
): { readonly set: (active: boolean) => void } {
  let toldAt = -REPEAT_MS;
  let active = false;
  let timer: Timer = null;
  const end = (): void => {
    environment.clearTimer(timer);
    if (active) send(false);
    active = false;
    toldAt = -REPEAT_MS;
  };
  return {
    set(next) {
      if (!next) return end();
      environment.clearTimer(timer);
      timer = environment.setTimer(end, IDLE_MS);
      const now = environment.now();
      if (active && now - toldAt < REPEAT_MS) return;
      active = true;
      toldAt = now;
      send(true);
    },
  };
}
