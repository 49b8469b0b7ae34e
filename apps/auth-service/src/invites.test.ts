import { type Database, openDatabase } from '@chat-realtime/database';
import { ChatError, inviteResponseSchema } from '@chat-realtime/protocol';
import { createHttpApp, createLogger, createMetrics, Health, loadConfig } from '@chat-realtime/service-kit';
import { dropDatabase } from '@chat-realtime/testkit';
import { TokenVerifier } from '@chat-realtime/verifier';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { sql } from 'kysely';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { migratedDatabase } from '../test/migrated-database.ts';
import { type AuthService, createAuthService } from './auth-service.ts';
import { authVariables } from './config.ts';
import { hashPassword } from './domain/passwords.ts';
import { AuthModule } from './http/auth-module.ts';
import { SHELL } from './storage/operators.ts';
import { seedChosen, seedOperators } from './seed.ts';

const PASSWORD = 'correct horse battery staple';
const CHIEF = { userId: 'chief', name: 'Chief', loginId: null };
const silent = createLogger({ service: 'auth-service', level: 'silent' });

describe('links with which people set their own password', () => {
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

  /** The status, and the error code if there is one. */
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

  it('[AUTH20] creates the first administrator once, and is not created if there is one', async () => {
    const key = await firstKey();
    const read = await post('/auth/invite', { key });
    expect(inviteResponseSchema.parse(read.json)).toMatchObject({ kind: 'first_admin' });
    expect(await accept({ key, login: 'Vera', name: 'Вера', password: PASSWORD })).toBe('200');
    expect(await login('vera')).toBe('200');
    expect(await accept({ key, login: 'eve', name: 'Eve', password: PASSWORD })).toBe('401 bad_credentials');
    expect((await post('/auth/invite', { key })).says).toBe('401 bad_credentials');
    expect(await service.invites.forFirstAdmin()).toBeUndefined();
    const log = await database.kysely.selectFrom('chat_audit').select(['action', 'actor_name']).execute();
    expect(log).toEqual([{ action: 'admin.joined', actor_name: 'Вера' }]);
  });

  it('[AUTH20] stores only a hash of its key, and expires after a day or when a newer link is created', async () => {
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

  it('[AUTH20] stays valid if creating the account was refused', async () => {
    await service.operators.add({ login: 'boris', name: 'B', role: 'operator', passwordHash: await hashPassword('x') });
    const key = await firstKey();
    const account = { login: 'vera', name: 'Вера', password: PASSWORD };
    expect(await accept({ key, ...account, login: 'Boris' })).toBe('409 login_taken');
    expect(await accept({ key, ...account, password: 'short' })).toBe('422 validation_failed');
    expect(await accept({ key, password: PASSWORD })).toBe('422 validation_failed');
    expect(await accept({ key, ...account })).toBe('200');
  });

  it('[AUTH20] creates one administrator when it is used twice at the same moment', async () => {
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

  it('[AUTH21] frees every login of the demo; its accounts are in no list and cannot be restored', async () => {
    const by = { userId: 'shell', name: null, loginId: null };
    const demo = await seedOperators(service, PASSWORD, { demo: true });
    const key = await firstKey();
    expect(await accept({ key, login: 'vera', name: 'Вера', password: PASSWORD })).toBe('200');
    expect((await service.operators.list()).map((one) => one.login)).toEqual(['vera']);
    expect((await service.accounts.list()).map((one) => one.login)).toEqual(['vera']);
    for (const { login: taken } of demo) {
      await service.accounts.add(by, { login: taken, name: 'Own', role: 'operator' }, '');
      // The password printed in the terminal opens neither the old account nor the new one.
      expect(await login(taken)).toBe('401 bad_credentials');
    }
    for (const { id } of demo) {
      await expect(service.accounts.change(by, id, { active: true })).rejects.toMatchObject({ code: 'not_found' });
      const row = await service.operators.byId(id);
      await expect(service.operators.change(row?.login ?? '', { active: true })).rejects.toThrow('no such operator');
      expect(await login(row?.login ?? '')).toBe('401 bad_credentials');
    }
  });

  it('[AUTH20] stays valid until an administrator has joined by any link; one who was only invited does not count', async () => {
    const by = { userId: 'shell', name: null, loginId: null };
    await seedOperators(service, PASSWORD, { demo: true });
    const { invite_url } = await service.accounts.add(by, { login: 'vera', name: 'Вера', role: 'admin' }, '');
    expect(await service.endDemo()).toMatchObject({ key: expect.any(String) });
    const first = await firstKey();
    const key = invite_url.slice(invite_url.indexOf('=') + 1);
    expect(await accept({ key, password: PASSWORD })).toBe('200');
    // Any administrator who joins ends the wait, whichever link they used.
    expect(await service.invites.forFirstAdmin()).toBeUndefined();
    expect((await post('/auth/invite', { key: first })).says).toBe('401 bad_credentials');
    expect((await service.operators.list()).map((one) => one.login)).toEqual(['vera']);
    expect(await login('admin')).toBe('401 bad_credentials');
    const log = await database.kysely.selectFrom('chat_audit').select(['action', 'actor_name']).orderBy('id').execute();
    expect(log.at(-1)).toEqual({ action: 'password.set_by_link', actor_name: 'Вера' });
  });

  it('[AUTH20] also ends when an administrator signs in to an account that an earlier version opened', async () => {
    const by = { userId: 'shell', name: null, loginId: null };
    await service.accounts.add(by, { login: 'vera', name: 'Вера', role: 'admin' }, '');
    const passwordHash = await hashPassword(PASSWORD);
    await database.kysely.updateTable('auth_operator').set({ password_hash: passwordHash }).execute();
    expect(await service.operators.hasDemo()).toBe(false);
    expect(await service.invites.forFirstAdmin()).toBeDefined();
    expect(await login('vera')).toBe('200');
    expect(await service.invites.forFirstAdmin()).toBeUndefined();
  });

  it("[OPS36] a chosen administrator's password has at least 8 characters if other machines can reach the service", async () => {
    const outside = { HOST: '0.0.0.0' };
    await expect(seedChosen(service, 'seven c', outside)).rejects.toThrow('at least 8 characters');
    const behind = { HOST: '127.0.0.1', PUBLIC_URL: 'https://chat.example' };
    await expect(seedChosen(service, 'seven c', behind)).rejects.toThrow('at least 8 characters');
    expect(await service.operators.list()).toEqual([]);
    expect((await seedChosen(service, PASSWORD, outside)).map((one) => one.login)).toEqual(['admin']);
    expect(await login('admin')).toBe('200');
    expect((await seedChosen(service, 'short', { HOST: '127.0.0.1' })).map((one) => one.login)).toEqual([
      'anna',
      'boris',
      'admin',
    ]);
  });

  it('[AUTH24] keeps the last administrator who has signed in; one who was only invited does not count', async () => {
    const passwordHash = await hashPassword(PASSWORD);
    const anna = await service.operators.add({ login: 'anna', name: 'A', role: 'admin', passwordHash });
    const by = { userId: anna?.id ?? '', name: 'A', loginId: null };
    const { operator } = await service.accounts.add(by, { login: 'boris', name: 'B', role: 'admin' }, '');
    for (const patch of [{ role: 'operator' }, { active: false }] as const)
      await expect(service.accounts.change(by, by.userId, patch)).rejects.toMatchObject({ code: 'last_admin' });
    // The account that was only invited may be closed: nobody depends on it.
    expect(await service.accounts.change(by, operator.id, { active: false })).toMatchObject({ active: false });
    expect(await service.accounts.change(by, operator.id, { active: true })).toMatchObject({ role: 'admin' });
    const { key } = await service.invites.forOperator(operator.id);
    expect(await accept({ key, password: PASSWORD })).toBe('200');
    expect(await service.accounts.change(by, by.userId, { role: 'operator' })).toMatchObject({ role: 'operator' });
  });

  it('[AUTH24] lets nobody overwrite, unseen, a change by another administrator', async () => {
    const { operator } = await service.accounts.add(CHIEF, { login: 'vera', name: 'Vera', role: 'operator' }, '');
    clock += 1_000;
    const expected_updated_at = operator.updated_at;
    const name = await service.accounts.change(CHIEF, operator.id, { name: 'Вера', expected_updated_at });
    expect(name.updated_at).not.toBe(expected_updated_at);
    const late = service.accounts.change(CHIEF, operator.id, { name: 'V.', role: 'admin', expected_updated_at });
    await expect(late).rejects.toMatchObject({ code: 'stale', details: { operator: { name: 'Вера' } } });
    expect((await service.operators.byId(operator.id))?.role).toBe('operator');
    const again = { role: 'admin', expected_updated_at: name.updated_at } as const;
    expect(await service.accounts.change(CHIEF, operator.id, again)).toMatchObject({ name: 'Вера', role: 'admin' });
  });

  it('[AUTH26] logs the previous state of an account, and what the shell does', async () => {
    const { operator } = await service.accounts.add(CHIEF, { login: 'vera', name: 'Vera', role: 'operator' }, '');
    await service.accounts.change(CHIEF, operator.id, { name: 'Вера', role: 'admin' });
    await service.operators.change('vera', { role: 'operator', passwordHash: await hashPassword(PASSWORD) }, SHELL);
    await service.operators.change('vera', { active: true }, SHELL);
    const passwordHash = await hashPassword(PASSWORD);
    await service.operators.add({ login: 'olga', name: 'Ольга', role: 'admin', passwordHash }, SHELL);
    const log = await database.kysely
      .selectFrom('chat_audit')
      .select(['actor_id', 'action', 'details'])
      .orderBy('id')
      .execute();
    const by = SHELL.userId;
    expect(log).toEqual([
      { actor_id: 'chief', action: 'operator.added', details: { role: 'operator', scope: 'all' } },
      {
        actor_id: 'chief',
        action: 'operator.changed',
        details: { name: 'Вера', role: 'admin', before: { name: 'Vera', role: 'operator' } },
      },
      { actor_id: by, action: 'password.changed', details: {} },
      { actor_id: by, action: 'operator.changed', details: { role: 'operator', before: { role: 'admin' } } },
      { actor_id: by, action: 'operator.added', details: { role: 'admin', scope: 'all' } },
    ]);
  });

  it('[AUTH24] keeps one of two administrators who demote each other at the same moment', async () => {
    const passwordHash = await hashPassword(PASSWORD);
    const names = ['anna', 'boris'];
    const admins = await Promise.all(
      names.map((name) => service.operators.add({ login: name, name, role: 'admin', passwordHash })),
    );
    const [anna = '', boris = ''] = admins.map((one) => one?.id);
    const take = (by: string, from: string): Promise<string> =>
      service.accounts.change({ userId: by, name: null, loginId: null }, from, { role: 'operator' }).then(
        () => 'done',
        (error: unknown) => (error instanceof ChatError ? error.code : String(error)),
      );
    const outcomes = await Promise.all([take(anna, boris), take(boris, anna)]);
    expect(outcomes.sort()).toEqual(['done', 'last_admin']);
  });

  it('[AUTH22] sets a new password for an operator, ends their sign-ins, and does nothing for a closed account', async () => {
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

  it('[AUTH20] [AUTH23] leaves only one valid link of those that are created at the same moment', async () => {
    const { operator } = await service.accounts.add(CHIEF, { login: 'vera', name: 'Вера', role: 'admin' }, '');
    const many = <T>(make: () => Promise<T>): Promise<T[]> => Promise.all(Array.from({ length: 8 }, make));
    const first = await many(() => service.invites.forFirstAdmin());
    const made = await many(() => service.invites.forOperator(operator.id));
    const rows = await database.kysely.selectFrom('auth_invite').select('operator_id').execute();
    expect(rows.map((row) => row.operator_id).sort()).toEqual([operator.id, null]);
    const opened = await Promise.all(made.map(async ({ key }) => (await post('/auth/invite', { key })).says));
    expect(opened.filter((says) => says === '200')).toHaveLength(1);
    expect(first.every((invite) => invite !== undefined)).toBe(true);
  });

  it('[AUTH22] [AUTH24] waits for a transaction that closes the account, without holding a lock it needs', async () => {
    const { operator } = await service.accounts.add(CHIEF, { login: 'vera', name: 'Вера', role: 'operator' }, '');
    const { key } = await service.invites.forOperator(operator.id);
    const waiting = async (): Promise<number | undefined> => {
      const found = await sql<{ n: number }>`SELECT count(*)::int AS n FROM pg_stat_activity
        WHERE datname = current_database() AND wait_event_type = 'Lock'`.execute(database.kysely);
      return found.rows[0]?.n;
    };
    const { accepting } = await database.kysely.transaction().execute(async (closing) => {
      await closing.selectFrom('auth_operator').select('id').where('id', '=', operator.id).forUpdate().execute();
      const begun = accept({ key, password: PASSWORD });
      await expect.poll(waiting, { timeout: 10_000 }).toBe(1);
      await sql`SET LOCAL lock_timeout = '500ms'`.execute(closing);
      await closing.deleteFrom('auth_invite').where('operator_id', '=', operator.id).execute();
      await closing.updateTable('auth_operator').set({ active: false }).where('id', '=', operator.id).execute();
      return { accepting: begun };
    });
    expect(await accepting).toBe('401 bad_credentials');
  });

  it('[AUTH24] is invalid once the shell has closed the account, even if the account is opened again', async () => {
    const { operator } = await service.accounts.add(CHIEF, { login: 'vera', name: 'Вера', role: 'operator' }, '');
    const { key } = await service.invites.forOperator(operator.id);
    await service.operators.change('vera', { active: false }, SHELL);
    await expect(service.invites.forOperator(operator.id)).rejects.toMatchObject({ code: 'not_found' });
    await service.operators.change('vera', { active: true }, SHELL);
    expect(await accept({ key, password: PASSWORD })).toBe('401 bad_credentials');
  });

  it('[AUTH26] logs links, ended sign-ins and changes of one’s own password, each with the person who did it', async () => {
    const passwordHash = await hashPassword('the first one');
    const vera = await service.operators.add({ login: 'vera', name: 'Вера', role: 'operator', passwordHash });
    const id = vera?.id ?? '';
    await service.accounts.changePassword({ userId: id, name: 'Вера', loginId: null }, 'the first one', PASSWORD);
    await service.accounts.endSignIns(CHIEF, id);
    await service.accounts.invite(CHIEF, id, '');
    const refused = [
      () => service.accounts.changePassword({ userId: id, name: 'Вера', loginId: null }, 'a guess', PASSWORD),
      () => service.accounts.endSignIns(CHIEF, 'nobody'),
      () => service.accounts.invite(CHIEF, 'nobody', ''),
      () => service.accounts.invite(CHIEF, CHIEF.userId, ''),
    ];
    for (const one of refused) await expect(one()).rejects.toBeInstanceOf(ChatError);
    const log = await database.kysely
      .selectFrom('chat_audit')
      .select(['actor_id', 'actor_name', 'action', 'subject', 'details'])
      .orderBy('id')
      .execute();
    const chief = { actor_id: 'chief', actor_name: 'Chief', subject: `operator:${id}`, details: {} };
    expect(log).toEqual([
      { ...chief, actor_id: id, actor_name: 'Вера', action: 'password.changed' },
      { ...chief, action: 'operator.signed_out' },
      { ...chief, action: 'operator.invited' },
    ]);
  });
});
