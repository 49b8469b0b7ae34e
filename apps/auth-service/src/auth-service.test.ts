import { createHash } from 'node:crypto';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Database, openDatabase } from '@chat-realtime/database';
import { authUserSchema, loginResponseSchema } from '@chat-realtime/protocol';
import { createHttpApp, createLogger, createMetrics, Health, listRoutes, loadConfig } from '@chat-realtime/service-kit';
import { createDatabase, dropDatabase } from '@chat-realtime/testkit';
import { TokenVerifier } from '@chat-realtime/verifier';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { decodeJwt, decodeProtectedHeader } from 'jose';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { migratedDatabase } from '../test/migrated-database.ts';
import { type AuthService, createAuthService } from './auth-service.ts';
import { authVariables } from './config.ts';
import { AuthModule } from './http/auth-module.ts';
import { operatorPassword, seedOperators } from './seed.ts';

const PASSWORD = 'correct horse battery staple';
const config = loadConfig(z.object(authVariables), {});
const silent = createLogger({ service: 'auth-service', level: 'silent' });

interface Backend {
  readonly name: string;
  start(): Promise<string>;
}
const backends: readonly Backend[] = [{ name: 'PostgreSQL', start: migratedDatabase }];

describe.each(backends)('auth-service on $name', (backend) => {
  let url: string;
  let database: Database;
  let clock: number;
  let service: AuthService;
  let app: NestFastifyApplication;
  let base: string;

  async function startService(): Promise<void> {
    service = await createAuthService({
      database,
      config,
      logger: silent,
      metrics: createMetrics('auth-service'),
      now: () => clock,
    });
    service.start();
    const verifier = TokenVerifier.create({
      staff: { keys: service.keySource, issuer: 'chat-auth', audience: 'chat' },
      revocations: service.revocations,
      now: () => Math.floor(clock / 1000),
    });
    const parts = { logger: silent, metrics: createMetrics('http'), health: new Health(), verifier };
    app = await createHttpApp({ modules: [AuthModule.forRoot({ service })], ...parts, port: 0 });
    base = await app.getUrl();
  }
  async function stopService(): Promise<void> {
    service.stop();
    await app.close();
  }

  beforeAll(async () => {
    url = await backend.start();
    database = await openDatabase(url);
  });
  afterAll(async () => {
    await database.close();
    await dropDatabase(url);
  });
  beforeEach(async () => {
    clock = Date.now();
    await startService();
    await seedOperators(service, PASSWORD);
  });
  afterEach(stopService);

  function post(path: string, body: unknown, token?: string): Promise<Response> {
    const headers: Record<string, string> = { 'content-type': 'application/json' };
    if (token !== undefined) headers['authorization'] = `Bearer ${token}`;
    return fetch(base + path, { method: 'POST', headers, body: JSON.stringify(body) });
  }
  async function login(name = 'anna', password = PASSWORD): Promise<z.infer<typeof loginResponseSchema>> {
    const response = await post('/auth/login', { login: name, password });
    expect(response.status).toBe(200);
    return loginResponseSchema.parse(await response.json());
  }
  const me = (token: string): Promise<Response> =>
    fetch(`${base}/auth/me`, { headers: { authorization: `Bearer ${token}` } });
  async function code(response: Response): Promise<string> {
    const { error } = z.object({ error: z.object({ code: z.string() }) }).parse(await response.json());
    return `${response.status} ${error.code}`;
  }

  it('[AUTH1] signs the seeded operators in', async () => {
    const response = await post('/auth/login', { login: ' Anna ', password: PASSWORD });
    expect(response.headers.get('cache-control')).toBe('no-store');
    const signedIn = loginResponseSchema.parse(await response.json());
    expect(signedIn).toMatchObject({
      token_type: 'Bearer',
      expires_in: 900,
      user: { login: 'anna', name: 'Анна', role: 'operator', scope: 'all' },
    });
    expect((await login('admin')).user).toMatchObject({ name: 'Администратор', role: 'admin' });
    expect((await login('boris')).user.name).toBe('Борис');
  });
  it('[AUTH7] [AUTH10] names the operator of a token', async () => {
    const { access_token, user } = await login();
    expect(authUserSchema.parse(await (await me(access_token)).json())).toEqual(user);
    const claims = decodeJwt(access_token);
    expect(claims).toMatchObject({
      iss: 'chat-auth',
      aud: 'chat',
      sub: user.id,
      role: 'operator',
      scope: 'all',
      name: 'Анна',
    });
    expect(claims['sid']).toBeTypeOf('string');
    expect((claims.exp ?? 0) - (claims.iat ?? 0)).toBe(900);
    expect(await code(await fetch(`${base}/auth/me`))).toBe('401 missing_credentials');
  });
  it('[ASG12] [AUTH10] gives an operator with scope own a token with that scope', async () => {
    await service.operators.change('boris', { scope: 'own' });
    const { access_token, user } = await login('boris');
    await service.operators.change('boris', { scope: 'all' });
    expect([user.scope, decodeJwt(access_token)['scope']]).toEqual(['own', 'own']);
    expect((await login('boris')).user.scope).toBe('all');
  });
  it('[AUTH2] answers an unknown login and a wrong password alike, after the same work', async () => {
    const answer = async (body: object): Promise<unknown> => {
      const { error } = z
        .object({ error: z.object({ code: z.string(), message: z.string() }) })
        .parse(await (await post('/auth/login', body)).json());
      return { code: error.code, message: error.message };
    };
    const wrong = await answer({ login: 'boris', password: 'wrong' });
    expect(wrong).toMatchObject({ code: 'bad_credentials' });
    expect(await answer({ login: 'nobody', password: 'wrong' })).toEqual(wrong);
    const time = async (name: string): Promise<number> => {
      const start = process.cpuUsage();
      await post('/auth/login', { login: name, password: 'wrong' });
      const { user, system } = process.cpuUsage(start);
      return user + system;
    };
    // Work is measured, not time, so that other load on the machine does not count. The minimum of several tries is the
    // work itself.
    let unknown = Number.POSITIVE_INFINITY;
    let known = Number.POSITIVE_INFINITY;
    for (let i = 0; i < 9; i += 1) {
      unknown = Math.min(unknown, await time(`nobody-${i}`));
      known = Math.min(known, await time('boris'));
    }
    expect(unknown / known).toBeGreaterThan(0.5);
    expect(unknown / known).toBeLessThan(2);
  });
  it('[RATE4] refuses even the right password after ten failures, concurrent ones included', async () => {
    const results = await Promise.all(
      Array.from({ length: 25 }, async () => (await post('/auth/login', { login: 'anna', password: 'wrong' })).status),
    );
    expect(results.filter((status) => status === 401)).toHaveLength(10);
    const response = await post('/auth/login', { login: 'ANNA', password: PASSWORD });
    expect(Number(response.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(await code(response)).toBe('429 rate_limited');
    await login('boris');
  });
  it('lets many correct sign-ins through at once', async () => {
    await Promise.all(Array.from({ length: 20 }, () => login()));
  });
  it('[AUTH3] rotates refresh tokens', async () => {
    const first = await login();
    const second = loginResponseSchema.parse(
      await (await post('/auth/refresh', { refresh_token: first.refresh_token })).json(),
    );
    expect(second.refresh_token).not.toBe(first.refresh_token);
    expect(decodeJwt(second.access_token)['sid']).toBe(decodeJwt(first.access_token)['sid']);
    expect((await me(second.access_token)).status).toBe(200);
    expect((await post('/auth/refresh', { refresh_token: second.refresh_token })).status).toBe(200);
  });
  it('[AUTH5] refuses expired and unknown refresh tokens', async () => {
    const { refresh_token } = await login();
    clock += 86_400_000;
    expect(await code(await post('/auth/refresh', { refresh_token }))).toBe('401 bad_credentials');
    expect(await code(await post('/auth/refresh', { refresh_token: 'x' }))).toBe('401 bad_credentials');
    expect(await code(await post('/auth/refresh', {}))).toBe('422 validation_failed');
  });
  it('[AUTH6] [REV3] logs out one sign-in and leaves the others', async () => {
    const [one, other] = [await login(), await login()];
    expect((await post('/auth/logout', {}, one.access_token)).status).toBe(204);
    expect(await code(await me(one.access_token))).toBe('401 token_revoked');
    expect(await code(await post('/auth/refresh', { refresh_token: one.refresh_token }))).toBe('401 bad_credentials');
    expect((await me(other.access_token)).status).toBe(200);
    expect((await post('/auth/refresh', { refresh_token: other.refresh_token })).status).toBe(200);
    expect(
      (
        await fetch(`${base}/auth/logout`, {
          method: 'POST',
          headers: { authorization: `Bearer ${other.access_token}` },
        })
      ).status,
    ).toBe(204);
    const sid = decodeJwt(one.access_token)['sid'];
    const rows = await database.kysely
      .selectFrom('revocation')
      .selectAll()
      .where('subject', '=', String(sid))
      .execute();
    expect(rows).toMatchObject([{ kind: 'staff_login', not_after: Math.floor(clock / 1000) + 900 }]);
  });
  it('[AUTH8] publishes public keys only', async () => {
    const response = await fetch(`${base}/.well-known/jwks.json`);
    const { keys } = z.object({ keys: z.array(z.record(z.string(), z.unknown())).min(1) }).parse(await response.json());
    for (const key of keys) {
      expect(Object.keys(key).sort()).toEqual(['alg', 'crv', 'kid', 'kty', 'use', 'x', 'y']);
    }
  });
  it('[AUTH9] accepts its tokens after a restart and after a rotation, until they expire', async () => {
    const { access_token } = await login();
    await stopService();
    await startService();
    expect((await me(access_token)).status).toBe(200);
    await service.keys.rotate();
    const next = await login();
    expect(decodeProtectedHeader(next.access_token).kid).not.toBe(decodeProtectedHeader(access_token).kid);
    expect((await me(access_token)).status).toBe(200);
    expect((await me(next.access_token)).status).toBe(200);
  });
  it('[AUTH9] publishes the next key a day before it signs, and removes an old one when its tokens have expired', async () => {
    const kids = (): (string | undefined)[] => service.keys.publicSet.keys.map((key) => key.kid);
    await service.keys.rotate();
    const first = decodeProtectedHeader((await login()).access_token).kid;
    clock += 29.5 * 86_400_000;
    await service.keys.maintain();
    const ahead = kids();
    expect(ahead.length).toBeGreaterThan(1);
    expect(decodeProtectedHeader((await login()).access_token).kid).toBe(first);
    clock += 86_400_000;
    await service.keys.maintain();
    const second = decodeProtectedHeader((await login()).access_token).kid;
    expect(second).not.toBe(first);
    expect(ahead).toContain(second);
    expect(kids()).toContain(first);
    clock += 86_400_000;
    await service.keys.maintain();
    expect(kids()).not.toContain(first);
    expect(kids()).toContain(second);
    await database.kysely.deleteFrom('auth_signing_key').execute();
  });
  it('[AUTH11] stores only hashes: argon2id for passwords, and hashed refresh tokens', async () => {
    const { refresh_token } = await login();
    const operators = await database.kysely.selectFrom('auth_operator').select('password_hash').execute();
    for (const { password_hash } of operators) expect(password_hash).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
    const tokens = (await database.kysely.selectFrom('auth_refresh_token').select('token_hash').execute()).map(
      (row) => row.token_hash,
    );
    expect(tokens).toContain(createHash('sha256').update(refresh_token).digest('hex'));
    expect(tokens).not.toContain(refresh_token);
  });
  it('[AUTH13] [REV3] ends all sign-ins of a deactivated operator', async () => {
    const { access_token, refresh_token } = await login('boris');
    await service.operators.change('boris', { active: false });
    expect((await me(access_token)).status).toBe(401);
    await expect.poll(async () => code(await me(access_token)), { timeout: 2_000 }).toBe('401 token_revoked');
    expect(await code(await post('/auth/refresh', { refresh_token }))).toBe('401 bad_credentials');
    expect(await code(await post('/auth/login', { login: 'boris', password: PASSWORD }))).toBe('401 bad_credentials');
    await service.operators.change('boris', { active: true });
    clock += 1_000;
    expect((await me((await login('boris')).access_token)).status).toBe(200);
  });
  it('deletes old sign-ins and keeps those that can still be used', async () => {
    const { refresh_token } = await login();
    const { sid } = decodeJwt((await login('boris')).access_token);
    clock += 9 * 86_400_000;
    const kept = await login('admin');
    clock += 1_000;
    service.stop();
    await service.prune();
    expect(await database.kysely.selectFrom('auth_login').select('id').where('id', '=', String(sid)).execute()).toEqual(
      [],
    );
    expect((await post('/auth/refresh', { refresh_token })).status).toBe(401);
    expect((await post('/auth/refresh', { refresh_token: kept.refresh_token })).status).toBe(200);
  });
  it('[AUTH12] seeds once, keeps later changes, and applies a password that is set on purpose', async () => {
    const before = await service.operators.list();
    await seedOperators(service, 'another password');
    expect(await service.operators.list()).toEqual(before);
    await login();
    await seedOperators(service, 'another password', { resetPasswords: true });
    clock += 1_000;
    await login('anna', 'another password');
    await seedOperators(service, PASSWORD, { resetPasswords: true });
  });
  it('[ERR14] declares the access of every route', () => {
    const guarded = listRoutes(app).filter((route) => route.access.kind !== 'public');
    expect(guarded.map((route) => `${route.method} ${route.url} ${route.access.kind}`).sort()).toEqual([
      'DELETE /auth/operators/:id/totp admin',
      'DELETE /auth/totp staff',
      'GET /auth/me staff',
      'GET /auth/operators admin',
      'HEAD /auth/me staff',
      'HEAD /auth/operators admin',
      'PATCH /auth/operators/:id admin',
      'POST /auth/logout staff',
      'POST /auth/operators admin',
      'POST /auth/operators/:id/invite admin',
      'POST /auth/operators/:id/sign-out admin',
      'POST /auth/password staff',
      'POST /auth/totp staff',
      'POST /auth/totp/confirm staff',
    ]);
  });
});

describe('keys of several instances', () => {
  it('[AUTH9] are created once when several instances start together on PostgreSQL', async () => {
    const url = await createDatabase();
    const databases = await Promise.all([openDatabase(url), openDatabase(url), openDatabase(url)]);
    const services = await Promise.all(
      databases.map((database) =>
        createAuthService({ database, config, logger: silent, metrics: createMetrics('auth-service') }),
      ),
    );
    const sets = services.map((service) => service.keys.publicSet);
    expect(new Set(sets.map((set) => JSON.stringify(set))).size).toBe(1);
    expect(sets[0]?.keys).toHaveLength(1);
    await Promise.all(databases.map((database) => database.close()));
    await dropDatabase(url);
  });
});

describe('operator password', () => {
  it('[AUTH12] comes from the environment; otherwise it is generated once, in a file that only the owner can read', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'auth-seed-'));
    try {
      expect(await operatorPassword('given', folder)).toEqual({ source: 'environment', password: 'given' });
      const made = await operatorPassword(undefined, join(folder, 'data'));
      expect(made).toMatchObject({ source: 'folder', generated: true });
      expect(made.password).toMatch(/^[a-z2-9]{16}$/);
      expect(await operatorPassword('', join(folder, 'data'))).toEqual({ ...made, generated: false });
      expect((await stat(join(folder, 'data', 'operator-password'))).mode & 0o777).toBe(0o600);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
