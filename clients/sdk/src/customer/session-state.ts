import type { Session, SessionEvent } from '../api/protocol.ts';

/** The session after an event; a fresh read of it would say the same. */
export function sessionAfter(session: Session, event: SessionEvent): Session {
  const { type, data, seq } = event;
  // Also for a message without seq, from a chat-service that has none.
  if (!(seq > session.last_seq)) return session;
  return {
    ...session,
    ...(type === 'chat.session.created' && data.session),
    ...(type === 'chat.session.assigned' && {
      assigned_user_id: data.assigned_user_id,
      assigned_user_name: data.assigned_user_name,
    }),
    ...(type === 'chat.session.status' && { status: data.status }),
    // A closed chat that the customer writes in becomes unassigned; no other event says so.
    ...(type === 'chat.session.status' &&
      data.status === 'new' && { assigned_user_id: null, assigned_user_name: null }),
    // A source that does not count a session's requests has only the one that the event is about.
    ...(type === 'chat.callback' && {
      callback_pending: data.callback_pending ?? !['done', 'cancelled'].includes(data.status),
    }),
    // A type of a newer server counts as well; the rest of it is not for this version.
    last_seq: seq,
  };
}
