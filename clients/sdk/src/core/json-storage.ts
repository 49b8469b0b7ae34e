import type { ChatStorage } from '../api/environment.ts';

/**
 * JSON values under one prefix. If the storage fails, the next visit starts fresh, and the current chat is unaffected.
 */
export interface JsonStorage {
  readonly get: <T>(name: string) => Promise<T | null>;
  readonly set: (name: string, value: unknown) => void;
  readonly remove: (name: string) => void;
  readonly names: (prefix: string) => Promise<string[]>;
}

export function storagePrefix(namespace = 'default'): string {
  return `chat-realtime:${namespace}:`;
}

/** Key under which a begun chat is kept: a loader that finds nothing there need not load the client at all. */
export function storedSessionKey(namespace?: string): string {
  return `${storagePrefix(namespace)}session`;
}

async function attempt<T>(run: () => T | Promise<T>, otherwise: T): Promise<T> {
  try {
    return await run();
  } catch {
    // Blocked, full, or not the value once written.
    return otherwise;
  }
}

export function createJsonStorage(storage: ChatStorage, prefix: string): JsonStorage {
  let written: Promise<unknown> = Promise.resolve();
  // Runs at once if storage is synchronous: the person's text must survive even a crash in this turn of the event loop.
  const write = (run: () => void | Promise<void>): void => {
    written = Promise.all([written, attempt(run, undefined)]);
  };
  const read = <T>(run: () => T | Promise<T>, otherwise: T): Promise<T> => written.then(() => attempt(run, otherwise));
  return {
    get: <T>(name: string) =>
      read<T | null>(async () => JSON.parse((await storage.get(prefix + name)) ?? 'null') as T | null, null),
    set: (name, value) => write(() => storage.set(prefix + name, JSON.stringify(value))),
    remove: (name) => write(() => storage.remove(prefix + name)),
    names: (start) =>
      read<string[]>(async () => {
        const keys = await storage.keys();
        return keys.filter((key) => key.startsWith(prefix + start)).map((key) => key.slice(prefix.length));
      }, []),
  };
}
