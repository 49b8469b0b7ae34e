import type { ChatStorage, Environment, TabChannel, TabLocks } from '../api/environment.ts';

type Lifecycle = 'online' | 'visible' | 'frozen' | 'thawed';

/** Memory in place of localStorage: where there is none, and where the browser refuses it (private mode, full, blocked). */
export function memoryStorage(): Omit<ChatStorage, 'keys'> & { keys(): string[] } {
  const values = new Map<string, string>();
  return {
    get: (key) => values.get(key) ?? null,
    set: (key, value) => void values.set(key, value),
    remove: (key) => void values.delete(key),
    keys: () => [...values.keys()],
  };
}

function browserStorage(): ChatStorage {
  const reserve = memoryStorage();
  let area: Storage | undefined;
  try {
    area = globalThis.localStorage;
  } catch {
    // Reading the property itself throws where storage is blocked.
  }
  if (!area) return reserve;
  const local = area;
  return {
    get: (key) => reserve.get(key) ?? local.getItem(key),
    set(key, value) {
      try {
        local.setItem(key, value);
      } catch {
        // Full: this tab at least still knows it.
        void reserve.set(key, value);
      }
    },
    remove(key) {
      void reserve.remove(key);
      local.removeItem(key);
    },
    keys: () => [...Object.keys(local), ...reserve.keys()],
  };
}

function browserLocks(): TabLocks | null {
  const locks = globalThis.navigator?.locks;
  if (!locks || !globalThis.document) return null;
  return { request: (name, options, held) => locks.request(name, options, held) };
}

function openTabChannel(name: string): TabChannel {
  const channel = new BroadcastChannel(name);
  const tab: TabChannel = {
    post: (message) => channel.postMessage(message),
    onMessage: null,
    close: () => channel.close(),
  };
  channel.onmessage = (event: MessageEvent<unknown>) => tab.onMessage?.(event.data);
  return tab;
}

/** In a page only: Node and React Native have no document, and no events of this kind. */
function onLifecycle(listener: (event: Lifecycle) => void): () => void {
  const { document, window } = globalThis;
  if (!document) return () => undefined;
  const ending = new AbortController();
  const listen = (target: EventTarget, type: string, event: Lifecycle, when = () => true): void =>
    target.addEventListener(type, () => when() && listener(event), { signal: ending.signal });
  listen(window, 'online', 'online');
  listen(document, 'visibilitychange', 'visible', () => document.visibilityState === 'visible');
  listen(window, 'pagehide', 'frozen');
  listen(document, 'freeze', 'frozen');
  listen(window, 'pageshow', 'thawed');
  listen(document, 'resume', 'thawed');
  return () => ending.abort();
}

/** React Native's crypto has no randomUUID, and browsers have it on secure origins only. */
function uuid(): string {
  const { crypto } = globalThis;
  if (crypto?.randomUUID) return crypto.randomUUID();
  const digit = (c: string): string => {
    const value = crypto ? (crypto.getRandomValues(new Uint8Array(1))[0] ?? 0) & 15 : Math.floor(Math.random() * 16);
    return (c === 'x' ? value : (value & 3) | 8).toString(16);
  };
  return 'xxxxxxxx-xxxx-4xxx-yxxx-xxxxxxxxxxxx'.replace(/[xy]/g, digit);
}

export function createEnvironment(given: Partial<Environment> = {}): Environment {
  return {
    fetch: (input, init) => globalThis.fetch(input, init),
    webSocket: globalThis.WebSocket ? (url, protocols) => new WebSocket(url, protocols) : null,
    storage: given.storage ?? browserStorage(),
    locks: browserLocks(),
    // Without locks nobody could be elected, so the channel would be of no use.
    openTabChannel: globalThis.BroadcastChannel && globalThis.document ? openTabChannel : null,
    now: () => Date.now(),
    random: () => Math.random(),
    uuid,
    setTimer: (callback, ms) => setTimeout(callback, ms),
    clearTimer: (timer) => clearTimeout(timer as number),
    onLifecycle,
    ...given,
  };
}
