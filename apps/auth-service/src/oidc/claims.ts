import { firstCharacters } from '@chat-realtime/protocol';
import { staffRole, type StaffRole } from '@chat-realtime/verifier';
import type { OidcClaims } from './provider.ts';

const MAX_TEXT = 200;

/** The person whom the provider has signed in. */
export interface OidcPerson {
  readonly issuer: string;
  readonly subject: string;
  /** An address that the provider has checked; null otherwise, and then nobody is taken for an account that is here. */
  readonly verifiedEmail: string | null;
  /** For an account that is made now. */
  readonly login: string;
  readonly name: string;
  /** The role from the provider: null for none; `unsaid` if roles are assigned here. */
  readonly role: StaffRole | null | 'unsaid';
}

export interface RoleSettings {
  /** Absent: the provider only identifies people, and an administrator here assigns roles. */
  readonly claim: string | undefined;
  readonly map: ReadonlyMap<string, StaffRole> | undefined;
}

function text(value: unknown): string | undefined {
  if (typeof value !== 'string') return undefined;
  // Shown to colleagues and customers: no control characters.
  const plain = firstCharacters(value.replaceAll(/\p{C}/gu, '').trim(), MAX_TEXT);
  return plain === '' ? undefined : plain;
}

export function personOf(claims: OidcClaims, { claim, map }: RoleSettings): OidcPerson {
  const email = text(claims['email']);
  const login = text(claims['preferred_username']) ?? email ?? claims.sub;
  return {
    issuer: claims.iss,
    subject: claims.sub,
    verifiedEmail: claims['email_verified'] === true && email !== undefined ? email : null,
    login,
    name: text(claims['name']) ?? login,
    role: claim === undefined ? 'unsaid' : (staffRole(claims, { roleClaim: claim, roleMap: map }) ?? null),
  };
}
