import { randomUUID } from 'node:crypto';
import {
  auditResponseSchema,
  configResponseSchema,
  consentProofResponseSchema,
  createSessionResponseSchema,
  customerCallbackResponseSchema,
  originCheckResponseSchema,
  sessionExportSchema,
  sessionListResponseSchema,
  settingsResponseSchema,
  staffSessionSchema,
} from '@chat-realtime/protocol';
import { type Staff, until } from '@chat-realtime/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { useChat } from '../../support/chat.ts';
import { expectError } from '../../support/expect-error.ts';
import { ALLOWED_ORIGIN } from '../../support/profiles.ts';

const chat = await useChat('main');
let anna: Staff;
let admin: Staff;
beforeAll(async () => {
  [anna, admin] = [await chat.staff('anna'), await chat.staff('admin')];
});
afterAll(async () => {
  await admin.request('PATCH', '/chat/settings', { json: { theme: null, texts: null } });
});

const save = (json: unknown, staff = admin) => staff.request('PATCH', '/chat/settings', { json });
const read = async () => (await admin.request('GET', '/chat/settings')).as(settingsResponseSchema);
async function shown() {
  const { theme, texts } = (await chat.http.get('/chat/config')).as(configResponseSchema);
  return { theme, texts };
}

describe('settings of look and texts', () => {
  test('[SET1] [SET2] [SET4] [SET5] what an admin saves is what the widget shows', async () => {
    await save({ theme: null, texts: null });
    const before = await read();
    expect(before.settings).toEqual({ theme: {}, texts: {} });
    const theme = { accent: '#2f5d50', scheme: 'dark' as const, title: 'Поддержка' };
    const texts = { greeting: 'Чем помочь?', 'greeting.en': 'How can we help?' };
    const saved = (await save({ theme, texts })).as(settingsResponseSchema);
    expect(saved.settings).toEqual({ theme, texts });
    expect(saved.effective).toEqual({
      theme: { ...before.effective.theme, ...theme },
      texts: { ...before.effective.texts, ...texts },
    });
    await until(async () => JSON.stringify(await shown()) === JSON.stringify(saved.effective), {
      timeoutMs: 10_000,
      everyMs: 200,
      what: 'the saved settings in the configuration',
    });
    const partly = (await save({ texts: { title: 'Только заголовок' } })).as(settingsResponseSchema);
    expect(partly.settings).toEqual({ theme, texts: { title: 'Только заголовок' } });
    expect((await save({ theme: null, texts: null })).as(settingsResponseSchema).effective).toEqual(before.effective);
  });

  test('[SET3] [ERR13] is refused to operators, and for misspelt keys', async () => {
    expectError(await anna.request('GET', '/chat/settings'), 'forbidden');
    expectError(await save({ theme: { title: 'x' } }, anna), 'forbidden');
    const customer = await chat.customer();
    expectError(await chat.http.request('PATCH', '/chat/settings', { token: customer.token, json: {} }), 'bad_token');
    const before = await read();
    for (const bad of [
      { nonsense: {} },
      { theme: { accent: '#fff' } },
      { theme: { accent: 'url(x)' } },
      { theme: { colour: '#ffffff' } },
      { theme: { scheme: 'blue' } },
      { texts: { hello: 'x' } },
      { texts: { title: '' } },
      { texts: { title: 'ok', 'title.de': 'x' } },
      { theme: { title: 'saved?' }, texts: [] },
      [],
    ])
      expectError(await save(bad), 'validation_failed');
    const headers = { 'Content-Type': 'application/json' };
    expectError(await admin.request('PATCH', '/chat/settings', { raw: '{', headers }), 'malformed_request');
    expectError(
      await admin.request('PATCH', '/chat/settings', { json: {}, headers: { Origin: 'https://evil.example' } }),
      'origin_not_allowed',
    );
    expect(await read()).toEqual(before);
  });
});

describe('rules of the chat', () => {
  test('[SET7] [SET8] an admin sets hours, consent and retention; the environment takes precedence', async () => {
    const consent = { version: '2026-11', text: 'Согласен', url: null };
    const saved = (await save({ consent, retention: { messages: 400 } })).as(settingsResponseSchema);
    expect(saved.rules.effective).toMatchObject({ consent, retention: { messages: 400 } });
    await until(
      async () => (await chat.http.get('/chat/config')).as(configResponseSchema).consent.version === consent.version,
      { timeoutMs: 10_000, everyMs: 200, what: 'the consent in the configuration' },
    );
    for (const fixed of saved.rules.fixed.filter((name) => name.startsWith('alerts.')))
      expectError(await save({ alerts: { [fixed.replace('alerts.', '')]: 77 } }), 'validation_failed');
    expectError(await save({ schedule: { timezone: 'Mars', hours: {} } }), 'validation_failed');
    expectError(await save({ retention: { messages: 1 } }, anna), 'forbidden');
    const cleared = (await save({ consent: null, retention: null })).as(settingsResponseSchema);
    expect(cleared.rules.saved).not.toHaveProperty('consent');
  });
});

