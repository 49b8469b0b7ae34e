import type { AuditTable, Database } from '@chat-realtime/database';
import type { AuditResponse } from '@chat-realtime/protocol';
import { type Selectable, sql } from 'kysely';
import { translated } from '../storage/errors.ts';
import { pageId } from '../storage/id-page.ts';
import { boundedRows } from '../storage/page-bytes.ts';

/** The log of who changed what, newest first. */
export class AuditLog {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  async list(query: { readonly limit: number; readonly page?: string | undefined }): Promise<AuditResponse> {
    const before = query.page === undefined ? sql`true` : sql`a.id < ${pageId(query.page)}::bigint`;
    const { rows, more } = await translated(() =>
      boundedRows<Selectable<AuditTable>>(this.#database.kysely, {
        rows: sql`SELECT a.* FROM chat_audit a WHERE ${before} ORDER BY a.id DESC LIMIT ${query.limit + 1}::bigint`,
        bytes: sql`(400 + octet_length(r.details::text))`,
        order: sql`r.id DESC`,
        limit: query.limit,
      }),
    );
    const last = rows.at(-1);
    return {
      entries: rows.map((row) => ({
        id: row.id,
        at: row.at.toISOString(),
        actor_id: row.actor_id,
        actor_name: row.actor_name,
        action: row.action,
        subject: row.subject,
        details: row.details,
      })),
      next_page: more && last !== undefined ? String(last.id) : null,
    };
  }
}
