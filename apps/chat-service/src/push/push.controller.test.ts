import { createECDH, randomBytes } from 'node:crypto';
import {
  createSessionResponseSchema,
  pushDevicesResponseSchema,
  pushKeyResponseSchema,
  pushSubscriptionResponseSchema,
} from '@chat-realtime/protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ChatUnderTest } from '../../test/chat-under-test.ts';
import { PushKeyStore } from './push-keys.ts';

let chat: ChatUnderTest;
let anna: string;
let boris: string;
beforeAll(async () => {
  chat = await ChatUnderTest.start({ PUSH_PRIVATE_HOSTS: '127.0.0.1:9443' });
  [anna, boris] = await Promise.all([chat.staff('anna'), chat.staff('boris')]);
});
afterAll(() => chat.stop());

const device = (more: Record<string, unknown> = {}) => {
  const ecdh = createECDH('prime256v1');
  return {
    endpoint: `https://push.example/send/${randomBytes(16).toString('hex')}`,
    expirationTime: null,
    keys: { p256dh: ecdh.generateKeys('base64url'), auth: randomBytes(16).toString('base64url') },
    ...more,
  };
};
const PATH = '/chat/push/subscriptions';
const add = (token: string | undefined, body: object, query = '') => chat.call('POST', PATH + query, { token, body });
const remove = (token: string | undefined, body: object, query = '') =>
  chat.call('DELETE', PATH + query, { token, body });
const rows = () => chat.database.kysely.selectFrom('push_subscription').selectAll().orderBy('id').execute();
const begin = async () => {
  const { session, token } = (await chat.call('POST', '/chat/session', { body: {} })).as(createSessionResponseSchema);
  return { id: session.id, token };
};

describe('the key', () => {
  it('[PUSH1] is generated once, even by concurrent requests, and is the same in every process', async () => {
    const answers = await Promise.all([1, 2, 3].map(() => chat.call('GET', '/chat/push/key')));
    const keys = answers.map((answer) => answer.as(pushKeyResponseSchema).public_key);
    expect(new Set(keys).size).toBe(1);
    expect(Buffer.from(keys[0] ?? '', 'base64url')).toHaveLength(65);
    expect((await new PushKeyStore(chat.database).keys()).publicKey).toBe(keys[0]);
  });
});

