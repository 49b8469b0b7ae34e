import {
  catchupResponseSchema,
  createSessionResponseSchema,
  originCheckResponseSchema,
  settingsResponseSchema,
} from '@chat-realtime/protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ChatUnderTest, INTERNAL_KEY } from '../../test/chat-under-test.ts';

const SHOP = 'https://shop.example';

describe('saved origins and token settings', () => {
  let chat: ChatUnderTest;
  let anna: string;
  let admin: string;
  beforeAll(async () => {
    chat = await ChatUnderTest.start({ ALLOWED_ORIGINS: '' });
    [anna, admin] = await Promise.all([chat.staff('anna'), chat.staff('chief', { role: 'admin' })]);
  });
  afterAll(() => chat.stop());

  const patch = (body: object, token = admin) => chat.call('PATCH', '/chat/settings', { token, body });
  const from = (origin: string) => chat.call('POST', '/chat/session', { body: {}, headers: { origin } });
  const ask = async (body: object) =>
    (
      await chat.call('POST', '/internal/catchup', { token: INTERNAL_KEY, body: { sessions: [], limit: 1, ...body } })
    ).as(catchupResponseSchema);

  it('[SET11] a saved origin is allowed at once, and no longer once it is removed', async () => {
    expect((await from(SHOP)).code).toBe('origin_not_allowed');
    const saved = (await patch({ origins: [SHOP] })).as(settingsResponseSchema);
    expect(saved.rules.effective.origins).toEqual([SHOP]);
    const answer = await from(SHOP);
    expect([answer.status, answer.headers['access-control-allow-origin']]).toEqual([201, SHOP]);
    expect((await from(`${SHOP}:8443`)).code).toBe('origin_not_allowed');
    const verdict = await chat.call('GET', `/chat/origins/check?origin=${SHOP}`, { token: anna });
    expect(verdict.as(originCheckResponseSchema)).toMatchObject({ allowed: true, reason: 'allowed' });
    await patch({ origins: null });
    expect((await from(SHOP)).code).toBe('origin_not_allowed');
  });

  it('[SET11] what another instance saved applies within seconds', async () => {
    await chat.database.kysely
      .insertInto('widget_setting')
      .values({ name: 'origins', value: JSON.stringify({ rule: [SHOP] }), updated_by: 'chief' })
      .onConflict((conflict) =>
        conflict.column('name').doUpdateSet({ value: JSON.stringify({ rule: [SHOP] }), updated_at: new Date() }),
      )
      .execute();
    await expect.poll(async () => (await from(SHOP)).status, { timeout: 15_000, interval: 250 }).toBe(201);
    await patch({ origins: null });
  });

  it('[SET11] [SET12] an invalid one is refused and named, operators may not change any, and changes are logged', async () => {
    for (const [path, bad] of [
      ['origins.0', { origins: ['shop.example'] }],
      ['origins.0', { origins: ['https://shop.example/'] }],
      ['origins.0', { origins: ['*'] }],
      ['origins', { origins: [SHOP, SHOP] }],
      ['origins', { origins: Array.from({ length: 51 }, (_, n) => `https://s${n}.example`) }],
      ['tokens.channel_seconds', { tokens: { channel_seconds: 59 } }],
      ['tokens.channel_seconds', { tokens: { channel_seconds: 86_401 } }],
    ] as const) {
      const answer = await patch(bad);
      expect([path, answer.code, answer.text.includes(`"path":"${path}"`)]).toEqual([path, 'validation_failed', true]);
    }
    expect((await patch({ origins: [SHOP] }, anna)).code).toBe('forbidden');
    await patch({ origins: [SHOP], tokens: { channel_seconds: 600 } });
    const audit = await chat.call('GET', '/chat/audit?limit=1', { token: admin });
    expect(JSON.parse(audit.text).entries).toMatchObject([{ details: { parts: ['origins', 'tokens'] } }]);
    await patch({ origins: null, tokens: null });
  });

  it('[SET12] the saved lifetime applies to channel tokens, including existing ones', async () => {
    const begin = async () => (await chat.call('POST', '/chat/session', { body: {} })).as(createSessionResponseSchema);
    const life = ({ expires_at }: { expires_at: string }) => Math.round((Date.parse(expires_at) - Date.now()) / 60_000);
    expect(life(await begin())).toBe(1_440);
    await patch({ tokens: { channel_seconds: 600 } });
    const { session, token, ...rest } = await begin();
    expect(life(rest)).toBe(10);
    expect((await chat.call('GET', `/chat/session/${session.id}`, { token })).status).toBe(200);
    await patch({ tokens: null });
    expect(life(await begin())).toBe(1_440);
  });

  it('[SET12] admins see which secrets are set, but none of the secrets', async () => {
    const answer = await chat.call('GET', '/chat/settings', { token: admin });
    expect(answer.as(settingsResponseSchema).keys).toEqual(
      expect.arrayContaining([
        { variable: 'SITE_API_KEY', set: true },
        { variable: 'EVENTS_API_KEY', set: false },
      ]),
    );
    expect(answer.text).not.toContain(String(chat.settings.SITE_API_KEY));
    const refused = await chat.call('GET', '/chat/settings', { token: anna });
    expect([refused.code, refused.text.includes('SITE_API_KEY')]).toEqual(['forbidden', false]);
  });

  it('[SET13] a gateway that names its version gets what is newer', async () => {
    await patch({ origins: [SHOP], tokens: { channel_seconds: 600 } });
    const { settings } = await ask({ settings_version: 0 });
    expect(settings).toEqual({ version: expect.any(Number), origins: [SHOP], channel_token_seconds: 600 });
    expect((await ask({ settings_version: settings?.version })).settings).toBeUndefined();
    expect((await ask({})).settings).toBeUndefined();
    await patch({ origins: null, tokens: null });
    expect((await ask({ settings_version: settings?.version })).settings).toMatchObject({ origins: [] });
  });
});

it('[SET11] [SET12] environment variables override saved settings', async () => {
  const chat = await ChatUnderTest.start({ ALLOWED_ORIGINS: SHOP, CHANNEL_TOKEN_TTL_SECONDS: '300' });
  try {
    const token = await chat.staff('chief', { role: 'admin' });
    const { rules } = (await chat.call('GET', '/chat/settings', { token })).as(settingsResponseSchema);
    expect(rules.fixed).toEqual(['origins', 'tokens.channel_seconds']);
    expect(rules.effective).toMatchObject({ origins: [SHOP], tokens: { channel_seconds: 300 } });
    for (const body of [{ origins: [] }, { origins: null }, { tokens: { channel_seconds: 600 } }])
      expect((await chat.call('PATCH', '/chat/settings', { token, body })).code).toBe('validation_failed');
  } finally {
    await chat.stop();
  }
});
