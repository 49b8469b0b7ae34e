import type { ReadableStore, Unsubscribe } from '../api/connection.ts';
import { notifyAll } from './notify-all.ts';

export interface Store<S> extends ReadableStore<S> {
  /** Something the state is built from has changed. Listeners are told once per turn, however much changes in it. */
  readonly touch: () => void;
  readonly clear: () => void;
}

/** State is built only when somebody asks after a change: catching up a thousand events must not build a thousand lists. */
export function createStore<S>(build: () => S): Store<S> {
  const listeners = new Set<() => void>();
  let state: S | undefined;
  let scheduled = false;
  return {
    getState: () => (state ??= build()),
    subscribe(listener: () => void): Unsubscribe {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    touch(): void {
      state = undefined;
      if (scheduled) return;
      scheduled = true;
      queueMicrotask(() => {
        scheduled = false;
        notifyAll(listeners);
      });
    },
    clear: () => listeners.clear(),
  };
}

export interface Emitter<E> {
  readonly on: <K extends keyof E>(event: K, listener: (payload: E[K]) => void) => Unsubscribe;
  readonly emit: <K extends keyof E>(event: K, payload: E[K]) => void;
  readonly clear: () => void;
}

export function createEmitter<E>(): Emitter<E> {
  let listeners: { [K in keyof E]?: Set<(payload: E[K]) => void> } = {};
  return {
    on(event, listener) {
      const set = (listeners[event] ??= new Set());
      set.add(listener);
      return () => set.delete(listener);
    },
    emit(event, payload) {
      notifyAll(listeners[event] ?? [], payload);
    },
    clear() {
      listeners = {};
    },
  };
}
