import { expect, it } from 'vitest';
import { consoleAddress, publicOrigin } from './public-origin.ts';

const PUBLIC_URL = 'https://shop.example/support/';
const asked = (host: string, headers: { 'x-forwarded-proto'?: string } = {}) =>
  ({ host, headers, protocol: 'http' }) as const;

it('[AUTH23] an invitation uses the public address, whichever address the administrator uses', () => {
  // At the end of an SSH tunnel.
  expect(consoleAddress(asked('127.0.0.1:8080'), PUBLIC_URL)).toBe('https://shop.example/support/operator/');
  expect(consoleAddress(asked('chat.example'), undefined)).toBe('http://chat.example/operator/');
  const behind = asked('chat.example', { 'x-forwarded-proto': 'https' });
  expect(consoleAddress(behind, undefined)).toBe('https://chat.example/operator/');
});

it('[AUTH32] a browser returns to the page where it began, by https if the public address says so', () => {
  // The proxy terminates TLS without reporting it.
  expect(publicOrigin(asked('shop.example'), PUBLIC_URL)).toBe('https://shop.example');
  expect(publicOrigin(asked('127.0.0.1:8080'), PUBLIC_URL)).toBe('http://127.0.0.1:8080');
});
