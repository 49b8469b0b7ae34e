import { ChatError, type Session, type StaffSession } from '@chat-realtime/protocol';
import type { StaffActor } from '../actors.ts';
import { fieldError } from '../field-error.ts';

/**
 * The chats of `scope: customer`. @throws ChatError 403 for callers who may not see all chats: a person is not erased,
 * or exported, in part.
 */
export function customerOf(actor: StaffActor, session: Session | StaffSession): string {
  if (actor.scope !== 'all') throw new ChatError('forbidden', 'this wants an admin who may see all chats');
  const customerId = 'customer_id' in session ? session.customer_id : null;
  if (customerId === null) throw fieldError('scope', 'nobody is signed in in this chat');
  return customerId;
}
