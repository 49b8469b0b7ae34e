import { timingSafeEqual, createHash } from 'node:crypto';
import { ChatError, parseId } from '@chat-realtime/protocol';
import {
  looksLikeChannelToken,
  type Principal,
  type RefusalCode,
  type TokenVerifier,
  type Verdict,
} from '@chat-realtime/verifier';
import type { FastifyRequest } from 'fastify';
import type { Access } from './access.ts';

export interface GuardOptions {
  readonly verifier?: TokenVerifier | undefined;
  readonly internalApiKey?: string | undefined;
  readonly eventsApiKey?: string | undefined;
}

const REFUSALS: Record<RefusalCode, string> = {
  missing_credentials: 'no token',
  bad_token: 'the token is not valid here',
  token_expired: 'the token has expired',
  token_revoked: 'the token was revoked',
  forbidden: 'this account has no right here',
  unavailable: 'the sign-in service cannot be reached',
};

/** A token's refusal as the error of a REST answer. */
export function refusalError(code: RefusalCode): ChatError {
  return new ChatError(code, REFUSALS[code]);
}

/** The token of `Authorization: Bearer …`; undefined when there is none. */
export function bearerToken(headers: { readonly authorization?: string | undefined }): string | undefined {
  return /^Bearer +(\S+)$/i.exec(headers.authorization ?? '')?.[1];
}

/** Compares secrets in a time that says nothing about them, their lengths included. */
export function secretsEqual(given: string, expected: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(given), digest(expected));
}

function pathParam(request: FastifyRequest, name: string): string | undefined {
  const params: unknown = request.params;
  const value: unknown = typeof params === 'object' && params !== null ? Reflect.get(params, name) : undefined;
  return typeof value === 'string' ? value : undefined;
}

/**
 * Decides on a request by its own route's declaration. It runs as the first step of the matched route, so spelling a
 * path differently leads either to this same route or to none.
 */
export class RouteGuard {
  readonly #verifier: TokenVerifier | undefined;
  readonly #keys: Readonly<Record<'internal' | 'events', string | undefined>>;

  constructor({ verifier, internalApiKey, eventsApiKey }: GuardOptions) {
    this.#verifier = verifier;
    this.#keys = { internal: internalApiKey, events: eventsApiKey };
  }

  /** @throws ChatError when the request may not use the route. */
  async admit(request: FastifyRequest, access: Access | undefined): Promise<Principal | null> {
    if (access === undefined) throw new Error(`route ${request.routeOptions.url ?? '?'} declares no access`);
    if (access.kind === 'public') return null;
    const token = bearerToken(request.headers);
    if (token === undefined)
      throw refusalError(request.headers.authorization === undefined ? 'missing_credentials' : 'bad_token');
    switch (access.kind) {
      case 'internal':
      case 'events': {
        const key = this.#keys[access.kind];
        if (key === undefined || !secretsEqual(token, key)) throw refusalError('bad_token');
        return null;
      }
      case 'staff':
        return admitted(await this.#trusted().verifyStaff(token));
      case 'admin': {
        const principal = admitted(await this.#trusted().verifyStaff(token));
        if (principal.role !== 'admin') throw refusalError('forbidden');
        return principal;
      }
      case 'subscriber':
        return looksLikeChannelToken(token) ? null : admitted(await this.#trusted().verifyStaff(token));
      case 'customer':
        return this.#customer(request, access.sessionParam, token);
      case 'customer_or_staff':
        return looksLikeChannelToken(token)
          ? this.#customer(request, access.sessionParam, token)
          : admitted(await this.#trusted().verifyStaff(token));
    }
  }

  #customer(request: FastifyRequest, sessionParam: string, token: string): Principal {
    // A staff token on a customer's route is a token of the wrong kind.
    if (!looksLikeChannelToken(token)) throw refusalError('bad_token');
    const sessionId = parseId(pathParam(request, sessionParam));
    // No token can fit a session that cannot exist.
    if (sessionId === undefined) throw refusalError('bad_token');
    return admitted(this.#trusted().verifyCustomer(sessionId, token));
  }

  #trusted(): TokenVerifier {
    if (this.#verifier === undefined) throw new Error('the service has protected routes and no verifier');
    return this.#verifier;
  }
}

function admitted<P extends Principal>(verdict: Verdict<P>): P {
  if (!verdict.ok) throw refusalError(verdict.code);
  return verdict.principal;
}
