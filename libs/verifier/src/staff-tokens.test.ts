import { KeyObject } from 'node:crypto';
import fc from 'fast-check';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { describe, expect, it } from 'vitest';
import { parseRoleMap } from './staff-roles.ts';
import {
  type Claims,
  createVerifier,
  good,
  hmacToken,
  NOW,
  part,
  privateKey,
  publicJwk,
  publicKey,
  staffCode,
  staffNames,
  staffToken,
} from './testing/tokens.ts';
import type { TokenVerifier } from './token-verifier.ts';

const SECRET = 'a secret that both services know, 32+';
const publicPem = KeyObject.from(publicKey).export({ type: 'spki', format: 'pem' }).toString();

const verifier = createVerifier();
const codeOf = (token: string | undefined, by = verifier): Promise<string> => staffCode(token, by);

describe('staff JWTs with a public key', () => {
  it('[TOK17] become a principal', async () => {
    expect(await verifier.verifyStaff(await staffToken())).toEqual({
      ok: true,
      principal: {
        kind: 'staff',
        userId: 'u7',
        name: 'Анна',
        role: 'operator',
        scope: 'all',
        issuedAt: NOW - 10,
        expiresAt: NOW + 890,
        loginId: 'login-1',
      },
    });
    const { name: _name, sid: _sid, ...bare } = good;
    expect(await verifier.verifyStaff(await staffToken({ ...bare, scope: 'assigned' }))).toMatchObject({
      principal: { name: null, loginId: null, scope: 'assigned' },
    });
    // Names in tokens are stored and shown: they are cut between characters, without what a database refuses.
    const name = `\ud83da\u0000${'😀'.repeat(300)}`;
    expect(await verifier.verifyStaff(await staffToken({ ...good, name }))).toMatchObject({
      principal: { name: `\ufffda${'😀'.repeat(198)}` },
    });
    expect(await codeOf(await staffToken({ ...good, aud: ['api', 'chat'] }))).toBe('ok');
  });
  it.each<[string, Claims, string]>([
    ['another issuer', { iss: 'evil' }, 'bad_token'],
    ['no issuer', { iss: undefined }, 'bad_token'],
    ['another audience', { aud: 'shop' }, 'bad_token'],
    ['no audience', { aud: undefined }, 'bad_token'],
    ['no subject', { sub: undefined }, 'bad_token'],
    ['an empty subject', { sub: '' }, 'bad_token'],
    ['a numeric subject', { sub: 7 }, 'bad_token'],
    ['an endless subject', { sub: 'x'.repeat(201) }, 'bad_token'],
    ['no issue time', { iat: undefined }, 'bad_token'],
    ['no expiry', { exp: undefined }, 'bad_token'],
    ['times as text', { exp: String(NOW + 60) }, 'bad_token'],
    ['61 s from the future', { iat: NOW + 61 }, 'bad_token'],
    ['exactly 60 s from the future', { iat: NOW + 60 }, 'ok'],
    ['25 h of life', { iat: NOW, exp: NOW + 90_000 }, 'bad_token'],
    ['exactly 24 h of life', { iat: NOW, exp: NOW + 86_400 }, 'ok'],
    ['expiry before issue', { iat: NOW + 30, exp: NOW + 20 }, 'bad_token'],
    ['expired just now', { exp: NOW }, 'token_expired'],
    ['not yet valid', { nbf: NOW + 100 }, 'bad_token'],
    ['no role', { role: undefined }, 'forbidden'],
    ['another role', { role: 'customer' }, 'forbidden'],
    ['a role of another type', { role: { operator: true } }, 'forbidden'],
  ])('[TOK17] with %s are accepted or refused as specified', async (_what, change, expected) => {
    expect(await codeOf(await staffToken({ ...good, ...change }))).toBe(expected);
  });
  it('[TOK18] are refused with any other algorithm, unsigned, or signed with the public key', async () => {
    const unsigned = `${part({ alg: 'none', typ: 'JWT' })}.${part(good)}.`;
    const tokens = [
      unsigned,
      unsigned.slice(0, -1),
      `${part({ alg: 'none' })}.${part(good)}.AAAA`,
      `${part({ alg: 'NONE', kid: 'main' })}.${part(good)}.AAAA`,
      hmacToken({ alg: 'HS256', kid: 'main' }, good, publicPem),
      hmacToken({ alg: 'HS256', kid: 'main' }, good, ` ${publicPem}`),
      hmacToken({ alg: 'HS256', kid: 'main' }, good, JSON.stringify(publicJwk)),
      hmacToken({ alg: 'HS256' }, good, Buffer.from(publicJwk.x ?? '', 'base64url')),
      hmacToken({ alg: 'ES256', kid: 'main' }, good, publicPem),
      hmacToken({ alg: 'EdDSA', kid: 'main' }, good, publicPem),
    ];
    for (const token of tokens) expect(await codeOf(token)).toBe('bad_token');
  });
  it('[TOK18] are refused with a key they contain themselves', async () => {
    const own = await generateKeyPair('ES256', { extractable: true });
    const jwk = await exportJWK(own.publicKey);
    for (const header of [
      { jwk },
      { jku: 'http://127.0.0.1:1/keys' },
      { x5u: 'http://127.0.0.1:1/cert' },
      { jwk, kid: 'main' },
      { crit: ['exp'] },
    ]) {
      const input = `${part({ alg: 'ES256', ...header })}.${part(good)}`;
      const signature = await crypto.subtle.sign(
        { name: 'ECDSA', hash: 'SHA-256' },
        own.privateKey,
        Buffer.from(input),
      );
      expect(await codeOf(`${input}.${Buffer.from(signature).toString('base64url')}`)).toBe('bad_token');
    }
  });
  it('[TOK18] use a key id only to look it up', async () => {
    for (const kid of [
      '../../etc/passwd',
      'main/../main',
      '__proto__',
      "' OR 1=1 --",
      'http://evil.example/jwks',
      '',
      'Main',
      'main ',
    ]) {
      expect(await codeOf(await staffToken(good, { kid }))).toBe('bad_token');
    }
  });
  it.each<[string, unknown]>([
    ['an array', [good]],
    ['an empty array', []],
    ['a number', 5],
    ['null', null],
    ['a text', '"text"'],
    ['no JSON', '{"iss":'],
    ['deep nesting', `${'['.repeat(2_000)}${']'.repeat(2_000)}`],
  ])('[TOK17] with %s as payload are refused', async (_what, payload) => {
    const input = `${part({ alg: 'ES256', kid: 'main' })}.${part(payload)}`;
    const signature = await crypto.subtle.sign({ name: 'ECDSA', hash: 'SHA-256' }, privateKey, Buffer.from(input));
    expect(await codeOf(`${input}.${Buffer.from(signature).toString('base64url')}`)).toBe('bad_token');
  });
  it('[TOK18] are refused if truncated, lengthened, changed, spaced or endless', async () => {
    const token = await staffToken();
    const [head = '', payload = '', signature = ''] = token.split('.');
    for (let cut = 1; cut < token.length; cut += 7) expect(await codeOf(token.slice(0, cut))).toBe('bad_token');
    const changes = [
      `${token}A`,
      `${token}=`,
      `${token}.`,
      ` ${token}`,
      `${token}\n`,
      `${head}.${payload}`,
      `${head}..${signature}`,
      `${head}.${part({ ...good, role: 'admin' })}.${signature}`,
      'undefined',
      'null',
      'a.b.c',
      '...',
      `${head}.${'A'.repeat(9_000)}.${signature}`,
    ];
    for (const changed of changes)
      expect({ changed, code: await codeOf(changed) }).toMatchObject({ code: 'bad_token' });
    expect(await codeOf(undefined)).toBe('missing_credentials');
    expect(await codeOf('')).toBe('missing_credentials');
  });
  it('never make the verifier throw, whatever the text', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          fc.string(),
          fc
            .tuple(fc.base64String(), fc.json(), fc.base64String())
            .map(([a, b, c]) => `${part(a)}.${part(b)}.${part(c)}`),
        ),
        async (text) => {
          expect((await verifier.verifyStaff(text)).ok).toBe(false);
          expect((await verifier.verifyIdentity(text)).ok).toBe(false);
          expect(verifier.verifyCustomer(1, text).ok).toBe(false);
        },
      ),
      { numRuns: 300 },
    );
  });
  it('may be signed with an EdDSA key', async () => {
    const pair = await generateKeyPair('EdDSA', { extractable: true });
    const jwk = { ...(await exportJWK(pair.publicKey)), kid: 'ed', alg: 'EdDSA' };
    const token = await new SignJWT({ ...good }).setProtectedHeader({ alg: 'EdDSA', kid: 'ed' }).sign(pair.privateKey);
    const keys = { kind: 'local', keys: () => ({ keys: [publicJwk, jwk] }) } as const;
    expect(await codeOf(token, createVerifier({ staff: { keys, ...staffNames } }))).toBe('ok');
    expect(await codeOf(token)).toBe('bad_token');
  });
});

