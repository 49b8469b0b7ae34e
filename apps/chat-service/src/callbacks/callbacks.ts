import type { CallbackTable, Database, Tables } from '@chat-realtime/database';
import {
  type CallbackStaff,
  type CallbackStatus,
  callbackStatusSchema,
  ChatError,
  type ConsentProof,
  OPEN_CALLBACK_STATUSES,
  seesCallback,
} from '@chat-realtime/protocol';
import type { CountryCode } from 'libphonenumber-js/max';
import type { Selectable, Transaction } from 'kysely';
import { requireOurs, type StorageContext } from '../storage/context.ts';
import { commitWork, changeSession } from '../storage/unit-of-work.ts';
import { findSession } from '../storage/find-session.ts';
import type { WorkUnit, SessionUnit } from '../storage/unit.ts';
import type { StaffActor } from '../actors.ts';
import { consentProof } from '../consent/consent-texts.ts';
import { requireOperator } from '../operators/known-operator.ts';
import { applyPatch, type CallbackPatch, type CallbackState } from './apply-patch.ts';
import { parsePhone } from './phone.ts';

export interface CallbackRequest {
  readonly phone: string;
  readonly name?: string | null | undefined;
  readonly preferred_at?: string | null | undefined;
  readonly comment?: string | null | undefined;
  readonly consent: unknown;
}

export interface CallbacksConfig {
  readonly defaultCountry: CountryCode;
  /** Minutes after the request in which a call without an appointment is due. */
  readonly dueMinutes: () => Promise<number>;
}

/** The part that the customer sees. */
export interface CallbackData extends Record<string, unknown> {
  readonly id: number;
  readonly status: CallbackStatus;
  readonly preferred_at: string | null;
}

type Row = Selectable<CallbackTable>;
/** A session's callback is changed under its session's lock, one without a session in a transaction of its own. */
type Unit =
  | { readonly kind: 'session'; readonly unit: SessionUnit }
  | { readonly kind: 'sessionless'; readonly unit: WorkUnit };

/**
 * Callback requests. The customer sees the status and the time. Phone number and handling are visible to staff only.
 */
export class Callbacks {
  readonly #database: Database;
  readonly #context: StorageContext;
  readonly #config: CallbacksConfig;

  constructor(database: Database, context: StorageContext, config: CallbacksConfig) {
    this.#database = database;
    this.#context = context;
    this.#config = config;
  }

