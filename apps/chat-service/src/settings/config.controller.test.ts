import { randomUUID } from 'node:crypto';
import { catchupResponseSchema, configResponseSchema, createSessionResponseSchema } from '@chat-realtime/protocol';
import { ConfigError, loadConfig } from '@chat-realtime/service-kit';
import { afterEach, describe, expect, it } from 'vitest';
import type { z } from 'zod';
import { chatServiceSchema, chatSettingsSchema } from '../config.ts';
import { ChatUnderTest, INTERNAL_KEY } from '../../test/chat-under-test.ts';
import { effectiveRules } from './effective-rules.ts';

let chat: ChatUnderTest | undefined;
afterEach(async () => {
  await chat?.stop();
  chat = undefined;
});
async function start(env: Record<string, string> = {}): Promise<ChatUnderTest> {
  chat = await ChatUnderTest.start(env);
  return chat;
}

describe('GET /chat/config', () => {
  it('[CFG1] is public, cacheable, and 304 while it is unchanged', async () => {
    const server = await start();
    const answer = await server.call('GET', '/chat/config');
    expect([answer.status, answer.headers['cache-control']]).toEqual([
      200,
      expect.stringMatching(/^public, max-age=\d+$/),
    ]);
    const config = answer.as(configResponseSchema);
    expect(config.attachments).toMatchObject({ max_bytes: 10_485_760, max_per_message: 5 });
    expect(config.attachments.mime).not.toContain('image/svg+xml');
    expect(config.attachments.mime).toContain('application/octet-stream');
    const etag = String(answer.headers['etag']);
    const headers = { 'if-none-match': `"x", W/${etag}` };
    expect([(await server.call('GET', '/chat/config', { headers })).status, answer.text.length > 0]).toEqual([
      304,
      true,
    ]);
    expect((await server.call('HEAD', '/chat/config')).status).toBe(200);
  });

  it('[CFG2] is online while an operator is connected within the hours', async () => {
    const server = await start({ CHAT_SCHEDULE: 'Europe/Moscow; mon-sun 00:00-24:00' });
    const online = async () => (await server.call('GET', '/chat/config')).as(configResponseSchema).online;
    expect(await online()).toBe(false);
    const presence = { gateway_id: 'g1', operators: [{ id: 'anna', name: 'Anna' }] };
    const said = await server.call('POST', '/internal/catchup', {
      token: INTERNAL_KEY,
      body: { sessions: [], limit: 1, presence },
    });
    expect(said.as(catchupResponseSchema).operators_online).toBe(1);
    await expect.poll(online, { timeout: 5_000 }).toBe(true);
  });

  it('[CFG2] is offline outside the hours and says when they begin', async () => {
    const server = await start({
      CHAT_SCHEDULE: '{"timezone":"Europe/Moscow","hours":{"mon":["09:00-18:00"]},"holidays":[]}',
      CHAT_WIDGET: '{"online":"schedule"}',
    });
    const config = (await server.call('GET', '/chat/config')).as(configResponseSchema);
    const isMonday = new Date().toLocaleString('en-US', { timeZone: 'Europe/Moscow', weekday: 'long' }) === 'Monday';
    if (!isMonday) expect(config.online).toBe(false);
    if (!config.online) {
      expect(
        new Date(config.reopens_at ?? '').toLocaleString('en-US', {
          timeZone: 'Europe/Moscow',
          weekday: 'long',
          hour: 'numeric',
        }),
      ).toContain('Monday');
      expect(config.reply_time_text).toMatch(/^Ответим .* с 09:00$/);
    }
  });

  it('[CFG1] shows what the owner configured', async () => {
    const widget = {
      texts: { title: 'Поддержка' },
      theme: { accent: '#e30' },
      consent: { version: '7', text: 'Согласие', url: 'https://shop.example/privacy' },
      prechat_fields: [{ name: 'phone', required: true }],
    };
    const server = await start({ CHAT_WIDGET: JSON.stringify(widget) });
    expect((await server.call('GET', '/chat/config')).as(configResponseSchema)).toMatchObject(widget);
  });
});

