import { createHmac } from 'node:crypto';
import {
  alertTestWebhookSchema,
  customerCallbackResponseSchema,
  settingsResponseSchema,
  webhookTestResponseSchema,
} from '@chat-realtime/protocol';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ChatUnderTest } from '../../test/chat-under-test.ts';
import { WebhookReceiver } from '../../test/webhook-receiver.ts';
import { mayReach } from './alert-targets.ts';
import { sendWebhook } from './webhook-sender.ts';

const SECRET = 'a-secret-of-the-receiver';
const PATIENCE = { timeout: 15_000, interval: 500 };
const TEST = '/chat/settings/webhook/test';

describe('targets of alerts', () => {
  const receivers = [new WebhookReceiver(), new WebhookReceiver()] as const;
  let urls: [string, string];
  let chat: ChatUnderTest;
  let anna: string;
  let admin: string;
  beforeAll(async () => {
    urls = [await receivers[0].listen(), await receivers[1].listen()];
    chat = await ChatUnderTest.start({ ALERT_WEBHOOK_PRIVATE_HOSTS: urls.map((url) => new URL(url).host).join(',') });
    [anna, admin] = await Promise.all([chat.staff('anna'), chat.staff('chief', { role: 'admin' })]);
    chat.chat.service.start();
  });
  afterAll(async () => {
    await chat.stop();
    for (const receiver of receivers) receiver.close();
  });
  beforeEach(async () => {
    await patch({ webhook: null });
  });

  const patch = (body: object, token = admin) => chat.call('PATCH', '/chat/settings', { token, body });
  const read = (token = admin) => chat.call('GET', '/chat/settings', { token });
  const begin = () => chat.call('POST', '/chat/session', { body: {} });
  const targets = async () => (await read()).as(settingsResponseSchema).webhook;

  it('[ALR8] an admin saves addresses and a secret, and the next alert is sent there, signed with it', async () => {
    expect(await targets()).toEqual({ urls: [], secret: 'none', saved: false });
    const saved = await patch({ webhook: { urls, secret: SECRET } });
    expect(saved.as(settingsResponseSchema).webhook).toEqual({ urls, secret: 'saved', saved: true });
    // A run that has already begun may still know the previous targets.
    await expect
      .poll(async () => (await begin(), receivers.every(({ requests }) => requests.length > 0)), PATIENCE)
      .toBe(true);
    const [first] = receivers[0].requests;
    const [, time = '', digest = ''] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(first?.signature ?? '') ?? [];
    expect(createHmac('sha256', SECRET).update(`${time}.${first?.body}`).digest('hex')).toBe(digest);
  });

  it('[ALR8] the secret is shown to nobody and kept if none is given, and only admins may change these settings', async () => {
    expect((await patch({ webhook: { urls } })).text).toContain('"path":"webhook.secret"');
    expect(await targets()).toMatchObject({ saved: false });
    await patch({ webhook: { urls, secret: SECRET } });
    const again = await patch({ webhook: { urls: [urls[1]] } });
    expect(again.as(settingsResponseSchema).webhook).toEqual({ urls: [urls[1]], secret: 'saved', saved: true });
    expect((await read(anna)).code).toBe('forbidden');
    const audit = await chat.call('GET', '/chat/audit?limit=1', { token: admin });
    expect(JSON.parse(audit.text).entries).toMatchObject([
      { action: 'settings.changed', details: { parts: ['webhook'] } },
    ]);
    for (const answer of [again, await read(), await read(anna), audit]) expect(answer.text).not.toContain(SECRET);
    for (const answer of [await read(anna), audit]) expect(answer.text).not.toContain('/hook');
  });

  it('[ALR8] an address in our own network or with a password is refused, and so is any change by an operator', async () => {
    for (const [path, url] of [
      ['urls.0', 'http://169.254.169.254/latest'],
      ['urls.0', 'https://10.0.0.5/hook'],
      ['urls.0', 'https://[::1]/hook'],
      ['urls.0', 'https://redis/hook'],
      ['urls.0', 'https://db.internal/hook'],
      ['urls.0', 'http://shop.example/hook'],
      ['urls.0', 'https://user:password@shop.example/hook'],
      ['urls.0', 'ftp://shop.example/hook'],
    ]) {
      const answer = await patch({ webhook: { urls: [url], secret: SECRET } });
      expect([url, answer.code, answer.text.includes(`"path":"webhook.${path}"`)]).toEqual([
        url,
        'validation_failed',
        true,
      ]);
    }
    for (const bad of [
      { urls: ['https://shop.example/a', 'https://shop.example/a'], secret: SECRET },
      { urls: Array.from({ length: 6 }, (_, index) => `https://shop.example/${index}`), secret: SECRET },
      { urls: [], secret: 'short' },
      { urls: [], key: SECRET },
    ])
      expect([bad, (await patch({ webhook: bad })).code]).toEqual([bad, 'validation_failed']);
    expect((await patch({ webhook: { urls: [], secret: SECRET } }, anna)).code).toBe('forbidden');
    expect(await targets()).toMatchObject({ saved: false });
  });

  it('[ALR8] a host name is judged by the address it resolves to when something is sent', async () => {
    expect(mayReach('https://localhost.example.com/', new Set())).toBe(true);
    const reached = await sendWebhook(urls[0], SECRET, '{"id":"1"}', Date.now(), 1_000, new Set());
    expect(reached).toEqual({ ok: false, reason: 'EPRIVATE' });
  });

  it('[ALR8] alerts queued for a removed address are not sent when it is added again', async () => {
    receivers[0].status = 500;
    await patch({ webhook: { urls: [urls[0]], secret: SECRET } });
    const before = receivers[0].requests.length;
    await expect.poll(async () => (await begin(), receivers[0].requests.length), PATIENCE).toBeGreaterThan(before);
    receivers[0].status = 200;
    await patch({ webhook: { urls: [], secret: SECRET } });
    const waiting = await chat.database.kysely
      .selectFrom('webhook_delivery')
      .select('last_error')
      .where('delivered_at', 'is', null)
      .where('failed_at', 'is not', null)
      .execute();
    expect(waiting.map((row) => row.last_error)).toContain('the address was taken out');
  });

  it('[ALR9] an admin tests the addresses and sees what each answered', async () => {
    expect((await chat.call('POST', TEST, { token: admin })).code).toBe('no_alert_targets');
    await patch({ webhook: { urls, secret: SECRET } });
    receivers[1].status = 404;
    const { results } = (await chat.call('POST', TEST, { token: admin })).as(webhookTestResponseSchema);
    receivers[1].status = 200;
    expect(results).toEqual([
      { url: urls[0], delivered: true, reason: null },
      { url: urls[1], delivered: false, reason: 'HTTP 404' },
    ]);
    expect(() => alertTestWebhookSchema.parse(JSON.parse(receivers[0].requests.at(-1)?.body ?? ''))).not.toThrow();
    expect((await chat.call('POST', TEST, { token: anna })).code).toBe('forbidden');
  });

  it('[ALR10] a callback without a preferred time is due after the saved number of minutes', async () => {
    await patch({ alerts: { callback_due_minutes: 15 } });
    const due = async () => {
      const body = { phone: '+79991234567', consent: true };
      const { callback } = (await chat.call('POST', '/chat/callback', { body })).as(customerCallbackResponseSchema);
      const row = await chat.database.kysely
        .selectFrom('chat_callback')
        .select(['due_at', 'created_at'])
        .where('id', '=', callback.id)
        .executeTakeFirstOrThrow();
      return Math.round((row.due_at.getTime() - row.created_at.getTime()) / 60_000);
    };
    expect(await due()).toBe(15);
    await patch({ alerts: null });
    expect(await due()).toBe(120);
    expect((await patch({ alerts: { callback_due_minutes: 0 } })).code).toBe('validation_failed');
  });
});

