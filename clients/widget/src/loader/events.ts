import type { WidgetEvents, WidgetListener } from '../api.ts';

type Names = keyof WidgetEvents;
type Listeners = { [K in Names]?: Set<WidgetListener<K>> };

/** Events whose last value a late listener gets at once. */
const REPLAYED: readonly Names[] = ['ready', 'unread', 'availability'];

export interface Events {
  readonly on: <K extends Names>(event: K, listener: WidgetListener<K>) => () => void;
  readonly once: <K extends Names>(event: K, listener: WidgetListener<K>) => () => void;
  readonly off: <K extends Names>(event: K, listener: WidgetListener<K>) => void;
  emit<K extends Names>(event: K, payload: WidgetEvents[K]): void;
  clear(): void;
}

export function createEvents(): Events {
  let listeners: Listeners = {};
  let last: Partial<WidgetEvents> = {};
  const call = <K extends Names>(listener: WidgetListener<K>, payload: WidgetEvents[K]): void => {
    // A listener of the page that throws must break neither the widget nor the other listeners.
    try {
      listener(payload);
    } catch (error) {
      setTimeout(() => {
        throw error;
      });
    }
  };
  const events: Events = {
    on(event, listener) {
      const set: Set<typeof listener> = (listeners[event] ??= new Set() as NonNullable<
        (typeof listeners)[typeof event]
      >);
      set.add(listener);
      const payload = last[event];
      if (payload !== undefined) call(listener, payload);
      return () => events.off(event, listener);
    },
    once(event, listener) {
      const first: typeof listener = (payload) => {
        events.off(event, first);
        listener(payload);
      };
      return events.on(event, first);
    },
    off(event, listener) {
      listeners[event]?.delete(listener);
    },
    emit(event, payload) {
      if (REPLAYED.includes(event)) last[event] = payload;
      for (const listener of new Set(listeners[event])) call(listener, payload);
    },
    clear() {
      listeners = {};
      last = {};
    },
  };
  return events;
}