describe('configuration', () => {
  it('[CFG3] lists all errors at once and prints no secret', () => {
    const env = {
      CHAT_TOKEN_SECRETS: 'k1:tooshort-SECRET',
      CHAT_SCHEDULE: 'Mars; mon 09:00-18:00',
      CHAT_WIDGET: '{"online":',
      CHAT_PHONE_COUNTRY: 'XX',
      ALERT_WEBHOOK_URLS: 'not a url',
      PORT: '70000',
      RETURN_TO_QUEUE: 'sometimes',
    };
    let problems: readonly string[] = [];
    try {
      loadConfig(chatServiceSchema, env);
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      problems = error.problems;
    }
    const names = problems.map((problem) => problem.split(/[:. ]/)[0]);
    for (const name of [...Object.keys(env), 'DATABASE_URL', 'RABBITMQ_URL', 'AUTH_JWKS_URL', 'ALERT_WEBHOOK_SECRET'])
      expect(names).toContain(name);
    expect(problems.join('\n')).not.toContain('SECRET-');
    expect(problems.join('\n')).not.toContain('tooshort');
  });

  it('[CFG3] [ALR5] webhooks need their secret', () => {
    const env = { CHAT_TOKEN_SECRETS: `k1:${'x'.repeat(32)}`, ALERT_WEBHOOK_URLS: 'https://shop.example/hook' };
    expect(() => loadConfig(chatSettingsSchema, env)).toThrow(/ALERT_WEBHOOK_SECRET/);
    const settings = loadConfig(chatSettingsSchema, { ...env, ALERT_WEBHOOK_SECRET: 'y'.repeat(32) });
    expect(settings.CALLBACK_DUE_MINUTES).toBeUndefined();
    expect(effectiveRules(settings, {}).alerts).toEqual({
      waiting_seconds: 60,
      reply_unseen_seconds: 120,
      callback_due_minutes: 120,
    });
  });
});

describe('rate limits', () => {
  it('[RATE2] [ERR10] limit new sessions per address; another address is not affected', async () => {
    const server = await start({ RATE_SESSIONS_PER_MINUTE: '3' });
    const open = (ip: string, headers = {}) => server.call('POST', '/chat/session', { body: {}, ip, headers });
    for (let count = 0; count < 3; count += 1) expect((await open('192.0.2.1')).status).toBe(201);
    const refused = await open('192.0.2.1', { 'x-forwarded-for': '198.51.100.7' });
    expect([refused.status, refused.code]).toEqual([429, 'rate_limited']);
    expect(Number(refused.headers['retry-after'])).toBeGreaterThanOrEqual(1);
    expect((await open('192.0.2.2')).status).toBe(201);
  });

  it('[RATE3] limit messages per principal', async () => {
    const server = await start({ RATE_MESSAGES_PER_MINUTE: '2' });
    const sessions: z.infer<typeof createSessionResponseSchema>[] = [];
    for (let count = 0; count < 2; count += 1)
      sessions.push((await server.call('POST', '/chat/session', { body: {} })).as(createSessionResponseSchema));
    const post = (index: number, body: unknown = { body: 'x', client_message_id: randomUUID() }) =>
      server.call('POST', `/chat/session/${sessions[index]?.session.id}/messages`, {
        token: sessions[index]?.token,
        body,
      });
    expect((await post(0, { body: '' })).status).toBe(422);
    const statuses = [];
    for (let count = 0; count < 3; count += 1) statuses.push((await post(0)).status);
    expect(statuses).toEqual([201, 201, 429]);
    expect((await post(1)).status).toBe(201);
  });
});

describe('internal calls', () => {
  it('[INT1] [INT2] [INT3] [INT4] [INT7] need the key and answer in batches', async () => {
    const server = await start();
    const { session, message } = (
      await server.call('POST', '/chat/session', { body: { message: { body: 'x', client_message_id: randomUUID() } } })
    ).as(createSessionResponseSchema);
    const body = { sessions: [{ id: session.id, after_seq: 1 }, { id: 999_999 }], limit: 10 };
    expect((await server.call('POST', '/internal/catchup', { body })).status).toBe(401);
    expect((await server.call('POST', '/internal/catchup', { body, token: `${INTERNAL_KEY}x` })).status).toBe(401);
    expect((await server.call('POST', '/internal/acks', { body: { acks: [] }, token: 'x' })).status).toBe(401);
    const answer = (await server.call('POST', '/internal/catchup', { body, token: INTERNAL_KEY })).as(
      catchupResponseSchema,
    );
    expect(answer.sessions.map(({ id, last_seq, events }) => [id, last_seq, events.length])).toEqual([
      [session.id, 2, 1],
    ]);
    const many = { sessions: Array.from({ length: 513 }, (_, index) => ({ id: index + 1, after_seq: 0 })), limit: 10 };
    expect((await server.call('POST', '/internal/catchup', { body: many, token: INTERNAL_KEY })).status).toBe(422);
    const ack = { session_id: session.id, participant: 'client', last_id: message?.id, at: new Date().toISOString() };
    expect((await server.call('POST', '/internal/acks', { body: { acks: [ack] }, token: INTERNAL_KEY })).status).toBe(
      204,
    );
  });
});
