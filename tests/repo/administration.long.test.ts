import { openDatabase, type Database } from '@chat-realtime/database';
import {
  auditResponseSchema,
  banResponseSchema,
  erasedDataSchema,
  eventsResponseSchema,
  loginResponseSchema,
  sessionExportSchema,
  signInWaysSchema,
} from '@chat-realtime/protocol';
import {
  Customer,
  FakeIdentityProvider,
  HttpClient,
  type PostgresServer,
  Staff,
  startPostgres,
  until,
} from '@chat-realtime/testkit';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { expectError } from '../support/expect-error.ts';
import { png } from '../support/files.ts';
import { SECRETS } from '../support/profiles.ts';
import { startStandalone, type StandaloneTarget } from '../support/standalone-target.ts';

/**
 * From outside, what the common target of the black box has no surroundings for: a person whom a provider signs in, visitors
 * behind a proxy, and chats that are old.
 */
let provider: FakeIdentityProvider;
let postgres: PostgresServer;
let database: Database;
let target: StandaloneTarget;
let http: HttpClient;
let admin: Staff;

beforeAll(async () => {
  [provider, postgres] = await Promise.all([new FakeIdentityProvider().start(), startPostgres({ durable: true })]);
  target = await startStandalone(
    { profile: 'main', webhookUrl: '', siteOrigin: '' },
    {
      DATABASE_URL: postgres.url,
      TRUSTED_PROXIES: '127.0.0.1',
      OIDC_ISSUER: provider.issuer,
      OIDC_CLIENT_ID: provider.clientId,
      OIDC_CLIENT_SECRET: provider.clientSecret,
      OIDC_ROLE_CLAIM: 'realm_access.roles',
      OIDC_ROLE_MAP: 'support:operator,chief:admin',
    },
  );
  http = new HttpClient(target.baseUrl);
  admin = await Staff.login(http, 'admin', SECRETS.operatorPassword);
  database = await openDatabase(postgres.url);
}, 300_000);
afterAll(async () => {
  http.close();
  await database.close();
  await target.stop();
  await Promise.all([provider.stop(), postgres.stop()]);
});

const logged = async (action: string) =>
  (await admin.request('GET', '/chat/audit?limit=500'))
    .as(auditResponseSchema)
    .entries.filter((entry) => entry.action === action);

describe('sign-in by a provider', () => {
  /** What a browser keeps between the redirects. */
  function browser() {
    const cookies = new Map<string, string>();
    return async (url: string, init: RequestInit = {}): Promise<Response> => {
      const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ');
      const answer = await fetch(new URL(url, target.baseUrl), { redirect: 'manual', ...init, headers: { cookie } });
      for (const line of answer.headers.getSetCookie()) {
        expect(line).toContain('HttpOnly');
        const [name = '', value = ''] = (line.split(';')[0] ?? '').split('=');
        cookies.set(name, value);
      }
      return answer;
    };
  }
  const whither = (answer: Response): string => answer.headers.get('location') ?? `${answer.status}`;
  /** To the provider and back: where the browser ends up. */
  async function come(go = browser(), change = (url: string) => url): Promise<string> {
    const away = whither(await go('/auth/oidc/login'));
    return whither(await go(change(whither(await fetch(away, { redirect: 'manual' })))));
  }
  const person = (sub: string, ...roles: string[]): void => {
    provider.person = { sub, claims: { preferred_username: sub, name: sub, realm_access: { roles } } };
  };

  test('[AUTH32] [AUTH33] [AUTH26] the provider decides the role at each sign-in, and the log records it', async () => {
    const { oidc } = (await http.get('/auth/sign-in')).as(signInWaysSchema);
    expect(oidc?.url).toBe('/auth/oidc/login');
    const enter = async () => {
      const go = browser();
      expect(await come(go)).toBe('/operator/#oidc=done');
      const answer = await go('/auth/oidc/token', { method: 'POST' });
      expect((await go('/auth/oidc/token', { method: 'POST' })).status).toBe(401);
      return loginResponseSchema.parse(await answer.json());
    };
    person('gleb', 'support');
    const operator = await enter();
    expect(operator.user).toMatchObject({ login: 'gleb', role: 'operator', scope: 'all' });
    expectError(await http.get('/chat/audit', { token: operator.access_token }), 'forbidden');
    person('gleb', 'chief');
    const chief = await enter();
    expect(chief.user).toMatchObject({ id: operator.user.id, role: 'admin' });
    expect((await http.get('/chat/audit', { token: chief.access_token })).status).toBe(200);
    person('gleb');
    expect(await come()).toBe('/operator/#oidc=no_role');
    await until(async () => (await http.get('/chat/audit', { token: chief.access_token })).status === 401, {
      timeoutMs: 6_000,
      what: 'the end of what the provider took back',
    });
    const changes = (await logged('operator.changed')).filter(({ actor_id: by }) => by === operator.user.id);
    expect(changes.map(({ details }) => details['by'])).toEqual(['oidc', 'oidc']);
    expect(await logged('operator.added')).toMatchObject([{ details: { by: 'oidc', role: 'operator' } }]);
  });

  test('[AUTH34] any other callback signs nobody in', async () => {
    person('eve', 'chief');
    const otherState = (url: string) => url.replace(/state=[^&]+/, 'state=forged');
    expect(await come(browser(), otherState)).toBe('/operator/#oidc=refused');
    // Begun by somebody else's browser.
    expect(await come(browser(), (url) => url).then(() => come(browser(), otherState))).toBe('/operator/#oidc=refused');
    const begun = whither(await browser()('/auth/oidc/login'));
    expect(whither(await browser()(whither(await fetch(begun, { redirect: 'manual' }))))).toBe(
      '/operator/#oidc=refused',
    );
    for (const forge of [{ aud: 'another' }, { nonce: 'another' }, { exp: 1 }, { iss: 'https://evil.example' }]) {
      provider.forge = forge;
      expect(await come()).toBe('/operator/#oidc=refused');
    }
    provider.forge = {};
    expect((await http.post('/auth/oidc/token', { json: {} })).status).toBe(401);
  });
});

