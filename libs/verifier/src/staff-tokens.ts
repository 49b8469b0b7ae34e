import { TOKEN_MAX_LIFETIME_SECONDS } from '@chat-realtime/protocol/tokens';
import { jwtVerify } from 'jose';
import { JWT_MAX_LENGTH, JWT_PATTERN, refusalOf, timedClaims } from './jwt-claims.ts';
import { createKeySource, type KeySource, KeysUnavailableError, type StaffKeys } from './key-source.ts';
import { refuse, type StaffPrincipal, type Verdict } from './principal.ts';
import { type RoleConfig, staffRole, staffScope } from './staff-roles.ts';
import { VerifiedTokens } from './verified-tokens.ts';

export interface StaffTokenConfig extends RoleConfig {
  readonly keys: StaffKeys;
  readonly issuer: string;
  readonly audience: string;
}

const NAME_MAX_LENGTH = 200;
const SID_MAX_LENGTH = 200;

/** Checks staff JWTs of our auth-service or of a foreign one. */
export class StaffTokens {
  readonly #config: StaffTokenConfig;
  readonly #keys: KeySource;
  readonly #verified = new VerifiedTokens();

  constructor(config: StaffTokenConfig) {
    this.#config = config;
    this.#keys = createKeySource(config.keys);
  }

  async verify(jwt: string, now: number): Promise<Verdict<StaffPrincipal>> {
    const known = this.#verified.find(jwt, now);
    if (known !== undefined) return { ok: true, principal: known };
    const verdict = await this.#verify(jwt, now);
    if (verdict.ok) this.#verified.add(jwt, verdict.principal, now);
    return verdict;
  }

  async #verify(jwt: string, now: number): Promise<Verdict<StaffPrincipal>> {
    if (jwt.length > JWT_MAX_LENGTH || !JWT_PATTERN.test(jwt)) return refuse('bad_token');
    try {
      const { payload } = await jwtVerify(jwt, (header, input) => this.#keys.key(header, input), {
        algorithms: [...this.#keys.algorithms],
        issuer: this.#config.issuer,
        audience: this.#config.audience,
        requiredClaims: ['iss', 'aud', 'sub', 'iat', 'exp'],
        currentDate: new Date(now * 1000),
      });
      const claims = timedClaims(payload, now, TOKEN_MAX_LIFETIME_SECONDS);
      if (claims === undefined) return refuse('bad_token');
      const role = staffRole(payload, this.#config);
      if (role === undefined) return refuse('forbidden');
      const { name, sid } = payload;
      return {
        ok: true,
        principal: {
          kind: 'staff',
          userId: claims.subject,
          name: typeof name === 'string' ? shownName(name) : null,
          role,
          scope: staffScope(payload),
          expiresAt: claims.expiresAt,
          issuedAt: claims.issuedAt,
          loginId: typeof sid === 'string' && sid !== '' && sid.length <= SID_MAX_LENGTH ? sid : null,
        },
      };
    } catch (error) {
      if (error instanceof KeysUnavailableError) return refuse('unavailable');
      return refusalOf(error);
    }
  }
}

/** As a database and every JSON reader take it, whatever the issuer writes. */
function shownName(name: string): string | null {
  const characters = [...name.toWellFormed().replaceAll('\u0000', '')];
  return characters.slice(0, NAME_MAX_LENGTH).join('') || null;
}
