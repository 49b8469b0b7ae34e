import type { CallbackPatch, CallbackStaff, CallbackStatus, StaffClient } from '@chat-realtime/client/staff';
import { createStore } from '../store.ts';

export interface CallbacksState {
  readonly list: ReadonlyMap<number, CallbackStaff>;
  readonly loaded: boolean;
}

/** The steps that rule CB5 allows, in the order in which they are offered. */
const STEPS: Readonly<Record<CallbackStatus, readonly CallbackStatus[]>> = {
  new: ['calling', 'assigned', 'cancelled'],
  assigned: ['calling', 'cancelled'],
  calling: ['done', 'no_answer', 'cancelled'],
  no_answer: ['calling', 'cancelled'],
  done: [],
  cancelled: [],
};
export const nextSteps = (status: CallbackStatus): readonly CallbackStatus[] => STEPS[status];
/** `ofSite`: what a site has a path for; which step follows which is its own matter. */
export const stepsOf = (status: CallbackStatus, ofSite: readonly CallbackStatus[] | null): readonly CallbackStatus[] =>
  ofSite === null ? STEPS[status] : isOpen({ status }) ? ofSite.filter((step) => step !== status) : [];
export const isOpen = (callback: Pick<CallbackStaff, 'status'>): boolean => STEPS[callback.status].length > 0;

export type DueGroup = 'overdue' | 'today' | 'later' | 'finished';

export function dueGroup(callback: CallbackStaff, now: number): DueGroup {
  if (!isOpen(callback)) return 'finished';
  const due = Date.parse(callback.due_at);
  if (due <= now) return 'overdue';
  const midnight = new Date(now);
  midnight.setHours(24, 0, 0, 0);
  return due < midnight.getTime() ? 'today' : 'later';
}

export function byDue(a: CallbackStaff, b: CallbackStaff): number {
  if (isOpen(a) !== isOpen(b)) return isOpen(a) ? -1 : 1;
  const [left, right] = [Date.parse(a.due_at), Date.parse(b.due_at)];
  return isOpen(a) ? left - right || a.id - b.id : right - left || b.id - a.id;
}

/** The count at «Звонки»: new requests, and calls that are overdue. */
export const callsToMake = (callbacks: Iterable<CallbackStaff>, now: number): number =>
  [...callbacks].filter((one) => one.status === 'new' || dueGroup(one, now) === 'overdue').length;

/** Its requests have no events of their own: they are read again when a chat tells of one, and once a minute. */
const SITE_EVERY_MS = 60_000;
const SITE_PAUSE_MS = 1_000;

export class Callbacks {
  readonly #client: StaffClient;
  /** A site keeps the requests, and lists them. */
  readonly #isOfSite: boolean;
  readonly #look: ReturnType<typeof setInterval> | undefined;
  readonly #store = createStore<CallbacksState>({ list: new Map(), loaded: false });
  readonly #off: (() => void)[];
  #retry: ReturnType<typeof setTimeout> | undefined;
  #soon: ReturnType<typeof setTimeout> | undefined;

  constructor(client: StaffClient, isOfSite = false) {
    this.#client = client;
    this.#isOfSite = isOfSite;
    if (isOfSite) this.#look = setInterval(() => this.refresh(), SITE_EVERY_MS);
    this.#off = [
      client.on('event', (event) => {
        if (event.type === 'chat.callback.staff') this.#put([event.data]);
        if (event.type === 'chat.callback') this.refresh();
      }),
      client.on('reset', () => {
        // Another database, whose times may be before those of the known rows.
        this.#store.set({ list: new Map(), loaded: false });
        void this.load();
      }),
    ];
  }

  getState = (): CallbacksState => this.#store.getState();
  subscribe = (listener: () => void): (() => void) => this.#store.subscribe(listener);

  /** Soon, and once for all requests in the meantime; a hidden tab does so when it becomes visible again. */
  refresh(): void {
    if (!this.#isOfSite || document.visibilityState !== 'visible') return;
    this.#soon ??= setTimeout(() => {
      this.#soon = undefined;
      void this.load();
    }, SITE_PAUSE_MS);
  }

  async load(): Promise<void> {
    clearTimeout(this.#retry);
    try {
      let page: string | undefined;
      do {
        const answer = await this.#client.api.callbacks({ limit: 200, page });
        // A request that a site no longer lists has ended.
        this.#put(answer.callbacks, this.#isOfSite ? new Map() : undefined);
        page = answer.next_page ?? undefined;
        // Finished ones of long ago interest nobody on this page.
      } while (page !== undefined && this.getState().list.size < 1_000);
      this.#store.set({ loaded: true });
    } catch {
      // The page says that it still loads; the attempt is repeated until it succeeds.
      this.#retry = setTimeout(() => void this.load(), this.#isOfSite ? SITE_EVERY_MS / 2 : 5_000);
    }
  }

  async update(id: number, patch: CallbackPatch): Promise<void> {
    this.#put([await this.#client.api.updateCallback(id, patch)]);
  }

  destroy(): void {
    clearTimeout(this.#retry);
    clearTimeout(this.#soon);
    clearInterval(this.#look);
    for (const off of this.#off) off();
  }

  #put(callbacks: readonly CallbackStaff[], beside: CallbacksState['list'] = this.getState().list): void {
    const list = new Map(beside);
    for (const callback of callbacks) {
      const known = list.get(callback.id);
      if (known === undefined || Date.parse(callback.updated_at) >= Date.parse(known.updated_at)) {
        list.set(callback.id, callback);
      }
    }
    this.#store.set({ list });
  }
}
