import type { StaffScope } from '@chat-realtime/protocol';
import type { StaffRole } from '@chat-realtime/verifier';

export interface Operator {
  readonly id: string;
  readonly login: string;
  readonly name: string;
  readonly role: StaffRole;
  readonly scope: StaffScope;
  readonly active: boolean;
}

/** One spelling per login, so that `Anna` and `anna` are the same account and count as one for the throttle. */
export function normaliseLogin(login: string): string {
  return login.normalize('NFKC').trim().toLowerCase();
}

/** An operator as clients see them. */
export interface AuthUser {
  readonly id: string;
  readonly login: string;
  readonly name: string;
  readonly role: StaffRole;
  readonly scope: StaffScope;
}

export function toAuthUser({ id, login, name, role, scope }: Operator): AuthUser {
  return { id, login, name, role, scope };
}
