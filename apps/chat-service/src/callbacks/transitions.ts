import { type CallbackStatus, ChatError } from '@chat-realtime/protocol';

/** `new → assigned → calling → done | no_answer`, a call that nobody answered is tried again, and any may be cancelled. */
const NEXT: Readonly<Record<CallbackStatus, readonly CallbackStatus[]>> = {
  new: ['assigned', 'calling', 'cancelled'],
  assigned: ['calling', 'cancelled'],
  calling: ['done', 'no_answer', 'cancelled'],
  no_answer: ['calling', 'cancelled'],
  done: [],
  cancelled: [],
};

/** Whether the customer is still owed a call. */
export function isOpenCallback(status: CallbackStatus): boolean {
  return NEXT[status].length > 0;
}

/** @throws ChatError 409 when the machine has no such step. Staying where one is needs none. */
export function checkTransition(from: CallbackStatus, to: CallbackStatus): void {
  if (from === to || NEXT[from].includes(to)) return;
  throw new ChatError('invalid_transition', `a callback cannot go from ${from} to ${to}`, {
    details: { status: from, allowed: NEXT[from] },
  });
}
