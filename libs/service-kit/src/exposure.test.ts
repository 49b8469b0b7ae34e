import { expect, it } from 'vitest';
import { isExposed } from './exposure.ts';

it('[OPS36] knows whether other machines can reach it: by its address, or by a proxy in front', () => {
  for (const HOST of ['127.0.0.1', '127.8.8.8', '::1', 'localhost']) expect(isExposed({ HOST }), HOST).toBe(false);
  for (const HOST of ['0.0.0.0', '::', '192.0.2.1', 'chat.example', '127.0.0.1.example'])
    expect(isExposed({ HOST }), HOST).toBe(true);
  const HOST = '127.0.0.1';
  expect(isExposed({ HOST, PUBLIC_URL: 'http://127.0.0.1:8080' })).toBe(false);
  expect(isExposed({ HOST, PUBLIC_URL: 'http://[::1]:8080/' })).toBe(false);
  expect(isExposed({ HOST, PUBLIC_URL: 'https://chat.example/support' })).toBe(true);
});
