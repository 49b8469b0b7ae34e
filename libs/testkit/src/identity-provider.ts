import { createHash, createSign, generateKeyPairSync, randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface ProviderPerson {
  readonly sub: string;
  /** The claims of the ID token besides the registered ones. */
  readonly claims: Readonly<Record<string, unknown>>;
}

interface Grant {
  readonly challenge: string;
  readonly redirectUri: string;
  readonly nonce: string;
  readonly person: ProviderPerson;
}

const LIFE_SECONDS = 300;
const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');

/**
 * An OpenID provider with the addresses and claims of Keycloak. It signs in whoever `person` is, without a form, and is as
 * strict as a real one about client, redirect address, code and PKCE.
 */
export class FakeIdentityProvider {
  readonly clientId = 'chat-console';
  readonly clientSecret = 'secret-of-the-chat-console';
  person: ProviderPerson = { sub: randomUUID(), claims: {} };
  /** Put over the ID token's claims, to see what is refused. */
  forge: Readonly<Record<string, unknown>> = {};
  /** Signs with a key that is not in the key set. */
  forgeKey = false;
  /** Answers nothing but 503. */
  away = false;
  readonly #server = createServer((request, response) => void this.#answer(request, response));
  readonly #grants = new Map<string, Grant>();
  readonly #keys = generateKeyPairSync('rsa', { modulusLength: 2048 });
  readonly #foreign = generateKeyPairSync('rsa', { modulusLength: 2048 });

  get issuer(): string {
    const address = this.#server.address() as AddressInfo;
    return `http://127.0.0.1:${address.port}/realms/shop`;
  }

  async start(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return this;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', this.issuer);
    const path = url.pathname.replace('/realms/shop', '');
    if (this.away) return json(response, 503, { error: 'temporarily_unavailable' });
    if (path === '/.well-known/openid-configuration') return json(response, 200, this.#configuration());
    if (path === '/protocol/openid-connect/certs') return json(response, 200, { keys: [this.#jwk()] });
    if (path === '/protocol/openid-connect/auth') return this.#authorize(url, response);
    if (path === '/protocol/openid-connect/token' && request.method === 'POST') {
      let body = '';
      for await (const chunk of request) body += String(chunk);
      return this.#token(new URLSearchParams(body), response);
    }
    return json(response, 404, { error: 'not_found' });
  }

  #configuration(): object {
    const at = `${this.issuer}/protocol/openid-connect`;
    return {
      issuer: this.issuer,
      authorization_endpoint: `${at}/auth`,
      token_endpoint: `${at}/token`,
      jwks_uri: `${at}/certs`,
      response_types_supported: ['code'],
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: ['RS256'],
      token_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post'],
      code_challenge_methods_supported: ['S256'],
    };
  }

  #authorize(url: URL, response: ServerResponse): void {
    const get = (name: string): string => url.searchParams.get(name) ?? '';
    if (get('client_id') !== this.clientId || get('response_type') !== 'code')
      return json(response, 400, { error: 'unauthorized_client' });
    if (get('code_challenge_method') !== 'S256' || get('code_challenge') === '' || get('state') === '')
      return json(response, 400, { error: 'invalid_request' });
    const code = randomUUID();
    const redirectUri = get('redirect_uri');
    this.#grants.set(code, { challenge: get('code_challenge'), redirectUri, nonce: get('nonce'), person: this.person });
    const back = new URL(redirectUri);
    back.searchParams.set('state', get('state'));
    back.searchParams.set('code', code);
    response.writeHead(302, { location: back.href }).end();
  }

  #token(form: URLSearchParams, response: ServerResponse): void {
    const code = form.get('code') ?? '';
    const grant = this.#grants.get(code);
    this.#grants.delete(code);
    const challenge = createHash('sha256')
      .update(form.get('code_verifier') ?? '')
      .digest('base64url');
    if (form.get('client_id') !== this.clientId || form.get('client_secret') !== this.clientSecret)
      return json(response, 401, { error: 'invalid_client' });
    if (grant === undefined || grant.challenge !== challenge || grant.redirectUri !== form.get('redirect_uri'))
      return json(response, 400, { error: 'invalid_grant' });
    const id_token = this.#idToken(grant);
    return json(response, 200, {
      access_token: randomUUID(),
      token_type: 'Bearer',
      expires_in: LIFE_SECONDS,
      id_token,
    });
  }

  #idToken({ nonce, person }: Grant): string {
    const iat = Math.floor(Date.now() / 1_000);
    const own = { iss: this.issuer, aud: this.clientId, sub: person.sub, iat, exp: iat + LIFE_SECONDS, nonce };
    const signed = `${encode({ alg: 'RS256', typ: 'JWT', kid: 'k1' })}.${encode({ ...own, ...person.claims, ...this.forge })}`;
    const { privateKey } = this.forgeKey ? this.#foreign : this.#keys;
    return `${signed}.${createSign('RSA-SHA256').update(signed).sign(privateKey, 'base64url')}`;
  }

  #jwk(): object {
    return { ...this.#keys.publicKey.export({ format: 'jwk' }), kid: 'k1', alg: 'RS256', use: 'sig' };
  }
}

function json(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}
