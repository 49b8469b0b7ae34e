import { randomUUID } from 'node:crypto';
import {
  auditResponseSchema,
  operatorAccountResponseSchema,
  operatorAccountsSchema,
  operatorInviteSchema,
} from '@chat-realtime/protocol';
import { Staff, until } from '@chat-realtime/testkit';
import { beforeAll, describe, expect, test } from 'vitest';
import { useChat } from '../../support/chat.ts';
import { expectError, fieldPaths } from '../../support/expect-error.ts';

const chat = await useChat('main');
const path = '/auth/operators';
let anna: Staff;
let admin: Staff;
beforeAll(async () => {
  [anna, admin] = [await chat.staff('anna'), await chat.staff('admin')];
});

const newLogin = () => `op-${randomUUID().slice(0, 8)}`;
async function add(more: object = {}) {
  const json = { login: newLogin(), name: 'Вера', role: 'operator', ...more };
  return (await admin.request('POST', path, { json })).as(operatorInviteSchema, 201);
}
async function join(invite: Awaited<ReturnType<typeof add>>, password = 'a password of Vera') {
  const key = new URL(invite.invite_url).hash.replace('#invite=', '');
  const answer = await chat.http.post('/auth/invite/accept', { json: { key, password } });
  expect(answer.status, answer.text).toBe(200);
  return Staff.login(chat.http, invite.operator.login, password);
}

describe('accounts of operators', () => {
  test('[AUTH23] [AUTH26] an administrator invites, and the operator gives themselves a password', async () => {
    const invite = await add();
    expect(new URL(invite.invite_url).pathname).toBe('/operator/');
    expect(Date.parse(invite.expires_at)).toBeGreaterThan(Date.now());
    const vera = await join(invite);
    expect(vera.userId).toBe(invite.operator.id);
    const { operators } = (await admin.request('GET', path)).as(operatorAccountsSchema);
    expect(operators).toContainEqual(invite.operator);
    const again = { login: invite.operator.login.toUpperCase(), name: 'x', role: 'operator' };
    expectError(await admin.request('POST', path, { json: again }), 'login_taken');
    const renewed = (await admin.request('POST', `${path}/${vera.userId}/invite`)).as(operatorInviteSchema);
    await join(renewed, 'another password of Vera');
    const { entries } = (await admin.request('GET', '/chat/audit?limit=500')).as(auditResponseSchema);
    const told = entries.filter(({ subject }) => subject === `operator:${vera.userId}`).map(({ action }) => action);
    expect(told).toEqual(['operator.invited', 'operator.added']);
  });

  test("[AUTH24] who is deactivated is out everywhere within seconds, and their chats are nobody's", async () => {
    const invite = await add();
    const vera = await join(invite);
    const customer = await chat.customer();
    await customer.post('hello');
    expect((await vera.act(customer.sessionId, 'assign')).status).toBe(200);
    const channel = await chat.staffChannel(vera);
    const one = `${path}/${vera.userId}`;
    const ended = await admin.request('PATCH', one, { json: { active: false } });
    expect(ended.as(operatorAccountResponseSchema).operator.active).toBe(false);
    await channel.closed(6_000);
    expect(channel.closeEvent?.code).toBe(4505);
    await until(async () => (await vera.request('GET', '/chat/operators')).status === 401, {
      timeoutMs: 6_000,
      what: '401',
    });
    await until(async () => (await anna.session(customer.sessionId)).status === 'new', {
      timeoutMs: 8_000,
      what: 'the chat back in the queue',
    });
    expectError(await admin.request('POST', `${one}/invite`), 'not_found');
    const password = 'a password of Vera';
    expectError(
      await chat.http.post('/auth/login', { json: { login: invite.operator.login, password } }),
      'bad_credentials',
    );
  });

  test('[AUTH25] a new password ends the other sign-ins and leaves the one that asks', async () => {
    const invite = await add();
    const [vera, other] = [
      await join(invite),
      await Staff.login(chat.http, invite.operator.login, 'a password of Vera'),
    ];
    const change = (current_password: string, new_password: string) =>
      vera.request('POST', '/auth/password', { json: { current_password, new_password } });
    expect(fieldPaths(expectError(await change('wrong', 'a new password'), 'validation_failed'))).toEqual([
      'current_password',
    ]);
    expect(fieldPaths(expectError(await change('a password of Vera', 'short'), 'validation_failed'))).toEqual([
      'new_password',
    ]);
    expect((await change('a password of Vera', 'a new password')).status).toBe(204);
    expect((await vera.request('GET', '/auth/me')).status).toBe(200);
    await until(async () => (await other.request('GET', '/auth/me')).status === 401, {
      timeoutMs: 6_000,
      what: 'the end of the other sign-in',
    });
    await Staff.login(chat.http, invite.operator.login, 'a new password');
  });

  test('[AUTH23] [AUTH24] [AUTH26] what is no operator is refused, and who is no administrator', async () => {
    for (const bad of [{ login: '' }, { name: ' ' }, { role: 'owner' }, { scope: 'none' }])
      expectError(
        await admin.request('POST', path, { json: { login: newLogin(), name: 'x', role: 'operator', ...bad } }),
        'validation_failed',
      );
    expectError(await admin.request('PATCH', `${path}/nobody`, { json: { name: 'x' } }), 'not_found');
    for (const [method, target] of [
      ['GET', path],
      ['POST', path],
      ['PATCH', `${path}/${anna.userId}`],
      ['POST', `${path}/${anna.userId}/invite`],
    ] as const)
      expectError(await anna.request(method, target, method === 'GET' ? {} : { json: {} }), 'forbidden');
    const own = await admin.request('PATCH', `${path}/${admin.userId}`, { json: { role: 'operator' } });
    expectError(own, 'last_admin');
  });
});
