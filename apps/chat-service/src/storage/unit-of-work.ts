import type { Tables } from '@chat-realtime/database';
import type { BrokerEphemeral } from '@chat-realtime/protocol';
import { sql, type Transaction } from 'kysely';
import type { SessionRecord } from './session-record.ts';
import { renderSession } from './render.ts';
import {
  assigneeOf,
  type SessionState,
  stateFrom,
  statusName,
  type Transition,
  type WaitingChange,
} from './session-state.ts';
import type { Appended, WorkUnit, NewEvent, StaffOnlyEvent, SessionPatch, SessionUnit } from './unit.ts';
import { type StorageContext, sessionNotFound } from './context.ts';
import { translated } from './errors.ts';
import { readSession } from './session-rows.ts';

interface EventValues {
  readonly sessionId: number | null;
  readonly seq: number | null;
  readonly type: string;
  readonly actorId: string | null;
  readonly actorName: string | null;
  readonly body: string | null;
  readonly data: Record<string, unknown> | null;
  readonly staffData: Record<string, unknown> | null;
  readonly assignedUserId: string | null;
  readonly previousUserId: string | null;
  /** The new event is no earlier than this. */
  readonly notBefore: Date | null;
}

function json(value: Record<string, unknown> | null): string | null {
  return value === null ? null : JSON.stringify(value);
}

async function insertEvent(trx: Transaction<Tables>, event: EventValues): Promise<Appended> {
  const result = await sql<{ id: number; created_at: Date }>`
    WITH event AS (
      INSERT INTO chat_event (session_id, seq, type, created_at, actor_id, actor_name, body, data, staff_data, assigned_user_id, previous_user_id)
      VALUES (${event.sessionId}::bigint, ${event.seq}::bigint, ${event.type},
        GREATEST(clock_timestamp()::timestamptz(3), ${event.notBefore}::timestamptz), ${event.actorId}, ${event.actorName}, ${event.body},
        ${json(event.data)}::jsonb, ${json(event.staffData)}::jsonb, ${event.assignedUserId}, ${event.previousUserId})
      RETURNING id, created_at),
    relayed AS (INSERT INTO outbox (event_id) SELECT id FROM event)
    SELECT id, created_at FROM event`.execute(trx);
  const [row] = result.rows;
  if (row === undefined) throw new Error('an inserted event was not returned');
  return { id: row.id, seq: event.seq, createdAt: row.created_at };
}

class Unit implements WorkUnit {
  readonly trx: Transaction<Tables>;
  readonly ephemerals: BrokerEphemeral[] = [];

  constructor(trx: Transaction<Tables>) {
    this.trx = trx;
  }

  ephemeral(message: BrokerEphemeral): void {
    this.ephemerals.push(message);
  }

  appendStaffOnly(event: StaffOnlyEvent): Promise<Appended> {
    return insertEvent(this.trx, staffOnlyValues(event, null));
  }
}

function staffOnlyValues(event: StaffOnlyEvent, session: SessionRecord | null): EventValues {
  const note = event.type === 'chat.note';
  return {
    sessionId: session?.id ?? null,
    seq: null,
    type: event.type,
    actorId: note ? event.authorId : (event.actorId ?? null),
    actorName: note ? event.authorName : null,
    body: note ? event.body : null,
    data: note ? null : event.data,
    staffData: null,
    assignedUserId: session?.assignedUserId ?? null,
    previousUserId: null,
    notBefore: null,
  };
}

class LockedUnit extends Unit implements SessionUnit {
  session: SessionRecord;
  /** The assignee before this transaction changed it. */
  #previousUserId: string | null = null;
  #changed = false;
  #stateChanged = false;

  constructor(trx: Transaction<Tables>, session: SessionRecord) {
    super(trx);
    this.session = session;
  }

  override appendStaffOnly(event: StaffOnlyEvent): Promise<Appended> {
    return insertEvent(this.trx, staffOnlyValues(event, this.session));
  }

  async append(event: NewEvent, actorId: string | null): Promise<Appended> {
    const { session } = this;
    const seq = session.lastSeq + 1;
    const appended = await insertEvent(this.trx, {
      sessionId: session.id,
      seq,
      type: event.type,
      actorId,
      actorName: null,
      body: null,
      data: eventData(event, session, seq),
      staffData: event.type === 'chat.session.created' ? event.staffData : null,
      assignedUserId: session.assignedUserId,
      previousUserId: this.#previousUserId,
      notBefore: session.updatedAt,
    });
    // Erasing something old is not activity in the chat: it keeps its place in lists by activity.
    const updatedAt = event.type === 'chat.erased' ? session.updatedAt : appended.createdAt;
    this.session = { ...session, lastSeq: seq, updatedAt };
    this.#changed = true;
    return appended;
  }

  patch(changes: SessionPatch): void {
    const { session } = this;
    const { callback_pending: callbackPending, customer_id: customerId, ...contact } = changes;
    this.session = {
      ...session,
      ...(callbackPending === undefined ? {} : { callbackPending }),
      ...(customerId === undefined ? {} : { customerId }),
      contact: { ...session.contact, ...contact },
    };
    this.#changed = true;
  }

  setState(state: SessionState, waiting: WaitingChange): void {
    const { session } = this;
    const assignee = assigneeOf(state);
    if (session.assignedUserId !== (assignee?.id ?? null)) this.#previousUserId = session.assignedUserId;
    this.session = {
      ...session,
      status: statusName(state),
      assignedUserId: assignee?.id ?? null,
      assignedUserName: assignee?.name ?? null,
      ...waitingAfter(session, waiting),
    };
    this.#changed = true;
    this.#stateChanged = true;
  }

