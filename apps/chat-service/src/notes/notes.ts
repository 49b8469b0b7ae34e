import { ChatError, type Note, type NotesResponse } from '@chat-realtime/protocol';
import { sql } from 'kysely';
import type { StaffActor } from '../actors.ts';
import type { StorageContext } from '../storage/context.ts';
import { translated } from '../storage/errors.ts';
import { boundedRows, textBytes } from '../storage/page-bytes.ts';
import { requireVisible } from '../storage/visibility.ts';
import { requireVisibleSession } from '../storage/visible-session.ts';
import { commitSession } from '../storage/unit-of-work.ts';

export async function addNote(
  context: StorageContext,
  actor: StaffActor,
  sessionId: number,
  body: string,
): Promise<Note> {
  const { result } = await commitSession(context, sessionId, async (unit) => {
    requireVisible(actor, unit.session);
    return unit.appendStaffOnly({ type: 'chat.note', authorId: actor.userId, authorName: actor.name, body });
  });
  return {
    id: result.id,
    session_id: sessionId,
    author_id: actor.userId,
    author_name: actor.name,
    body,
    created_at: result.createdAt.toISOString(),
  };
}

interface NoteRow {
  readonly id: number;
  readonly actor_id: string | null;
  readonly actor_name: string | null;
  readonly body: string | null;
  readonly created_at: Date;
}

/** The newest ones before `beforeId`, ascending. */
export async function notes(
  context: StorageContext,
  actor: StaffActor,
  sessionId: number,
  page: { beforeId?: number | undefined; limit: number },
): Promise<NotesResponse> {
  await requireVisibleSession(context, actor, sessionId);
  const before = page.beforeId === undefined ? sql`true` : sql`e.id < ${page.beforeId}::bigint`;
  const { rows, more } = await translated(() =>
    boundedRows<NoteRow>(context.database.kysely, {
      rows: sql`SELECT e.id, e.actor_id, e.actor_name, e.body, e.created_at FROM chat_event e
        WHERE e.session_id = ${sessionId}::bigint AND e.type = 'chat.note' AND ${before}
        ORDER BY e.id DESC LIMIT ${page.limit + 1}::bigint`,
      bytes: textBytes('body'),
      order: sql`r.id DESC`,
      limit: page.limit,
    }),
  );
  const list = rows.toReversed().map((row) => {
    if (row.actor_id === null) throw new ChatError('internal_error', 'a note without an author');
    return {
      id: row.id,
      session_id: sessionId,
      author_id: row.actor_id,
      author_name: row.actor_name,
      body: row.body ?? '',
      created_at: row.created_at.toISOString(),
    };
  });
  return { notes: list, has_more: more };
}
