import { ChatError, type Session, type StaffSession } from '@chat-realtime/protocol';
import type { StaffActor } from '../actors.ts';
import { fieldError } from '../field-error.ts';

/**
 * Whose chats are meant by `scope: customer`.
 * @throws ChatError 403 for who may not see all chats: a person is not erased, or shown, in part.
 */
export function customerOf(actor: StaffActor, session: Session | StaffSession): string {
  if (actor.scope !== 'all') throw new ChatError('forbidden', 'this wants an admin who may see all chats');
  const customerId = 'customer_id' in session ? session.customer_id : null;
  if (customerId === null) throw fieldError('scope', 'nobody is signed in in this chat');
  return customerId;
}
