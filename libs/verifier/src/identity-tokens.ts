import type { KeyObject } from 'node:crypto';
import { sessionIdSchema } from '@chat-realtime/protocol';
import type { KeyRing } from '@chat-realtime/protocol/tokens';
import { errors, type JWTPayload, jwtVerify } from 'jose';
import { z } from 'zod';
import { JWT_MAX_LENGTH, JWT_PATTERN, refusalOf, timedClaims } from './jwt-claims.ts';
import { type IdentityPrincipal, refuse, type Verdict } from './principal.ts';

export const IDENTITY_AUDIENCE = 'chat';
export const IDENTITY_MAX_LIFETIME_SECONDS = 600;
const SESSIONS_MAX = 500;

const personSchema = z.object({
  name: z.string().max(200).nullish(),
  email: z.string().max(320).nullish(),
  phone: z.string().max(64).nullish(),
  sessions: z.array(sessionIdSchema).max(SESSIONS_MAX).nullish(),
});

/** Checks the tokens by which the site's own server vouches for its customer. */
export class IdentityTokens {
  readonly #keys: ReadonlyMap<string, KeyObject>;

  constructor(ring: KeyRing) {
    const keys = new Map<string, KeyObject>();
    for (const kid of ring.kids) {
      const secret = ring.secret(kid);
      if (secret !== undefined) keys.set(kid, secret);
    }
    this.#keys = keys;
  }

  async verify(jwt: string, now: number): Promise<Verdict<IdentityPrincipal>> {
    if (jwt.length > JWT_MAX_LENGTH || !JWT_PATTERN.test(jwt)) return refuse('bad_token');
    try {
      const payload = await this.#payload(jwt, now);
      if (payload === undefined) return refuse('bad_token');
      const claims = timedClaims(payload, now, IDENTITY_MAX_LIFETIME_SECONDS);
      const person = personSchema.safeParse(payload);
      if (claims === undefined || !person.success) return refuse('bad_token');
      const { name, email, phone, sessions } = person.data;
      return {
        ok: true,
        principal: {
          kind: 'identity',
          customerId: claims.subject,
          name: name ?? null,
          email: email ?? null,
          phone: phone ?? null,
          sessions: sessions ?? [],
          issuedAt: claims.issuedAt,
          expiresAt: claims.expiresAt,
        },
      };
    } catch (error) {
      return refusalOf(error);
    }
  }

  /** Many JWT libraries of sites write no `kid`: then every key of the ring is tried. `undefined`: no key fits. */
  async #payload(jwt: string, now: number): Promise<JWTPayload | undefined> {
    for (const [kid, key] of this.#keys) {
      try {
        const { payload } = await jwtVerify(
          jwt,
          (header) => {
            if (header.kid !== undefined && header.kid !== kid) throw new errors.JWKSNoMatchingKey();
            return key;
          },
          {
            algorithms: ['HS256'],
            audience: IDENTITY_AUDIENCE,
            requiredClaims: ['aud', 'sub', 'iat', 'exp'],
            currentDate: new Date(now * 1000),
          },
        );
        return payload;
      } catch (error) {
        const wrongKey =
          error instanceof errors.JWSSignatureVerificationFailed || error instanceof errors.JWKSNoMatchingKey;
        if (!wrongKey) throw error;
      }
    }
    return undefined;
  }
}
