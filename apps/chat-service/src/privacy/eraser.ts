import { type Database, recordAudit } from '@chat-realtime/database';
import type { ErasedKind } from '@chat-realtime/protocol';
import { sql } from 'kysely';
import { callbackData, callbackStaff, isPending } from '../callbacks/callbacks.ts';
import type { StorageContext } from '../storage/context.ts';
import { commitWork, changeSession } from '../storage/unit-of-work.ts';
import type { SessionUnit } from '../storage/unit.ts';
import type { StaffActor } from '../actors.ts';
import { SYSTEM_ACTOR } from '../lifecycle/transition.ts';
import { translated } from '../storage/errors.ts';
import { customerSessions } from './customer-sessions.ts';
import {
  ERASE_BATCH,
  type EraseBound,
  eraseBanReasons,
  eraseCallbacks,
  eraseContact,
  eraseFiles,
  eraseTexts,
  hasContact,
} from './erase-batches.ts';
import { emptyOldRefused, emptyRefused } from './refused-events.ts';

/** Removes the bytes of erased files while there is time; what cannot be removed is left for the next run. */
export interface ErasedFiles {
  removeErased(
    hasTime?: () => boolean,
    sessionId?: number,
  ): Promise<{ readonly removed: number; readonly failures: readonly unknown[] }>;
}

const ALL: readonly ErasedKind[] = ['messages', 'files', 'contacts', 'callbacks'];

/** Chats whose old callback requests are erased in one go. */
const CALLBACK_SESSIONS = 100;

interface Progress {
  throughSeq: number;
  throughId: number;
  readonly done: Set<ErasedKind>;
}

/**
 * Erases the content of a chat. Rows and seq stay. A long chat is erased in several transactions, and the last one
 * publishes the event, so that clients get it when it is true.
 */
export class Eraser {
  readonly #database: Database;
  readonly #context: StorageContext;
  readonly #files: ErasedFiles;

  constructor(database: Database, context: StorageContext, files: ErasedFiles) {
    this.#database = database;
    this.#context = context;
    this.#files = files;
  }

