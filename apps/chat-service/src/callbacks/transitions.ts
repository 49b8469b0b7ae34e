import { CALLBACK_STEPS, type CallbackStatus, ChatError } from '@chat-realtime/protocol';

/** @throws ChatError 409 if the transition does not exist. Staying in the same state is always allowed. */
export function checkTransition(from: CallbackStatus, to: CallbackStatus): void {
  const allowed = CALLBACK_STEPS[from];
  if (from === to || allowed.includes(to)) return;
  throw new ChatError('invalid_transition', `a callback cannot go from ${from} to ${to}`, {
    details: { status: from, allowed },
  });
}
