import {
  type KeyRing,
  TOKEN_MAX_LIFETIME_SECONDS,
  type TokenVerdict,
  verifyChannelToken,
  verifyStreamLink,
} from '@chat-realtime/protocol/tokens';
import { IdentityTokens } from './identity-tokens.ts';
import {
  type CustomerPrincipal,
  type IdentityPrincipal,
  type Principal,
  refuse,
  type StaffPrincipal,
  type Verdict,
} from './principal.ts';
import { NO_REVOCATIONS, type RevocationView } from './revocations.ts';
import { type StaffTokenConfig, StaffTokens } from './staff-tokens.ts';

export interface TokenVerifierConfig {
  /** `CHAT_TOKEN_SECRETS`; a service that serves no customers has none and refuses all their tokens. */
  readonly channelSecrets?: KeyRing | undefined;
  /** Lifetime of a channel token, at most 24 h. */
  readonly channelTokenTtlSeconds?: number | undefined;
  readonly staff?: StaffTokenConfig | undefined;
  readonly identitySecrets?: KeyRing | undefined;
  readonly revocations?: RevocationView | undefined;
  /** Unix seconds. */
  readonly now?: (() => number) | undefined;
}

/** The only place where a token becomes a principal: REST, WebSocket, SSE and polling all use it. */
export class TokenVerifier {
  readonly #config: TokenVerifierConfig;
  readonly #staff: StaffTokens | undefined;
  readonly #identity: IdentityTokens | undefined;
  readonly #revocations: RevocationView;
  readonly #now: () => number;
  #channelTokenTtl: number;

  private constructor(config: TokenVerifierConfig) {
    this.#config = config;
    this.#staff = config.staff === undefined ? undefined : new StaffTokens(config.staff);
    this.#identity = config.identitySecrets === undefined ? undefined : new IdentityTokens(config.identitySecrets);
    this.#revocations = config.revocations ?? NO_REVOCATIONS;
    this.#channelTokenTtl = config.channelTokenTtlSeconds ?? TOKEN_MAX_LIFETIME_SECONDS;
    this.#now = config.now ?? (() => Math.floor(Date.now() / 1000));
  }

  static create(config: TokenVerifierConfig): TokenVerifier {
    return new TokenVerifier(config);
  }

  /** What an admin has saved, or null. Ignored if the configuration sets it. */
  setChannelTokenTtl(seconds: number | null): void {
    if (this.#config.channelTokenTtlSeconds === undefined)
      this.#channelTokenTtl = seconds ?? TOKEN_MAX_LIFETIME_SECONDS;
  }

  get channelTokenTtl(): number {
    return Math.min(this.#channelTokenTtl, TOKEN_MAX_LIFETIME_SECONDS);
  }

  /** A channel token does not name its session: the session comes with it and is part of what is signed. */
  verifyCustomer(sessionId: number, token: string | undefined): Verdict<CustomerPrincipal> {
    const ring = this.#config.channelSecrets;
    if (token === undefined || token === '') return refuse('missing_credentials');
    if (ring === undefined) return refuse('bad_token');
    return this.#customer(sessionId, verifyChannelToken(ring, sessionId, token, this.#now(), this.#channelTokenTtl));
  }

  verifyStreamLink(sessionId: number, signature: string | undefined): Verdict<CustomerPrincipal> {
    const ring = this.#config.channelSecrets;
    if (signature === undefined || signature === '') return refuse('missing_credentials');
    if (ring === undefined) return refuse('bad_token');
    return this.#customer(sessionId, verifyStreamLink(ring, sessionId, signature, this.#now()));
  }

  async verifyStaff(jwt: string | undefined): Promise<Verdict<StaffPrincipal>> {
    if (jwt === undefined || jwt === '') return refuse('missing_credentials');
    if (this.#staff === undefined) return refuse('bad_token');
    const verdict = await this.#staff.verify(jwt, this.#now());
    return verdict.ok ? this.#unlessRevoked(verdict.principal) : verdict;
  }

  async verifyIdentity(jwt: string | undefined): Promise<Verdict<IdentityPrincipal>> {
    if (jwt === undefined || jwt === '') return refuse('missing_credentials');
    if (this.#identity === undefined) return refuse('bad_token');
    return this.#identity.verify(jwt, this.#now());
  }

  #customer(sessionId: number, verdict: TokenVerdict): Verdict<CustomerPrincipal> {
    if (!verdict.ok) return refuse(verdict.reason === 'expired' ? 'token_expired' : 'bad_token');
    const { createdAt, expiresAt } = verdict;
    return this.#unlessRevoked({ kind: 'customer', sessionId, createdAt, expiresAt });
  }

  #unlessRevoked<P extends Principal>(principal: P): Verdict<P> {
    return this.#revocations.isRevoked(principal) ? refuse('token_revoked') : { ok: true, principal };
  }
}

/**
 * Which kind of token stands in an `Authorization` header that either may use: the middle part of a channel token is
 * digits only, that of a JWT is base64url of a JSON object and starts with a letter.
 */
export function looksLikeChannelToken(token: string): boolean {
  return /^[A-Za-z0-9_-]{1,16}\.\d{1,12}\.[A-Za-z0-9_-]+$/.test(token);
}
