import { type Database, openDatabase } from '@chat-realtime/database';
import { loginResponseSchema, signInWaysSchema } from '@chat-realtime/protocol';
import { createHttpApp, createLogger, createMetrics, Health, loadConfig } from '@chat-realtime/service-kit';
import { dropDatabase, FakeIdentityProvider } from '@chat-realtime/testkit';
import { TokenVerifier } from '@chat-realtime/verifier';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { migratedDatabase } from '../../test/migrated-database.ts';
import { type AuthService, createAuthService } from '../auth-service.ts';
import { authVariables } from '../config.ts';
import { hashPassword } from '../domain/passwords.ts';
import { AuthModule } from '../http/auth-module.ts';

const logger = createLogger({ service: 'auth-service', level: 'silent' });
const KEYCLOAK_ROLES = { OIDC_ROLE_CLAIM: 'realm_access.roles', OIDC_ROLE_MAP: 'support:operator,chief:admin' };

/** What a browser keeps and sends back. */
class Browser {
  readonly #cookies = new Map<string, string>();

  async go(url: string, init: RequestInit = {}): Promise<Response> {
    const cookie = [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const response = await fetch(url, { redirect: 'manual', ...init, headers: { cookie, ...init.headers } });
    for (const line of response.headers.getSetCookie()) {
      const [pair = ''] = line.split(';');
      const [name, value] = [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)] as const;
      if (line.includes('Max-Age=0')) this.#cookies.delete(name);
      else this.#cookies.set(name, value);
      expect(line).toContain('HttpOnly');
    }
    return response;
  }
}

