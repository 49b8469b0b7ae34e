import { randomUUID } from 'node:crypto';
import {
  loginResponseSchema,
  operatorAccountsSchema,
  operatorInviteSchema,
  ownAccountSchema,
  recoveryCodesSchema,
  signInWaysSchema,
  totpSetupSchema,
} from '@chat-realtime/protocol';
import { Staff, until } from '@chat-realtime/testkit';
import { describe, expect, test } from 'vitest';
import { useChat } from '../../support/chat.ts';
import { expectError, fieldPaths } from '../../support/expect-error.ts';
import { totpCode } from '../../support/totp.ts';

const chat = await useChat('main');
const PASSWORD = 'a password of Vera';

async function newOperator() {
  const admin = await chat.staff('admin');
  const json = { login: `op-${randomUUID().slice(0, 8)}`, name: 'Вера', role: 'operator' };
  const invite = (await admin.request('POST', '/auth/operators', { json })).as(operatorInviteSchema, 201);
  const key = new URL(invite.invite_url).hash.replace('#invite=', '');
  expect((await chat.http.post('/auth/invite/accept', { json: { key, password: PASSWORD } })).status).toBe(200);
  const login = (code?: string) =>
    chat.http.post('/auth/login', {
      json: { login: json.login, password: PASSWORD, ...(code === undefined ? {} : { code }) },
    });
  return { admin, login, vera: await Staff.login(chat.http, json.login, PASSWORD) };
}
async function withFactor() {
  const found = await newOperator();
  const setup = (await found.vera.request('POST', '/auth/totp')).as(totpSetupSchema);
  const code = totpCode(setup.secret);
  const confirmed = await found.vera.request('POST', '/auth/totp/confirm', { json: { code } });
  return { ...found, ...setup, code, codes: confirmed.as(recoveryCodesSchema).recovery_codes };
}

describe('the second factor', () => {
  test('[AUTH7] [AUTH27] [AUTH28] [AUTH29] from the first code to a sign-in with one', async () => {
    const { vera, login, secret, code, codes } = await withFactor();
    expect(codes).toHaveLength(10);
    expect((await vera.request('GET', '/auth/me')).as(ownAccountSchema)).toMatchObject({
      second_factor: true,
      recovery_codes_left: 10,
      oidc: false,
    });
    expectError(await login(), 'second_factor_required');
    expectError(await login('000000'), 'bad_credentials');
    // Taken already, to confirm.
    expectError(await login(code), 'bad_credentials');
    (await login(totpCode(secret, 1))).as(loginResponseSchema);
    (await login(codes[0])).as(loginResponseSchema);
    expectError(await login(codes[0]), 'bad_credentials');
    expectError(await vera.request('POST', '/auth/totp'), 'invalid_transition');
  });

  test('[AUTH27] [AUTH30] wrong codes are 422, and turning it off requires a code or a sign-in that has just used one', async () => {
    const { vera, login, codes } = await withFactor();
    for (const json of [{}, { code: '' }, { code: 7 }])
      expectError(await vera.request('POST', '/auth/totp/confirm', { json }), 'validation_failed');
    const login2 = (await login(codes[0])).as(loginResponseSchema);
    const ended = await chat.http.request('DELETE', '/auth/totp', { token: login2.access_token, json: {} });
    expect(ended.status).toBe(204);
    (await login()).as(loginResponseSchema);
    expectError(await vera.request('POST', '/auth/totp/confirm', { json: { code: '123456' } }), 'invalid_transition');
    await vera.request('POST', '/auth/totp');
    const guess = await vera.request('POST', '/auth/totp', { json: { current_password: 'a guess' } });
    expect(fieldPaths(expectError(guess, 'validation_failed'))).toEqual(['current_password']);
    const wrong = expectError(
      await vera.request('POST', '/auth/totp/confirm', { json: { code: 'abcdef' } }),
      'validation_failed',
    );
    expect(fieldPaths(wrong)).toEqual(['code']);
  });

  test('[AUTH31] [AUTH23] [AUTH36] an administrator removes another’s lost one, and not their own', async () => {
    const { admin, vera, login } = await withFactor();
    const listed = async () =>
      (await admin.request('GET', '/auth/operators'))
        .as(operatorAccountsSchema)
        .operators.find(({ id }) => id === vera.userId)?.second_factor;
    expect(await listed()).toBe(true);
    expectError(await vera.request('DELETE', `/auth/operators/${vera.userId}/totp`), 'forbidden');
    expectError(await admin.request('DELETE', '/auth/operators/nobody/totp'), 'not_found');
    for (const [method, path] of [
      ['DELETE', `/auth/operators/${admin.userId}/totp`],
      ['POST', `/auth/operators/${admin.userId}/invite`],
    ] as const)
      expect(fieldPaths(expectError(await admin.request(method, path), 'validation_failed'))).toEqual(['id']);
    expect((await admin.request('DELETE', `/auth/operators/${vera.userId}/totp`)).status).toBe(204);
    expect(await listed()).toBe(false);
    (await login()).as(loginResponseSchema);
  });
});

describe('sign-ins of others', () => {
  test('[AUTH35] [REV3] an administrator ends all of them, on REST and channel', async () => {
    const { admin, vera, login } = await newOperator();
    const channel = await chat.staffChannel(vera);
    expectError(await vera.request('POST', `/auth/operators/${vera.userId}/sign-out`), 'forbidden');
    expectError(await admin.request('POST', '/auth/operators/nobody/sign-out'), 'not_found');
    expect((await admin.request('POST', `/auth/operators/${vera.userId}/sign-out`)).status).toBe(204);
    expect((await channel.closed(6_000)).code).toBe(4505);
    await until(async () => (await vera.request('GET', '/chat/operators')).status === 401, {
      timeoutMs: 6_000,
      what: '401',
    });
    (await login()).as(loginResponseSchema);
  });

  test('[AUTH32] without an identity provider its routes do not exist', async () => {
    expect((await chat.http.get('/auth/sign-in')).as(signInWaysSchema)).toEqual({ oidc: null });
    expectError(await chat.http.get('/auth/oidc/login'), 'not_found');
    expectError(await chat.http.get('/auth/oidc/callback?code=x&state=y'), 'not_found');
    expectError(await chat.http.post('/auth/oidc/token', { json: {} }), 'not_found');
  });
});
