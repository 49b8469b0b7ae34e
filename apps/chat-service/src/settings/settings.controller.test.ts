import {
  auditResponseSchema,
  configResponseSchema,
  originCheckResponseSchema,
  settingsResponseSchema,
  WIDGET_TEXT_KEYS,
} from '@chat-realtime/protocol';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ChatUnderTest } from '../../test/chat-under-test.ts';

let chat: ChatUnderTest;
let anna: string;
let admin: string;
beforeAll(async () => {
  const CHAT_WIDGET = JSON.stringify({
    theme: { accent: '#111111', title: 'From the environment' },
    texts: { greeting: 'Hello', custom: 'kept' },
  });
  chat = await ChatUnderTest.start({ CHAT_WIDGET });
  [anna, admin] = await Promise.all([chat.staff('anna'), chat.staff('chief', { role: 'admin' })]);
});
afterAll(() => chat.stop());

const patch = (body: object, token = admin) => chat.call('PATCH', '/chat/settings', { token, body });
const read = async () => (await chat.call('GET', '/chat/settings', { token: admin })).as(settingsResponseSchema);
async function shown() {
  const { theme, texts } = (await chat.call('GET', '/chat/config')).as(configResponseSchema);
  return { theme, texts };
}
const ENVIRONMENT = {
  theme: { accent: '#111111', title: 'From the environment' },
  texts: { greeting: 'Hello', custom: 'kept' },
};

describe('settings of look and texts', () => {
  it('[SET1] [SET4] come from the environment until they are saved, and then the saved ones apply at once', async () => {
    expect(await read()).toMatchObject({
      settings: { theme: {}, texts: {} },
      effective: ENVIRONMENT,
      updated_at: null,
    });
    expect(await shown()).toEqual(ENVIRONMENT);
    const before = (await chat.call('GET', '/chat/config')).headers['etag'];
    const saved = await patch({ theme: { accent: '#2F5D50', scheme: 'dark' }, texts: { 'greeting.en': 'Hi' } });
    expect(saved.as(settingsResponseSchema)).toMatchObject({
      settings: { theme: { accent: '#2F5D50', scheme: 'dark' }, texts: { 'greeting.en': 'Hi' } },
      effective: {
        theme: { accent: '#2F5D50', scheme: 'dark', title: 'From the environment' },
        texts: { greeting: 'Hello', custom: 'kept', 'greeting.en': 'Hi' },
      },
      updated_at: expect.any(String),
    });
    expect(await read()).toEqual(saved.as(settingsResponseSchema));
    expect(await shown()).toEqual((await read()).effective);
    expect((await chat.call('GET', '/chat/config')).headers['etag']).not.toBe(before);
  });

  it('[SET2] a patch replaces the parts it names, clears those that are null, and keeps the others', async () => {
    await patch({ theme: { accent: '#000000', title: 'A' }, texts: { title: 'T' } });
    await patch({ theme: { title: 'B' } });
    expect((await read()).settings).toEqual({ theme: { title: 'B' }, texts: { title: 'T' } });
    const last = (await read()).updated_at;
    expect((await patch({})).as(settingsResponseSchema)).toEqual(await read());
    expect((await read()).updated_at).toBe(last);
    await patch({ theme: null, texts: null });
    expect(await read()).toMatchObject({ settings: { theme: {}, texts: {} }, effective: ENVIRONMENT });
    expect(await shown()).toEqual(ENVIRONMENT);
  });

  it('[SET3] are accepted only from admins, and without unknown names', async () => {
    expect((await chat.call('GET', '/chat/settings', { token: anna })).code).toBe('forbidden');
    expect((await patch({ theme: null }, anna)).code).toBe('forbidden');
    expect((await patch({ theme: null, nonsense: 1 }, anna)).code).toBe('forbidden');
    for (const bad of [
      { nonsense: 1 },
      { theme: { accent: 'red' } },
      { theme: { color: '#000000' } },
      { texts: { hi: 'x' } },
    ])
      expect([bad, (await patch(bad)).code]).toEqual([bad, 'validation_failed']);
    expect((await patch([])).code).toBe('validation_failed');
    expect(await shown()).toEqual(ENVIRONMENT);
  });

  it('[SET4] are shown by the widget as saved, over the environment', async () => {
    const text = fc
      .string({ minLength: 1, maxLength: 40, unit: 'grapheme' })
      .map((value) => `x${value.replaceAll('\0', '')}`);
    const theme = fc.record(
      {
        accent: fc.integer({ min: 0, max: 0xffffff }).map((value) => `#${value.toString(16).padStart(6, '0')}`),
        scheme: fc.constantFrom('auto', 'light', 'dark'),
        title: text,
      },
      { requiredKeys: [] },
    );
    const texts = fc.dictionary(fc.constantFrom(...WIDGET_TEXT_KEYS), text);
    await fc.assert(
      fc.asyncProperty(theme, texts, async (savedTheme, savedTexts) => {
        expect((await patch({ theme: savedTheme, texts: savedTexts })).status).toBe(200);
        expect(await shown()).toEqual({
          theme: { ...ENVIRONMENT.theme, ...savedTheme },
          texts: { ...ENVIRONMENT.texts, ...savedTexts },
        });
      }),
      { numRuns: 30 },
    );
    await patch({ theme: null, texts: null });
  });

  it('[SET5] are shown within seconds after another instance saved them', async () => {
    expect(await shown()).toEqual(ENVIRONMENT);
    await chat.database.kysely
      .insertInto('widget_setting')
      .values({ name: 'theme', value: '{"title":"Elsewhere"}', updated_by: 'chief' })
      .onConflict((conflict) => conflict.column('name').doUpdateSet({ value: '{"title":"Elsewhere"}' }))
      .execute();
    await expect.poll(async () => (await shown()).theme['title'], { timeout: 5_000 }).toBe('Elsewhere');
  });
});

