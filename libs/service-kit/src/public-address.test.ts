import { describe, expect, it } from 'vitest';
import { publicAddress, publicPrefix } from './public-address.ts';

describe('the public address', () => {
  it('keeps the path below which a proxy serves the chat', () => {
    expect(publicPrefix(undefined)).toBe('');
    expect(publicPrefix('https://chat.example')).toBe('');
    expect(publicPrefix('https://site.example/support/')).toBe('/support');
    expect(publicAddress('https://site.example/support', '/operator/#/inbox/all/7')).toBe(
      'https://site.example/support/operator/#/inbox/all/7',
    );
    expect(publicAddress('https://chat.example/', '/telegram/webhook')).toBe('https://chat.example/telegram/webhook');
  });
});
