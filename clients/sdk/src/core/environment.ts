import type { ChatStorage, Environment } from '../api/environment.ts';
import { intervalNow } from './interval-clock.ts';

type Lifecycle = 'online' | 'visible' | 'frozen' | 'thawed';

/** Memory in place of localStorage, if there is none or the browser refuses it (private mode, full, blocked). */
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
  const memory = memoryStorage();
  let area: Storage | undefined;
  try {
    area = globalThis.localStorage;
  } catch {
    // Reading the property itself throws where storage is blocked.
  }
  if (!area) return memory;
  const local = area;
  return {
    get: (key) => memory.get(key) ?? local.getItem(key),
    set(key, value) {
      try {
        local.setItem(key, value);
      } catch {
        // Full: at least this tab still has it.
        void memory.set(key, value);
      }
    },
    remove(key) {
      void memory.remove(key);
      local.removeItem(key);
    },
    keys: () => [...Object.keys(local), ...memory.keys()],
  };
}

const EVENTS: Readonly<Record<string, Lifecycle>> = {
  online: 'online',
  visibilitychange: 'visible',
  pagehide: 'frozen',
  freeze: 'frozen',
  pageshow: 'thawed',
  resume: 'thawed',
};

/** In a page only: Node and React Native have no document, and no events of this kind. */
function onLifecycle(listener: (event: Lifecycle) => void): () => void {
  const { document, window } = globalThis;
  const ending = new AbortController();
  const { signal } = ending;
  for (const [type, event] of document ? Object.entries(EVENTS) : []) {
    const notify = (): void => {
      if (type !== 'visibilitychange' || !document.hidden) listener(event);
    };
    // Caught on their way down, because some of them are the document's and do not rise.
    window.addEventListener(type, notify, { capture: true, signal });
  }
  return () => ending.abort();
}

/** React Native's crypto has no randomUUID, and browsers have it on secure origins only. */
function uuid(): string {
  const random = globalThis.crypto?.getRandomValues(new Uint8Array(36));
  return 'xxxxxxxx-xxxx-4xxx-8xxx-xxxxxxxxxxxx'.replace(/x/g, (_, at: number) =>
    ((random?.[at] ?? Math.random() * 16) & 15).toString(16),
  );
}

export function createEnvironment(given: Partial<Environment> = {}): Environment {
  const { document, navigator } = globalThis;
  return {
    fetch: (input, init) => globalThis.fetch(input, init),
    webSocket: globalThis.WebSocket ? (url, protocols) => new WebSocket(url, protocols) : null,
    storage: given.storage ?? browserStorage(),
    // Node has both too, where a channel would keep the process from ending.
    locks: (document && navigator.locks) ?? null,
    openTabChannel: document ? (name) => new BroadcastChannel(name) : null,
    now: intervalNow,
    wallNow: () => Date.now(),
    random: Math.random,
    uuid,
    setTimer: (callback, ms) => setTimeout(callback, ms),
    clearTimer: (timer) => clearTimeout(timer as number),
    onLifecycle,
    ...given,
  };
}
