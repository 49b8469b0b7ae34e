import { randomUUID } from 'node:crypto';
import { crc32, deflateSync } from 'node:zlib';
import {
  auditResponseSchema,
  authUserSchema,
  inviteResponseSchema,
  operatorAccountResponseSchema,
  operatorAccountsSchema,
  operatorInviteSchema,
  pictureResponseSchema,
  picturesResponseSchema,
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
  test('[AUTH23] [AUTH26] an administrator invites, and the operator sets a password', async () => {
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
    const invited = ['operator.added', 'password.set_by_link', 'operator.invited', 'password.set_by_link'];
    expect(told).toEqual(invited.toReversed());
  });

  test('[AUTH20] [AUTH22] a link names its account, accepts no bad password, and works once', async () => {
    const { operator, invite_url } = await add();
    const key = new URL(invite_url).hash.replace('#invite=', '');
    const read = (json: unknown) => chat.http.post('/auth/invite', { json });
    const accept = (json: unknown) => chat.http.post('/auth/invite/accept', { json });
    const { login, name } = operator;
    expect((await read({ key })).as(inviteResponseSchema)).toMatchObject({ kind: 'operator', login, name });
    for (const bad of [{ key }, { key, password: 'short' }, { key, password: 7 }, { password: 'a password of Vera' }])
      expectError(await accept(bad), 'validation_failed');
    expectError(await read({}), 'validation_failed');
    for (const other of [`${key}x`, 'x', key.toLowerCase()]) {
      expectError(await read({ key: other }), 'bad_credentials');
      expectError(await accept({ key: other, password: 'a password of Vera' }), 'bad_credentials');
    }
    // What is the administrator's to say a link does not change.
    const more = { login: 'admin', name: 'x', role: 'admin', scope: 'all' };
    const accepted = await accept({ key, password: 'a password of Vera', ...more });
    expect(accepted.as(authUserSchema)).toMatchObject({ login, name, role: 'operator' });
    expectError(await accept({ key, password: 'a password of Eve' }), 'bad_credentials');
    expectError(await read({ key }), 'bad_credentials');
  });

  test('[AUTH24] a deactivated operator is signed out everywhere within seconds, and their chats become unassigned', async () => {
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

  test('[AUTH25] a new password ends the other sign-ins and keeps the caller’s', async () => {
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

  test('[AUTH23] [AUTH24] [AUTH26] invalid accounts are refused, and so are callers who are not administrators', async () => {
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
    const stale = { name: 'x', expected_updated_at: new Date(0).toISOString() };
    expectError(await admin.request('PATCH', `${path}/${anna.userId}`, { json: stale }), 'stale');
    const own = await admin.request('PATCH', `${path}/${admin.userId}`, { json: { role: 'operator' } });
    expectError(own, 'last_admin');
  });
});

/** 64 × 64, one colour, and a comment that nobody but its maker is to read. */
function png(type = 'IHDR'): string {
  const chunk = (name: string, data: Buffer): Buffer => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(data.length);
    const body = Buffer.concat([Buffer.from(name, 'latin1'), data]);
    const sum = Buffer.alloc(4);
    sum.writeUInt32BE(crc32(body));
    return Buffer.concat([length, body, sum]);
  };
  const header = Buffer.from([0, 0, 0, 64, 0, 0, 0, 64, 8, 0, 0, 0, 0]);
  const parts = [
    chunk(type, header),
    chunk('tEXt', Buffer.from('Comment\0secret-place')),
    chunk('IDAT', deflateSync(Buffer.alloc(65 * 64, 128))),
    chunk('IEND', Buffer.alloc(0)),
  ];
  return Buffer.concat([Buffer.from('89504e470d0a1a0a', 'hex'), ...parts]).toString('base64');
}

describe('pictures of operators', () => {
  test('[PIC1] [PIC2] [PIC3] [PIC4] [PIC5] are set by themselves and by admins, and seen by everybody', async () => {
    const put = (staff: Staff, id: string, image = png()) =>
      staff.request('PUT', `/chat/operators/${id}/picture`, { json: { image } });
    const pictures = async (ids: string) =>
      (await chat.http.get(`/chat/pictures?ids=${ids}`)).as(picturesResponseSchema).pictures;
    const { picture } = (await put(anna, 'me')).as(pictureResponseSchema);
    expect(await pictures(`${anna.userId},nobody`)).toEqual({ [anna.userId]: picture });
    expect(picture).not.toContain(anna.userId);
    const shown = await chat.http.get(picture);
    expect([shown.status, shown.header('content-type')]).toEqual([200, 'image/png']);
    expect(shown.header('content-security-policy')).toContain('sandbox');
    expect(shown.header('x-content-type-options')).toBe('nosniff');
    expect(shown.header('cache-control')).toMatch(/public.*immutable/);
    expect(shown.text).not.toContain('secret-place');

    expectError(await put(anna, admin.userId), 'forbidden');
    expectError(await anna.request('DELETE', `/chat/operators/${admin.userId}/picture`), 'forbidden');
    const customer = await chat.customer();
    const json = { image: png() };
    expectError(
      await chat.http.request('PUT', '/chat/operators/me/picture', { token: customer.token, json }),
      'bad_token',
    );
    expectError(await put(anna, 'me', Buffer.from('<svg/>').toString('base64')), 'unsupported_media_type');
    // Its first part is no header, so nothing shows that it is a picture; one that is cut is another fault.
    expectError(await put(anna, 'me', png('IHDX')), 'unsupported_media_type');
    const cut = Buffer.from(png(), 'base64').subarray(0, -12).toString('base64');
    expectError(await put(anna, 'me', cut), 'validation_failed');
    expectError(await put(anna, 'me', 'no base64!'), 'validation_failed');
    expectError(await put(admin, 'nobody-has-this-id'), 'validation_failed');
    expectError(await chat.http.get('/chat/pictures?ids='), 'validation_failed');
    expectError(await chat.http.get(`/chat/pictures?ids=${Array(21).fill('x').join(',')}`), 'validation_failed');
    expect(await pictures(anna.userId)).toEqual({ [anna.userId]: picture });

    const next = (await put(admin, anna.userId)).as(pictureResponseSchema).picture;
    expect(next).not.toBe(picture);
    expectError(await chat.http.get(picture), 'not_found');
    expect((await admin.request('DELETE', `/chat/operators/${anna.userId}/picture`)).status).toBe(204);
    expect((await anna.request('DELETE', '/chat/operators/me/picture')).status).toBe(204);
    expectError(await chat.http.get(next), 'not_found');
    expect(await pictures(anna.userId)).toEqual({});
    const { entries } = (await admin.request('GET', '/chat/audit?limit=3')).as(auditResponseSchema);
    expect(entries.map(({ action, actor_id: by, subject }) => [action, by, subject])).toEqual([
      ['picture.removed', admin.userId, `operator:${anna.userId}`],
      ['picture.changed', admin.userId, `operator:${anna.userId}`],
      ['picture.changed', anna.userId, `operator:${anna.userId}`],
    ]);
  });
});