describe('two administrators', () => {
  test('[SET9] [SET14] the second gets the current values with the conflict; the log has old and new ones', async () => {
    const files = 300 + Math.floor(Math.random() * 1_000);
    const { parts } = (await save({ retention: { files } })).as(settingsResponseSchema);
    const expected_updated_at = { retention: parts['retention']?.updated_at };
    expect((await save({ retention: { files: files + 1 }, expected_updated_at })).status).toBe(200);
    const { entries } = (await admin.request('GET', '/chat/audit?limit=1')).as(auditResponseSchema);
    expect(entries[0]).toMatchObject({
      action: 'settings.changed',
      details: { 'retention.files': files + 1, before: { 'retention.files': files } },
    });
    const late = await save({ retention: { files: 5 }, expected_updated_at });
    expectError(late, 'stale');
    expect(late.text).toContain(`"files":${files + 1}`);
    expectError(await save({ expected_updated_at: { nonsense: null } }), 'validation_failed');
    expect((await save({ retention: null })).status).toBe(200);
  });
});

describe('proof of consent', () => {
  test('[CNS1] [CNS2] [CNS3] a version keeps its words, and they prove a consent', async () => {
    const consent = { version: randomUUID(), text: 'Согласен со всем', url: 'https://shop.example/privacy' };
    expect((await save({ consent })).status).toBe(200);
    const customer = await chat.customer({ consent: { version: consent.version, accepted: true } });
    const asked = { phone: '+493012345678', consent: { version: consent.version }, session_id: customer.sessionId };
    const call = await chat.http.post('/chat/callback', { token: customer.token, json: asked });
    const { callback } = call.as(customerCallbackResponseSchema, 201);
    const other = await save({ consent: { ...consent, text: 'Согласен с другим' } });
    expectError(other, 'validation_failed');
    expect(other.text).toContain('consent.version');
    expect((await save({ consent: null })).status).toBe(200);
    const proof = { given: { version: consent.version }, text: consent };
    const { consent: shownThere } = (await anna.request('GET', customer.path)).as(staffSessionSchema);
    expect(shownThere).toMatchObject(proof);
    const ofCallback = (await anna.request('GET', `/chat/callbacks/${callback.id}/consent`)).as(
      consentProofResponseSchema,
    );
    expect(ofCallback.consent).toMatchObject(proof);
    const exported = (await admin.request('GET', `${customer.path}/export`)).as(sessionExportSchema);
    expect(exported).toMatchObject({ consent: proof, callbacks: [{ consent: proof }] });
    expectError(await anna.request('GET', '/chat/callbacks/999999999/consent'), 'not_found');
  });
});

describe('origins, tokens, files and secrets', () => {
  test('[SET11] [SET12] [ATT11] values of variables are shown as fixed, and only admins see the settings', async () => {
    const { rules, keys } = (await admin.request('GET', '/chat/settings')).as(settingsResponseSchema);
    expect(rules.fixed).toContain('origins');
    expect(rules.effective.origins).toContain(ALLOWED_ORIGIN);
    expectError(await save({ origins: ['https://else.example'] }), 'validation_failed');
    expectError(await save({ tokens: { channel_seconds: 86_401 } }), 'validation_failed');
    expectError(
      await save({ attachments: { max_bytes: rules.effective.attachments.limit.max_bytes + 1 } }),
      'validation_failed',
    );
    for (const body of [{ origins: [] }, { tokens: null }, { attachments: null }])
      expectError(await save(body, anna), 'forbidden');
    expect(keys).toContainEqual({ variable: 'SITE_API_KEY', set: true });
    expect((await anna.request('GET', '/chat/settings')).text).not.toContain('SITE_API_KEY');
  });
});