const HOURS = { timezone: 'Europe/Moscow', hours: { mon: ['09:00-18:00'] }, holidays: ['2027-01-01'] };

describe('rules of the chat', () => {
  it('[SET7] [SET4] are saved part by part, and apply to visitors at once', async () => {
    const before = await read();
    expect(before.rules).toMatchObject({ saved: {}, fixed: [] });
    expect(before.rules.effective.retention).toEqual({ messages: 0, files: 0, contacts: 0, callbacks: 0, alerts: 30 });
    const consent = { version: '2026-11', text: 'Согласен', url: 'https://shop.example/privacy' };
    const prechat_fields = [{ name: 'email', required: true }];
    const closed = { ...HOURS, hours: {} };
    const saved = (await patch({ schedule: closed, consent, prechat_fields, retention: { messages: 7 } })).as(
      settingsResponseSchema,
    );
    expect(saved.rules.saved).toEqual({ schedule: closed, consent, prechat_fields, retention: { messages: 7 } });
    expect(saved.rules.effective).toMatchObject({ schedule: closed, consent, retention: { messages: 7, files: 0 } });
    const config = (await chat.call('GET', '/chat/config')).as(configResponseSchema);
    expect(config).toMatchObject({ online: false, consent, prechat_fields });
    await patch({ schedule: null, consent: null, prechat_fields: null, retention: null });
    expect((await read()).rules).toEqual(before.rules);
  });

  it('[SET7] [SET3] that are invalid are refused and named', async () => {
    for (const [path, bad] of [
      ['schedule', { schedule: { ...HOURS, timezone: 'Mars' } }],
      ['schedule', { schedule: { ...HOURS, hours: { mon: ['9-18'] } } }],
      ['schedule.holidays.0', { schedule: { ...HOURS, holidays: ['soon'] } }],
      ['retention.messages', { retention: { messages: -1 } }],
      ['retention', { retention: { everything: 1 } }],
      ['alerts.waiting_seconds', { alerts: { waiting_seconds: 0 } }],
      ['consent.url', { consent: { version: '1', text: 'x', url: 'javascript:1' } }],
      [
        'prechat_fields',
        {
          prechat_fields: [
            { name: 'name', required: true },
            { name: 'name', required: false },
          ],
        },
      ],
    ] as const) {
      const answer = await patch(bad);
      expect([path, answer.code, answer.text.includes(`"path":"${path}"`)]).toEqual([path, 'validation_failed', true]);
    }
    expect((await read()).rules.saved).toEqual({});
  });

  it('[SET8] that a variable sets take precedence and cannot be changed', async () => {
    const other = await ChatUnderTest.start({
      CHAT_SCHEDULE: 'Europe/Moscow; mon-fri 09:00-18:00',
      RETENTION_DAYS_FILES: '30',
      ALERT_WAITING_SECONDS: '90',
    });
    try {
      const token = await other.staff('chief', { role: 'admin' });
      const change = (body: object) => other.call('PATCH', '/chat/settings', { token, body });
      const { rules } = (await change({ retention: { messages: 5 } })).as(settingsResponseSchema);
      expect(rules.fixed).toEqual(['schedule', 'alerts.waiting_seconds', 'retention.files']);
      expect(rules.effective).toMatchObject({
        schedule: { timezone: 'Europe/Moscow', hours: { fri: ['09:00-18:00'] } },
        alerts: { waiting_seconds: 90, reply_unseen_seconds: 120 },
        retention: { messages: 5, files: 30 },
      });
      for (const bad of [{ schedule: HOURS }, { retention: { files: 1 } }, { alerts: { waiting_seconds: 5 } }])
        expect((await change(bad)).code).toBe('validation_failed');
    } finally {
      await other.stop();
    }
  });

  const newest = async () => {
    const answer = await chat.call('GET', '/chat/audit?limit=1', { token: admin });
    return { text: answer.text, entry: answer.as(auditResponseSchema).entries[0] };
  };

  it('[SET9] are logged with the person, the old and the new value, without texts and secrets', async () => {
    const urls = ['https://hooks.example/of/the/shop'];
    const [texts, secret] = [{ title: 'private words' }, 'a-secret-of-the-shop'];
    await patch({ texts, alerts: { waiting_seconds: 30 }, webhook: { urls, secret }, retention: { messages: 7 } });
    const first = await newest();
    for (const hidden of ['private words', secret, 'hooks.example']) expect(first.text).not.toContain(hidden);
    expect(first.entry).toMatchObject({
      action: 'settings.changed',
      actor_id: 'chief',
      details: {
        parts: ['texts', 'alerts', 'retention', 'webhook'],
        texts: ['title'],
        'webhook.secret': 'replaced',
        'webhook.urls': 1,
        'retention.messages': 7,
        before: { 'retention.messages': null, 'alerts.waiting_seconds': null },
      },
    });
    await patch({
      retention: { messages: 400 },
      schedule: HOURS,
      theme: { accent: '#123456', title: 'private words' },
    });
    const second = await newest();
    expect(second.text).not.toContain('private words');
    expect(second.entry?.details).toEqual({
      parts: ['theme', 'schedule', 'retention'],
      'retention.messages': 400,
      'schedule.timezone': 'Europe/Moscow',
      'schedule.mon': ['09:00-18:00'],
      'schedule.holidays': 1,
      'theme.accent': '#123456',
      before: {
        'retention.messages': 7,
        'schedule.timezone': null,
        'schedule.mon': null,
        'schedule.holidays': null,
        'theme.accent': null,
      },
    });
    await patch({ texts: null, alerts: null, webhook: null, retention: null, schedule: null, theme: null });
    expect((await newest()).entry?.details).toMatchObject({
      'retention.messages': null,
      'webhook.secret': 'removed',
      before: { 'retention.messages': 400 },
    });
  });

  it('[SET14] cause a conflict for the second of two administrators, and no work is lost', async () => {
    const other = await chat.staff('second', { role: 'admin' });
    const fresh = (await patch({ retention: { messages: 7 } })).as(settingsResponseSchema);
    expect(fresh.parts['retention']?.updated_by).toBe('chief');
    expect(fresh.parts['origins']).toBeUndefined();
    const retention = fresh.parts['retention']?.updated_at ?? null;
    const theirs = { retention: { messages: 8 }, expected_updated_at: { retention, origins: null } };
    const saved = await patch(theirs, other);
    expect(saved.as(settingsResponseSchema).parts['retention']?.updated_by).toBe('second');
    const before = await read();
    const late = await patch({ alerts: { waiting_seconds: 9 }, ...theirs, retention: { files: 3 } });
    expect([late.status, late.code]).toEqual([409, 'stale']);
    expect(JSON.parse(late.text).error.details).toEqual({ parts: ['retention'], settings: before });
    // Nothing of the refused request was saved. Parts that it does not name are not compared, and a part that was
    // never saved has no time.
    expect(await read()).toEqual(before);
    expect((await patch({ ...theirs, expected_updated_at: { origins: null } })).status).toBe(200);
    expect((await patch({ origins: [], expected_updated_at: { origins: retention } })).code).toBe('stale');
    const bad = [{ nonsense: null }, { retention: 'yesterday' }, 'now'];
    for (const expected_updated_at of bad)
      expect((await patch({ ...theirs, expected_updated_at })).code).toBe('validation_failed');
    // Of two concurrent changes one gets a conflict.
    const { parts } = await read();
    const expected_updated_at = { retention: parts['retention']?.updated_at };
    const both = await Promise.all(
      [1, 2].map((files) => patch({ retention: { files }, expected_updated_at }, files === 1 ? admin : other)),
    );
    expect(both.map(({ status }) => status).toSorted()).toEqual([200, 409]);
    await patch({ retention: null });
  });
});

