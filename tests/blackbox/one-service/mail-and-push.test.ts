import { createECDH, createHmac, randomBytes, randomUUID } from 'node:crypto';
import {
  mailInboundResponseSchema,
  notifySettingsResponseSchema,
  pushKeyResponseSchema,
  pushSubscriptionResponseSchema,
} from '@chat-realtime/protocol';
import type { HttpAnswer, Staff } from '@chat-realtime/testkit';
import { beforeAll, describe, expect, test } from 'vitest';
import { useChat } from '../../support/chat.ts';
import { expectError, fieldPaths } from '../../support/expect-error.ts';
import { SECRETS } from '../../support/profiles.ts';

const chat = await useChat('main');
let anna: Staff;
let boris: Staff;
beforeAll(async () => {
  [anna, boris] = [await chat.staff('anna'), await chat.staff('boris')];
});

describe('mail', () => {
  test('[MAIL1] [MAIL2] a transcript is a file with the messages both sides saw, for both of them', async () => {
    const customer = await chat.customer({ name: 'Ольга', email: 'olga@shop.example' });
    await customer.post('Где мой заказ?');
    await anna.send(customer.sessionId, 'Завтра будет у вас.');
    await anna.note(customer.sessionId, 'a secret note');
    for (const answer of [
      await customer.request('POST', '/transcript'),
      await customer.request('POST', '/transcript', { json: {} }),
      await boris.request('POST', `${customer.path}/transcript`, { json: { email: null } }),
    ]) {
      expect([answer.status, answer.header('content-type')]).toEqual([200, 'text/plain; charset=utf-8']);
      expect(answer.header('content-disposition')).toMatch(/^attachment;/);
      expect(answer.header('cache-control')).toBe('no-store');
      expect(answer.text.indexOf('Где мой заказ?')).toBeGreaterThan(0);
      expect(answer.text.indexOf('Завтра будет у вас.')).toBeGreaterThan(answer.text.indexOf('Где мой заказ?'));
      expect(answer.text).not.toContain('a secret note');
    }
    for (const email of ['', 'olga', 'olga@', `${'x'.repeat(255)}@shop.example`, 7, ['a@shop.example']]) {
      const refused = expectError(
        await customer.request('POST', '/transcript', { json: { email } }),
        'validation_failed',
      );
      expect(fieldPaths(refused)).toContain('email');
    }
    expectError(await customer.request('POST', '/transcript', { json: { email: 'olga@shop.example' } }), 'mail_off');
    const other = await chat.customer();
    expectError(await other.http.post(`${customer.path}/transcript`, { token: other.token }), 'bad_token');
  });

  test('[MAIL3] [MAIL5] mail is accepted only with a signature, and the answer has the outcome', async () => {
    const raw = [
      `Message-ID: <${randomUUID()}@mail.example>`,
      'From: somebody@mail.example',
      'To: support+c1-00000000000000000000@shop.example',
      '',
      'Hello',
    ].join('\r\n');
    const now = Math.floor(Date.now() / 1_000);
    const signature = (secret: string, at = now): string =>
      `t=${at},v1=${createHmac('sha256', secret).update(`${at}.${raw}`).digest('hex')}`;
    const send = (headers: Record<string, string>): Promise<HttpAnswer> =>
      chat.http.post('/chat/mail/inbound', { raw, headers: { 'Content-Type': 'message/rfc822', ...headers } });
    expectError(await send({}), 'missing_credentials');
    for (const bad of ['x', signature('another-secret-00000'), signature(SECRETS.mail, now - 900)])
      expectError(await send({ 'X-Chat-Signature': bad }), 'bad_credentials');
    const taken = await send({ 'X-Chat-Signature': signature(SECRETS.mail) });
    expect(taken.as(mailInboundResponseSchema)).toEqual({ outcome: 'ignored', reason: 'unknown_address' });
    const again = await send({ 'X-Chat-Signature': signature(SECRETS.mail) });
    expect(again.as(mailInboundResponseSchema)).toEqual({ outcome: 'duplicate' });
  });

  test('[MAIL6] [MAIL7] forged mail links open nothing', async () => {
    const back = (json: unknown): Promise<HttpAnswer> => chat.http.post('/chat/mail/return', { json });
    expectError(await back({ code: 'guess' }), 'bad_credentials');
    expectError(await back({}), 'validation_failed');
    expectError(await chat.http.get('/chat/mail/unsubscribe'), 'missing_credentials');
    expectError(await chat.http.get('/chat/mail/unsubscribe?sig=1.x'), 'bad_token');
    expectError(
      await chat.http.post('/chat/mail/unsubscribe?sig=1.x', { raw: 'List-Unsubscribe=One-Click' }),
      'bad_token',
    );
  });
});

