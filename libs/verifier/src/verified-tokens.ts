import type { StaffPrincipal } from './principal.ts';

/** Long enough to spare nearly every signature, short enough that a key taken out of the set stops counting soon. */
const REMEMBER_SECONDS = 30;
/** A service has some dozens of operators; more than this and the oldest is verified again. */
const REMEMBER_MAX = 1_000;

interface Verified {
  readonly principal: StaffPrincipal;
  readonly until: number;
}

/**
 * Staff tokens whose signature has been verified a moment ago. An operator's browser sends the same one with every
 * request, and a signature costs more processor time than the rest of the request. Expiry is looked at each time here;
 * revocation is the caller's, at each request too. Only tokens that were accepted are kept, so nobody can fill it.
 */
export class VerifiedTokens {
  readonly #byToken = new Map<string, Verified>();

  find(token: string, now: number): StaffPrincipal | undefined {
    const verified = this.#byToken.get(token);
    if (verified === undefined) return undefined;
    if (now < verified.until) return verified.principal;
    this.#byToken.delete(token);
    return undefined;
  }

  add(token: string, principal: StaffPrincipal, now: number): void {
    if (this.#byToken.size >= REMEMBER_MAX) {
      const [oldest] = this.#byToken.keys();
      if (oldest !== undefined) this.#byToken.delete(oldest);
    }
    this.#byToken.set(token, { principal, until: Math.min(principal.expiresAt, now + REMEMBER_SECONDS) });
  }
}
