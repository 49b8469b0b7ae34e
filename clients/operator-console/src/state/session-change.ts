import type { ErasedData, Message, StaffEvent, StaffSession } from '@chat-realtime/client/staff';
import { isOpen } from './callbacks.ts';

function withMessage(session: StaffSession, message: Message): StaffSession {
  const changed = { ...session, last_message: message, updated_at: message.created_at };
  if (message.sender_type === 'client') {
    return {
      ...changed,
      unread_count: session.unread_count + 1,
      waiting_since: session.waiting_since ?? message.created_at,
    };
  }
  if (message.sender_type !== 'operator') return changed;
  return { ...changed, unread_count: 0, waiting_since: null, staff_read_id: message.id };
}

/** At once, whatever a fresh reading of the row is still to bring. */
function withoutErased(session: StaffSession, { kinds, through_id }: ErasedData): StaffSession {
  const last = session.last_message;
  const isLastErased = last !== null && last.id <= through_id;
  return {
    ...session,
    ...(isLastErased && kinds.includes('messages') && { last_message: { ...last, body: '' } }),
    ...(kinds.includes('contacts') && { contact: { name: null, email: null, phone: null } }),
  };
}

/** The row of the inbox after an event. An event it already reflects leaves it as it is. */
export function changed(session: StaffSession, event: StaffEvent): StaffSession {
  if (event.seq === null || event.seq <= session.last_seq) return session;
  const next = { ...session, last_seq: event.seq };
  switch (event.type) {
    case 'chat.message':
    case 'chat.message.client':
      return withMessage(next, event.data);
    case 'chat.session.assigned':
      return {
        ...next,
        assigned_user_id: event.data.assigned_user_id,
        assigned_user_name: event.data.assigned_user_name ?? null,
      };
    case 'chat.session.status': {
      const { status } = event.data;
      // A closed chat that the customer writes in becomes unassigned; no other event says so.
      const nobodys = status === 'new' && { assigned_user_id: null, assigned_user_name: null };
      return { ...next, status, ...nobodys, waiting_since: status === 'closed' ? null : session.waiting_since };
    }
    case 'chat.callback':
      // A source that does not count a session's requests has but the one that the event is about.
      return { ...next, callback_pending: event.data.callback_pending ?? isOpen(event.data) };
    case 'chat.erased':
      return withoutErased(next, event.data);
    case 'chat.session.created':
      return next;
    default:
      // A type of a newer server: only its seq counts.
      return next;
  }
}
