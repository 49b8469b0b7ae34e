import { randomUUID } from 'node:crypto';
import { authUserSchema, channelTokenResponseSchema, loginResponseSchema } from '@chat-realtime/protocol';
import { Staff } from '@chat-realtime/testkit';
import { createLocalJWKSet, decodeJwt, decodeProtectedHeader, jwtVerify, type JSONWebKeySet } from 'jose';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { useChat } from '../../support/chat.ts';
import { expectError } from '../../support/expect-error.ts';
import { SECRETS } from '../../support/profiles.ts';
import { rawJwt, staffToken, unixNow } from '../../support/tokens.ts';

const chat = await useChat('main');
const jwksSchema = z.object({
  keys: z.array(z.looseObject({ kid: z.string(), kty: z.string(), alg: z.string(), use: z.string() })),
});

const login = (name: string, password: string) => chat.http.post('/auth/login', { json: { login: name, password } });
const refresh = (refresh_token: string | undefined) => chat.http.post('/auth/refresh', { json: { refresh_token } });

async function keys(): Promise<JSONWebKeySet> {
  return (await chat.http.get('/.well-known/jwks.json')).as(jwksSchema);
}

describe('sign-in', () => {
  test('[AUTH1] [AUTH12] the seeded operators and the admin', async () => {
    for (const [name, role] of [
      ['anna', 'operator'],
      ['boris', 'operator'],
      ['admin', 'admin'],
    ] as const) {
      const answer = await login(name, SECRETS.operatorPassword);
      const session = answer.as(loginResponseSchema);
      expect(answer.header('cache-control')).toContain('no-store');
      expect(session).toMatchObject({ token_type: 'Bearer', expires_in: 900, user: { login: name, role } });
    }
  });

  test('[AUTH2] an unknown login and a wrong password are the same 401', async () => {
    const unknown = expectError(await login(`nobody-${randomUUID()}`, 'x'), 'bad_credentials');
    const wrong = expectError(await login('admin', 'wrong password'), 'bad_credentials');
    expect(wrong.message).toBe(unknown.message);
  });

  test('[AUTH2] an unknown login costs the same work as a known one', async () => {
    const time = async (name: string): Promise<number> => {
      const start = performance.now();
      await login(name, 'wrong');
      return performance.now() - start;
    };
    await time('boris');
    // By turns and the quickest of each: what disturbs the machine meets both.
    let known = Number.POSITIVE_INFINITY;
    let unknown = Number.POSITIVE_INFINITY;
    for (let turn = 0; turn < 3; turn += 1) {
      known = Math.min(known, await time('boris'));
      unknown = Math.min(unknown, await time(`nobody-${randomUUID()}`));
    }
    // Without the work it would take a tenth.
    expect(unknown).toBeGreaterThan(known / 5);
  });

  test.each([
    {},
    { login: 'anna' },
    { password: 'x' },
    { login: '', password: 'x' },
    { login: 'anna', password: '' },
    { login: { $ne: null }, password: { $ne: null } },
    { login: ['anna'], password: SECRETS.operatorPassword },
    { login: 'anna', password: 'x'.repeat(1_001) },
    { login: 'a\u0000', password: 'x' },
  ])('[AUTH1] [ERR4] a bad form is 422: %j', async (json) => {
    expectError(await chat.http.post('/auth/login', { json }), 'validation_failed');
  });

  test('[AUTH2] logins are compared whole: no pattern, no SQL', async () => {
    for (const name of ["anna' --", 'ann%', 'anna\u200b', "' OR 1=1 --"]) {
      expectError(await login(name, SECRETS.operatorPassword), 'bad_credentials', 'validation_failed');
    }
  });

  test('[AUTH7] /auth/me names the caller', async () => {
    const anna = await chat.staff('anna');
    const user = (await anna.request('GET', '/auth/me')).as(authUserSchema);
    expect(user).toMatchObject({ id: anna.userId, login: 'anna', role: 'operator', scope: 'all' });
    expectError(await chat.http.get('/auth/me'), 'missing_credentials');
    expectError(await chat.http.get('/auth/me', { token: 'a.b.c' }), 'bad_token');
  });
});

