import { expect, it } from 'vitest';
import { demoMode } from './demo-mode.ts';

const plain = { DEMO: 'auto', HOST: '127.0.0.1' } as const;

it('[OPS20] demo mode is on where nothing was set, or only what a trial sets too', () => {
  expect(demoMode(plain, {})).toEqual({ on: true });
  expect(
    demoMode(plain, { OPERATOR_PASSWORD: 'x', DATA_DIR: '/tmp/x', LOG_LEVEL: 'info', ALLOWED_ORIGINS: ' ' }),
  ).toEqual({ on: true });
});

it('[OPS20] any variable of production ends it, and is named', () => {
  for (const name of [
    'DATABASE_URL',
    'ALLOWED_ORIGINS',
    'TRUSTED_PROXIES',
    'SITE_API_KEY',
    'AUTH_JWKS_URL',
    'PUBLIC_URL',
  ])
    expect(demoMode(plain, { [name]: 'something' })).toEqual({ on: false, because: [name] });
  expect(demoMode({ ...plain, HOST: '0.0.0.0' }, {})).toEqual({ on: false, because: ['HOST'] });
});

it('[OPS20] DEMO decides where it is given', () => {
  expect(demoMode({ ...plain, DEMO: 'on' }, { DATABASE_URL: 'postgres://x' })).toEqual({ on: true });
  expect(demoMode({ ...plain, DEMO: 'off' }, {})).toEqual({ on: false, because: [] });
});
