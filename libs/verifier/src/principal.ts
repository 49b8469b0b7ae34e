import type { StaffScope } from '@chat-realtime/protocol';

/** A customer, known by a channel token or a stream link of one session. Times in unix seconds. */
export interface CustomerPrincipal {
  readonly kind: 'customer';
  readonly sessionId: number;
  readonly expiresAt: number;
  /** For a stream link the earliest moment at which it can have been made. */
  readonly createdAt: number;
}

export type StaffRole = 'operator' | 'admin';

export interface StaffPrincipal {
  readonly kind: 'staff';
  readonly userId: string;
  readonly name: string | null;
  readonly role: StaffRole;
  readonly scope: StaffScope;
  readonly expiresAt: number;
  readonly issuedAt: number;
  /** The `sid` claim: one sign-in; null with an auth-service that has none. */
  readonly loginId: string | null;
}

export type Principal = CustomerPrincipal | StaffPrincipal;

/** The statement of the site's own server about its signed-in customer. It proves who they are and opens no channel. */
export interface IdentityPrincipal {
  readonly kind: 'identity';
  readonly customerId: string;
  readonly name: string | null;
  readonly email: string | null;
  readonly phone: string | null;
  /** Chats from before, vouched for by the site. */
  readonly sessions: readonly number[];
  readonly issuedAt: number;
  readonly expiresAt: number;
}

/**
 * Why a token is refused. `forbidden`: a valid staff JWT whose role gives no rights here. `unavailable`: the keys of
 * the auth-service have never been loaded, so there is no verdict; the caller answers 503 or closes 1013.
 */
export type RefusalCode =
  | 'missing_credentials'
  | 'bad_token'
  | 'token_expired'
  | 'token_revoked'
  | 'forbidden'
  | 'unavailable';

export type Refusal = { readonly ok: false; readonly code: RefusalCode };
export type Verdict<P> = { readonly ok: true; readonly principal: P } | Refusal;

export function refuse(code: RefusalCode): Refusal {
  return { ok: false, code };
}