describe('a device', () => {
  it('[PUSH2] is stored once for the operator', async () => {
    const mine = device({ device: 'Телефон', locale: 'ru' });
    const first = await add(anna, mine);
    expect(first.status).toBe(201);
    expect(first.as(pushSubscriptionResponseSchema).subscription.device).toBe('Телефон');
    const again = await add(anna, { ...mine, device: undefined });
    expect([again.status, again.as(pushSubscriptionResponseSchema).subscription]).toEqual([
      200,
      first.as(pushSubscriptionResponseSchema).subscription,
    ]);
    // Another operator uses the browser now.
    expect((await add(boris, mine)).status).toBe(200);
    expect((await rows()).filter(({ endpoint }) => endpoint === mine.endpoint).map((row) => row.user_id)).toEqual([
      'boris',
    ]);
  });

  it('[PUSH2] [PUSH5] belongs to a customer with the token of their session, in query or body', async () => {
    const [session, other] = [await begin(), await begin()];
    const mine = device();
    expect((await add(session.token, mine)).code).toBe('bad_token');
    expect((await add(session.token, mine, `?session=${other.id}`)).code).toBe('bad_token');
    expect((await add(session.token, { ...mine, session_id: other.id })).code).toBe('bad_token');
    expect((await add(undefined, mine)).code).toBe('missing_credentials');
    expect((await add('nonsense', mine)).code).toBe('bad_token');
    expect((await add(session.token, mine, `?session=${session.id}`)).status).toBe(201);
    expect((await add(session.token, { ...mine, session_id: session.id })).status).toBe(200);
    expect((await rows()).filter((row) => row.session_id === session.id)).toHaveLength(1);
  });

  it('[PUSH7] is listed only for its owner, who may name it', async () => {
    const [mine, theirs] = [device({ device: 'Firefox' }), device()];
    await add(anna, mine);
    await add(boris, theirs);
    const listed = async (token: string) =>
      (await chat.call('GET', PATH, { token })).as(pushDevicesResponseSchema).devices;
    expect((await listed(anna)).find(({ endpoint }) => endpoint === mine.endpoint)?.device).toBe('Firefox');
    expect((await listed(anna)).some(({ endpoint }) => endpoint === theirs.endpoint)).toBe(false);
    const rename = (token: string | undefined, body: object) => chat.call('PATCH', PATH, { token, body });
    const named = await rename(anna, { endpoint: mine.endpoint, device: 'Мой телефон' });
    expect(named.as(pushSubscriptionResponseSchema).subscription.device).toBe('Мой телефон');
    expect((await listed(anna)).map((one) => one.device)).toContain('Мой телефон');
    expect((await rename(anna, { endpoint: theirs.endpoint, device: 'x' })).code).toBe('not_found');
    for (const bad of ['', ' ', 'x'.repeat(101)])
      expect((await rename(anna, { endpoint: mine.endpoint, device: bad })).code).toBe('validation_failed');
    const session = await begin();
    for (const token of [undefined, session.token]) expect((await rename(token, {})).status).toBe(401);
    expect((await chat.call('GET', PATH, { token: session.token })).status).toBe(401);
  });

  it('[PUSH2] beyond the limit replaces the oldest', async () => {
    const session = await begin();
    const devices = Array.from({ length: 6 }, () => device({ session_id: session.id }));
    for (const one of devices) await add(session.token, one);
    const kept = (await rows()).filter((row) => row.session_id === session.id);
    expect(kept.map(({ endpoint }) => endpoint)).toEqual(devices.slice(1).map(({ endpoint }) => endpoint));
  });

  it('[PUSH3] with malformed keys, or an address within our network, is 422', async () => {
    const good = device();
    const { keys } = good;
    for (const body of [
      {},
      { ...good, keys: undefined },
      { ...good, keys: { ...keys, auth: 'short' } },
      { ...good, keys: { ...keys, p256dh: `${keys.p256dh}AA` } },
      ...[
        'x',
        'http://push.example/1',
        'ftp://push.example/1',
        'https://user@push.example/1',
        'https://127.0.0.1/1',
        'https://[::1]/1',
        'https://10.1.2.3/1',
        'https://169.254.169.254/latest',
        'https://localhost/1',
        'https://postgres/1',
        'https://x.internal/1',
        'https://0x7f000001/1',
        'http://127.0.0.1:9444/1',
        `https://push.example/${'x'.repeat(2_000)}`,
      ].map((endpoint) => ({ ...good, endpoint })),
    ])
      expect([body, (await add(anna, body)).code]).toEqual([body, 'validation_failed']);
    expect((await add(anna, { ...good, endpoint: 'http://127.0.0.1:9443/1' })).status).toBe(201);
  });

  it('[PUSH4] is removed by its owner only', async () => {
    const mine = device();
    await add(anna, mine);
    const has = async () => (await rows()).some(({ endpoint }) => endpoint === mine.endpoint);
    const session = await begin();
    expect((await remove(boris, { endpoint: mine.endpoint })).status).toBe(204);
    expect((await remove(session.token, { endpoint: mine.endpoint }, `?session=${session.id}`)).status).toBe(204);
    expect((await remove(undefined, { endpoint: mine.endpoint })).code).toBe('missing_credentials');
    expect((await remove(anna, {})).code).toBe('validation_failed');
    expect(await has()).toBe(true);
    expect((await remove(anna, { endpoint: mine.endpoint })).status).toBe(204);
    expect((await remove(anna, { endpoint: mine.endpoint })).status).toBe(204);
    expect(await has()).toBe(false);
  });

  it('[PUSH5] is deleted with the operator, and with the chat', async () => {
    await chat.database.kysely
      .insertInto('auth_operator')
      .values({ id: 'vera', login: 'vera', name: 'Vera', role: 'operator', scope: 'all', password_hash: '$argon2id$x' })
      .execute();
    await add(await chat.staff('vera'), device());
    const session = await begin();
    await add(session.token, device({ session_id: session.id }));
    const owners = async () => (await rows()).flatMap((row) => row.user_id ?? `session ${row.session_id}`);
    expect(await owners()).toEqual(expect.arrayContaining(['vera', `session ${session.id}`]));
    await chat.database.kysely.updateTable('auth_operator').set({ active: false }).where('id', '=', 'vera').execute();
    await chat.call('POST', `/chat/session/${session.id}/revoke`, { token: anna });
    const left = await owners();
    expect(left).not.toContain('vera');
    expect(left).not.toContain(`session ${session.id}`);
  });
});
