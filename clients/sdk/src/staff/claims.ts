import type { AuthUser } from '../api/protocol.ts';

export interface Claims {
  readonly sub?: string;
  readonly name?: string;
  readonly role?: string;
  readonly scope?: string;
  readonly iat?: number;
  readonly exp?: number;
}

/** Only read, never believed: who is signed in and how long is the server's to judge. */
export function claimsOf(token: string): Claims {
  try {
    const text = atob((token.split('.')[1] ?? '').replaceAll('-', '+').replaceAll('_', '/'));
    return JSON.parse(new TextDecoder().decode(Uint8Array.from(text, (char) => char.charCodeAt(0)))) as Claims;
  } catch {
    return {};
  }
}

/** Whom a token of a foreign auth-service names. A role of the site's own is the server's to map; here it shows less. */
export function userOf(token: string): AuthUser | null {
  const { sub, name, role, scope } = claimsOf(token);
  if (!sub) return null;
  return {
    id: sub,
    login: '',
    name: name ?? sub,
    role: role === 'admin' ? 'admin' : 'operator',
    scope: scope === 'assigned' || scope === 'own' ? scope : 'all',
  };
}
