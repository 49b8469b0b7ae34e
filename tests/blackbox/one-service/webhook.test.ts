import { createHmac } from 'node:crypto';
import {
  alertTestWebhookSchema,
  alertWebhookSchema,
  settingsResponseSchema,
  webhookTestResponseSchema,
} from '@chat-realtime/protocol';
import { until } from '@chat-realtime/testkit';
import { describe, expect, test } from 'vitest';
import type { z } from 'zod';
import { useChat } from '../../support/chat.ts';
import { expectError } from '../../support/expect-error.ts';
import { SECRETS } from '../../support/profiles.ts';
import { unixNow } from '../../support/tokens.ts';

const chat = await useChat('main', { keepConnections: true });
type Hook = z.infer<typeof alertWebhookSchema>;

const isTest = (body: unknown): boolean => alertTestWebhookSchema.safeParse(body).success;

async function hooksOf(sessionId: number | null, reason: Hook['reason']): Promise<Hook[]> {
  const all = (await chat.hooks()).map((hook): unknown => JSON.parse(hook.body)).filter((body) => !isTest(body));
  return all
    .map((body) => alertWebhookSchema.parse(body))
    .filter((hook) => hook.session_id === sessionId && hook.reason === reason);
}

function hookOf(sessionId: number | null, reason: Hook['reason'], timeoutMs = 18_000): Promise<Hook> {
  return until(async () => (await hooksOf(sessionId, reason))[0], {
    timeoutMs,
    everyMs: 100,
    what: `webhook ${reason} of ${sessionId}`,
  });
}

describe.concurrent('webhook', () => {
  test('[ALR4] [ALR5] session_created comes signed over its raw body', async () => {
    const customer = await chat.customer();
    await customer.post('hello');
    const hook = await hookOf(customer.sessionId, 'session_created');
    const raw = (await chat.hooks()).find((one) => one.body.includes(`"${hook.id}"`));
    const signature = String(raw?.headers['x-chat-signature']);
    const match = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(signature);
    expect(match, signature).not.toBeNull();
    const [, t = '', v1 = ''] = match ?? [];
    expect(Math.abs(Number(t) - unixNow())).toBeLessThan(30);
    expect(v1).toBe(
      createHmac('sha256', SECRETS.webhook)
        .update(`${t}.${raw?.body ?? ''}`)
        .digest('hex'),
    );
    expect(String(raw?.headers['content-type'])).toMatch(/^application\/json/);
  });

  test('[ALR4] [ALR7] waiting is sent once after the time, and again after an answer', async () => {
    const customer = await chat.customer();
    const anna = await chat.staff('anna');
    const message = await customer.post('anybody?');
    const hook = await hookOf(customer.sessionId, 'waiting');
    expect(Date.parse(hook.created_at) - Date.parse(message.created_at)).toBeGreaterThanOrEqual(1_900);
    expect(hook.unread_count).toBe(1);
    await customer.post('hello?');
    await new Promise((resolve) => setTimeout(resolve, 3_500));
    expect(await hooksOf(customer.sessionId, 'waiting')).toHaveLength(1);
    await anna.post(customer.sessionId, 'yes');
    await customer.post('next question');
    await until(async () => (await hooksOf(customer.sessionId, 'waiting')).length === 2, {
      timeoutMs: 18_000,
      what: 'second waiting',
    });
    await anna.act(customer.sessionId, 'close');
  }, 60_000);

  test('[ALR4] an answered customer causes no waiting, a delivered reply no reply_unseen', async () => {
    const customer = await chat.customer({ name: 'Quick' });
    const anna = await chat.staff('anna');
    const channel = await chat.channel(customer);
    await customer.post('hi');
    const reply = await anna.post(customer.sessionId, 'answered at once');
    await channel.waitFor((frame) => frame.data['id'] === reply.id);
    channel.send({ type: 'ack', last_id: reply.id });
    const absent = await chat.customer({ name: 'Gone', email: 'gone@example.com' });
    await anna.post(absent.sessionId, 'are you there?');
    const unseen = await hookOf(absent.sessionId, 'reply_unseen');
    expect(unseen.contact).toMatchObject({ name: 'Gone', email: 'gone@example.com' });
    expect(await hooksOf(customer.sessionId, 'waiting')).toEqual([]);
    expect(await hooksOf(customer.sessionId, 'reply_unseen')).toEqual([]);
  }, 60_000);

  test('[ALR4] callback_requested and callback_due', async () => {
    const customer = await chat.customer();
    const anna = await chat.staff('anna');
    const { callbacks_due } = await anna.alerts();
    const preferred_at = new Date(Date.now() + 1_500).toISOString();
    const answer = await chat.http.post('/chat/callback', {
      token: customer.token,
      json: { phone: '+493012345678', session_id: customer.sessionId, consent: true, preferred_at },
    });
    expect(answer.status).toBe(201);
    await hookOf(customer.sessionId, 'callback_requested');
    await hookOf(customer.sessionId, 'callback_due');
    expect((await anna.alerts()).callbacks_due).toBe(callbacks_due + 1);
  }, 60_000);

  test('[ALR6] a refused delivery is repeated with the same id', async () => {
    await chat.refuseNextHooks(2);
    const customer = await chat.customer();
    const hook = await hookOf(customer.sessionId, 'session_created');
    expect(hook.id).not.toBe('');
  }, 60_000);
});

// After the others: some of them let the receiver refuse.
describe('targets of alerts', () => {
  test('[ALR8] [ALR9] an admin sees where alerts go, sends a test, and cannot change what the environment sets', async () => {
    const [anna, admin] = [await chat.staff('anna'), await chat.staff('admin')];
    const { webhook, rules } = (await admin.request('GET', '/chat/settings')).as(settingsResponseSchema);
    expect(webhook).toMatchObject({ secret: 'environment' });
    expect(rules.fixed).toEqual(expect.arrayContaining(['webhook.urls', 'webhook.secret']));
    expectError(await anna.request('GET', '/chat/settings'), 'forbidden');
    const json = { webhook: { urls: ['https://shop.example/hook'] } };
    expectError(await admin.request('PATCH', '/chat/settings', { json }), 'validation_failed');
    expectError(await anna.request('POST', '/chat/settings/webhook/test'), 'forbidden');
    const { results } = (await admin.request('POST', '/chat/settings/webhook/test')).as(webhookTestResponseSchema);
    expect(results).toEqual(webhook?.urls.map((url) => ({ url, delivered: true, reason: null })));
    expect((await chat.hooks()).map((hook): unknown => JSON.parse(hook.body)).some(isTest)).toBe(true);
  });
});
