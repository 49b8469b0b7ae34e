import { createHash } from 'node:crypto';
import { type Database, openDatabase } from '@chat-realtime/database';
import { ChatError } from '@chat-realtime/protocol';
import { createLogger, createMetrics, loadConfig } from '@chat-realtime/service-kit';
import { dropDatabase } from '@chat-realtime/testkit';
import { TokenVerifier } from '@chat-realtime/verifier';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { migratedDatabase } from '../test/migrated-database.ts';
import { type AuthService, createAuthService, type SignedIn } from './auth-service.ts';
import { authVariables } from './config.ts';
import { hashPassword } from './domain/passwords.ts';
import { seedOperators } from './seed.ts';
import { Logins } from './storage/logins.ts';
import type { Credentials } from './storage/operators.ts';

const PASSWORD = 'correct horse battery staple';
const config = loadConfig(z.object(authVariables), {});
const silent = createLogger({ service: 'auth-service', level: 'silent' });

interface Backend {
  readonly name: string;
  start(): Promise<string>;
}
const backends: readonly Backend[] = [{ name: 'PostgreSQL', start: migratedDatabase }];

describe.each(backends)('sign-ins on $name', (backend) => {
  let url: string;
  let database: Database;
  let clock: number;
  let service: AuthService;
  let verifier: TokenVerifier;

  async function startService(): Promise<void> {
    const metrics = createMetrics('auth-service');
    service = await createAuthService({ database, config, logger: silent, metrics, now: () => clock });
    service.start();
    verifier = TokenVerifier.create({
      staff: { keys: service.keySource, issuer: 'chat-auth', audience: 'chat' },
      revocations: service.revocations,
      now: () => Math.floor(clock / 1000),
    });
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
  afterEach(() => service.stop());

  const login = (name: string): Promise<SignedIn> => service.login(name, PASSWORD, '192.0.2.1');
  async function verdict(token: string): Promise<string> {
    const verified = await verifier.verifyStaff(token);
    return verified.ok ? 'ok' : verified.code;
  }
  async function refused(refreshToken: string): Promise<string> {
    try {
      await service.refresh(refreshToken);
      return 'ok';
    } catch (error) {
      if (error instanceof ChatError) return error.code;
      throw error;
    }
  }

  it('[AUTH4] answers a refresh whose response was lost with the same successor, for half a minute', async () => {
    const first = await login('anna');
    const lost = await service.refresh(first.refresh_token);
    clock += 30_000;
    const again = await service.refresh(first.refresh_token);
    expect(again.refresh_token).toBe(lost.refresh_token);
    expect(await verdict(again.access_token)).toBe('ok');
    const next = await service.refresh(again.refresh_token);
    expect(next.refresh_token).not.toBe(again.refresh_token);
  });
  it('[AUTH4] gives two tabs that refresh at once the same successor', async () => {
    const { refresh_token } = await login('anna');
    const answers = await Promise.all(Array.from({ length: 8 }, () => service.refresh(refresh_token)));
    expect(new Set(answers.map((answer) => answer.refresh_token)).size).toBe(1);
    for (const answer of answers) expect(await verdict(answer.access_token)).toBe('ok');
    expect(await refused(answers[0]?.refresh_token ?? '')).toBe('ok');
  });
  it('[AUTH4] ends the family when a used token is presented again after half a minute', async () => {
    const first = await login('anna');
    const second = await service.refresh(first.refresh_token);
    clock += 30_001;
    expect(await refused(first.refresh_token)).toBe('bad_credentials');
    expect(await refused(second.refresh_token)).toBe('bad_credentials');
    expect(await verdict(second.access_token)).toBe('token_revoked');
    await login('anna');
  });
  it('[AUTH4] ends the family at once if the successor was already used, which means somebody has a copy', async () => {
    for (const stolen of [0, 1]) {
      const chain = [(await login('anna')).refresh_token];
      for (let use = 0; use < 2; use += 1) chain.push((await service.refresh(chain[use] ?? '')).refresh_token);
      expect(await refused(chain[0] ?? '')).toBe('bad_credentials');
      expect(await refused(chain[2 - stolen] ?? '')).toBe('bad_credentials');
    }
  });
  it('[AUTH4] derives the successor with a key that instances share and no client has', async () => {
    const first = await login('anna');
    service.stop();
    await startService();
    const one = await service.refresh(first.refresh_token);
    service.stop();
    await startService();
    expect((await service.refresh(first.refresh_token)).refresh_token).toBe(one.refresh_token);
    const { value } = await database.kysely.selectFrom('auth_secret').selectAll().executeTakeFirstOrThrow();
    expect(Buffer.from(value, 'base64url')).toHaveLength(32);
    const guess = createHash('sha256').update(first.refresh_token).digest('base64url');
    expect(one.refresh_token).not.toBe(guess);
  });
  it('[AUTH14] completes no sign-in with the old password if the password was changed meanwhile', async () => {
    const hash = await hashPassword('the new password');
    const restore = await hashPassword(PASSWORD);
    const results = Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        service.login('anna', PASSWORD, `192.0.2.${index}`).then(
          (signedIn) => signedIn,
          () => undefined,
        ),
      ),
    );
    await new Promise((resolve) => setTimeout(resolve, 20));
    await service.operators.change('anna', { passwordHash: hash });
    for (const signedIn of await results) {
      if (signedIn === undefined) continue;
      expect(await refused(signedIn.refresh_token)).toBe('bad_credentials');
      await expect.poll(async () => verdict(signedIn.access_token), { timeout: 3_000 }).toBe('token_revoked');
    }
    await service.operators.change('anna', { passwordHash: restore });
  });
  it('[AUTH14] starts no sign-in that was checked before a change of password, role or state', async () => {
    const logins = new Logins(
      database,
      { accessTtlSeconds: 900, refreshTtlSeconds: 900 },
      Buffer.alloc(32),
      () => new Date(clock),
    );
    const open = (credentials: Credentials) => logins.open(credentials, { by: 'password', code: undefined });
    const checked = async () => service.operators.credentials('boris');
    const before = await checked();
    if (before === undefined) throw new Error('boris is there');
    await service.operators.change('boris', { passwordHash: await hashPassword('the new password') });
    expect((await open(before)).kind).toBe('refused');
    await service.operators.change('boris', { passwordHash: before.passwordHash, role: 'admin' });
    // The password is right again, and the token contains the current role.
    expect(await open(before)).toMatchObject({ kind: 'opened', operator: { role: 'admin' } });
    await service.operators.change('boris', { role: 'operator', active: false });
    expect((await open(before)).kind).toBe('refused');
    await service.operators.change('boris', { active: true });
  });
  it('[AUTH14] accepts a sign-in within the same second as the change', async () => {
    await service.operators.change('boris', { role: 'operator' });
    const { access_token, refresh_token } = await login('boris');
    expect(await verdict(access_token)).toBe('ok');
    expect(await verdict((await service.refresh(refresh_token)).access_token)).toBe('ok');
    await new Promise((resolve) => setTimeout(resolve, 1_200));
    expect(await verdict(access_token)).toBe('ok');
  });
  it('[AUTH14] dates a token to the moment at which the role was read, so that a later change revokes it', async () => {
    const { refresh_token } = await login('boris');
    const { keys } = service;
    const sign = keys.current.bind(keys);
    // The response is delayed between transaction and signature; the change falls into that time.
    keys.current = async () => {
      await service.operators.change('boris', { role: 'admin' });
      clock += 2_000;
      return sign();
    };
    const late = await service.refresh(refresh_token);
    keys.current = sign;
    await expect.poll(async () => verdict(late.access_token), { timeout: 3_000 }).toBe('token_revoked');
    await service.operators.change('boris', { role: 'operator' });
  });
});