  async flush(): Promise<void> {
    if (!this.#changed) return;
    const { session } = this;
    this.session = { ...session, version: session.version + 1 };
    let update = this.trx
      .updateTable('chat_session')
      .set({
        last_seq: session.lastSeq,
        version: this.session.version,
        updated_at: session.updatedAt,
        callback_pending: session.callbackPending,
        customer_id: session.customerId,
        // From now on only identity opens the session.
        ...(session.customerId === null
          ? {}
          : { resume_key_ended_at: sql<Date>`COALESCE(resume_key_ended_at, clock_timestamp())` }),
        name: session.contact.name,
        email: session.contact.email,
        phone: session.contact.phone,
      })
      .where('id', '=', session.id);
    if (this.#stateChanged) {
      update = update.set((eb) => ({
        status: session.status,
        assigned_user_id: session.assignedUserId,
        assigned_user_name: session.assignedUserName,
        waiting_since: session.waitingSince,
        closed_waiting_since: session.closedWaitingSince,
        waiting_round: session.waitingRound,
        closed_at: session.status === 'closed' ? session.updatedAt : null,
        assigned_at: eb
          .case()
          .when(sql<boolean>`assigned_user_id IS NOT DISTINCT FROM ${session.assignedUserId}`)
          .then(eb.ref('assigned_at'))
          .else(session.assignedUserId === null ? null : session.updatedAt)
          .end(),
      }));
    }
    await update.execute();
    this.#changed = false;
    this.#stateChanged = false;
  }
}

type Waiting = Pick<SessionRecord, 'waitingSince' | 'closedWaitingSince' | 'waitingRound'>;

function waitingAfter({ waitingSince, closedWaitingSince, waitingRound }: Waiting, change: WaitingChange): Waiting {
  switch (change) {
    case 'stays':
      return { waitingSince, closedWaitingSince, waitingRound };
    case 'hidden':
      return { waitingSince: null, closedWaitingSince: waitingSince, waitingRound };
    case 'back':
      return { waitingSince: closedWaitingSince, closedWaitingSince: null, waitingRound: waitingRound + 1 };
    case 'over':
      return { waitingSince: null, closedWaitingSince: null, waitingRound };
  }
}

function eventData(event: NewEvent, session: SessionRecord, seq: number): Record<string, unknown> {
  switch (event.type) {
    case 'chat.session.created':
      return {
        session: renderSession({ ...session, lastSeq: seq, version: session.version + 1 }),
      };
    case 'chat.session.assigned':
      return { assigned_user_id: session.assignedUserId, assigned_user_name: session.assignedUserName, by: event.by };
    case 'chat.session.status':
      return {
        status: session.status,
        previous: event.previous,
        reason: event.reason,
        ...(event.by === undefined ? {} : { by: event.by }),
      };
    case 'chat.callback':
      return { ...event.data, callback_pending: session.callbackPending };
    case 'chat.erased':
      return { ...event.data };
  }
}

/** Applies the state machine's transition to the session, and appends its event. */
export async function applyTransition(
  unit: SessionUnit,
  transition: Transition,
  actorId: string | null,
): Promise<void> {
  if (transition.events.length === 0) return;
  unit.setState(transition.next, transition.waiting);
  for (const event of transition.events) await unit.append(event, actorId);
}

export function stateOf(session: SessionRecord): SessionState {
  return stateFrom(session.status, session.assignedUserId, session.assignedUserName);
}

function afterCommit(context: StorageContext, unit: Unit): void {
  context.committed();
  for (const message of unit.ephemerals) context.ephemeral(message);
}

export function lockSession(trx: Transaction<Tables>, sessionId: number): Promise<unknown> {
  return sql`SELECT chat_lock_session(${sessionId}::bigint)`.execute(trx);
}

/**
 * One transaction under the session's lock: what `work` appends gets the next numbers, and what it does through
 * `unit.trx` is committed with it. The database may have a single connection, so `work` must do nothing but queries on
 * `unit.trx` and calls of `unit`. Throws `session_not_found`.
 */
export async function commitSession<T>(
  context: StorageContext,
  sessionId: number,
  work: (unit: SessionUnit) => Promise<T>,
): Promise<{ result: T; session: SessionRecord }> {
  const done = await translated(() =>
    context.database.kysely.transaction().execute(async (trx) => {
      // First and separately: the lock takes no transaction id, so ids rise in the order of the lock.
      await lockSession(trx, sessionId);
      const session = await readSession(trx, sessionId);
      if (session === null) throw sessionNotFound();
      const unit = new LockedUnit(trx, session);
      const result = await work(unit);
      await unit.flush();
      return { result, unit };
    }),
  );
  afterCommit(context, done.unit);
  return { result: done.result, session: done.unit.session };
}

/** The same, for callers that only need the result. */
export async function changeSession<T>(
  context: StorageContext,
  sessionId: number,
  work: (unit: SessionUnit) => Promise<T>,
): Promise<T> {
  return (await commitSession(context, sessionId, work)).result;
}

/** A transaction without a session: only staff-only events can be appended. */
export async function commitWork<T>(context: StorageContext, work: (unit: WorkUnit) => Promise<T>): Promise<T> {
  const done = await translated(() =>
    context.database.kysely.transaction().execute(async (trx) => {
      const unit = new Unit(trx);
      return { result: await work(unit), unit };
    }),
  );
  afterCommit(context, done.unit);
  return done.result;
}

/** For the creation of a session, whose row is new in this very transaction: nobody else can know its id. */
export async function appendToNew(
  trx: Transaction<Tables>,
  session: SessionRecord,
  staffData: Record<string, unknown>,
): Promise<SessionRecord> {
  const unit = new LockedUnit(trx, session);
  await unit.append({ type: 'chat.session.created', staffData }, null);
  await unit.flush();
  return unit.session;
}
