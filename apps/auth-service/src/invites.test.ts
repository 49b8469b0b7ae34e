import { type Database, openDatabase } from '@chat-realtime/database';
import { inviteResponseSchema } from '@chat-realtime/protocol';
import { createHttpApp, createLogger, createMetrics, Health, loadConfig } from '@chat-realtime/service-kit';
import { dropDatabase } from '@chat-realtime/testkit';
import { TokenVerifier } from '@chat-realtime/verifier';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { migratedDatabase } from '../test/migrated-database.ts';
import { type AuthService, createAuthService } from './auth-service.ts';
import { authVariables } from './config.ts';
import { hashPassword } from './domain/passwords.ts';
import { AuthModule } from './http/auth-module.ts';
import { seedOperators } from './seed.ts';

const PASSWORD = 'correct horse battery staple';
const silent = createLogger({ service: 'auth-service', level: 'silent' });

describe('links by which people give themselves a password', () => {
  let url: string;
  let database: Database;
  let clock: number;
  let service: AuthService;
  let app: NestFastifyApplication;

  beforeEach(async () => {
    clock = Date.now();
    url = await migratedDatabase();
    database = await openDatabase(url);
    const config = loadConfig(z.object(authVariables), {});
    const now = (): number => clock;
    service = await createAuthService({ database, config, logger: silent, metrics: createMetrics('auth'), now });
    const verifier = TokenVerifier.create({
      staff: { keys: service.keySource, issuer: 'chat-auth', audience: 'chat' },
      revocations: service.revocations,
      now: () => Math.floor(clock / 1_000),
    });
    const parts = { logger: silent, metrics: createMetrics('http'), health: new Health(), verifier };
    app = await createHttpApp({ modules: [AuthModule.forRoot({ service })], ...parts, port: 0 });
  });
  afterEach(async () => {
    await app.close();
    await database.close();
    await dropDatabase(url);
  });

  /** Status, and the code where it is an error. */
  async function post(path: string, body: object): Promise<{ says: string; json: unknown }> {
    const url = `${await app.getUrl()}${path}`;
    const headers = { 'content-type': 'application/json' };
    const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) });
    const json: unknown = await response.json();
    const error = z.object({ error: z.object({ code: z.string() }) }).safeParse(json);
    return { says: [response.status, ...(error.success ? [error.data.error.code] : [])].join(' '), json };
  }
  const accept = async (body: object): Promise<string> => (await post('/auth/invite/accept', body)).says;
  const login = async (name: string, password = PASSWORD): Promise<string> =>
    (await post('/auth/login', { login: name, password })).says;

  async function firstKey(): Promise<string> {
    const invite = await service.invites.forFirstAdmin();
    if (invite === undefined) throw new Error('there is an administrator');
    return invite.key;
  }

  it('[AUTH20] makes the first administrator once, and is not made where there is one', async () => {
    const key = await firstKey();
    const read = await post('/auth/invite', { key });
    expect(inviteResponseSchema.parse(read.json)).toMatchObject({ kind: 'first_admin' });
    expect(await accept({ key, login: 'Vera', name: 'Вера', password: PASSWORD })).toBe('200');
    expect(await login('vera')).toBe('200');
    expect(await accept({ key, login: 'eve', name: 'Eve', password: PASSWORD })).toBe('401 bad_credentials');
    expect((await post('/auth/invite', { key })).says).toBe('401 bad_credentials');
    expect(await service.invites.forFirstAdmin()).toBeUndefined();
  });

  it('[AUTH20] keeps only a hash of its key, and ends after a day, or when a newer one is made', async () => {
    const older = await firstKey();
    const key = await firstKey();
    const rows = await database.kysely.selectFrom('auth_invite').selectAll().execute();
    expect(rows).toHaveLength(1);
    expect(JSON.stringify(rows)).not.toContain(key);
    const account = { login: 'vera', name: 'Вера', password: PASSWORD };
    expect(await accept({ key: older, ...account })).toBe('401 bad_credentials');
    clock += 24 * 3_600_000;
    expect(await accept({ key, ...account })).toBe('401 bad_credentials');
    await service.prune();
    expect(await database.kysely.selectFrom('auth_invite').selectAll().execute()).toEqual([]);
  });

  it('[AUTH20] is as good as before when the account was refused', async () => {
    await service.operators.add({ login: 'boris', name: 'B', role: 'operator', passwordHash: await hashPassword('x') });
    const key = await firstKey();
    const account = { login: 'vera', name: 'Вера', password: PASSWORD };
    expect(await accept({ key, ...account, login: 'Boris' })).toBe('409 login_taken');
    expect(await accept({ key, ...account, password: 'short' })).toBe('422 validation_failed');
    expect(await accept({ key, password: PASSWORD })).toBe('422 validation_failed');
    expect(await accept({ key, ...account })).toBe('200');
  });

  it('[AUTH20] makes one administrator when it is used twice at the same moment', async () => {
    const key = await firstKey();
    const tries = ['one', 'two', 'three'].map((name) => accept({ key, login: name, name, password: PASSWORD }));
    expect((await Promise.all(tries)).sort()).toEqual(['200', '401 bad_credentials', '401 bad_credentials']);
    expect(await service.operators.list()).toHaveLength(1);
  });

  it('[AUTH21] ends the accounts of the demo with all their sign-ins, and frees their logins', async () => {
    await seedOperators(service, PASSWORD, { demo: true });
    const signedIn = await service.login('admin', PASSWORD, '192.0.2.1');
    const key = await firstKey();
    expect(await accept({ key, login: 'admin', name: 'Вера', password: 'another password' })).toBe('200');
    for (const name of ['anna', 'boris', 'admin']) expect(await login(name)).toBe('401 bad_credentials');
    clock += 1_000;
    expect(await login('admin', 'another password')).toBe('200');
    await expect(service.refresh(signedIn.refresh_token)).rejects.toThrow('not valid');
  });

  it('[AUTH22] gives an operator a new password, ends what the old one opened, and is nothing for who is closed', async () => {
    const passwordHash = await hashPassword('forgotten');
    const boris = await service.operators.add({ login: 'boris', name: 'Борис', role: 'operator', passwordHash });
    const signedIn = await service.login('boris', 'forgotten', '192.0.2.1');
    const { key } = await service.invites.forOperator(boris?.id ?? '');
    const read = await post('/auth/invite', { key });
    expect(inviteResponseSchema.parse(read.json)).toMatchObject({ kind: 'operator', login: 'boris', name: 'Борис' });
    expect(await accept({ key, password: PASSWORD })).toBe('200');
    clock += 1_000;
    expect([await login('boris', 'forgotten'), await login('boris')]).toEqual(['401 bad_credentials', '200']);
    await expect(service.refresh(signedIn.refresh_token)).rejects.toThrow('not valid');
    const late = await service.invites.forOperator(boris?.id ?? '');
    await service.operators.change('boris', { active: false });
    expect(await accept({ key: late.key, password: 'once more, please' })).toBe('401 bad_credentials');
  });
});
