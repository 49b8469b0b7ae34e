import type { Database, QuickReplyTable, Tables } from '@chat-realtime/database';
import {
  ChatError,
  type NewQuickReply,
  QUICK_REPLIES_MAX,
  type QuickRepliesResponse,
  type QuickReply,
  type QuickReplyPatch,
  shortcutKey,
} from '@chat-realtime/protocol';
import { type Selectable, sql, type Transaction } from 'kysely';
import type { StaffActor } from '../actors.ts';
import { fieldError } from '../field-error.ts';
import { translated } from '../storage/errors.ts';
import { boundedRows, textBytes } from '../storage/page-bytes.ts';

/** Class of the lock under which the list is changed: its length and its shortcuts are checked before a row is written. */
const LOCK_CLASS = 1_129_595_219;

function render(row: Selectable<QuickReplyTable>): QuickReply {
  const { id, shortcut, title, text } = row;
  return { id, shortcut, title, text, updated_at: row.updated_at.toISOString(), updated_by: row.updated_by };
}

function notFound(): ChatError {
  return new ChatError('quick_reply_not_found', 'no such quick reply');
}

async function requireFree(trx: Transaction<Tables>, key: string, own: number | null): Promise<void> {
  const taken = await trx.selectFrom('quick_reply').select('id').where('shortcut_key', '=', key).executeTakeFirst();
  if (taken === undefined || taken.id === own) return;
  throw new ChatError('shortcut_taken', 'another quick reply has this shortcut', { details: { id: taken.id } });
}

/** Texts that operators send often. All operators share one list. */
export class QuickReplies {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** In the order of their shortcuts; a page is named by the last shortcut of the one before. */
  async list(page?: string): Promise<QuickRepliesResponse> {
    const after = page === undefined ? sql`true` : sql`q.shortcut_key > ${page}`;
    const { rows, more } = await translated(() =>
      boundedRows<Selectable<QuickReplyTable>>(this.#database.kysely, {
        rows: sql`SELECT q.* FROM quick_reply q WHERE ${after} ORDER BY q.shortcut_key LIMIT ${QUICK_REPLIES_MAX + 1}::bigint`,
        bytes: textBytes('shortcut', 'title', 'text', 'updated_by'),
        order: sql`r.shortcut_key`,
        limit: QUICK_REPLIES_MAX,
      }),
    );
    return { quick_replies: rows.map(render), next_page: more ? (rows.at(-1)?.shortcut_key ?? null) : null };
  }

  add(actor: StaffActor, { shortcut, title, text }: NewQuickReply): Promise<QuickReply> {
    return this.#change(async (trx) => {
      const { count } = await trx
        .selectFrom('quick_reply')
        .select((eb) => eb.fn.countAll<number>().as('count'))
        .executeTakeFirstOrThrow();
      const key = shortcutKey(shortcut);
      await requireFree(trx, key, null);
      if (count >= QUICK_REPLIES_MAX)
        throw fieldError('quick_replies', `there are ${QUICK_REPLIES_MAX} quick replies, the most`);
      const row = await trx
        .insertInto('quick_reply')
        .values({ shortcut, shortcut_key: key, title, text, updated_by: actor.userId })
        .returningAll()
        .executeTakeFirstOrThrow();
      return render(row);
    });
  }

  update(actor: StaffActor, id: number, patch: QuickReplyPatch): Promise<QuickReply> {
    return this.#change(async (trx) => {
      const known = await trx.selectFrom('quick_reply').selectAll().where('id', '=', id).executeTakeFirst();
      if (known === undefined) throw notFound();
      const { shortcut = known.shortcut, title = known.title, text = known.text } = patch;
      // A retry, or a form saved without a change, is not an edit.
      if (shortcut === known.shortcut && title === known.title && text === known.text) return render(known);
      const key = shortcutKey(shortcut);
      await requireFree(trx, key, id);
      const row = await trx
        .updateTable('quick_reply')
        .set({ shortcut, shortcut_key: key, title, text, updated_by: actor.userId })
        .set('updated_at', sql<Date>`clock_timestamp()`)
        .where('id', '=', id)
        .returningAll()
        .executeTakeFirstOrThrow();
      return render(row);
    });
  }

  async remove(id: number): Promise<void> {
    const result = await translated(() =>
      this.#database.kysely.deleteFrom('quick_reply').where('id', '=', id).executeTakeFirst(),
    );
    if (Number(result.numDeletedRows) === 0) throw notFound();
  }

  #change<T>(work: (trx: Transaction<Tables>) => Promise<T>): Promise<T> {
    return translated(() =>
      this.#database.kysely.transaction().execute(async (trx) => {
        await sql`SELECT pg_advisory_xact_lock(${LOCK_CLASS}::integer, 0)`.execute(trx);
        return work(trx);
      }),
    );
  }
}