  /** Everything written in a session so far, and who the customer is. */
  async eraseSession(actor: StaffActor, sessionId: number, details: Record<string, unknown> = {}): Promise<void> {
    await this.#erase(sessionId, ALL, { kind: 'all' }, async (unit) => {
      await eraseBanReasons(unit.trx, sessionId);
      await recordAudit(unit.trx, { actor, action: 'session.erased', subject: `session:${sessionId}`, details });
    });
    // They are no longer served. A file that cannot be removed now is found, and reported, by the sweep.
    await this.#files.removeErased(undefined, sessionId);
  }

  /** Erases all chats of a customer, one after the other. Returns how many. */
  async eraseCustomer(actor: StaffActor, customerId: string): Promise<number> {
    let count = 0;
    for await (const id of customerSessions(this.#database.kysely, customerId)) {
      await this.eraseSession(actor, id, { scope: 'customer' });
      count += 1;
    }
    return count;
  }

  /** Content older than `at`, of these kinds. Returns the kinds of which there was any. */
  async eraseBefore(sessionId: number, kinds: readonly ErasedKind[], at: Date): Promise<ReadonlySet<ErasedKind>> {
    return this.#erase(sessionId, kinds, { kind: 'before', at }, async () => undefined);
  }

  /** Callback requests that belong to no chat, one batch of them. Returns how many, and whether there may be more. */
  async eraseLooseCallbacks(at: Date): Promise<{ readonly count: number; readonly more: boolean }> {
    return commitWork(this.#context, async (unit) => {
      const rows = await eraseCallbacks(unit.trx, null, { kind: 'before', at });
      for (const row of rows)
        await unit.appendStaffOnly({ type: 'chat.callback.staff', data: { ...callbackStaff(row) } });
      return { count: rows.length, more: rows.length === ERASE_BATCH };
    });
  }

  async emptyOldRefused(at: Date, hasTime: () => boolean): Promise<void> {
    await emptyOldRefused(this.#database, at, hasTime);
  }

  /** A sweep is logged as one entry: it may have erased content of thousands of chats. */
  async record(details: Record<string, number>): Promise<void> {
    const actor = { userId: SYSTEM_ACTOR, name: null };
    await translated(() =>
      recordAudit(this.#database.kysely, { actor, action: 'retention.erased', subject: null, details }),
    );
  }

  /** Sessions after `afterId`, in order. */
  async sessionsWithOldCallbacks(afterId: number, at: Date): Promise<number[]> {
    const rows = await translated(() =>
      this.#database.kysely
        .selectFrom('chat_callback')
        .select('session_id')
        .distinct()
        .where('erased_at', 'is', null)
        .where('created_at', '<', at)
        .where('session_id', '>', afterId)
        .orderBy('session_id')
        .limit(CALLBACK_SESSIONS)
        .execute(),
    );
    return rows.flatMap(({ session_id }) => (session_id === null ? [] : [session_id]));
  }

  async #erase(
    sessionId: number,
    kinds: readonly ErasedKind[],
    bound: EraseBound,
    last: (unit: SessionUnit) => Promise<void>,
  ): Promise<ReadonlySet<ErasedKind>> {
    const progress: Progress = { throughSeq: 0, throughId: 0, done: new Set() };
    for (let more = true; more; ) {
      more = await changeSession(this.#context, sessionId, async (unit) => {
        const full = await this.#batch(unit, kinds, bound, progress);
        if (full) return true;
        await last(unit);
        if (bound.kind === 'all') await emptyRefused(unit.trx, sessionId);
        if (bound.kind === 'all' || progress.done.size > 0) {
          await unit.append(
            {
              type: 'chat.erased',
              data: {
                scope: bound.kind === 'all' ? 'session' : 'before',
                ...(bound.kind === 'all' ? {} : { through_seq: Math.max(1, progress.throughSeq) }),
                through_id: bound.kind === 'all' ? unit.session.lastMessageId : progress.throughId,
                kinds: kinds.filter((kind) => bound.kind === 'all' || progress.done.has(kind)),
              },
            },
            null,
          );
        }
        await this.#markLooked(unit, kinds, bound);
        return false;
      });
    }
    return progress.done;
  }

  /** One transaction's worth; true if a kind was not finished. */
  async #batch(
    unit: SessionUnit,
    kinds: readonly ErasedKind[],
    bound: EraseBound,
    progress: Progress,
  ): Promise<boolean> {
    const { trx, session } = unit;
    const { id } = session;
    let full = false;
    const note = (kind: ErasedKind, rows: { count: number; throughSeq: number; throughId: number }): void => {
      if (rows.count > 0) progress.done.add(kind);
      progress.throughSeq = Math.max(progress.throughSeq, rows.throughSeq);
      progress.throughId = Math.max(progress.throughId, rows.throughId);
      full ||= rows.count === ERASE_BATCH;
    };
    if (kinds.includes('messages')) note('messages', await eraseTexts(trx, id, bound));
    if (kinds.includes('files')) note('files', await eraseFiles(trx, id, bound));
    if (kinds.includes('callbacks')) {
      const rows = await eraseCallbacks(trx, id, bound);
      if (rows.length > 0) progress.done.add('callbacks');
      full ||= rows.length === ERASE_BATCH;
      // Before the events, which report it.
      if (rows.length > 0) unit.patch({ callback_pending: await isPending(trx, id) });
      for (const row of rows) {
        if (row.status !== row.was) await unit.append({ type: 'chat.callback', data: { ...callbackData(row) } }, null);
        await unit.appendStaffOnly({ type: 'chat.callback.staff', data: { ...callbackStaff(row) } });
      }
    }
    if (kinds.includes('contacts')) {
      await eraseContact(trx, id);
      unit.patch({ name: null, email: null, phone: null });
      progress.done.add('contacts');
    }
    return full;
  }

  /** Content that the sweep need not examine again until something new is old enough. */
  async #markLooked(unit: SessionUnit, kinds: readonly ErasedKind[], bound: EraseBound): Promise<void> {
    const head = unit.session.lastSeq;
    const isWhole = (column: 'body' | 'attachments') =>
      bound.kind === 'all'
        ? sql`true`
        : column === 'body'
          ? sql`NOT EXISTS (SELECT 1 FROM chat_event e WHERE e.session_id = s.id AND e.type IN ('chat.message', 'chat.note') AND e.erased_at IS NULL)`
          : sql`NOT EXISTS (SELECT 1 FROM chat_event e WHERE e.session_id = s.id AND e.type = 'chat.message' AND e.attachments IS NOT NULL)`;
    if (kinds.includes('messages'))
      await sql`UPDATE chat_session s SET texts_erased_seq = ${head}::bigint WHERE s.id = ${unit.session.id}::bigint AND ${isWhole('body')}`.execute(
        unit.trx,
      );
    if (kinds.includes('files'))
      await sql`UPDATE chat_session s SET files_erased_seq = ${head}::bigint WHERE s.id = ${unit.session.id}::bigint AND ${isWhole('attachments')}`.execute(
        unit.trx,
      );
  }

  /** Sessions after `afterId` that may have something to erase, among the next `limit` ones. */
  async candidates(
    afterId: number,
    limit: number,
    cutoffs: { readonly messages: Date | null; readonly files: Date | null; readonly contacts: Date | null },
  ): Promise<{ readonly sessions: readonly { id: number; kinds: ErasedKind[] }[]; readonly lastId: number | null }> {
    const result = await translated(() =>
      sql<{ id: number; texts: boolean; files: boolean; contacts: boolean }>`
        SELECT s.id,
          (${cutoffs.messages}::timestamptz IS NOT NULL AND s.created_at < ${cutoffs.messages} AND s.texts_erased_seq < s.last_seq
            AND EXISTS (SELECT 1 FROM chat_event e WHERE e.session_id = s.id AND e.type IN ('chat.message', 'chat.note')
              AND e.erased_at IS NULL AND e.created_at < ${cutoffs.messages})) AS texts,
          (${cutoffs.files}::timestamptz IS NOT NULL AND s.created_at < ${cutoffs.files} AND s.files_erased_seq < s.last_seq
            AND EXISTS (SELECT 1 FROM chat_event e WHERE e.session_id = s.id AND e.type = 'chat.message'
              AND e.attachments IS NOT NULL AND e.created_at < ${cutoffs.files})) AS files,
          (${cutoffs.contacts}::timestamptz IS NOT NULL AND s.updated_at < ${cutoffs.contacts}
            AND ${hasContact()}) AS contacts
        FROM (SELECT * FROM chat_session o WHERE o.id > ${afterId}::bigint ORDER BY o.id LIMIT ${limit}) s
        ORDER BY s.id`.execute(this.#database.kysely),
    );
    const sessions = result.rows.flatMap(({ id, texts, files, contacts }) => {
      const kinds: ErasedKind[] = [];
      if (texts) kinds.push('messages');
      if (files) kinds.push('files');
      if (contacts) kinds.push('contacts');
      return kinds.length === 0 ? [] : [{ id, kinds }];
    });
    return { sessions, lastId: result.rows.length === limit ? (result.rows.at(-1)?.id ?? null) : null };
  }
}
