import type { AlertsResponse, StaffClient } from '@chat-realtime/client/staff';
import { createStore } from '../store.ts';

export type AlertItem = AlertsResponse['alerts'][number];

export interface AlertsState {
  /** Newest first. */
  readonly list: readonly AlertItem[];
  readonly loaded: boolean;
  readonly waiting: number;
  readonly oldestWaitingSince: string | null;
  readonly callbacksDue: number;
  /** Newest alert that was on the screen. */
  readonly seen: number;
}

const KEEP = 200;
const SETTLE_MS = 1_000;
const REFRESH_MS = 30_000;

/** Puts new entries above the known ones, each once. */
export function merged(list: readonly AlertItem[], came: readonly AlertItem[]): readonly AlertItem[] {
  const known = new Set(list.map((alert) => alert.id));
  const added = came.filter((alert) => !known.has(alert.id));
  if (added.length === 0) return list;
  return [...added, ...list].sort((a, b) => b.id - a.id).slice(0, KEEP);
}

/** The events worth an operator's attention: new chats, long waits, callbacks, unseen replies. */
export class Alerts {
  readonly #client: StaffClient;
  readonly #storage: Pick<Storage, 'getItem' | 'setItem'>;
  readonly #key: string;
  readonly #store = createStore<AlertsState>({
    list: [],
    loaded: false,
    waiting: 0,
    oldestWaitingSince: null,
    callbacksDue: 0,
    seen: 0,
  });
  readonly #off: (() => void)[];
  #timer: ReturnType<typeof setTimeout> | undefined;
  #due = 0;
  #stopped = false;

  readonly #isAsked: boolean;

  /** `isAsked`: the server's alerts are to be had; else there are none. */
  constructor(client: StaffClient, storage: Pick<Storage, 'getItem' | 'setItem'>, userId: string, isAsked = true) {
    this.#client = client;
    this.#isAsked = isAsked;
    this.#storage = storage;
    this.#key = `chat-console:alerts-seen:${userId}`;
    this.#store.set({ seen: Number(storage.getItem(this.#key) ?? 0) });
    let badge = client.getState().badge;
    this.#off = [
      client.on('event', () => this.#soon(SETTLE_MS)),
      client.on('reset', () => {
        this.#store.set({ list: [], loaded: false });
        this.#soon(0);
      }),
      client.subscribe(() => {
        if (client.getState().badge === badge) return;
        badge = client.getState().badge;
        this.#soon(SETTLE_MS);
      }),
    ];
  }

  getState = (): AlertsState => this.#store.getState();
  subscribe = (listener: () => void): (() => void) => this.#store.subscribe(listener);

  async load(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (!this.#isAsked) return this.#store.set({ loaded: true });
    const newest = this.getState().list[0]?.id;
    try {
      const answer = await this.#client.api.alerts(newest === undefined ? undefined : String(newest));
      const list = merged(this.getState().list, answer.alerts);
      this.#store.set({
        list,
        loaded: true,
        waiting: answer.waiting_count,
        oldestWaitingSince: answer.oldest_waiting_since,
        callbacksDue: answer.callbacks_due,
      });
      // At the first sign-in the whole past is not shown as new.
      const first = this.#storage.getItem(this.#key) === null;
      // Numbers of a restored database begin lower than those seen of the previous one.
      const restored = newest === undefined && (list[0]?.id ?? 0) < this.getState().seen;
      if (first || restored) this.markSeen(list[0]?.id ?? 0);
    } catch {
      // The page says that it loads; the next turn asks again.
    } finally {
      this.#soon(REFRESH_MS);
    }
  }

  markSeen(seen = this.getState().list[0]?.id ?? this.getState().seen): void {
    this.#storage.setItem(this.#key, String(seen));
    this.#store.set({ seen });
  }

  destroy(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
    for (const off of this.#off) off();
  }

  /** The earliest of all wishes. */
  #soon(ms: number): void {
    const due = performance.now() + ms;
    if (this.#stopped || (this.#timer !== undefined && this.#due <= due)) return;
    clearTimeout(this.#timer);
    this.#due = due;
    this.#timer = setTimeout(() => void this.load(), ms);
  }
}

export const unseenCount = ({ list, seen }: Pick<AlertsState, 'list' | 'seen'>): number =>
  list.filter((alert) => alert.id > seen).length;
