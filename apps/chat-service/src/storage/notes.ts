import { ChatError, type Note } from '@chat-realtime/protocol';
import type { StaffActor } from '../domain/actors.ts';
import type { StorageContext } from './context.ts';
import { translated } from './errors.ts';
import { requireVisible } from './visibility.ts';
import { requireVisibleSession } from './visible-session.ts';
import { commitSession } from './unit-of-work.ts';

const NOTES_MAX = 500;

export async function addNote(
  context: StorageContext,
  actor: StaffActor,
  sessionId: number,
  body: string,
): Promise<Note> {
  const { result } = await commitSession(context, sessionId, async (unit) => {
    requireVisible(actor, unit.session);
    return unit.appendFact({ type: 'chat.note', authorId: actor.userId, authorName: actor.name, body });
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

export async function notes(context: StorageContext, actor: StaffActor, sessionId: number): Promise<Note[]> {
  await requireVisibleSession(context, actor, sessionId);
  const rows = await translated(() =>
    context.database.kysely
      .selectFrom('chat_event')
      .select(['id', 'actor_id', 'actor_name', 'body', 'created_at'])
      .where('session_id', '=', sessionId)
      .where('type', '=', 'chat.note')
      .orderBy('id', 'desc')
      .limit(NOTES_MAX)
      .execute(),
  );
  return rows.reverse().map((row) => {
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
}
