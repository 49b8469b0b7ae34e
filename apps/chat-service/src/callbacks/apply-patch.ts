import { CALLBACK_STEPS, type CallbackStatus, ChatError } from '@chat-realtime/protocol';
import type { StaffActor } from '../actors.ts';

export interface CallbackPatch {
  readonly status?: CallbackStatus | undefined;
  readonly assigned_user_id?: string | null | undefined;
  readonly result?: string | null | undefined;
  /** Null: the appointment is cancelled, and the call is due as if there had never been one. */
  readonly preferred_at?: string | null | undefined;
}

export interface CallbackState {
  readonly status: CallbackStatus;
  readonly assignedUserId: string | null;
  readonly result: string | null;
  readonly preferredAt: Date | null;
}

/**
 * The state of a callback after a patch, or undefined if the patch changes nothing (a retry).
 * @throws ChatError 409 for an invalid transition, or if another operator is handling the callback.
 */
export function applyPatch(actor: StaffActor, current: CallbackState, patch: CallbackPatch): CallbackState | undefined {
  const status = patch.status ?? (current.status === 'new' && patch.assigned_user_id ? 'assigned' : current.status);
  checkTransition(current.status, status);
  const next: CallbackState = {
    status,
    assignedUserId: assigneeAfter(actor, current, status, patch.assigned_user_id ?? null),
    result: patch.result === undefined ? current.result : patch.result,
    preferredAt:
      patch.preferred_at === undefined
        ? current.preferredAt
        : patch.preferred_at === null
          ? null
          : new Date(patch.preferred_at),
  };
  return isSame(current, next) ? undefined : next;
}

function assigneeAfter(
  actor: StaffActor,
  current: CallbackState,
  status: CallbackStatus,
  named: string | null,
): string | null {
  const owner = current.assignedUserId;
  if (named !== null) {
    if (owner !== null && owner !== named && owner !== actor.userId && actor.role !== 'admin') throw inHand(owner);
    return named;
  }
  const takes = status === 'assigned' || status === 'calling';
  if (!takes) return owner;
  // Any operator may retry an unanswered call.
  if (owner === null || current.status === 'no_answer') return actor.userId;
  if (owner !== actor.userId && actor.role !== 'admin') throw inHand(owner);
  return owner;
}

/** Two operators must not call the same customer. */
function inHand(owner: string): ChatError {
  return new ChatError('already_assigned', 'another operator has this callback', {
    details: { assigned_user_id: owner },
  });
}

function isSame(a: CallbackState, b: CallbackState): boolean {
  return (
    a.status === b.status &&
    a.assignedUserId === b.assignedUserId &&
    a.result === b.result &&
    a.preferredAt?.getTime() === b.preferredAt?.getTime()
  );
}

/** @throws ChatError 409 if the transition does not exist. Staying in the same state is always allowed. */
export function checkTransition(from: CallbackStatus, to: CallbackStatus): void {
  const allowed = CALLBACK_STEPS[from];
  if (from === to || allowed.includes(to)) return;
  throw new ChatError('invalid_transition', `a callback cannot go from ${from} to ${to}`, {
    details: { status: from, allowed },
  });
}
