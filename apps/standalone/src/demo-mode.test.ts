import { expect, it } from 'vitest';
import { type Circumstances, demoMode } from './demo-mode.ts';

const plain = { DEMO: 'auto', HOST: '127.0.0.1' } as const;
const given = (env: NodeJS.ProcessEnv, more: Partial<Circumstances> = {}): Circumstances => ({
  env,
  empty: false,
  servedForReal: false,
  ...more,
});

it('[OPS20] demo mode is on by default, and with variables that a trial also sets', () => {
  expect(demoMode(plain, given({}))).toEqual({ on: true });
  expect(
    demoMode(plain, given({ OPERATOR_PASSWORD: 'x', DATA_DIR: '/tmp/x', LOG_LEVEL: 'info', ALLOWED_ORIGINS: ' ' })),
  ).toEqual({ on: true });
});

it('[OPS20] any production variable ends it, and is named', () => {
  for (const name of [
    'DATABASE_URL',
    'ALLOWED_ORIGINS',
    'TRUSTED_PROXIES',
    'SITE_API_KEY',
    'AUTH_JWKS_URL',
    'PUBLIC_URL',
  ])
    expect(demoMode(plain, given({ [name]: 'something' }))).toEqual({ on: false, because: [name] });
  expect(demoMode({ ...plain, HOST: '0.0.0.0' }, given({}))).toEqual({ on: false, because: ['HOST'] });
});

it('[OPS20] DEMO takes precedence', () => {
  expect(demoMode({ ...plain, DEMO: 'on' }, given({ DATABASE_URL: 'postgres://x' }))).toEqual({ on: true });
  expect(demoMode({ ...plain, DEMO: 'off' }, given({}))).toEqual({ on: false, because: [] });
});

it('[OPS36] it is off if nothing is to be seeded, and on a database that was used in production', () => {
  expect(demoMode(plain, given({}, { empty: true }))).toEqual({ on: false, because: [] });
  expect(demoMode({ ...plain, DEMO: 'on' }, given({}, { empty: true }))).toEqual({ on: false, because: [] });
  expect(demoMode(plain, given({}, { servedForReal: true }))).toEqual({ on: false, because: [] });
});
