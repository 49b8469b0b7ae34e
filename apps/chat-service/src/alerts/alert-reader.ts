import type { Database } from '@chat-realtime/database';
import { alertReasonSchema, type alertsResponseSchema } from '@chat-realtime/protocol';
import { sql } from 'kysely';
import type { z } from 'zod';
import { isOpenIn } from '../callbacks/open-callbacks.ts';
import type { StorageContext } from '../storage/context.ts';
import { alerts } from './badge-queries.ts';
import type { StaffActor } from '../actors.ts';
import { fieldError } from '../field-error.ts';
import { boundedRows, textBytes } from '../storage/page-bytes.ts';
import { visibleCallbacks, visibleSessions } from '../storage/visibility.ts';

export type AlertsResponse = z.infer<typeof alertsResponseSchema>;
type AlertItem = AlertsResponse['alerts'][number];

interface AlertRow {
  readonly id: number;
  readonly reason: string;
  readonly session_id: number | null;
  readonly created_at: Date;
  readonly name: string | null;
  readonly email: string | null;
  readonly phone: string | null;
  readonly callback_name: string | null;
  readonly callback_phone: string | null;
}

/** Alerts in one response. An operator who was away longer looks at the inbox. */
const MAX_ALERTS = 100;

/** A place in the list of alerts, given as the id of one or as a time. */
type Since =
  | { readonly kind: 'start' }
  | { readonly kind: 'time'; readonly at: Date }
  | { readonly kind: 'alert'; readonly id: number };

/** `GET /chat/alerts`: the badge where it is polled. */
export class AlertReader {
  readonly #database: Database;
  readonly #context: StorageContext;

  constructor(database: Database, context: StorageContext) {
    this.#database = database;
    this.#context = context;
  }

  async read(actor: StaffActor, sinceText: string | undefined): Promise<AlertsResponse> {
    const since = parseSince(sinceText);
    const numbers = await alerts(this.#context, actor, await this.#timeOf(since));
    return { ...numbers, callbacks_due: await this.#callbacksDue(actor), alerts: await this.#alerts(actor, since) };
  }

  async #timeOf(since: Since): Promise<Date | null> {
    switch (since.kind) {
      case 'start':
        return null;
      case 'time':
        return since.at;
      case 'alert': {
        const row = await this.#database.kysely
          .selectFrom('chat_alert')
          .select('created_at')
          .where('id', '=', since.id)
          .executeTakeFirst();
        return row?.created_at ?? null;
      }
    }
  }

  async #callbacksDue(actor: StaffActor): Promise<number> {
    const query = this.#database.kysely
      .selectFrom('chat_callback as c')
      .leftJoin('chat_session as s', 's.id', 'c.session_id')
      .select((eb) => eb.fn.countAll<number>().as('due'))
      .where(sql<boolean>`${sql.raw(isOpenIn('c.status'))}`)
      .where('c.due_at', '<=', new Date())
      .where(visibleCallbacks(actor));
    return Number((await query.executeTakeFirstOrThrow()).due);
  }

  async #alerts(actor: StaffActor, since: Since): Promise<AlertItem[]> {
    let query = this.#database.kysely
      .selectFrom('chat_alert as a')
      .leftJoin('chat_session as s', 's.id', 'a.session_id')
      .leftJoin('chat_callback as c', 'c.id', 'a.callback_id')
      .select(['a.id', 'a.reason', 'a.session_id', 'a.created_at', 's.name', 's.email', 's.phone'])
      .select(['c.name as callback_name', 'c.phone as callback_phone'])
      .where(
        sql<boolean>`CASE WHEN a.callback_id IS NULL THEN ${visibleSessions(actor, 's.assigned_user_id')} ELSE ${visibleCallbacks(actor)} END`,
      )
      .orderBy('a.id', 'desc')
      .limit(MAX_ALERTS);
    if (since.kind === 'time') query = query.where('a.created_at', '>', since.at);
    if (since.kind === 'alert') query = query.where('a.id', '>', since.id);
    const { rows } = await boundedRows<AlertRow>(this.#database.kysely, {
      rows: sql`${query}`,
      bytes: textBytes('name', 'email', 'phone', 'callback_name', 'callback_phone'),
      order: sql`r.id DESC`,
      limit: MAX_ALERTS,
    });
    return rows.toReversed().map((row) => ({
      id: row.id,
      reason: alertReasonSchema.parse(row.reason),
      session_id: row.session_id,
      contact: {
        name: row.callback_name ?? row.name,
        email: row.email,
        phone: row.callback_phone ?? row.phone,
      },
      created_at: row.created_at.toISOString(),
    }));
  }
}

function parseSince(text: string | undefined): Since {
  if (text === undefined || text === '') return { kind: 'start' };
  if (/^\d{1,15}$/.test(text)) return { kind: 'alert', id: Number(text) };
  const at = new Date(text);
  if (!/^\d{4}-\d{2}-\d{2}T/.test(text) || Number.isNaN(at.getTime()))
    throw fieldError('since', 'must be the id of an alert or a time');
  return { kind: 'time', at };
}
