import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { type Claims, createVerifier, hmacToken, NOW, part, staffToken } from './testing/tokens.ts';

const verifier = createVerifier();

describe('identity tokens', () => {
  const person: Claims = {
    aud: 'chat',
    sub: 'c-15',
    iat: NOW - 5,
    exp: NOW + 500,
    name: 'Ivan',
    email: 'i@example.org',
    phone: '+79990000000',
    sessions: [4, 9],
  };
  const k1 = Buffer.from('0123456789abcdef0123456789abcdef');
  const k2 = Buffer.from('fedcba9876543210fedcba9876543210');
  const verdictOf = async (token: string): Promise<string> => {
    const verdict = await verifier.verifyIdentity(token);
    return verdict.ok ? 'ok' : verdict.code;
  };
  it('[TOK16] name the customer, with the kid in the header or any key of the ring', async () => {
    for (const [header, key] of [
      [{ kid: 'k1' }, k1],
      [{ kid: 'k2' }, k2],
      [{}, k1],
      [{}, k2],
    ] as const) {
      expect(await verifier.verifyIdentity(hmacToken({ alg: 'HS256', ...header }, person, key))).toEqual({
        ok: true,
        principal: {
          kind: 'identity',
          customerId: 'c-15',
          name: 'Ivan',
          email: 'i@example.org',
          phone: '+79990000000',
          sessions: [4, 9],
          issuedAt: NOW - 5,
          expiresAt: NOW + 500,
        },
      });
    }
    expect(await verdictOf(hmacToken({ alg: 'HS256' }, { aud: 'chat', sub: 'c', iat: NOW, exp: NOW + 600 }, k1))).toBe(
      'ok',
    );
  });
  it.each<[string, Claims, string]>([
    ['601 s of life', { iat: NOW, exp: NOW + 601 }, 'bad_token'],
    ['another audience', { aud: 'shop' }, 'bad_token'],
    ['no customer', { sub: '' }, 'bad_token'],
    ['the future', { iat: NOW + 61, exp: NOW + 100 }, 'bad_token'],
    ['a passed expiry', { iat: NOW - 500, exp: NOW }, 'token_expired'],
    ['no expiry', { exp: undefined }, 'bad_token'],
    ['sessions that are no ids', { sessions: ['4'] }, 'bad_token'],
    ['a name that is no text', { name: { first: 'x' } }, 'bad_token'],
  ])('[TOK16] with %s are refused', async (_what, change, expected) => {
    expect(await verdictOf(hmacToken({ alg: 'HS256' }, { ...person, ...change }, k1))).toBe(expected);
  });
  it('[TOK16] are refused with a wrong key, kid or algorithm', async () => {
    expect(await verdictOf(hmacToken({ alg: 'HS256', kid: 'k2' }, person, k1))).toBe('bad_token');
    expect(await verdictOf(hmacToken({ alg: 'HS256', kid: '../k1' }, person, k1))).toBe('bad_token');
    expect(await verdictOf(hmacToken({ alg: 'HS256' }, person, randomBytes(32)))).toBe('bad_token');
    expect(await verdictOf(`${part({ alg: 'none' })}.${part(person)}.AAAA`)).toBe('bad_token');
    expect(await verdictOf(await staffToken({ ...person, role: 'admin' }))).toBe('bad_token');
    expect(
      await createVerifier({ identitySecrets: undefined }).verifyIdentity(hmacToken({ alg: 'HS256' }, person, k1)),
    ).toEqual({ ok: false, code: 'bad_token' });
  });
});
