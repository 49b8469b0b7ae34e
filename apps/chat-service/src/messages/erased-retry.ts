import type { EventRow } from '../storage/render.ts';
import { sql } from 'kysely';
import type { Actor } from '../actors.ts';
import type { PostMessage } from '../storage/session-record.ts';
import type { StorageContext } from '../storage/context.ts';
import { eventColumns } from '../storage/event-rows.ts';

/** The message that this post repeats, if it was erased meanwhile. The hash that remains still identifies it. */
export async function erasedOriginal(
  context: StorageContext,
  actor: Actor,
  sessionId: number,
  post: PostMessage,
): Promise<EventRow | undefined> {
  const staff = actor.kind === 'staff' ? actor : null;
  const result = await sql<EventRow>`SELECT ${sql.raw(eventColumns('e'))} FROM chat_event e
    WHERE e.session_id = ${sessionId}::bigint AND e.client_message_id = ${post.clientMessageId}
      AND e.sender_type = ${staff === null ? 'client' : 'operator'} AND COALESCE(e.actor_id, '') = ${staff?.userId ?? ''}
      AND e.content_hash = chat_content_hash(e.session_id, e.client_message_id, ${post.body}, ${post.attachments ?? []}::text[])`.execute(
    context.database.kysely,
  );
  return result.rows[0];
}
