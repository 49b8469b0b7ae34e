import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type CryptoKey, exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createKeySource, JWKS_COOLDOWN_MS, JWKS_MAX_AGE_MS, type KeySource } from './key-source.ts';
import { TokenVerifier } from './token-verifier.ts';

interface Pair {
  readonly kid: string;
  readonly privateKey: CryptoKey;
  readonly jwk: JWK;
}
async function makePair(kid: string): Promise<Pair> {
  const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
  return { kid, privateKey, jwk: { ...(await exportJWK(publicKey)), kid, alg: 'ES256', use: 'sig' } };
}
function tokenBy({ kid, privateKey }: Pair, named = kid): Promise<string> {
  return new SignJWT({ role: 'operator' })
    .setProtectedHeader({ alg: 'ES256', kid: named })
    .setIssuer('chat-auth')
    .setAudience('chat')
    .setSubject('7')
    .setIssuedAt()
    .setExpirationTime('10m')
    .sign(privateKey);
}

describe('keys from JWKS', () => {
  let server: Server;
  let url: string;
  let fetches: number;
  let answer: () => { status: number; body: string };

  beforeEach(async () => {
    fetches = 0;
    server = createServer((_request, response) => {
      fetches += 1;
      const { status, body } = answer();
      response.writeHead(status, { 'content-type': 'application/json', location: '/elsewhere' }).end(body);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    url = `http://127.0.0.1:${port}/.well-known/jwks.json`;
  });
  afterEach(() => new Promise<void>((resolve) => void server.close(() => resolve())));

  const publish = (...pairs: Pair[]): void => {
    answer = () => ({ status: 200, body: JSON.stringify({ keys: pairs.map((pair) => pair.jwk) }) });
  };
  const create = (): TokenVerifier =>
    TokenVerifier.create({ staff: { keys: { kind: 'jwks', url }, issuer: 'chat-auth', audience: 'chat' } });
  async function codeOf(verifier: TokenVerifier, token: string): Promise<string> {
    const verdict = await verifier.verifyStaff(token);
    return verdict.ok ? 'ok' : verdict.code;
  }
  async function hasKey(source: KeySource, kid: string): Promise<boolean> {
    try {
      await source.key({ alg: 'ES256', kid }, { payload: '', signature: '' });
      return true;
    } catch (error) {
      if (error instanceof Error) return false;
      throw error;
    }
  }

  it('[TOK22] are fetched once for many tokens at once, and once for a thousand unknown key ids', async () => {
    const pair = await makePair('a');
    publish(pair);
    const verifier = create();
    const token = await tokenBy(pair);
    expect(new Set(await Promise.all(Array.from({ length: 50 }, () => codeOf(verifier, token))))).toEqual(
      new Set(['ok']),
    );
    expect(fetches).toBe(1);
    const strange = await tokenBy(pair, 'unknown');
    for (let i = 0; i < 1_000; i += 1) expect(await codeOf(verifier, strange)).toBe('bad_token');
    expect(fetches).toBe(1);
  });
  it('[TOK22] follow a rotation: a new key within the cool-down, a removed one after the age', async () => {
    const [a, b] = [await makePair('a'), await makePair('b')];
    let now = 0;
    publish(a);
    const source = createKeySource({ kind: 'jwks', url }, () => now);
    expect(await hasKey(source, 'a')).toBe(true);
    publish(a, b);
    expect(await hasKey(source, 'b')).toBe(false);
    now += JWKS_COOLDOWN_MS;
    expect(await hasKey(source, 'b')).toBe(true);
    expect(fetches).toBe(2);
    publish(b);
    expect(await hasKey(source, 'a')).toBe(true);
    now += JWKS_MAX_AGE_MS;
    expect(await hasKey(source, 'a')).toBe(false);
  });
  it('remain in use while the auth-service is unavailable or answers nonsense', async () => {
    const pair = await makePair('a');
    let now = 0;
    publish(pair);
    const source = createKeySource({ kind: 'jwks', url }, () => now);
    expect(await hasKey(source, 'a')).toBe(true);
    const faults = [
      { status: 500, body: '' },
      { status: 200, body: 'nonsense' },
      { status: 200, body: '{"keys":5}' },
      { status: 302, body: '' },
      { status: 200, body: `{"keys":[${' '.repeat(100_000)}]}` },
    ];
    for (const fault of faults) {
      answer = () => fault;
      now += JWKS_MAX_AGE_MS;
      expect(await hasKey(source, 'a')).toBe(true);
    }
    await new Promise<void>((resolve) => void server.close(() => resolve()));
    server.closeAllConnections();
    now += JWKS_MAX_AGE_MS;
    expect(await hasKey(source, 'a')).toBe(true);
    server = createServer().listen(0);
  });
  it('give "unavailable" until they are loaded, and recover automatically', async () => {
    const pair = await makePair('a');
    answer = () => ({ status: 503, body: '' });
    const verifier = create();
    const token = await tokenBy(pair);
    expect(await codeOf(verifier, token)).toBe('unavailable');
    expect(await codeOf(verifier, token)).toBe('unavailable');
    expect(fetches).toBe(1);
    publish(pair);
    await expect.poll(() => codeOf(verifier, token), { timeout: 5_000 }).toBe('ok');
  });
});
