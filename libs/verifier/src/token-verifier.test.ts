import { createHmac, createPublicKey, randomBytes } from 'node:crypto';
import { KeyRing, signChannelToken, signStreamLink } from '@chat-realtime/protocol/tokens';
import fc from 'fast-check';
import { type CryptoKey, exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose';
import { beforeAll, describe, expect, it } from 'vitest';
import { RevocationSet } from './revocations.ts';
import { parseRoleMap } from './staff-roles.ts';
import { looksLikeChannelToken, TokenVerifier, type TokenVerifierConfig } from './token-verifier.ts';

const NOW = 1_800_000_000;
const ring = KeyRing.parse('k2:fedcba9876543210fedcba9876543210,k1:0123456789abcdef0123456789abcdef');
const oldRing = KeyRing.parse('k1:0123456789abcdef0123456789abcdef');
const SECRET = 'a secret that both services know, 32+';

let privateKey: CryptoKey;
let publicJwk: JWK;
let publicPem: string;
let verifier: TokenVerifier;
const staffNames = { issuer: 'chat-auth', audience: 'chat' };

beforeAll(async () => {
  const pair = await generateKeyPair('ES256', { extractable: true });
  privateKey = pair.privateKey;
  publicJwk = { ...(await exportJWK(pair.publicKey)), kid: 'main', alg: 'ES256', use: 'sig' };
  publicPem = createPublicKey({ key: { ...publicJwk, kty: 'EC' }, format: 'jwk' }).export({ type: 'spki', format: 'pem' }).toString();
  verifier = create();
});

function create(more: Partial<TokenVerifierConfig> = {}): TokenVerifier {
  return TokenVerifier.create({
    channelSecrets: ring,
    identitySecrets: ring,
    staff: { keys: { kind: 'local', keys: () => ({ keys: [publicJwk] }) }, ...staffNames },
    now: () => NOW,
    ...more,
  });
}

interface Claims {
  readonly [name: string]: unknown;
}
const good: Claims = { iss: 'chat-auth', aud: 'chat', sub: 'u7', iat: NOW - 10, exp: NOW + 890, role: 'operator', name: 'Анна', sid: 'login-1' };
const part = (value: unknown): string => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');

function staffToken(claims: Claims = good, header: { alg?: string; kid?: string } = {}): Promise<string> {
  return new SignJWT({ ...claims }).setProtectedHeader({ alg: 'ES256', kid: 'main', ...header }).sign(privateKey);
}
/** Signs any payload and header at all, well-formed or not. */
function hmacToken(header: object, payload: unknown, secret: string | Buffer): string {
  const input = `${part(header)}.${part(payload)}`;
  return `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`;
}
async function codeOf(token: string | undefined, by: TokenVerifier = verifier): Promise<string> {
  const verdict = await by.verifyStaff(token);
  return verdict.ok ? 'ok' : verdict.code;
}

describe('channel tokens and stream links', () => {
  it('[TOK3] fit their session only', () => {
    const token = signChannelToken(ring, 123, NOW);
    expect(verifier.verifyCustomer(123, token)).toEqual({ ok: true, principal: { kind: 'customer', sessionId: 123, createdAt: NOW, expiresAt: NOW + 86_400 } });
    expect(verifier.verifyCustomer(124, token)).toEqual({ ok: false, code: 'bad_token' });
    expect(verifier.verifyCustomer(123, undefined)).toEqual({ ok: false, code: 'missing_credentials' });
    expect(verifier.verifyCustomer(123, '')).toEqual({ ok: false, code: 'missing_credentials' });
  });
  it('[TOK6] expire to the second, with a shorter life where configured', () => {
    const at = (seconds: number, more: Partial<TokenVerifierConfig> = {}): unknown => {
      const verdict = create(more).verifyCustomer(1, signChannelToken(ring, 1, NOW - seconds));
      return verdict.ok ? 'ok' : verdict.code;
    };
    expect([at(86_399), at(86_400)]).toEqual(['ok', 'token_expired']);
    expect([at(59, { channelTokenTtlSeconds: 60 }), at(60, { channelTokenTtlSeconds: 60 })]).toEqual(['ok', 'token_expired']);
    expect(at(86_400, { channelTokenTtlSeconds: 999_999 })).toBe('token_expired');
  });
  it('[TOK7] are refused more than 60 s from the future', () => {
    expect(verifier.verifyCustomer(1, signChannelToken(ring, 1, NOW + 60)).ok).toBe(true);
    expect(verifier.verifyCustomer(1, signChannelToken(ring, 1, NOW + 61))).toEqual({ ok: false, code: 'bad_token' });
  });
  it('[TOK8] of an older key verify until it is removed', () => {
    const old = signChannelToken(oldRing, 1, NOW);
    expect(verifier.verifyCustomer(1, old).ok).toBe(true);
    expect(create({ channelSecrets: KeyRing.parse('k2:fedcba9876543210fedcba9876543210') }).verifyCustomer(1, old)).toEqual({ ok: false, code: 'bad_token' });
  });
  it('[TOK10] are not exchangeable, with each other or with JWTs', async () => {
    const jwt = await staffToken();
    expect(verifier.verifyCustomer(1, signStreamLink(ring, 1, NOW)).ok).toBe(false);
    expect(verifier.verifyStreamLink(1, signChannelToken(ring, 1, NOW + 5)).ok).toBe(false);
    expect(verifier.verifyCustomer(1, jwt)).toEqual({ ok: false, code: 'bad_token' });
    expect(await codeOf(signChannelToken(ring, 1, NOW))).toBe('bad_token');
    expect([looksLikeChannelToken(jwt), looksLikeChannelToken(signChannelToken(ring, 1, NOW))]).toEqual([false, true]);
  });
  it('[TOK11] a stream link may lie 24 h ahead and no more', () => {
    expect(verifier.verifyStreamLink(1, signStreamLink(ring, 1, NOW + 86_400))).toMatchObject({ ok: true, principal: { expiresAt: NOW + 86_400, createdAt: NOW } });
    expect(verifier.verifyStreamLink(1, signStreamLink(ring, 1, NOW + 86_461))).toEqual({ ok: false, code: 'bad_token' });
    expect(verifier.verifyStreamLink(1, signStreamLink(ring, 1, NOW))).toEqual({ ok: false, code: 'token_expired' });
  });
  it('[TOK5] [TOK4] are refused after any change of any character', () => {
    const token = signChannelToken(ring, 123, NOW);
    fc.assert(
      fc.property(fc.nat(token.length - 1), fc.string({ unit: 'binary', maxLength: 3 }), (at, put) => {
        const changed = token.slice(0, at) + put + token.slice(at + 1);
        fc.pre(changed !== token);
        expect(verifier.verifyCustomer(123, changed).ok).toBe(false);
      }),
      { numRuns: 500 },
    );
    for (const bad of [`${token}=`, ` ${token}`, `${token}\n`, token.slice(0, -1), `../${token}`, token.replace('k2', '__proto__'), token.replace(`${NOW}`, `+${NOW}`), token.replace(`${NOW}`, `0${NOW}`)]) {
      expect(verifier.verifyCustomer(123, bad)).toEqual({ ok: false, code: 'bad_token' });
    }
  });
});

describe('staff JWTs by public key', () => {
  it('[TOK17] become a principal', async () => {
    expect(await verifier.verifyStaff(await staffToken())).toEqual({
      ok: true,
      principal: { kind: 'staff', userId: 'u7', name: 'Анна', role: 'operator', scope: 'all', issuedAt: NOW - 10, expiresAt: NOW + 890, loginId: 'login-1' },
    });
    const { name: _name, sid: _sid, ...bare } = good;
    expect(await verifier.verifyStaff(await staffToken({ ...bare, scope: 'assigned' }))).toMatchObject({ principal: { name: null, loginId: null, scope: 'assigned' } });
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
  ])('[TOK17] with %s', async (_what, change, expected) => {
    expect(await codeOf(await staffToken({ ...good, ...change }))).toBe(expected);
  });
  it('[TOK18] are refused with any other algorithm, unsigned, or signed with what is public', async () => {
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
  it('[TOK18] are refused with the key they bring themselves', async () => {
    const own = await generateKeyPair('ES256', { extractable: true });
    const jwk = await exportJWK(own.publicKey);
    for (const header of [{ jwk }, { jku: 'http://127.0.0.1:1/keys' }, { x5u: 'http://127.0.0.1:1/cert' }, { jwk, kid: 'main' }, { crit: ['exp'] }]) {
      const input = `${part({ alg: 'ES256', ...header })}.${part(good)}`;
      const signature = await crypto.subtle.sign({ name: 'ECDSA', hash: 'SHA-256' }, own.privateKey, Buffer.from(input));
      expect(await codeOf(`${input}.${Buffer.from(signature).toString('base64url')}`)).toBe('bad_token');
    }
  });
  it('[TOK18] look a key id up and never interpret it', async () => {
    for (const kid of ['../../etc/passwd', 'main/../main', '__proto__', "' OR 1=1 --", 'http://evil.example/jwks', '', 'Main', 'main ']) {
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
  it('[TOK18] are refused truncated, lengthened, changed, spaced and endless', async () => {
    const token = await staffToken();
    const [head = '', payload = '', signature = ''] = token.split('.');
    for (let cut = 1; cut < token.length; cut += 7) expect(await codeOf(token.slice(0, cut))).toBe('bad_token');
    const changes = [`${token}A`, `${token}=`, `${token}.`, ` ${token}`, `${token}\n`, `${head}.${payload}`, `${head}..${signature}`, `${head}.${part({ ...good, role: 'admin' })}.${signature}`, 'undefined', 'null', 'a.b.c', '...', `${head}.${'A'.repeat(9_000)}.${signature}`];
    for (const changed of changes) expect({ changed, code: await codeOf(changed) }).toMatchObject({ code: 'bad_token' });
    expect(await codeOf(undefined)).toBe('missing_credentials');
    expect(await codeOf('')).toBe('missing_credentials');
  });
  it('never throws on arbitrary text', async () => {
    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.string(), fc.tuple(fc.base64String(), fc.json(), fc.base64String()).map(([a, b, c]) => `${part(a)}.${part(b)}.${part(c)}`)), async (text) => {
        expect((await verifier.verifyStaff(text)).ok).toBe(false);
        expect((await verifier.verifyIdentity(text)).ok).toBe(false);
        expect(verifier.verifyCustomer(1, text).ok).toBe(false);
      }),
      { numRuns: 300 },
    );
  });
  it('accepts an EdDSA key as well', async () => {
    const pair = await generateKeyPair('EdDSA', { extractable: true });
    const jwk = { ...(await exportJWK(pair.publicKey)), kid: 'ed', alg: 'EdDSA' };
    const token = await new SignJWT({ ...good }).setProtectedHeader({ alg: 'EdDSA', kid: 'ed' }).sign(pair.privateKey);
    const keys = { kind: 'local', keys: () => ({ keys: [publicJwk, jwk] }) } as const;
    expect(await codeOf(token, create({ staff: { keys, ...staffNames } }))).toBe('ok');
    expect(await codeOf(token)).toBe('bad_token');
  });
});

describe('staff JWTs by a shared secret', () => {
  const foreign = (more: object = {}): TokenVerifier => create({ staff: { keys: { kind: 'secret', secret: SECRET }, ...staffNames, ...more } });
  it('[TOK19] are verified by HS256 alone', async () => {
    expect(await codeOf(hmacToken({ alg: 'HS256', typ: 'JWT' }, good, SECRET), foreign())).toBe('ok');
    expect(await codeOf(hmacToken({ alg: 'HS256' }, good, 'another secret that nobody knows, 32+'), foreign())).toBe('bad_token');
    expect(await codeOf(hmacToken({ alg: 'HS512' }, good, SECRET), foreign())).toBe('bad_token');
    expect(await codeOf(await staffToken(), foreign())).toBe('bad_token');
    expect(await codeOf(hmacToken({ alg: 'HS256' }, [good], SECRET), foreign())).toBe('bad_token');
    expect(() => create({ staff: { keys: { kind: 'secret', secret: 'short' }, ...staffNames } })).toThrow(/32 bytes/);
  });
  it('[TOK19] [TOK20] map foreign roles, and only those', async () => {
    const code = (claims: Claims, config: object): Promise<string> => codeOf(hmacToken({ alg: 'HS256' }, { ...good, role: undefined, ...claims }, SECRET), foreign(config));
    const role = async (claims: Claims, config: object): Promise<unknown> => {
      const verdict = await foreign(config).verifyStaff(hmacToken({ alg: 'HS256' }, { ...good, role: undefined, ...claims }, SECRET));
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
  it('[TOK17] give the narrower scope to what they do not understand', async () => {
    const scope = async (value: unknown): Promise<unknown> => {
      const verdict = await foreign().verifyStaff(hmacToken({ alg: 'HS256' }, { ...good, scope: value }, SECRET));
      return verdict.ok ? verdict.principal.scope : verdict.code;
    };
    expect([await scope('all'), await scope(undefined), await scope('assigned'), await scope('own'), await scope(5), await scope(['all', 'assigned'])]).toEqual(['all', 'all', 'assigned', 'assigned', 'assigned', 'assigned']);
  });
});

describe('identity tokens', () => {
  const person: Claims = { aud: 'chat', sub: 'c-15', iat: NOW - 5, exp: NOW + 500, name: 'Ivan', email: 'i@example.org', phone: '+79990000000', sessions: [4, 9] };
  const k1 = Buffer.from('0123456789abcdef0123456789abcdef');
  const k2 = Buffer.from('fedcba9876543210fedcba9876543210');
  const verdictOf = async (token: string): Promise<string> => {
    const verdict = await verifier.verifyIdentity(token);
    return verdict.ok ? 'ok' : verdict.code;
  };
  it('[TOK16] name the customer, by the kid in the header or any key of the ring', async () => {
    for (const [header, key] of [[{ kid: 'k1' }, k1], [{ kid: 'k2' }, k2], [{}, k1], [{}, k2]] as const) {
      expect(await verifier.verifyIdentity(hmacToken({ alg: 'HS256', ...header }, person, key))).toEqual({
        ok: true,
        principal: { kind: 'identity', customerId: 'c-15', name: 'Ivan', email: 'i@example.org', phone: '+79990000000', sessions: [4, 9], issuedAt: NOW - 5, expiresAt: NOW + 500 },
      });
    }
    expect(await verdictOf(hmacToken({ alg: 'HS256' }, { aud: 'chat', sub: 'c', iat: NOW, exp: NOW + 600 }, k1))).toBe('ok');
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
    expect(await create({ identitySecrets: undefined }).verifyIdentity(hmacToken({ alg: 'HS256' }, person, k1))).toEqual({ ok: false, code: 'bad_token' });
  });
});

describe('revocations', () => {
  it('[REV1] cover what was made up to their moment, and nothing later', () => {
    const revocations = new RevocationSet(() => NOW);
    const by = create({ revocations });
    revocations.apply([{ id: 3, kind: 'session', subject: '5', not_after: NOW - 10 }]);
    const code = (session: number, createdAt: number): unknown => {
      const verdict = by.verifyCustomer(session, signChannelToken(ring, session, createdAt));
      return verdict.ok ? 'ok' : verdict.code;
    };
    expect([code(5, NOW - 11), code(5, NOW - 10), code(5, NOW - 9), code(6, NOW - 11)]).toEqual(['token_revoked', 'token_revoked', 'ok', 'ok']);
    expect(by.verifyStreamLink(5, signStreamLink(ring, 5, NOW + 60))).toEqual({ ok: false, code: 'token_revoked' });
    expect(by.verifyStreamLink(5, signStreamLink(ring, 5, NOW + 86_400)).ok).toBe(true);
    expect(revocations.head).toBe(3);
  });
  it('[REV3] cover a member of staff or one sign-in', async () => {
    const revocations = new RevocationSet(() => NOW);
    const by = create({ revocations });
    const [token, later, other] = [await staffToken(), await staffToken({ ...good, iat: NOW }), await staffToken({ ...good, sid: 'login-2' })];
    revocations.apply([{ id: 1, kind: 'staff_login', subject: 'login-1', not_after: NOW + 900 }]);
    expect([await codeOf(token, by), await codeOf(later, by), await codeOf(other, by)]).toEqual(['token_revoked', 'token_revoked', 'ok']);
    revocations.apply([{ id: 2, kind: 'staff', subject: 'u7', not_after: NOW - 5 }]);
    expect(await codeOf(other, by)).toBe('token_revoked');
    expect(await codeOf(await staffToken({ ...good, iat: NOW, sid: 'login-3' }), by)).toBe('ok');
  });
  it('[REV5] hold in any order and repetition, and are forgotten when no token can be left', () => {
    let now = NOW;
    const set = new RevocationSet(() => now);
    const principal = { kind: 'customer', sessionId: 1, createdAt: NOW, expiresAt: NOW + 1 } as const;
    set.apply([{ id: 9, kind: 'session', subject: '1', not_after: NOW }, { id: 8, kind: 'session', subject: '1', not_after: NOW - 100 }]);
    expect([set.isRevoked(principal), set.head]).toEqual([true, 9]);
    now += 86_401;
    set.apply(Array.from({ length: 300 }, (_, i) => ({ id: 10 + i, kind: 'session' as const, subject: `${i + 2}`, not_after: now })));
    expect([set.size, set.head]).toEqual([300, 309]);
  });
});
