import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import {
  ConfigError,
  envBoolean,
  envInteger,
  envList,
  envOptionalInteger,
  envSecret,
  envSecretRing,
  envTrustedProxies,
  envUrl,
  loadConfig,
} from './config.ts';
import { httpVariables, staffTokenConfig, staffTokenVariables } from './environment.ts';

const schema = z.object({
  PORT: envInteger(8101, { min: 0, max: 65_535 }),
  LIMIT: envOptionalInteger({ min: 1 }),
  DEMO: envBoolean(false),
  ALLOWED_ORIGINS: envList(),
  CHAT_TOKEN_SECRETS: envSecretRing(),
  INTERNAL_API_KEY: envSecret().optional(),
  REDIS_URL: envUrl(['redis:', 'rediss:']).optional(),
  DATABASE_URL: z.string(),
});
const RING = 'k1:0123456789abcdef:123456789abcdef';
const good = { CHAT_TOKEN_SECRETS: RING, DATABASE_URL: 'pglite:memory' };

function problemsOf(env: NodeJS.ProcessEnv): readonly string[] {
  try {
    loadConfig(schema, env);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
}

describe('configuration', () => {
  it('reads text into values, with defaults for absent or empty ones', () => {
    const config = loadConfig(schema, {
      ...good,
      DEMO: 'Yes',
      ALLOWED_ORIGINS: ' https://a.example ,, https://b.example',
      PORT: ' ',
      OTHER: 'ignored',
    });
    expect(config).toMatchObject({
      PORT: 8101,
      DEMO: true,
      ALLOWED_ORIGINS: ['https://a.example', 'https://b.example'],
    });
    expect(config.CHAT_TOKEN_SECRETS.secret('k1')?.export().toString()).toBe('0123456789abcdef:123456789abcdef');
    expect(config.LIMIT).toBeUndefined();
    expect(loadConfig(schema, good)).toMatchObject({ DEMO: false, ALLOWED_ORIGINS: [] });
  });
  it('[CFG3] lists all errors at once, by name and without any value', () => {
    const canary = 'canary-7f3a';
    const problems = problemsOf({
      PORT: `80${canary}`,
      LIMIT: '0',
      DEMO: canary,
      CHAT_TOKEN_SECRETS: `k1:${canary}`,
      INTERNAL_API_KEY: canary,
      REDIS_URL: `http://${canary}`,
    });
    expect(problems.map((problem) => problem.split(':')[0])).toEqual([
      'PORT',
      'LIMIT',
      'DEMO',
      'CHAT_TOKEN_SECRETS',
      'INTERNAL_API_KEY',
      'REDIS_URL',
      'DATABASE_URL',
    ]);
    expect(problems.join('\n')).toContain('DATABASE_URL: is required');
    expect(problems.join('\n')).not.toContain(canary);
  });
  it.each(['1e3', '1.5', '-1', '65536', '0x10', 'NaN', '99999999999999999999'])('refuses %s as a port', (PORT) => {
    expect(problemsOf({ ...good, PORT })).toHaveLength(1);
  });
  it('[TOK9] names the entry of a bad ring and never its secret', () => {
    expect(problemsOf({ ...good, CHAT_TOKEN_SECRETS: `${RING},k1:${'z'.repeat(32)}` })).toEqual([
      'CHAT_TOKEN_SECRETS: secret 2: key id k1 stands twice',
    ]);
    expect(problemsOf({ ...good, CHAT_TOKEN_SECRETS: `k 1:${'z'.repeat(32)}` })[0]).not.toContain('zzz');
  });
  it('names an invalid network', () => {
    expect(() =>
      loadConfig(z.object({ TRUSTED_PROXIES: envTrustedProxies() }), { TRUSTED_PROXIES: '10.0.0.0/8,10.0.0.0/33' }),
    ).toThrow(/TRUSTED_PROXIES: "10.0.0.0\/33"/);
    expect(loadConfig(z.object(httpVariables(1)), {}).TRUSTED_PROXIES.has('127.0.0.1')).toBe(false);
  });
  it('[TOK19] requires exactly one source of staff keys', () => {
    const read = (env: NodeJS.ProcessEnv): ReturnType<typeof staffTokenConfig> =>
      staffTokenConfig(loadConfig(z.object(staffTokenVariables), env));
    expect(() => read({})).toThrow(/one of the two is required/);
    expect(() => read({ AUTH_JWKS_URL: 'http://a/jwks', AUTH_JWT_SECRET: 'x'.repeat(32) })).toThrow(/only one/);
    expect(read({ AUTH_JWKS_URL: 'http://a/jwks' })).toMatchObject({
      keys: { kind: 'jwks', url: 'http://a/jwks' },
      issuer: 'chat-auth',
      audience: 'chat',
      roleClaim: 'role',
    });
    expect(read({ AUTH_JWT_SECRET: 'x'.repeat(32), AUTH_ROLE_MAP: 'manager:operator' }).roleMap?.get('manager')).toBe(
      'operator',
    );
    expect(
      staffTokenConfig(loadConfig(z.object(staffTokenVariables), {}), { kind: 'local', keys: () => ({ keys: [] }) })
        .keys.kind,
    ).toBe('local');
  });
});