describe('targets of alerts in the environment', () => {
  it('[ALR8] take precedence over saved ones, are shown without possible secrets, and cannot be changed', async () => {
    const receiver = new WebhookReceiver();
    const url = await receiver.listen();
    const chat = await ChatUnderTest.start({
      ALERT_WEBHOOK_URLS: url,
      ALERT_WEBHOOK_SECRET: SECRET,
      CALLBACK_DUE_MINUTES: '30',
    });
    try {
      const token = await chat.staff('chief', { role: 'admin' });
      const { webhook, rules } = (await chat.call('GET', '/chat/settings', { token })).as(settingsResponseSchema);
      expect(webhook).toEqual({ urls: [`${new URL(url).origin}/…`], secret: 'environment', saved: false });
      expect(rules.fixed).toEqual(['alerts.callback_due_minutes', 'webhook.urls', 'webhook.secret']);
      expect(rules.effective.alerts.callback_due_minutes).toBe(30);
      for (const webhook of [null, { urls: ['https://shop.example/hook'] }, { urls: [], secret: SECRET }])
        expect((await chat.call('PATCH', '/chat/settings', { token, body: { webhook } })).code).toBe(
          'validation_failed',
        );
      const { results } = (await chat.call('POST', TEST, { token })).as(webhookTestResponseSchema);
      expect(results).toEqual([{ url: `${new URL(url).origin}/…`, delivered: true, reason: null }]);
      expect(receiver.requests).toHaveLength(1);
    } finally {
      await chat.stop();
      receiver.close();
    }
  });

  it('[ALR8] a secret without addresses signs what goes to saved addresses', async () => {
    const chat = await ChatUnderTest.start({ ALERT_WEBHOOK_SECRET: SECRET });
    try {
      const token = await chat.staff('chief', { role: 'admin' });
      const save = (webhook: object) => chat.call('PATCH', '/chat/settings', { token, body: { webhook } });
      const urls = ['https://shop.example/hook'];
      expect((await save({ urls, secret: 'another-secret-of-it' })).text).toContain('"path":"webhook.secret"');
      expect((await save({ urls })).as(settingsResponseSchema).webhook).toEqual({
        urls,
        secret: 'environment',
        saved: true,
      });
    } finally {
      await chat.stop();
    }
  });
});
