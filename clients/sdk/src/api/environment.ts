/** Storage for data that must outlive the page. Values are text; either synchronous or not (React Native). */
export interface ChatStorage {
  readonly get: (key: string) => string | null | Promise<string | null>;
  readonly set: (key: string, value: string) => void | Promise<void>;
  readonly remove: (key: string) => void | Promise<void>;
  readonly keys: () => readonly string[] | Promise<readonly string[]>;
}

/** As a method's type, so that a handler of the platform's wider event type fits. */
type Handler<E> = { handle(event: E): void }['handle'] | null;

/** The part of a WebSocket the client uses; the one of browsers, Node and React Native has it. */
export interface WebSocketLike {
  readonly readyState: number;
  onopen: Handler<unknown>;
  onmessage: Handler<{ readonly data: unknown }>;
  onclose: Handler<{ readonly code: number; readonly reason: string }>;
  onerror: Handler<unknown>;
  readonly send: (data: string) => void;
  readonly close: (code?: number, reason?: string) => void;
}
export type WebSocketFactory = (url: string, protocols: string[]) => WebSocketLike;

/** A channel to the other tabs of this browser: the part of BroadcastChannel the client uses. */
export interface TabChannel {
  readonly postMessage: (message: unknown) => void;
  onmessage: Handler<{ readonly data: unknown }>;
  readonly close: () => void;
}

/** The part of LockManager the client uses; the holder's end, also by a crash, frees the lock. */
export interface TabLocks {
  /**
   * Runs `held` once the lock is acquired, and holds it until the promise of `held` settles. `steal` takes it from a
   * holder that no longer answers; the returned promise rejects when that happens to us.
   */
  readonly request: (
    name: string,
    options: { steal?: boolean; signal?: AbortSignal },
    held: () => Promise<void>,
  ) => Promise<void>;
}

export type Timer = unknown;

/** Everything the client needs from its platform. Tests pass a virtual one; a missing capability is null. */
export interface Environment {
  readonly fetch: typeof globalThis.fetch;
  readonly webSocket: WebSocketFactory | null;
  readonly storage: ChatStorage;
  readonly locks: TabLocks | null;
  readonly openTabChannel: ((name: string) => TabChannel) | null;
  /** Milliseconds on a clock that never goes back: for intervals. It means nothing outside this page. */
  readonly now: () => number;
  /**
   * Milliseconds since 1970 by the device's clock, which may be set at any time: for what is kept, shown or expires.
   */
  readonly wallNow: () => number;
  readonly random: () => number;
  readonly uuid: () => string;
  readonly setTimer: (callback: () => void, ms: number) => Timer;
  readonly clearTimer: (timer: Timer) => void;
  /**
   * `online`: the network came back. `visible`: the page is looked at again. `frozen`: the page is put away and may be
   * stopped at any moment (`thawed` ends it).
   */
  readonly onLifecycle: (listener: (event: 'online' | 'visible' | 'frozen' | 'thawed') => void) => () => void;
}