const device = () => ({
  endpoint: `https://push.example/send/${randomUUID()}`,
  expirationTime: null,
  keys: {
    p256dh: createECDH('prime256v1').generateKeys('base64url'),
    auth: randomBytes(16).toString('base64url'),
  },
});
const PATH = '/chat/push/subscriptions';

describe('push', () => {
  test('[PUSH1] there is one key for everybody', async () => {
    const keys = await Promise.all(
      [1, 2].map(async () => (await chat.http.get('/chat/push/key')).as(pushKeyResponseSchema)),
    );
    expect(keys[0]).toEqual(keys[1]);
    expect(Buffer.from(keys[0]?.public_key ?? '', 'base64url')[0]).toBe(4);
    const known = await anna.request('GET', '/chat/push/key');
    expect(known.as(pushKeyResponseSchema)).toEqual(keys[0]);
  });

  test('[PUSH2] [PUSH4] [PUSH5] an operator and a customer add and remove their devices', async () => {
    const customer = await chat.customer();
    const owners = [
      { token: anna.token, query: '' },
      { token: customer.token, query: `?session=${customer.sessionId}` },
    ];
    for (const { token, query } of owners) {
      const mine = device();
      const add = (): Promise<HttpAnswer> => chat.http.post(PATH + query, { token, json: mine });
      const first = (await add()).as(pushSubscriptionResponseSchema, 201);
      expect((await add()).as(pushSubscriptionResponseSchema, 200)).toEqual(first);
      const remove = { token, json: { endpoint: mine.endpoint } };
      expect((await chat.http.request('DELETE', PATH + query, remove)).status).toBe(204);
      expect((await chat.http.request('DELETE', PATH + query, remove)).status).toBe(204);
    }
    const inBody = { ...device(), session_id: customer.sessionId };
    expect((await chat.http.post(PATH, { token: customer.token, json: inBody })).status).toBe(201);
    for (const method of ['POST', 'DELETE']) {
      expectError(await chat.http.request(method, PATH, { json: device() }), 'missing_credentials');
      expectError(await chat.http.request(method, PATH, { token: customer.token, json: device() }), 'bad_token');
      const foreign = `${PATH}?session=${customer.sessionId + 1}`;
      expectError(await chat.http.request(method, foreign, { token: customer.token, json: device() }), 'bad_token');
    }
  });

  test('[PUSH3] an invalid subscription, or one that leads into the private network, is 422', async () => {
    const good = device();
    for (const [path, json] of [
      ['endpoint', { ...good, endpoint: 'http://push.example/x' }],
      ['endpoint', { ...good, endpoint: 'https://127.0.0.1/x' }],
      ['endpoint', { ...good, endpoint: 'https://localhost/x' }],
      ['endpoint', { ...good, endpoint: undefined }],
      ['keys', { ...good, keys: undefined }],
      ['keys.auth', { ...good, keys: { ...good.keys, auth: 'x' } }],
      ['keys.p256dh', { ...good, keys: { ...good.keys, p256dh: 'x' } }],
    ] as const)
      expect(fieldPaths(expectError(await anna.request('POST', PATH, { json }), 'validation_failed'))).toContain(path);
  });

  test('[PUSH6] [NTF1] only the owner of a device can test it; each operator chooses their own notifications', async () => {
    expectError(await anna.request('POST', '/chat/push/test', { json: { endpoint: device().endpoint } }), 'not_found');
    const path = '/chat/operators/me/notifications';
    const quiet = { from: '22:00', to: '08:00', timezone: 'Europe/Moscow' };
    const settings = { push: ['waiting'], mail: ['waiting'], email: 'anna@shop.example', everywhere: false, quiet };
    const saved = (await anna.request('PUT', path, { json: settings })).as(notifySettingsResponseSchema);
    expect(saved.settings).toEqual(settings);
    expect((await anna.request('GET', path)).as(notifySettingsResponseSchema)).toEqual(saved);
    expect((await boris.request('GET', path)).as(notifySettingsResponseSchema).settings.email).toBeNull();
    for (const bad of [
      { push: ['nothing'] },
      { mail: ['message'] },
      { email: 'anna' },
      { quiet: { ...quiet, from: '25:00' } },
      { quiet: { ...quiet, timezone: 'Mars/Olympus' } },
      { everywhere: 'yes' },
    ])
      expectError(await anna.request('PUT', path, { json: bad }), 'validation_failed');
    expect((await anna.request('GET', path)).as(notifySettingsResponseSchema).settings).toEqual(settings);
  });
});