describe('a ban by address', () => {
  const from = (address: string) => ({ 'X-Forwarded-For': address });
  const begin = (address: string) => http.post('/chat/session', { json: {}, headers: from(address) });
  test.each([
    ['203.0.113.9', '203.0.113.9', '203.0.113.10'],
    ['2001:db8:1:2::7', '2001:db8:1:2:ffff::8', '2001:db8:1:3::7'],
  ])('[BAN4] [BAN2] [BAN8] of %s refuses %s, and leaves %s alone', async (address, same, other) => {
    const begun = (await begin(address)).json() as { session: { id: number }; token: string };
    const { id } = begun.session;
    const ban = { session_id: id, by: 'address', reason: 'spam' };
    const { ban: made, other_sessions: others } = (await admin.request('POST', '/chat/bans', { json: ban })).as(
      banResponseSchema,
      201,
    );
    expect(others).toBe(0);
    // A day, unless somebody says otherwise.
    expect(Date.parse(made.until ?? '') - Date.parse(made.created_at)).toBeCloseTo(86_400_000, -4);
    expectError(await begin(same), 'banned');
    const post = (at: string) =>
      http.post(`/chat/session/${id}/messages`, {
        token: begun.token,
        headers: from(at),
        json: { body: 'x', client_message_id: crypto.randomUUID() },
      });
    expectError(await post(same), 'banned');
    expect((await begin(other)).status).toBe(201);
    expect((await admin.request('DELETE', `/chat/bans/${made.id}`)).status).toBe(204);
    expect((await begin(same)).status).toBe(201);
    expect((await post(address)).status).toBe(201);
  });
});

describe('old data', () => {
  test('[RET1] [RET2] [RET3] are erased within the hour, for the configured kinds, and all clients are notified', async () => {
    const [old, young] = [await Customer.create(http, { name: 'Old Person' }), await Customer.create(http)];
    const { id } = await old.uploaded('old.png', png(4, 4));
    const { attachments } = await old.post('an old secret', { attachments: [id] });
    const { pathname, search } = new URL(attachments[0]?.url ?? '', target.baseUrl);
    expect((await http.get(pathname + search)).status).toBe(200);
    await admin.note(old.sessionId, 'an old note');
    await young.post('still here');
    for (const table of ['chat_event', 'chat_attachment'])
      await sql`UPDATE ${sql.table(table)} SET created_at = created_at - interval '40 days'
        WHERE session_id = ${old.sessionId}`.execute(database.kysely);
    await sql`UPDATE chat_session SET created_at = created_at - interval '40 days' WHERE id = ${old.sessionId}`.execute(
      database.kysely,
    );
    const json = { retention: { messages: 30, files: 30 } };
    expectError(
      await (await Staff.login(http, 'anna', SECRETS.operatorPassword)).request('PATCH', '/chat/settings', { json }),
      'forbidden',
    );
    expectError(
      await admin.request('PATCH', '/chat/settings', { json: { retention: { messages: -1 } } }),
      'validation_failed',
    );
    expect((await admin.request('PATCH', '/chat/settings', { json })).status).toBe(200);
    const read = async () => (await admin.request('GET', `${old.path}/export`)).as(sessionExportSchema);
    const isOld = async () =>
      (await read()).messages.some(({ body, attachments }) => body !== '' || attachments.length > 0);
    await until(async () => !(await isOld()), {
      timeoutMs: 150_000,
      everyMs: 1_000,
      what: 'the sweep',
    });
    const { messages, notes, session } = await read();
    // The rows stay, and who they were: contacts are kept for ever.
    expect(messages.map(({ body }) => body)).toEqual(['']);
    expect(notes.map(({ body }) => body)).not.toContain('an old note');
    expect(session.contact.name).toBe('Old Person');
    expect((await http.get(pathname + search)).status).toBe(404);
    const { events } = (await old.request('GET', '/events')).as(eventsResponseSchema);
    const told = events.flatMap(({ type, data }) => (type === 'chat.erased' ? [erasedDataSchema.parse(data)] : []));
    expect(new Set(told.map(({ scope }) => scope))).toEqual(new Set(['before']));
    expect(told.flatMap(({ kinds }) => kinds).sort()).toEqual(['files', 'messages']);
    expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index + 1));
    expect((await young.messages()).messages.map(({ body }) => body)).toEqual(['still here']);
    const [entry] = await logged('retention.erased');
    expect(entry).toMatchObject({ actor_id: 'system', details: { messages: 1, files: 1 } });
  }, 240_000);
});