describe('origin check', () => {
  const check = (origin: string, headers: Record<string, string> = {}) =>
    chat.call('GET', `/chat/origins/check?origin=${encodeURIComponent(origin)}`, { token: anna, headers });

  it('[SET6] answers as the policy that checks requests does', async () => {
    const of = async (origin: string) => (await check(origin, { host: 'chat.example' })).as(originCheckResponseSchema);
    expect(await of('https://shop.example')).toEqual({
      origin: 'https://shop.example',
      allowed: true,
      reason: 'allowed',
      setting: null,
    });
    expect(await of('https://chat.example')).toMatchObject({ allowed: true, reason: 'same_host', setting: null });
    expect(await of('https://www.shop.example')).toEqual({
      origin: 'https://www.shop.example',
      allowed: false,
      reason: 'not_listed',
      setting: 'ALLOWED_ORIGINS=https://shop.example,https://www.shop.example',
    });
    expect(await of('http://localhost:3000')).toMatchObject({ allowed: false, reason: 'not_listed' });
    for (const bad of ['', 'null', 'shop.example', 'https://shop.example/', 'file:///x'])
      expect([bad, (await check(bad)).code]).toEqual([bad, 'validation_failed']);
    expect((await chat.call('GET', '/chat/origins/check', { token: anna })).code).toBe('validation_failed');
  });

  it('[SET6] warns only administrators about an undeclared proxy', async () => {
    const setting = async (headers: Record<string, string>) =>
      (await check('https://shop.example', headers)).as(originCheckResponseSchema).proxy_setting;
    expect(await setting({})).toBeUndefined();
    expect(await setting({ 'x-forwarded-for': '203.0.113.7' })).toBe('TRUSTED_PROXIES=192.0.2.1');
  });
});