describe('origin check', () => {
  const check = (origin: string) => anna.request('GET', `/chat/origins/check?origin=${encodeURIComponent(origin)}`);

  test('[SET6] reports for each origin whether its requests are allowed', async () => {
    for (const [origin, reason] of [
      [ALLOWED_ORIGIN, 'allowed'],
      [new URL(chat.baseUrl).origin, 'same_host'],
      ['https://evil.example', 'not_listed'],
      ['https://www.shop.example', 'not_listed'],
      ['http://shop.example', 'not_listed'],
    ] as const) {
      const verdict = (await check(origin)).as(originCheckResponseSchema);
      expect(verdict).toMatchObject({ origin, reason, allowed: reason !== 'not_listed' });
      const setting = verdict.setting ?? '';
      const named = [setting.startsWith(`ALLOWED_ORIGINS=${ALLOWED_ORIGIN},`), setting.endsWith(`,${origin}`)];
      expect(named).toEqual([!verdict.allowed, !verdict.allowed]);
      const answer = await chat.http.post('/chat/session', { json: { name: 5 }, headers: { Origin: origin } });
      expectError(answer, verdict.allowed ? 'validation_failed' : 'origin_not_allowed');
    }
  });

  test('[SET6] [ERR4] an invalid origin is 422', async () => {
    for (const bad of ['', 'null', 'shop.example', 'https://shop.example/', 'https://a@b.example', 'javascript:1', '*'])
      expectError(await check(bad), 'validation_failed');
    expectError(await anna.request('GET', '/chat/origins/check'), 'validation_failed');
    expectError(
      await anna.request('GET', '/chat/origins/check?origin=https://a.example&origin=https://b.example'),
      'validation_failed',
    );
  });
});

const QUESTIONS = [
  { name: 'order', kind: 'text', label: { ru: 'Номер заказа', en: 'Order number' }, required: true },
  {
    name: 'topic',
    kind: 'choice',
    label: { ru: 'Тема' },
    required: false,
    options: [
      { value: 'delivery', label: { ru: 'Доставка' } },
      { value: 'refund', label: { ru: 'Возврат' } },
    ],
  },
];

describe('questions of a site', () => {
  test('[SET7] [SET8] an admin, and nobody else, sets which of name, e-mail, phone and message are asked', async () => {
    const fields = [
      { name: 'name', required: true },
      { name: 'email', required: false },
    ];
    for (const bad of [[{ name: 'age', required: true }], [{ name: 'name' }], 'name', [...fields, fields[0]]])
      expectError(await save({ prechat_fields: bad }), 'validation_failed');
    expectError(await save({ prechat_fields: fields }, anna), 'forbidden');
    const saved = (await save({ prechat_fields: fields })).as(settingsResponseSchema);
    expect(saved.rules.effective.prechat_fields).toEqual(fields);
    const asked = async () => (await chat.http.get('/chat/config')).as(configResponseSchema).prechat_fields;
    await until(async () => JSON.stringify(await asked()) === JSON.stringify(fields), {
      timeoutMs: 10_000,
      everyMs: 200,
      what: 'the questions in the configuration',
    });
    const cleared = (await save({ prechat_fields: null })).as(settingsResponseSchema);
    expect(cleared.rules.saved).not.toHaveProperty('prechat_fields');
  });

  test('[SET10] are asked by the configuration, and only staff see the answers, only in the chat', async () => {
    expectError(await save({ custom_fields: QUESTIONS }, anna), 'forbidden');
    expectError(await save({ custom_fields: [{ ...QUESTIONS[0], kind: 'date' }] }), 'validation_failed');
    const saved = (await save({ custom_fields: QUESTIONS })).as(settingsResponseSchema);
    expect(saved.rules.effective.custom_fields).toEqual(QUESTIONS);
    const asked = async () => (await chat.http.get('/chat/config')).as(configResponseSchema).custom_fields;
    await until(async () => (await asked())?.length === 2, { timeoutMs: 10_000, everyMs: 200, what: 'the questions' });
    // Another instance may still ask as before for as long.
    await new Promise((resolve) => setTimeout(resolve, 1_100));
    const begin = (answers: object) => chat.http.post('/chat/session', { json: { name: 'Asked', answers } });
    expectError(await begin({ topic: 'weather' }), 'validation_failed');
    expectError(await begin({ order: true }), 'validation_failed');
    expectError(await begin({ order: 'x'.repeat(501) }), 'validation_failed');
    const { session, token } = (await begin({ order: 'A-1042', topic: 'refund', gone: 'x' })).as(
      createSessionResponseSchema,
      201,
    );
    const path = `/chat/session/${session.id}`;
    const answers = [
      { name: 'order', kind: 'text', label: QUESTIONS[0]?.label, value: 'A-1042' },
      { name: 'topic', kind: 'choice', label: { ru: 'Тема' }, value: 'refund', text: { ru: 'Возврат' } },
    ];
    expect((await anna.request('GET', path)).as(staffSessionSchema).answers).toEqual(answers);
    expect((await admin.request('GET', `${path}/export`)).as(sessionExportSchema).session.answers).toEqual(answers);
    expect((await chat.http.get(path, { token })).text).not.toContain('A-1042');
    const list = await anna.request('GET', '/chat/sessions?q=A-1042');
    expect(list.as(sessionListResponseSchema).sessions.map(({ id }) => id)).toContain(session.id);
    expect(list.text).not.toContain('A-1042');
    await save({ custom_fields: null });
  });
});
