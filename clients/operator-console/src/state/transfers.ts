import type { StaffClient, StaffEvent } from '@chat-realtime/client/staff';
import { createStore } from '../store.ts';

/** A chat that a colleague has given to this operator. */
export interface Transfer {
  readonly sessionId: number;
  /** Id of the giver; `system` for a timeout. */
  readonly by: string;
  readonly at: string;
  readonly seen: boolean;
}

const KEEP = 50;
const GATHER_MS = 300;

export function transferOf(event: StaffEvent, userId: string, now: string): Transfer | null {
  if (event.type !== 'chat.session.assigned' || event.seq === null) return null;
  const { assigned_user_id: to, by } = event.data;
  return to === userId && by !== userId ? { sessionId: event.session_id, by, at: now, seen: false } : null;
}

function isTransfer(value: unknown): value is Transfer {
  return typeof value === 'object' && value !== null && 'sessionId' in value && 'by' in value && 'at' in value;
}

function stored(text: string | null): Transfer[] {
  try {
    const value: unknown = JSON.parse(text ?? '[]');
    return Array.isArray(value) ? value.filter(isTransfer) : [];
  } catch (error) {
    // Written by hand or by another version: begin with none rather than not at all.
    if (error instanceof SyntaxError) return [];
    throw error;
  }
}

/**
 * Chats that colleagues transferred to this operator, newest first; kept across a reload. Several at once cause one
 * notice.
 */
export class Transfers {
  readonly #storage: Pick<Storage, 'getItem' | 'setItem'>;
  readonly #key: string;
  readonly #store;
  readonly #off: () => void;
  #came: Transfer[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    client: Pick<StaffClient, 'on'>,
    storage: Pick<Storage, 'getItem' | 'setItem'>,
    userId: string,
    onTransfers: (came: readonly Transfer[]) => void,
  ) {
    this.#storage = storage;
    this.#key = `chat-console:transfers:${userId}`;
    this.#store = createStore<{ readonly list: readonly Transfer[] }>({ list: stored(storage.getItem(this.#key)) });
    this.#off = client.on('event', (event) => {
      const transfer = transferOf(event, userId, new Date().toISOString());
      if (transfer === null) return;
      this.#came.push(transfer);
      this.#timer ??= setTimeout(() => {
        const came = this.#came;
        this.#came = [];
        this.#timer = undefined;
        const known = this.getState().list.filter((old) => !came.some((one) => one.sessionId === old.sessionId));
        this.#keep([...came.toReversed(), ...known]);
        onTransfers(came);
      }, GATHER_MS);
    });
  }

  getState = () => this.#store.getState();
  subscribe = (listener: () => void): (() => void) => this.#store.subscribe(listener);

  /** Opened, or shown on the page of alerts. */
  markSeen(sessionId?: number): void {
    const { list } = this.getState();
    const fits = (one: Transfer): boolean => !one.seen && (sessionId === undefined || one.sessionId === sessionId);
    if (list.some(fits)) this.#keep(list.map((one) => (fits(one) ? { ...one, seen: true } : one)));
  }

  destroy(): void {
    clearTimeout(this.#timer);
    this.#off();
  }

  #keep(list: readonly Transfer[]): void {
    this.#store.set({ list: list.slice(0, KEEP) });
    this.#storage.setItem(this.#key, JSON.stringify(this.getState().list));
  }
}

export const unseenTransfers = ({ list }: { readonly list: readonly Transfer[] }): number =>
  list.filter((one) => !one.seen).length;
