import type { ChatStorage } from '../api/environment.ts';

/** JSON under one prefix. A storage that fails costs memory of the next visit, never the chat of this one. */
export interface Keeper {
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

export function createKeeper(storage: ChatStorage, prefix: string): Keeper {
  let written: Promise<unknown> = Promise.resolve();
  const quietly = (run: () => unknown): void => {
    // Runs at once where storage is synchronous: what the person just wrote must outlive even a crash in this turn.
    try {
      const done = Promise.resolve(run()).catch(() => undefined);
      written = Promise.all([written, done]);
    } catch {
      // Blocked or full.
    }
  };
  return {
    async get<T>(name: string) {
      try {
        await written;
        return JSON.parse((await storage.get(prefix + name)) ?? 'null') as T | null;
      } catch {
        return null;
      }
    },
    set: (name, value) => quietly(() => storage.set(prefix + name, JSON.stringify(value))),
    remove: (name) => quietly(() => storage.remove(prefix + name)),
    async names(start) {
      try {
        await written;
        const keys = await storage.keys();
        return keys.filter((key) => key.startsWith(prefix + start)).map((key) => key.slice(prefix.length));
      } catch {
        return [];
      }
    },
  };
}
