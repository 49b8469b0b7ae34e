import { useLayoutEffect, useReducer, useRef } from 'preact/hooks';
import { type ReadableStore, notifyAll } from '@chat-realtime/client/staff';

export interface Store<S> extends ReadableStore<S> {
  set(change: Partial<S> | ((state: S) => Partial<S>)): void;
}

/** An observable value. Setting an equal value notifies nobody. */
export function createStore<S extends object>(initial: S): Store<S> {
  let state = initial;
  const listeners = new Set<() => void>();
  return {
    getState: () => state,
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    set(change) {
      const next = { ...state, ...(typeof change === 'function' ? change(state) : change) };
      const keys = Object.keys(next) as (keyof S)[];
      if (keys.every((key) => Object.is(next[key], state[key]))) return;
      state = next;
      notifyAll(listeners);
    },
  };
}

const identity = <T>(value: T): T => value;

/** Renders anew only when the selected part is another one. */
export function useStore<S>(store: ReadableStore<S>): S;
export function useStore<S, T>(store: ReadableStore<S>, select: (state: S) => T): T;
export function useStore<S, T>(store: ReadableStore<S>, select?: (state: S) => T): S | T {
  const [, render] = useReducer((count: number) => count + 1, 0);
  const pick: (state: S) => S | T = select ?? identity;
  const value = pick(store.getState());
  const latest = useRef({ pick, value });
  latest.current = { pick, value };
  useLayoutEffect(() => {
    const check = (): void => {
      if (!Object.is(latest.current.pick(store.getState()), latest.current.value)) render(undefined);
    };
    check();
    return store.subscribe(check);
  }, [store]);
  return value;
}