describe('access tokens', () => {
  test('[AUTH8] [AUTH10] [TOK17] are verified by the JWKS and carry what staff JWTs carry', async () => {
    const anna = await chat.staff('anna', true);
    const jwks = await keys();
    const { payload, protectedHeader } = await jwtVerify(anna.token, createLocalJWKSet(jwks));
    expect(protectedHeader.alg).toMatch(/^(EdDSA|Ed25519|ES256)$/);
    expect(jwks.keys.some((key) => key.kid === protectedHeader.kid)).toBe(true);
    expect(payload).toMatchObject({ sub: anna.userId, role: 'operator' });
    for (const claim of ['iss', 'aud', 'iat', 'exp', 'name', 'sid']) expect(payload[claim], claim).toBeDefined();
    expect((payload.exp ?? 0) - (payload.iat ?? 0)).toBe(900);
  });

  test('[AUTH8] the JWKS has public members only', async () => {
    const answer = await chat.http.get('/.well-known/jwks.json');
    const { keys: list } = answer.as(jwksSchema);
    expect(list.length).toBeGreaterThan(0);
    for (const key of list) {
      expect(key.use).toBe('sig');
      for (const member of ['d', 'p', 'q', 'dp', 'dq', 'qi', 'k', 'oth']) expect(key).not.toHaveProperty(member);
    }
  });

  test('[TOK18] [TOK17] none, HS256 with the public key, foreign keys and changed claims are bad', async () => {
    const anna = await chat.staff('anna');
    const claims = decodeJwt(anna.token);
    const header = decodeProtectedHeader(anna.token);
    const [head = '', body = '', signature = ''] = anna.token.split('.');
    const [key] = (await keys()).keys;
    const forgedBody = Buffer.from(JSON.stringify({ ...claims, role: 'admin' })).toString('base64url');
    const forged = [
      rawJwt({ alg: 'none', typ: 'JWT' }, claims),
      rawJwt({ alg: 'None' }, claims),
      `${Buffer.from('{"alg":"none"}').toString('base64url')}.${body}.${signature}`,
      rawJwt({ ...header, alg: 'HS256' }, claims, JSON.stringify(key)),
      rawJwt({ ...header, alg: 'HS256' }, claims, String(key?.['x'])),
      rawJwt({ ...header, alg: 'HS256', jwk: { kty: 'oct', k: 'eHh4' } }, claims, 'xxx'),
      rawJwt({ alg: 'HS256', jku: 'http://127.0.0.1:1/jwks.json', kid: 'evil' }, claims, 'xxx'),
      rawJwt({ ...header, crit: ['exp'] }, claims, 'xxx'),
      await staffToken({ sub: anna.userId, role: 'admin' }),
      `${head}.${forgedBody}.${signature}`,
      `${head}.${body}.${signature.slice(0, -4)}AAAA`,
      `${head}.${body}.`,
      `${head}.${body}`,
      `${anna.token}.x`,
      `${head}.${Buffer.from('[1]').toString('base64url')}.${signature}`,
      'x'.repeat(9_000),
    ];
    for (const token of forged) {
      const answer = await chat.http.get('/chat/sessions', { token });
      expect([400, 401, 431], token.slice(0, 60)).toContain(answer.status);
      if (answer.status === 401) expectError(answer, 'bad_token');
    }
  });

  test('[TOK21] a forged staff token gets the same verdict on every way in', async () => {
    const anna = await chat.staff('anna');
    const token = `${anna.token.slice(0, -6)}AAAAAA`;
    expectError(await chat.http.get('/chat/sessions', { token }), 'bad_token');
    expectError(await chat.http.get(`/channel/poll?type=staff&access_token=${token}`), 'bad_token');
    expectError(await chat.http.get(`/channel/sse?type=staff&access_token=${token}`), 'bad_token');
    expectError(await chat.http.get('/auth/me', { token }), 'bad_token');
    const query = await chat.webSocket({ query: { type: 'staff', access_token: token } });
    expect((await query.closed()).code).toBe(4501);
    const first = await chat.webSocket();
    first.send({ type: 'auth', access_token: token });
    expect((await first.closed()).code).toBe(4501);
  });
});

