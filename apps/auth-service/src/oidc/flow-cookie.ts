import { EncryptJWT, jwtDecrypt } from 'jose';
import { z } from 'zod';
import type { OidcFlow } from './provider.ts';

export const FLOW_COOKIE = 'chat_oidc';
export const TICKET_COOKIE = 'chat_oidc_ticket';
/** Long enough to find the telephone with the provider's second factor. */
export const FLOW_SECONDS = 600;
const PATH = '/auth/oidc';

const flowSchema = z.object({ state: z.string(), nonce: z.string(), verifier: z.string(), redirectUri: z.url() });

/**
 * The state of a sign-in in progress is stored, sealed, in the browser that began it. Nobody can complete it elsewhere,
 * and one that is never completed costs the server nothing.
 */
export class FlowSeal {
  readonly #key: Buffer;

  /** `key` has 32 bytes. */
  constructor(key: Buffer) {
    this.#key = key;
  }

  seal(flow: OidcFlow, now: Date): Promise<string> {
    const seconds = Math.floor(now.getTime() / 1000);
    return new EncryptJWT({ ...flow })
      .setProtectedHeader({ alg: 'dir', enc: 'A256GCM' })
      .setExpirationTime(seconds + FLOW_SECONDS)
      .encrypt(this.#key);
  }

  /** Undefined for what this server did not seal, or too long ago. */
  async open(sealed: string | undefined, now: Date): Promise<OidcFlow | undefined> {
    if (sealed === undefined) return undefined;
    try {
      const { payload } = await jwtDecrypt(sealed, this.#key, {
        currentDate: now,
        keyManagementAlgorithms: ['dir'],
        contentEncryptionAlgorithms: ['A256GCM'],
      });
      return flowSchema.parse(payload);
    } catch {
      // Foreign, expired or cut off: the caller starts over in each case.
      return undefined;
    }
  }
}

/** `sameSite`: `Lax` comes along from the provider's page, `Strict` only from our own. */
export function setCookie(
  name: string,
  value: string,
  { prefix, maxAge, sameSite, secure }: { prefix: string; maxAge: number; sameSite: 'Lax' | 'Strict'; secure: boolean },
): string {
  const parts = [`${name}=${value}`, `Path=${prefix}${PATH}`, `Max-Age=${maxAge}`, 'HttpOnly', `SameSite=${sameSite}`];
  if (secure) parts.push('Secure');
  return parts.join('; ');
}

export function readCookie(header: string | undefined, name: string): string | undefined {
  for (const part of (header ?? '').split(';')) {
    const [key, ...rest] = part.trim().split('=');
    if (key === name) return rest.join('=');
  }
  return undefined;
}
