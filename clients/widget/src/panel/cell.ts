import { notifyAll } from '@chat-realtime/client';
import { useEffect, useState } from 'preact/hooks';

interface Readable<S> {
  getState(): S;
  subscribe(listener: () => void): () => void;
}

/** An observable value with the interface of the client's own store. */
export interface Cell<T> extends Readable<T> {
  set(value: T): void;
}

export function createCell<T>(initial: T): Cell<T> {
  const listeners = new Set<() => void>();
  let value = initial;
  return {
    getState: () => value,
    set(next) {
      if (Object.is(next, value)) return;
      value = next;
      notifyAll(listeners);
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

export function useStore<S>(store: Readable<S>): S {
  const [value, setValue] = useState(() => store.getState());
  useEffect(() => {
    const take = (): void => setValue(() => store.getState());
    take();
    return store.subscribe(take);
  }, [store]);
  return value;
}
