import type { ChatStorage, TabChannel, TabLocks } from '../api/environment.ts';

interface Waiter {
  readonly tab: string;
  readonly grant: () => Promise<void>;
  readonly reject: (error: Error) => void;
  readonly resolve: () => void;
}

/** What the tabs of one browser share: storage, locks, channels. A tab can crash, which frees its locks and nothing else. */
export interface FakeBrowser {
  readonly storage: ChatStorage;
  readonly values: Map<string, string>;
  readonly locks: (tab: string) => TabLocks;
  readonly channels: (tab: string) => (name: string) => TabChannel;
  readonly crash: (tab: string) => void;
  /** A frozen tab gets no messages, and keeps its locks. */
  readonly freeze: (tab: string, frozen: boolean) => void;
}

export function createFakeBrowser(defer: (run: () => void) => void): FakeBrowser {
  const values = new Map<string, string>();
  const held = new Map<string, Waiter>();
  const queues = new Map<string, Waiter[]>();
  const open = new Map<string, Set<{ tab: string; channel: TabChannel }>>();
  const crashed = new Set<string>();
  const frozen = new Set<string>();

  const grantNext = (name: string): void => {
    if (held.has(name)) return;
    const waiter = queues.get(name)?.shift();
    if (!waiter) return;
    if (crashed.has(waiter.tab)) return grantNext(name);
    hold(name, waiter);
  };
  const hold = (name: string, waiter: Waiter): void => {
    held.set(name, waiter);
    const freed = (settle: () => void) => (): void => {
      if (held.get(name) === waiter) {
        held.delete(name);
        defer(() => grantNext(name));
      }
      settle();
    };
    waiter.grant().then(freed(waiter.resolve), freed(waiter.resolve));
  };

  return {
    values,
    storage: {
      get: (key) => values.get(key) ?? null,
      set: (key, value) => void values.set(key, value),
      remove: (key) => void values.delete(key),
      keys: () => [...values.keys()],
    },
    locks: (tab) => ({
      request: (name, { steal, signal }, grant) =>
        new Promise((resolve, reject) => {
          const waiter: Waiter = { tab, grant, resolve, reject };
          const queue = queues.get(name) ?? [];
          queues.set(name, queue);
          signal?.addEventListener('abort', () => {
            const at = queue.indexOf(waiter);
            if (at < 0) return;
            queue.splice(at, 1);
            reject(new Error('AbortError'));
          });
          if (steal) {
            const holder = held.get(name);
            held.delete(name);
            holder?.reject(new Error('AbortError'));
            hold(name, waiter);
          } else {
            queue.push(waiter);
            defer(() => grantNext(name));
          }
        }),
    }),
    channels: (tab) => (name) => {
      const members = open.get(name) ?? new Set();
      open.set(name, members);
      const channel: TabChannel = {
        onmessage: null,
        postMessage(message) {
          if (crashed.has(tab)) return;
          const copy = structuredClone(message);
          for (const other of members) {
            if (other.channel === channel) continue;
            defer(() => {
              if (!crashed.has(other.tab) && !frozen.has(other.tab)) other.channel.onmessage?.({ data: copy });
            });
          }
        },
        close: () => void members.delete(member),
      };
      const member = { tab, channel };
      members.add(member);
      return channel;
    },
    crash(tab) {
      crashed.add(tab);
      for (const [name, waiter] of [...held]) {
        if (waiter.tab !== tab) continue;
        held.delete(name);
        defer(() => grantNext(name));
      }
    },
    freeze(tab, isFrozen) {
      if (isFrozen) frozen.add(tab);
      else frozen.delete(tab);
    },
  };
}
