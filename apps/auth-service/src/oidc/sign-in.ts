import type { Logger } from '@chat-realtime/service-kit';
import type { AuthConfig } from '../config.ts';
import type { OidcAccounts, OidcRefusal, OidcTicket } from './accounts.ts';
import { personOf, type RoleSettings } from './claims.ts';
import type { FlowSeal } from './flow-cookie.ts';
import { OidcError, OidcProvider } from './provider.ts';

export interface OidcParts {
  readonly accounts: OidcAccounts;
  readonly seal: FlowSeal;
  readonly logger: Logger;
  readonly now: () => Date;
}

export type OidcOutcome =
  | Extract<OidcTicket, { kind: 'ticket' }>
  | { readonly kind: 'refused'; readonly reason: OidcRefusal | 'unavailable' | 'refused' };

/** From the button in the console to the ticket with which the console gets its tokens. */
export class OidcSignIn {
  /** As the button calls the provider. */
  readonly name: string;
  readonly #provider: OidcProvider;
  readonly #roles: RoleSettings;
  readonly #parts: OidcParts;

  private constructor(name: string, provider: OidcProvider, roles: RoleSettings, parts: OidcParts) {
    this.name = name;
    this.#provider = provider;
    this.#roles = roles;
    this.#parts = parts;
  }

  /** Null without `OIDC_ISSUER`. */
  static create(config: AuthConfig, parts: OidcParts): OidcSignIn | null {
    const { OIDC_ISSUER: issuer, OIDC_CLIENT_ID: clientId } = config;
    if (issuer === undefined || clientId === undefined) return null;
    const settings = { issuer, clientId, clientSecret: config.OIDC_CLIENT_SECRET };
    const roles = { claim: config.OIDC_ROLE_CLAIM, map: config.OIDC_ROLE_MAP };
    const name = config.OIDC_NAME ?? new URL(issuer).hostname;
    return new OidcSignIn(name, new OidcProvider(settings, parts.logger), roles, parts);
  }

  /** @throws OidcError */
  async begin(redirectUri: string): Promise<{ readonly url: string; readonly cookie: string }> {
    const { url, flow } = await this.#provider.begin(redirectUri);
    return { url, cookie: await this.#parts.seal.seal(flow, this.#parts.now()) };
  }

  /** The reason of a refusal is told to the browser and the log, without anything of the person. */
  async finish(query: string, cookie: string | undefined): Promise<OidcOutcome> {
    const outcome = await this.#finish(query, cookie);
    if (outcome.kind === 'refused')
      this.#parts.logger.warn({ event: 'oidc_refused', reason: outcome.reason }, 'a sign-in by OIDC was refused');
    return outcome;
  }

  async #finish(query: string, cookie: string | undefined): Promise<OidcOutcome> {
    const flow = await this.#parts.seal.open(cookie, this.#parts.now());
    if (flow === undefined) return { kind: 'refused', reason: 'refused' };
    try {
      const claims = await this.#provider.finish(query, flow);
      return await this.#parts.accounts.admit(personOf(claims, this.#roles));
    } catch (error) {
      if (error instanceof OidcError) return { kind: 'refused', reason: error.code };
      throw error;
    }
  }
}
