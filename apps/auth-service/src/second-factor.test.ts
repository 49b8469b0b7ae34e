import { type Database, openDatabase } from '@chat-realtime/database';
import { ChatError } from '@chat-realtime/protocol';
import { createLogger, createMetrics, loadConfig } from '@chat-realtime/service-kit';
import { dropDatabase } from '@chat-realtime/testkit';
import { decodeJwt } from 'jose';
import { Secret, TOTP } from 'otpauth';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { migratedDatabase } from '../test/migrated-database.ts';
import { type AuthService, createAuthService } from './auth-service.ts';
import { authVariables } from './config.ts';
import type { Administrator } from './operator-accounts.ts';
import { seedOperators } from './seed.ts';

const PASSWORD = 'correct horse battery staple';
const config = loadConfig(z.object(authVariables), {});
const logger = createLogger({ service: 'auth-service', level: 'silent' });

describe('the second factor', () => {
  let url: string;
  let database: Database;
  let service: AuthService;
  let clock: number;

  beforeAll(async () => {
    url = await migratedDatabase();
    database = await openDatabase(url);
  });
  afterAll(async () => {
    await database.close();
    await dropDatabase(url);
  });
  beforeEach(async () => {
    clock = Math.floor(Date.now() / 30_000) * 30_000;
    // Each has its own counters.
    service = await createAuthService({
      database,
      config,
      logger,
      metrics: createMetrics('auth-service'),
      now: () => clock,
    });
    await seedOperators(service, PASSWORD);
    await database.kysely.deleteFrom('auth_totp').execute();
  });

  const login = (code?: string) => service.login('anna', PASSWORD, '192.0.2.1', code);
  async function refusal(run: Promise<unknown>): Promise<string> {
    try {
      await run;
      return 'ok';
    } catch (error) {
      if (error instanceof ChatError) return error.code;
      throw error;
    }
  }
  async function signedIn(code?: string): Promise<Administrator> {
    const { access_token, user } = await login(code);
    return { userId: user.id, name: user.name, loginId: z.string().parse(decodeJwt(access_token)['sid']) };
  }
  const codeOf = (secret: string): string =>
    new TOTP({ secret: Secret.fromBase32(secret) }).generate({ timestamp: clock });
  async function setUp() {
    const anna = await signedIn();
    const { secret, otpauth_url } = await service.secondFactor.begin(anna, 'shop.example');
    const { recovery_codes } = await service.secondFactor.confirm(anna, codeOf(secret));
    return { anna, secret, otpauth_url, codes: recovery_codes };
  }

  it('[AUTH27] is required once it is confirmed, and not before', async () => {
    const anna = await signedIn();
    const first = await service.secondFactor.begin(anna, 'shop.example');
    const { secret, otpauth_url } = await service.secondFactor.begin(anna, 'shop.example');
    expect(new URL(otpauth_url).searchParams.get('secret')).toBe(secret);
    expect(otpauth_url).toContain('otpauth://totp/shop.example:anna?');
    await login();
    expect(await refusal(service.secondFactor.confirm(anna, codeOf(first.secret)))).toBe('validation_failed');
    const { recovery_codes } = await service.secondFactor.confirm(anna, codeOf(secret));
    expect(new Set(recovery_codes).size).toBe(10);
    expect(recovery_codes[0]).toMatch(/^[a-z1-9]{4}(-[a-z1-9]{4}){3}$/);
    expect(await refusal(login())).toBe('second_factor_required');
    expect(await refusal(service.secondFactor.begin(anna, 'x'))).toBe('invalid_transition');
    expect(await refusal(service.secondFactor.confirm(anna, codeOf(secret)))).toBe('invalid_transition');
    expect(await service.user(anna.userId)).toMatchObject({ second_factor: true, recovery_codes_left: 10 });
  });

  it('[AUTH28] accepts each code once, even in two concurrent sign-ins, and no old code', async () => {
    const { secret } = await setUp();
    // The code that confirmed the setup is used up.
    expect(await refusal(login(codeOf(secret)))).toBe('bad_credentials');
    const old = codeOf(secret);
    clock += 30_000;
    const code = codeOf(secret);
    const outcomes = await Promise.all([refusal(login(code)), refusal(login(`${code.slice(0, 3)} ${code.slice(3)}`))]);
    expect(outcomes.sort()).toEqual(['bad_credentials', 'ok']);
    clock += 90_000;
    expect(await refusal(login(old))).toBe('bad_credentials');
    expect(await refusal(login(codeOf(secret)))).toBe('ok');
  });

  it('[AUTH28] does not judge a code before the password is correct', async () => {
    const { secret } = await setUp();
    clock += 30_000;
    expect(await refusal(service.login('anna', 'wrong', '192.0.2.1', codeOf(secret)))).toBe('bad_credentials');
    expect(await refusal(service.login('anna', 'wrong', '192.0.2.1'))).toBe('bad_credentials');
    expect(await refusal(login(codeOf(secret)))).toBe('ok');
  });

  it('[AUTH28] limits guesses for one account, whatever address they come from', async () => {
    const { secret } = await setUp();
    clock += 30_000;
    for (let guess = 0; guess < config.LOGIN_FAILURES_PER_5_MINUTES; guess += 1)
      expect(await refusal(service.login('anna', PASSWORD, `192.0.2.${guess}`, 'abcdef'))).toBe('bad_credentials');
    expect(await refusal(service.login('anna', PASSWORD, '198.51.100.1', codeOf(secret)))).toBe('rate_limited');
  });

  it('[AUTH29] a recovery code works once, however it is typed', async () => {
    const { codes, anna } = await setUp();
    const [one = '', two = ''] = codes;
    expect(await refusal(login(one.toUpperCase().replaceAll('-', ' ')))).toBe('ok');
    expect(await refusal(login(one))).toBe('bad_credentials');
    expect(await refusal(login(two))).toBe('ok');
    expect((await service.user(anna.userId)).recovery_codes_left).toBe(8);
  });

  it('[AUTH30] is removed with a code, or by a sign-in that has just used one', async () => {
    const { anna, codes } = await setUp();
    clock += 11 * 60_000;
    await expect(service.secondFactor.end(anna, undefined)).rejects.toMatchObject({
      code: 'validation_failed',
      message: 'a code is needed: this sign-in has used none for ten minutes',
    });
    await expect(service.secondFactor.end(anna, '000000')).rejects.toMatchObject({
      code: 'validation_failed',
      message: 'the code is wrong or was used already',
    });
    expect((await service.user(anna.userId)).second_factor).toBe(true);
    await service.secondFactor.end(anna, codes[0]);
    expect(await refusal(login())).toBe('ok');
    await setUp();
    clock += 60_000;
    const fresh = await signedIn(await codeNow());
    await service.secondFactor.end(fresh, undefined);
    expect(await refusal(login())).toBe('ok');
    // There is no second factor any more: nothing to do.
    clock += 11 * 60_000;
    await service.secondFactor.end(fresh, undefined);
  });
  async function codeNow(): Promise<string> {
    const row = await database.kysely.selectFrom('auth_totp').select('secret').executeTakeFirstOrThrow();
    return codeOf(row.secret);
  }

  it('[AUTH36] can be set up with the password or by a fresh sign-in: a stolen token alone is not enough', async () => {
    const anna = await signedIn();
    clock += 11 * 60_000;
    const begin = (password?: string) => refusal(service.secondFactor.begin(anna, 'x', password));
    expect([await begin(), await begin('a guess')]).toEqual(['validation_failed', 'validation_failed']);
    expect(await database.kysely.selectFrom('auth_totp').selectAll().execute()).toEqual([]);
    expect(await begin(PASSWORD)).toBe('ok');
    // A token that names no sign-in is not a fresh one.
    expect(await refusal(service.secondFactor.begin({ ...anna, loginId: null }, 'x'))).toBe('validation_failed');
    for (let guess = 0; guess < config.LOGIN_FAILURES_PER_5_MINUTES; guess += 1) await begin(`guess ${guess}`);
    expect(await begin(PASSWORD)).toBe('rate_limited');
  });

  it("[AUTH36] cannot be bypassed for one's own account: an administrator may reset only that of others", async () => {
    const { user } = await service.login('admin', PASSWORD, '192.0.2.1');
    const admin = { userId: user.id, name: 'x', loginId: null };
    expect(await refusal(service.secondFactor.reset(admin, user.id))).toBe('validation_failed');
    expect(await refusal(service.accounts.invite(admin, user.id, ''))).toBe('validation_failed');
    expect(await database.kysely.selectFrom('auth_invite').selectAll().execute()).toEqual([]);
  });

  it('[AUTH26] [AUTH30] is logged when it is set up and removed, and nothing is logged if there is none', async () => {
    const { anna, secret } = await setUp();
    clock += 60_000;
    await service.secondFactor.end(anna, codeOf(secret));
    await service.secondFactor.end(anna, undefined);
    const told = await database.kysely
      .selectFrom('chat_audit')
      .select(['action', 'actor_id'])
      .where('subject', '=', `operator:${anna.userId}`)
      .where('action', 'like', 'second_factor.%')
      .orderBy('id', 'desc')
      .limit(2)
      .execute();
    expect(told).toEqual([
      { action: 'second_factor.off', actor_id: anna.userId },
      { action: 'second_factor.on', actor_id: anna.userId },
    ]);
  });

  it('[AUTH31] an administrator resets it for a person who has lost it; a cancelled setup affects nobody else', async () => {
    const { anna } = await setUp();
    const admin = { userId: (await service.login('admin', PASSWORD, '192.0.2.1')).user.id, name: 'x', loginId: null };
    await service.secondFactor.reset(admin, anna.userId);
    expect(await refusal(login())).toBe('ok');
    expect(await refusal(service.secondFactor.reset(admin, 'nobody'))).toBe('not_found');
    const told = await database.kysely
      .selectFrom('chat_audit')
      .select('action')
      .where('subject', '=', `operator:${anna.userId}`)
      .where('action', 'like', 'second_factor.%')
      .orderBy('id', 'desc')
      .limit(2)
      .execute();
    expect(told.map(({ action }) => action)).toEqual(['second_factor.reset', 'second_factor.on']);
  });
});
