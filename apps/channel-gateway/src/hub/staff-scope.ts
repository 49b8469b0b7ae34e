import type { StaffPrincipal } from '@chat-realtime/verifier';
import type { LiveFrame } from './live-frame.ts';
import type { StaffSession } from './staff-sessions.ts';

/**
 * Whether a staff member whose scope is `assigned` may see a frame: the session is nobody's or his, or he has just lost
 * it. What does not say whose it is he does not see.
 */
export function visibleToAssigned(userId: string, frame: LiveFrame, session: StaffSession | undefined): boolean {
  const { subscribers } = frame;
  if (subscribers !== null) {
    if (subscribers.assigned_user_id === null || subscribers.assigned_user_id === userId) return true;
    return subscribers.previous_user_id === userId;
  }
  // Badge and presence are about no session; a fact without a session is everybody's.
  if (frame.sessionId === null) return true;
  if (session === undefined || session.assignedUserId === undefined) return false;
  return session.assignedUserId === null || session.assignedUserId === userId;
}

export function visibleTo(principal: StaffPrincipal, frame: LiveFrame, session: StaffSession | undefined): boolean {
  return principal.scope === 'all' || visibleToAssigned(principal.userId, frame, session);
}
