import type { Session, SessionEvent } from '../api/protocol.ts';

/** The session after an event; a fresh read of it would say the same. */
export function sessionAfter(session: Session, event: SessionEvent): Session {
  if (event.seq <= session.last_seq) return session;
  const next = { ...session, last_seq: event.seq };
  switch (event.type) {
    case 'chat.session.created':
      return { ...event.data.session, last_seq: event.seq };
    case 'chat.session.assigned':
      return {
        ...next,
        assigned_user_id: event.data.assigned_user_id,
        assigned_user_name: event.data.assigned_user_name,
      };
    case 'chat.session.status':
      return { ...next, status: event.data.status };
    case 'chat.callback':
      return { ...next, callback_pending: event.data.status !== 'done' && event.data.status !== 'cancelled' };
    case 'chat.message':
      return next;
    default:
      // A type of a newer server: its seq counts, the rest is not for this version.
      return next;
  }
}