  async request(sessionId: number | null, request: CallbackRequest): Promise<CallbackData> {
    const { e164, extension } = parsePhone(request.phone, this.#config.defaultCountry);
    // E.164 has no room for an extension, so it goes into the comment for the operator. «доб.» is how Russian phone
    // numbers abbreviate “extension”.
    const comment = [request.comment, extension === undefined ? null : `доб. ${extension}`]
      .filter((part) => part)
      .join('\n');
    const preferredAt = request.preferred_at ? new Date(request.preferred_at) : null;
    // Read before the transaction: inside it, this would need a second connection.
    const dueMinutes = await this.#config.dueMinutes();
    const row = await this.#within(sessionId, async (unit) => {
      const inserted = await unit.unit.trx
        .insertInto('chat_callback')
        .values({
          session_id: sessionId,
          phone: e164,
          name: request.name ?? null,
          comment: comment === '' ? null : comment,
          preferred_at: preferredAt,
          due_at: preferredAt ?? dueAfter(new Date(), dueMinutes),
          consent: JSON.stringify(request.consent ?? null),
        })
        .returningAll()
        .executeTakeFirstOrThrow();
      await this.#publish(unit, inserted, null, true);
      return inserted;
    });
    return callbackData(row);
  }

  async update(actor: StaffActor, id: number, patch: CallbackPatch): Promise<CallbackStaff> {
    requireOurs(this.#context, actor);
    const known = await this.#visible(actor, id);
    const dueMinutes = await this.#config.dueMinutes();
    const row = await this.#within(known.session_id, async (unit) => {
      const current = await unit.unit.trx
        .selectFrom('chat_callback')
        .selectAll()
        .where('id', '=', id)
        .forUpdate()
        .executeTakeFirst();
      if (current === undefined) throw new ChatError('not_found', 'no such callback');
      const change = applyPatch(actor, stateOf(current), patch);
      if (change === undefined) return current;
      const { assignedUserId: to } = change;
      if (to !== null && to !== current.assigned_user_id && to !== actor.userId)
        await requireOperator(unit.unit.trx, to, 'assigned_user_id');
      const dueAt = change.preferredAt ?? dueAfter(current.created_at, dueMinutes);
      const isMoved = change.preferredAt?.getTime() !== current.preferred_at?.getTime();
      const changed = await unit.unit.trx
        .updateTable('chat_callback')
        .set({
          status: change.status,
          assigned_user_id: change.assignedUserId,
          result: change.result,
          preferred_at: change.preferredAt,
          ...(isMoved ? { due_at: dueAt } : {}),
          version: current.version + 1,
          updated_at: new Date(),
        })
        .where('id', '=', id)
        .returningAll()
        .executeTakeFirstOrThrow();
      await this.#publish(unit, changed, actor.userId, isMoved || changed.status !== current.status);
      return changed;
    });
    return callbackStaff(row);
  }

  /** The text they agreed to when they asked. */
  async consent(actor: StaffActor, id: number): Promise<ConsentProof | null> {
    const row = await this.#visible(actor, id);
    return consentProof(this.#database.kysely, row.consent, row.created_at);
  }

  #within<T>(sessionId: number | null, work: (unit: Unit) => Promise<T>): Promise<T> {
    if (sessionId === null) return commitWork(this.#context, (unit) => work({ kind: 'sessionless', unit }));
    return changeSession(this.#context, sessionId, (unit) => work({ kind: 'session', unit }));
  }

  /** A callback is hidden from operators who may not see its session. */
  async #visible(actor: StaffActor, id: number): Promise<Row> {
    const row = await this.#database.kysely
      .selectFrom('chat_callback')
      .selectAll()
      .where('id', '=', id)
      .executeTakeFirst();
    if (row === undefined) throw new ChatError('not_found', 'no such callback');
    const session = row.session_id === null ? null : await findSession(this.#context, row.session_id);
    if (!seesCallback(actor, session?.assignedUserId ?? null, row.assigned_user_id))
      throw new ChatError('not_found', 'no such callback');
    return row;
  }

  async #publish(unit: Unit, row: Row, actorId: string | null, customerIsConcerned: boolean): Promise<void> {
    if (unit.kind === 'session') {
      const pending = await isPending(unit.unit.trx, unit.unit.session.id);
      if (pending !== unit.unit.session.callbackPending) unit.unit.patch({ callback_pending: pending });
      if (customerIsConcerned) await unit.unit.append({ type: 'chat.callback', data: callbackData(row) }, actorId);
    }
    await unit.unit.appendStaffOnly({ type: 'chat.callback.staff', data: { ...callbackStaff(row) }, actorId });
  }
}

function dueAfter(time: Date, minutes: number): Date {
  return new Date(time.getTime() + minutes * 60_000);
}

/** Whether the customer still waits for a call. An unanswered call is still pending. */
export async function isPending(trx: Transaction<Tables>, sessionId: number): Promise<boolean> {
  const open = await trx
    .selectFrom('chat_callback')
    .select('id')
    .where('session_id', '=', sessionId)
    .where('status', 'in', OPEN_CALLBACK_STATUSES)
    .limit(1)
    .executeTakeFirst();
  return open !== undefined;
}

function stateOf(row: Row): CallbackState {
  return {
    status: callbackStatusSchema.parse(row.status),
    assignedUserId: row.assigned_user_id,
    result: row.result,
    preferredAt: row.preferred_at,
  };
}

export function callbackData(row: Row): CallbackData {
  return {
    id: row.id,
    status: callbackStatusSchema.parse(row.status),
    preferred_at: row.preferred_at?.toISOString() ?? null,
  };
}

export function callbackStaff(row: Row): CallbackStaff {
  return {
    id: row.id,
    session_id: row.session_id,
    status: callbackStatusSchema.parse(row.status),
    phone: row.phone,
    name: row.name,
    comment: row.comment,
    preferred_at: row.preferred_at?.toISOString() ?? null,
    due_at: row.due_at.toISOString(),
    assigned_user_id: row.assigned_user_id,
    result: row.result,
    created_at: row.created_at.toISOString(),
    updated_at: row.updated_at.toISOString(),
  };
}
