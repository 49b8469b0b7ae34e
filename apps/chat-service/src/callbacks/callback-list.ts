import type { Database, Tables } from '@chat-realtime/database';
import { type CallbackStaff, callbackStatusSchema } from '@chat-realtime/protocol';
import { type Selectable, sql } from 'kysely';
import type { StaffActor } from '../actors.ts';
import { fieldError } from '../field-error.ts';
import { pageId } from '../storage/id-page.ts';
import { boundedRows, textBytes } from '../storage/page-bytes.ts';
import { visibleCallbacks } from '../storage/visibility.ts';
import { callbackStaff } from './callbacks.ts';

export interface CallbackListQuery {
  /** Comma list. */
  readonly status?: string | undefined;
  readonly limit: number;
  readonly page?: string | undefined;
}

export interface CallbackListPage {
  readonly callbacks: CallbackStaff[];
  readonly next_page: string | null;
}

/** Newest first. The next page starts after the last id of this one. */
export async function listCallbacks(
  database: Database,
  actor: StaffActor,
  query: CallbackListQuery,
): Promise<CallbackListPage> {
  let rows = database.kysely
    .selectFrom('chat_callback as c')
    .leftJoin('chat_session as s', 's.id', 'c.session_id')
    .selectAll('c')
    .where(visibleCallbacks(actor))
    .orderBy('c.id', 'desc')
    .limit(query.limit + 1);
  if (query.status !== undefined) rows = rows.where('c.status', 'in', parseStatuses(query.status));
  if (query.page !== undefined) rows = rows.where('c.id', '<', pageId(query.page));
  const found = await boundedRows<Selectable<Tables['chat_callback']>>(database.kysely, {
    rows: sql`${rows}`,
    bytes: textBytes('name', 'comment', 'result', 'assigned_user_id'),
    order: sql`r.id DESC`,
    limit: query.limit,
  });
  const last = found.rows.at(-1);
  return {
    callbacks: found.rows.map(callbackStaff),
    next_page: found.more && last !== undefined ? String(last.id) : null,
  };
}

function parseStatuses(text: string): string[] {
  return text.split(',').map((part) => {
    const status = callbackStatusSchema.safeParse(part.trim());
    if (!status.success) throw fieldError('status', `must be of ${callbackStatusSchema.options.join(', ')}`);
    return status.data;
  });
}
