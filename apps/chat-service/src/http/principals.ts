import { ChatError, sessionIdParamSchema } from '@chat-realtime/protocol';
import type { Principal } from '@chat-realtime/verifier';
import type { Actor, StaffActor } from '../actors.ts';

/** For routes that only staff can reach. Anything else means the route is declared wrongly. */
export function staffActor(principal: Principal): StaffActor {
  if (principal.kind !== 'staff') throw new ChatError('bad_token', 'the token is not valid here');
  const { userId, name, role, scope } = principal;
  return { kind: 'staff', userId, name, role, scope };
}

export function actorOf(principal: Principal): Actor {
  return principal.kind === 'customer' ? { kind: 'customer', sessionId: principal.sessionId } : staffActor(principal);
}

/**
 * A path id that is not a number names nothing: the caller has passed the guard, so the response is 404 and not
 * “malformed”.
 */
export function sessionIdOf(text: string): number {
  const id = wholeNumber(text);
  if (id === undefined) throw new ChatError('session_not_found', 'no such session');
  return id;
}

export function wholeNumber(text: string): number | undefined {
  const result = sessionIdParamSchema.safeParse(text);
  return result.success ? result.data : undefined;
}
