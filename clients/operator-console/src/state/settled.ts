import type { CallbackStaff, StaffSession } from '@chat-realtime/client/staff';
import type { AlertItem } from './alerts.ts';
import { isOpen } from './callbacks.ts';

interface Known {
  /** Every open session; one that is not here is closed. */
  readonly sessions: ReadonlyMap<number, StaffSession>;
  readonly callbacks: ReadonlyMap<number, CallbackStaff>;
}

/** The callback request an alert is about: of its session, else of its number. */
export function callbackOf(alert: AlertItem, callbacks: Known['callbacks']): CallbackStaff | null {
  const fits = [...callbacks.values()].filter((one) =>
    alert.session_id === null ? one.phone === alert.contact.phone : one.session_id === alert.session_id,
  );
  return fits.find(isOpen) ?? fits.at(-1) ?? null;
}

/** Whether there is nothing left to do about it, as far as is known now. */
export function isSettled(alert: AlertItem, { sessions, callbacks }: Known): boolean {
  if (alert.reason === 'callback_requested' || alert.reason === 'callback_due') {
    const callback = callbackOf(alert, callbacks);
    return callback !== null && !isOpen(callback);
  }
  const session = alert.session_id === null ? undefined : sessions.get(alert.session_id);
  if (session === undefined || session.status === 'closed') return true;
  switch (alert.reason) {
    case 'session_created':
      return session.assigned_user_id !== null || session.waiting_since === null;
    case 'waiting':
      return session.waiting_since === null;
    case 'reply_unseen':
      return (
        session.last_message === null ||
        session.last_message.sender_type === 'client' ||
        session.client_last_seen_id >= session.last_message.id
      );
    default:
      // A reason of a newer server: open until somebody knows better.
      return false;
  }
}
