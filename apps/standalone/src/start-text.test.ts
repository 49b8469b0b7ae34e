import { expect, it } from 'vitest';
import { type StartInfo, startText } from './start-text.ts';

const info: StartInfo = {
  baseUrl: 'http://127.0.0.1:8080',
  publicUrl: undefined,
  moved: false,
  accounts: { kind: 'own', invite: { key: 'the-key', expiresAt: new Date() } },
  password: undefined,
  embedded: { runsAs: undefined },
  databaseVersion: '18.0',
  dataDir: '/data',
  demo: { on: false, because: ['PUBLIC_URL'] },
  trial: { kind: 'none' },
};

it('[OPS36] prints the link for the first administrator with the address that their browser can reach', () => {
  expect(startText(info)).toContain('http://127.0.0.1:8080/operator/#invite=the-key');
  const behind = startText({ ...info, publicUrl: 'https://shop.example/support' });
  expect(behind).toContain('https://shop.example/support/operator/#invite=the-key');
  // The proxy may not be there yet.
  expect(behind).toContain('(on this machine: http://127.0.0.1:8080/operator/#invite=the-key)');
});
