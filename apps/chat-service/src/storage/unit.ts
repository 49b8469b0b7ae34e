import type { DatabaseTransaction } from '@chat-realtime/database';
import type { BrokerEphemeral, ErasedData } from '@chat-realtime/protocol';
import type { SessionRecord } from './session-record.ts';
import type { SessionState, TransitionEvent, WaitingChange } from './session-state.ts';

/** A durable event of a session; messages go through `postMessage`. */
export type NewEvent =
  | { readonly type: 'chat.session.created'; readonly staffData: Record<string, unknown> }
  | TransitionEvent
  /** Without `callback_pending`, which is the session's at that moment: patch that first. */
  | { readonly type: 'chat.callback'; readonly data: Record<string, unknown> }
  | { readonly type: 'chat.erased'; readonly data: ErasedData };

/** Staff-only event: no seq, durable in the feed. */
export type StaffOnlyEvent =
  | { readonly type: 'chat.note'; readonly authorId: string; readonly authorName: string | null; readonly body: string }
  | {
      readonly type: 'chat.callback.staff';
      readonly data: Record<string, unknown>;
      /** The `sub` of the operator who changed it. */
      readonly actorId?: string | null;
    };

export interface Appended {
  readonly id: number;
  readonly seq: number | null;
  readonly createdAt: Date;
}

export interface WorkUnit {
  readonly trx: DatabaseTransaction;
  appendStaffOnly(event: StaffOnlyEvent): Promise<Appended>;
  /** Sent after the commit, best effort. */
  ephemeral(message: BrokerEphemeral): void;
}

/** Columns of a session that an operation outside this module may set. */
export interface SessionPatch {
  callback_pending?: boolean;
  customer_id?: string | null;
  name?: string | null;
  email?: string | null;
  phone?: string | null;
}

export interface SessionUnit extends WorkUnit {
  /** As it stands under the lock; follows `append`, `patch` and `setState`. */
  readonly session: SessionRecord;
  /** `actorId`: the operator's `sub`; null for the customer and the system. */
  append(event: NewEvent, actorId: string | null): Promise<Appended>;
  patch(changes: SessionPatch): void;
  /** Moves the session; the events that tell of it are appended by the caller. */
  setState(state: SessionState, waiting: WaitingChange): void;
  /** Writes what is pending before the end, for a statement of this transaction that must see it. `session` is not read again. */
  flush(): Promise<void>;
}