describe('staff JWTs with a shared secret', () => {
  const foreign = (more: object = {}): TokenVerifier =>
    createVerifier({ staff: { keys: { kind: 'secret', secret: SECRET }, ...staffNames, ...more } });
  it('[TOK19] are verified only with HS256', async () => {
    expect(await codeOf(hmacToken({ alg: 'HS256', typ: 'JWT' }, good, SECRET), foreign())).toBe('ok');
    expect(await codeOf(hmacToken({ alg: 'HS256' }, good, 'another secret that nobody knows, 32+'), foreign())).toBe(
      'bad_token',
    );
    expect(await codeOf(hmacToken({ alg: 'HS512' }, good, SECRET), foreign())).toBe('bad_token');
    expect(await codeOf(await staffToken(), foreign())).toBe('bad_token');
    expect(await codeOf(hmacToken({ alg: 'HS256' }, [good], SECRET), foreign())).toBe('bad_token');
    expect(() => createVerifier({ staff: { keys: { kind: 'secret', secret: 'short' }, ...staffNames } })).toThrow(
      /32 bytes/,
    );
  });
  it('[TOK19] [TOK20] map known foreign roles, and no others', async () => {
    const code = (claims: Claims, config: object): Promise<string> =>
      codeOf(hmacToken({ alg: 'HS256' }, { ...good, role: undefined, ...claims }, SECRET), foreign(config));
    const role = async (claims: Claims, config: object): Promise<unknown> => {
      const verdict = await foreign(config).verifyStaff(
        hmacToken({ alg: 'HS256' }, { ...good, role: undefined, ...claims }, SECRET),
      );
      return verdict.ok ? verdict.principal.role : verdict.code;
    };
    const map = { roleMap: parseRoleMap('manager:operator, urn:site:chief:admin') };
    expect(await role({ role: 'manager' }, map)).toBe('operator');
    expect(await role({ role: 'urn:site:chief' }, map)).toBe('admin');
    expect(await role({ role: ['guest', 'manager', 'urn:site:chief'] }, map)).toBe('admin');
    expect(await role({ role: 'admin' }, map)).toBe('forbidden');
    expect(await role({ role: 'customer' }, { ...map, defaultRole: 'operator' })).toBe('forbidden');
    expect(await role({}, { ...map, defaultRole: 'operator' })).toBe('operator');
    expect(await role({}, {})).toBe('forbidden');
    expect(await role({ realm_access: { roles: ['operator'] } }, { roleClaim: 'realm_access.roles' })).toBe('operator');
    expect(await role({ 'https://site/role': 'operator' }, { roleClaim: 'https://site/role' })).toBe('operator');
    expect(await code({ role: 'operator' }, { roleClaim: 'constructor' })).toBe('forbidden');
    expect(() => parseRoleMap('manager:boss')).toThrow(/manager:boss/);
    expect(() => parseRoleMap('manager')).toThrow(/manager/);
  });
  it('[TOK17] get the narrower scope if theirs is unknown', async () => {
    const scope = async (value: unknown): Promise<unknown> => {
      const verdict = await foreign().verifyStaff(hmacToken({ alg: 'HS256' }, { ...good, scope: value }, SECRET));
      return verdict.ok ? verdict.principal.scope : verdict.code;
    };
    expect([
      await scope('all'),
      await scope(undefined),
      await scope('assigned'),
      await scope('own'),
      await scope('mine'),
      await scope(5),
      await scope(['all', 'assigned']),
      await scope('all assigned own'),
    ]).toEqual(['all', 'all', 'assigned', 'own', 'assigned', 'assigned', 'assigned', 'own']);
  });
});