describe('refresh and logout', () => {
  test('[AUTH3] a refresh gives new tokens, of the same user', async () => {
    const anna = await chat.staff('anna', true);
    const answer = await refresh(anna.refreshToken);
    const next = answer.as(loginResponseSchema);
    expect(answer.header('cache-control')).toContain('no-store');
    expect(next.refresh_token).not.toBe(anna.refreshToken);
    expect(next.user.id).toBe(anna.userId);
    expect((await chat.http.get('/auth/me', { token: next.access_token })).status).toBe(200);
    (await refresh(next.refresh_token)).as(loginResponseSchema);
  });

  test('[AUTH4] a lost answer is repeated, and the sign-in continues', async () => {
    const anna = await chat.staff('anna', true);
    const lost = (await refresh(anna.refreshToken)).as(loginResponseSchema);
    const again = (await refresh(anna.refreshToken)).as(loginResponseSchema);
    expect(again.refresh_token).toBe(lost.refresh_token);
    (await refresh(again.refresh_token)).as(loginResponseSchema);
  });

  test('[AUTH4] a used-up token ends its family once its successor was used', async () => {
    const anna = await chat.staff('anna', true);
    const second = (await refresh(anna.refreshToken)).as(loginResponseSchema);
    const third = (await refresh(second.refresh_token)).as(loginResponseSchema);
    expectError(await refresh(anna.refreshToken), 'bad_credentials');
    expectError(await refresh(third.refresh_token), 'bad_credentials');
    const other = await chat.staff('anna', true);
    (await refresh(other.refreshToken)).as(loginResponseSchema);
  });

  test('[AUTH4] racing refreshes with one token all get the same successor', async () => {
    const anna = await chat.staff('anna', true);
    const answers = await Promise.all(Array.from({ length: 6 }, () => refresh(anna.refreshToken)));
    const successors = answers.map((answer) => answer.as(loginResponseSchema).refresh_token);
    expect(new Set(successors).size).toBe(1);
    expect(successors[0]).not.toBe(anna.refreshToken);
  });

  test('[AUTH5] unknown refresh tokens are 401, bad forms 422', async () => {
    for (const token of ['x', 'a.b', 'A'.repeat(64)]) expectError(await refresh(token), 'bad_credentials');
    expectError(await refresh((await chat.staff('anna')).token.slice(0, 200)), 'bad_credentials');
    for (const json of [{}, { refresh_token: '' }, { refresh_token: 7 }, { refresh_token: 'x'.repeat(5_000) }]) {
      expectError(await chat.http.post('/auth/refresh', { json }), 'validation_failed');
    }
  });

  test('[AUTH6] [REV3] logout ends this sign-in: refresh, REST and connections; others continue', async () => {
    const [anna, elsewhere] = [await chat.staff('anna', true), await chat.staff('anna', true)];
    const console = await chat.staffChannel(anna);
    const other = await chat.staffChannel(elsewhere);
    const answer = await anna.request('POST', '/auth/logout', { json: { refresh_token: anna.refreshToken } });
    expect(answer.status).toBe(204);
    expect((await console.closed(5_000)).code).toBe(4505);
    expectError(await refresh(anna.refreshToken), 'bad_credentials');
    await expect.poll(async () => (await anna.request('GET', '/chat/sessions')).status, { timeout: 2_500 }).toBe(401);
    expectError(await anna.request('GET', '/chat/sessions'), 'token_revoked');
    expectError(await anna.request('GET', '/auth/me'), 'token_revoked');
    const late = await chat.webSocket({ query: { type: 'staff' }, protocols: ['chat.v1', `bearer.${anna.token}`] });
    expect((await late.closed()).code).toBe(4505);
    await other.roundTrip();
    expect((await elsewhere.request('GET', '/chat/sessions')).status).toBe(200);
    (await refresh(elsewhere.refreshToken)).as(loginResponseSchema);
  });

  test('[AUTH6] logout without a body works, without a token it is 401', async () => {
    const anna = await chat.staff('anna', true);
    expectError(await chat.http.post('/auth/logout', { json: {} }), 'missing_credentials');
    expect((await anna.request('POST', '/auth/logout')).status).toBe(204);
    expectError(await refresh(anna.refreshToken), 'bad_credentials');
  });
});

