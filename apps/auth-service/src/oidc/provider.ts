import type { Logger } from '@chat-realtime/service-kit';
import * as openid from 'openid-client';

export interface OidcSettings {
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret: string | undefined;
}

/** The answer that the browser brings back must belong to this. */
export interface OidcFlow {
  readonly state: string;
  readonly nonce: string;
  readonly verifier: string;
  readonly redirectUri: string;
}

/** Claims of a verified ID token. */
export type OidcClaims = openid.IDToken;

/** `unavailable`: the provider does not answer. `refused`: it refused, or its answer does not match the request. */
export class OidcError extends Error {
  override readonly name = 'OidcError';
  readonly code: 'unavailable' | 'refused';

  constructor(code: 'unavailable' | 'refused', cause: unknown) {
    super(code, { cause });
    this.code = code;
  }
}

/** Subject, name and e-mail. Roles come with what the provider is set up to put in the ID token. */
const SCOPE = 'openid profile email';
const REQUEST_TIMEOUT_SECONDS = 5;
/** The provider's metadata are fetched again after this time. */
const DISCOVERY_MS = 3_600_000;
/** One that does not answer is not asked by every visitor of the sign-in page. */
const PAUSE_MS = 3_000;
const LOOPBACK = new Set(['127.0.0.1', '[::1]', 'localhost']);

/** Authorization code with PKCE, state and nonce; the ID token's signature is checked by the provider's keys. */
export class OidcProvider {
  readonly #settings: OidcSettings;
  readonly #logger: Logger;
  /** Milliseconds on a monotonic clock. */
  readonly #monotonic = (): number => performance.now();
  #known: { readonly at: number; readonly found: Promise<openid.Configuration> } | null = null;
  #failedAt = Number.NEGATIVE_INFINITY;

  constructor(settings: OidcSettings, logger: Logger) {
    this.#settings = settings;
    this.#logger = logger;
  }

  get issuer(): string {
    return this.#settings.issuer;
  }

  /** The address for the browser, and the state to keep for its return. @throws OidcError */
  async begin(redirectUri: string): Promise<{ readonly url: string; readonly flow: OidcFlow }> {
    const configuration = await this.#configuration();
    const flow = {
      state: openid.randomState(),
      nonce: openid.randomNonce(),
      verifier: openid.randomPKCECodeVerifier(),
      redirectUri,
    };
    const url = openid.buildAuthorizationUrl(configuration, {
      redirect_uri: redirectUri,
      scope: SCOPE,
      state: flow.state,
      nonce: flow.nonce,
      code_challenge: await openid.calculatePKCECodeChallenge(flow.verifier),
      code_challenge_method: 'S256',
    });
    return { url: url.href, flow };
  }

  /** `query` as the browser brought it. @throws OidcError */
  async finish(query: string, flow: OidcFlow): Promise<OidcClaims> {
    const configuration = await this.#configuration();
    const current = new URL(flow.redirectUri);
    current.search = query;
    try {
      const tokens = await openid.authorizationCodeGrant(configuration, current, {
        expectedState: flow.state,
        expectedNonce: flow.nonce,
        pkceCodeVerifier: flow.verifier,
        idTokenExpected: true,
      });
      const claims = tokens.claims();
      if (claims === undefined) throw new Error('no ID token');
      return claims;
    } catch (error) {
      throw new OidcError(isOutage(error) ? 'unavailable' : 'refused', error);
    }
  }

  async #configuration(): Promise<openid.Configuration> {
    const now = this.#monotonic();
    if (now - this.#failedAt < PAUSE_MS) throw new OidcError('unavailable', undefined);
    if (this.#known === null || now - this.#known.at > DISCOVERY_MS) {
      this.#known = { at: now, found: this.#discover() };
    }
    try {
      return await this.#known.found;
    } catch (error) {
      this.#known = null;
      this.#failedAt = this.#monotonic();
      const err = error instanceof Error ? error : new Error('unknown failure');
      this.#logger.warn({ err, event: 'oidc_unavailable' }, 'the identity provider (OIDC_ISSUER) does not answer');
      throw new OidcError('unavailable', error);
    }
  }

  #discover(): Promise<openid.Configuration> {
    const { issuer, clientId, clientSecret } = this.#settings;
    const url = new URL(issuer);
    const isLocal = url.protocol === 'http:' && LOOPBACK.has(url.hostname);
    return openid.discovery(url, clientId, clientSecret, undefined, {
      timeout: REQUEST_TIMEOUT_SECONDS,
      execute: [openid.enableNonRepudiationChecks, ...(isLocal ? [openid.allowInsecureRequests] : [])],
    });
  }
}

/** No answer, or one of a server that is not well; everything else is a no. */
function isOutage(error: unknown): boolean {
  if (error instanceof TypeError) return true;
  const cause: unknown = error instanceof Error ? error.cause : undefined;
  if (cause instanceof Response) return cause.status >= 500;
  return error instanceof openid.ClientError && error.code === 'OAUTH_TIMEOUT';
}