describe('sign-in by an identity provider', () => {
  let provider: FakeIdentityProvider;
  let url: string;
  let database: Database;
  const running: { service: AuthService; app: NestFastifyApplication }[] = [];

  beforeAll(async () => {
    [provider, url] = await Promise.all([new FakeIdentityProvider().start(), migratedDatabase()]);
    database = await openDatabase(url);
  });
  afterAll(async () => {
    for (const { service, app } of running) {
      service.stop();
      await app.close();
    }
    await database.close();
    await Promise.all([provider.stop(), dropDatabase(url)]);
  });
  beforeEach(() => {
    provider.forge = {};
    provider.forgeKey = false;
    provider.away = false;
  });

  async function start(env: Record<string, string> = {}): Promise<string> {
    const config = loadConfig(z.object(authVariables), {
      OIDC_ISSUER: provider.issuer,
      OIDC_CLIENT_ID: provider.clientId,
      OIDC_CLIENT_SECRET: provider.clientSecret,
      ...env,
    });
    const service = await createAuthService({ database, config, logger, metrics: createMetrics('auth') });
    const verifier = TokenVerifier.create({
      staff: { keys: service.keySource, issuer: 'chat-auth', audience: 'chat' },
      revocations: service.revocations,
    });
    const parts = { logger, metrics: createMetrics('http'), health: new Health(), verifier };
    const app = await createHttpApp({ modules: [AuthModule.forRoot({ service })], ...parts, port: 0 });
    running.push({ service, app });
    return app.getUrl();
  }
  const location = (response: Response): string => {
    expect(response.status).toBe(302);
    return response.headers.get('location') ?? '';
  };
  /** Where the browser ends up. */
  async function come(base: string, browser: Browser): Promise<string> {
    const away = location(await browser.go(`${base}/auth/oidc/login`));
    if (away.startsWith('/')) return away;
    return location(await browser.go(location(await fetch(away, { redirect: 'manual' }))));
  }
  async function enter(base: string, browser = new Browser()) {
    expect(await come(base, browser)).toBe('/operator/#oidc=done');
    const answer = await browser.go(`${base}/auth/oidc/token`, { method: 'POST' });
    expect(answer.status).toBe(200);
    return loginResponseSchema.parse(await answer.json());
  }
  const person = (sub: string, claims: object = {}): void => {
    provider.person = { sub, claims: { ...claims } };
  };

  it('[AUTH32] creates an account for a person to whom the provider gives a role, and follows changes of the role', async () => {
    const base = await start(KEYCLOAK_ROLES);
    const ways = signInWaysSchema.parse(await (await fetch(`${base}/auth/sign-in`)).json());
    expect(ways).toEqual({ oidc: { name: '127.0.0.1', url: '/auth/oidc/login' } });
    const claims = {
      preferred_username: 'Vera',
      name: 'Вера Л.',
      realm_access: { roles: ['offline_access', 'support'] },
    };
    person('sub-vera', claims);
    const { user, access_token } = await enter(base);
    expect(user).toMatchObject({ login: 'vera', name: 'Вера Л.', role: 'operator', scope: 'all' });
    person('sub-vera', { ...claims, realm_access: { roles: ['chief'] } });
    const again = await enter(base);
    expect(again.user).toMatchObject({ id: user.id, role: 'admin' });
    // The old role ends with the tokens that contain it.
    const me = (token: string) => fetch(`${base}/auth/me`, { headers: { authorization: `Bearer ${token}` } });
    expect((await me(access_token)).status).toBe(401);
    expect(await (await me(again.access_token)).json()).toMatchObject({ oidc: true, second_factor: false });
    // Nobody is left to restore the role.
    person('sub-vera', claims);
    expect(await come(base, new Browser())).toBe('/operator/#oidc=last_admin');
    person('sub-stranger', { preferred_username: 'stranger', realm_access: { roles: ['customer'] } });
    expect(await come(base, new Browser())).toBe('/operator/#oidc=no_role');
    person('sub-other', { ...claims, realm_access: { roles: ['support'] } });
    expect(await come(base, new Browser())).toBe('/operator/#oidc=login_taken');
  });

  it('[AUTH32] withdraws access when the provider gives no role any more, until it gives one again', async () => {
    const base = await start(KEYCLOAK_ROLES);
    const { service } = running.at(-1) ?? {};
    if (service === undefined) throw new Error('no service');
    const claims = { preferred_username: 'petr', realm_access: { roles: ['support'] } };
    const withRoles = (...roles: string[]): void => person('sub-petr', { ...claims, realm_access: { roles } });
    const me = async (token: string): Promise<number> =>
      (await fetch(`${base}/auth/me`, { headers: { authorization: `Bearer ${token}` } })).status;
    withRoles('support');
    const { user, access_token, refresh_token } = await enter(base);
    // A password set by a link does not bypass the provider.
    const { key } = await service.invites.forOperator(user.id);
    await service.acceptInvite(key, { password: 'a password of Petr' });
    const late = await service.invites.forOperator(user.id);
    const local = await service.login('petr', 'a password of Petr', '192.0.2.1');
    withRoles('customer');
    expect(await come(base, new Browser())).toBe('/operator/#oidc=no_role');
    expect(await come(base, new Browser())).toBe('/operator/#oidc=no_role');
    expect([await me(access_token), await me(local.access_token)]).toEqual([401, 401]);
    await expect(service.refresh(refresh_token)).rejects.toThrow('not valid');
    await expect(service.refresh(local.refresh_token)).rejects.toThrow('not valid');
    await expect(service.login('petr', 'a password of Petr', '192.0.2.1')).rejects.toThrow('wrong');
    await expect(service.invites.read(late.key)).rejects.toThrow('not valid');
    withRoles('support');
    expect((await enter(base)).user.id).toBe(user.id);
    const details = await database.kysely
      .selectFrom('chat_audit')
      .select('details')
      .where('action', '=', 'operator.changed')
      .where('subject', '=', `operator:${user.id}`)
      .orderBy('id')
      .execute();
    expect(details.map((entry) => entry.details)).toEqual([
      { active: false, before: { active: true }, by: 'oidc' },
      { active: true, before: { active: false }, by: 'oidc' },
    ]);
    // The provider does not undo a decision of an administrator.
    withRoles('customer');
    expect(await come(base, new Browser())).toBe('/operator/#oidc=no_role');
    const admin = { userId: 'another', name: 'A', loginId: null };
    await service.accounts.change(admin, user.id, { active: false });
    withRoles('support');
    expect(await come(base, new Browser())).toBe('/operator/#oidc=inactive');
  });

  it('[AUTH26] [AUTH32] logs sign-ins by the provider, the linking of an account, and a changed role', async () => {
    const base = await start(KEYCLOAK_ROLES);
    const { service } = running.at(-1) ?? {};
    const passwordHash = await hashPassword('a password of Olga');
    const olga = await service?.operators.add({
      login: 'olga@shop.example',
      name: 'Ольга',
      role: 'admin',
      passwordHash,
    });
    const roles = (...names: string[]) => ({ realm_access: { roles: names } });
    person('sub-gleb', { preferred_username: 'gleb', name: 'Глеб', ...roles('support') });
    const { user } = await enter(base);
    person('sub-gleb', { preferred_username: 'gleb', name: 'Глеб', ...roles('chief') });
    await enter(base);
    person('sub-olga', { email: 'olga@shop.example', email_verified: true, ...roles('chief') });
    await enter(base);
    const log = await database.kysely
      .selectFrom('chat_audit')
      .select(['actor_id', 'action', 'details'])
      .where('subject', 'in', [`operator:${user.id}`, `operator:${olga?.id}`])
      .orderBy('id')
      .execute();
    expect(log).toEqual([
      { actor_id: user.id, action: 'operator.added', details: { role: 'operator', scope: 'all', by: 'oidc' } },
      {
        actor_id: user.id,
        action: 'operator.changed',
        details: { role: 'admin', before: { role: 'operator' }, by: 'oidc' },
      },
      { actor_id: olga?.id, action: 'operator.linked', details: {} },
    ]);
  });

  it('[AUTH32] returns to the path below which a proxy serves the chat', async () => {
    const base = await start({ ...KEYCLOAK_ROLES, PUBLIC_URL: 'https://site.example/support' });
    const ways = signInWaysSchema.parse(await (await fetch(`${base}/auth/sign-in`)).json());
    expect(ways.oidc?.url).toBe('/support/auth/oidc/login');
    const begun = await fetch(`${base}/auth/oidc/login`, { redirect: 'manual' });
    const away = new URL(location(begun));
    expect(new URL(away.searchParams.get('redirect_uri') ?? '').pathname).toBe('/support/auth/oidc/callback');
    expect(begun.headers.get('set-cookie')).toContain('Path=/support/auth/oidc;');
    const refused = await fetch(`${base}/auth/oidc/callback?error=access_denied`, { redirect: 'manual' });
    expect(location(refused)).toMatch(/^\/support\/operator\/#oidc=/);
  });

  it('[AUTH33] finds an invited account by a verified address the first time, then only by the subject', async () => {
    const base = await start();
    const { service } = running.at(-1) ?? {};
    const passwordHash = await hashPassword('a password of Boris');
    await service?.operators.add({ login: 'boris@shop.example', name: 'Борис', role: 'operator', passwordHash });
    person('sub-boris', { email: 'boris@shop.example' });
    expect(await come(base, new Browser())).toBe('/operator/#oidc=no_account');
    person('sub-boris', { email: 'Boris@shop.example', email_verified: true });
    const { user } = await enter(base);
    expect(user).toMatchObject({ login: 'boris@shop.example', role: 'operator' });
    person('sub-boris', { email: 'renamed@shop.example' });
    expect((await enter(base)).user.id).toBe(user.id);
    person('sub-thief', { email: 'boris@shop.example', email_verified: true });
    expect(await come(base, new Browser())).toBe('/operator/#oidc=no_account');
    await service?.operators.change('boris@shop.example', { active: false });
    person('sub-boris', {});
    expect(await come(base, new Browser())).toBe('/operator/#oidc=inactive');
  });

  it('[AUTH34] accepts only a response that this browser requested, and accepts it once', async () => {
    const base = await start(KEYCLOAK_ROLES);
    person('sub-olga', { preferred_username: 'olga', realm_access: { roles: ['support'] } });
    const browser = new Browser();
    const back = location(await fetch(location(await browser.go(`${base}/auth/oidc/login`)), { redirect: 'manual' }));
    // Another browser, which somebody led here with a response of their own.
    expect(location(await new Browser().go(back))).toBe('/operator/#oidc=refused');
    const other = new URL(back);
    other.searchParams.set('state', 'another');
    expect(location(await browser.go(other.href))).toBe('/operator/#oidc=refused');
    expect((await new Browser().go(`${base}/auth/oidc/token`, { method: 'POST' })).status).toBe(401);
    const whole = new Browser();
    await enter(base, whole);
    expect((await whole.go(`${base}/auth/oidc/token`, { method: 'POST' })).status).toBe(401);
  });

  it('[AUTH34] refuses forged ID tokens, and reports when the provider is unavailable', async () => {
    const base = await start(KEYCLOAK_ROLES);
    person('sub-olga', { preferred_username: 'olga', realm_access: { roles: ['support'] } });
    for (const forge of [
      { nonce: 'another' },
      { aud: 'another-client' },
      { iss: 'https://evil.example' },
      { exp: 1 },
    ]) {
      provider.forge = forge;
      expect(await come(base, new Browser()), JSON.stringify(forge)).toBe('/operator/#oidc=refused');
    }
    provider.forge = {};
    provider.forgeKey = true;
    expect(await come(base, new Browser())).toBe('/operator/#oidc=refused');
    provider.forgeKey = false;
    const browser = new Browser();
    const back = location(await fetch(location(await browser.go(`${base}/auth/oidc/login`)), { redirect: 'manual' }));
    provider.away = true;
    expect(location(await browser.go(back))).toBe('/operator/#oidc=unavailable');
    const late = await start(KEYCLOAK_ROLES);
    expect(await come(late, new Browser())).toBe('/operator/#oidc=unavailable');
  });

  it('[AUTH32] is off without OIDC_ISSUER, and requires https', async () => {
    const base = await start({ OIDC_ISSUER: '' });
    expect(await (await fetch(`${base}/auth/sign-in`)).json()).toEqual({ oidc: null });
    expect((await fetch(`${base}/auth/oidc/login`)).status).toBe(404);
    expect((await fetch(`${base}/auth/oidc/callback?code=x&state=y`)).status).toBe(404);
    expect((await fetch(`${base}/auth/oidc/token`, { method: 'POST' })).status).toBe(404);
    expect(() => loadConfig(z.object(authVariables), { OIDC_ISSUER: 'http://id.example' })).toThrow('OIDC_ISSUER');
  });
});