describe('revoking a session', () => {
  test('[REV1] tokens and links end, open connections close 4505 within 5 s', async () => {
    const customer = await chat.customer();
    const anna = await chat.staff('anna');
    const { url } = await customer.streamLink();
    const channel = await chat.channel(customer);
    const sse = await chat.sseChannel(customer);
    const link = new URL(url, chat.baseUrl);
    const stream = await chat.sse(link.pathname + link.search);
    const poll = chat.poll(customer).request({ last_seq: 1, wait: 20 });
    const start = Date.now();
    const answer = await anna.act(customer.sessionId, 'revoke');
    expect(answer.status).toBe(204);
    expect((await channel.closed(5_000)).code).toBe(4505);
    for (const one of [sse, stream]) {
      const closed = await one.waitFor((frame) => frame.type === 'channel.closed', { timeoutMs: 5_000 });
      expect(closed.data['code']).toBe(4505);
      await one.ended();
    }
    const polled = await poll;
    expect(Date.now() - start).toBeLessThan(6_000);
    if (polled.status !== 200) expectError(polled, 'token_revoked');
    expectError(await customer.request('GET', ''), 'token_revoked');
    expectError(await customer.request('POST', '/messages', { json: {} }), 'token_revoked');
    expectError(await chat.http.get(link.pathname + link.search), 'token_revoked');
    expectError(
      await chat.http.get(`/channel/sse?session=${customer.sessionId}&token=${customer.token}`),
      'token_revoked',
    );
    expectError(await chat.poll(customer).request(), 'token_revoked');
    const late = await chat.webSocket({ query: { session: customer.sessionId, token: customer.token } });
    expect((await late.closed()).code).toBe(4505);
  });

  test('[REV2] a token and a link given afterwards work at once', async () => {
    const customer = await chat.customer();
    await (await chat.staff('anna')).act(customer.sessionId, 'revoke');
    const vouched = await chat.http.get(`${customer.path}/channel-token`, {
      headers: { 'X-Site-Key': SECRETS.siteKey },
    });
    customer.token = vouched.as(channelTokenResponseSchema).token;
    expect((await customer.request('GET', '')).status).toBe(200);
    await chat.channel(customer);
    const { url, expires_at } = await customer.streamLink();
    expect(Math.abs(Date.parse(expires_at) / 1_000 - unixNow() - 86_400)).toBeLessThanOrEqual(5);
    const { pathname, search } = new URL(url, chat.baseUrl);
    const stream = await chat.sse(pathname + search);
    await stream.waitFor((frame) => frame.type === 'channel.ready');
  });

  test('[TOK23] the resume key of a revoked session opens nothing, and cannot start another', async () => {
    const customer = await chat.customer();
    const { resumeKey: resume_key } = customer;
    await (await chat.staff('anna')).act(customer.sessionId, 'revoke');
    const headers = { 'X-Resume-Key': resume_key };
    expectError(await chat.http.get(`${customer.path}/channel-token`, { headers }), 'bad_credentials');
    expectError(await chat.http.post('/chat/session', { json: { resume_key } }), 'bad_credentials');
  });

  test('[REV1] another session is not touched', async () => {
    const [customer, other] = [await chat.customer(), await chat.customer()];
    const channel = await chat.channel(other);
    await (await chat.staff('anna')).act(customer.sessionId, 'revoke');
    await new Promise((resolve) => setTimeout(resolve, 500));
    await channel.roundTrip();
    expect(channel.closeEvent).toBeUndefined();
  });

  test('[AUTH12] signing in works after all of that', async () => {
    await Staff.login(chat.http, 'anna', SECRETS.operatorPassword);
  });
});
