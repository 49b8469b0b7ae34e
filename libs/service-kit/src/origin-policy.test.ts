import { describe, expect, it } from 'vitest';
import { OriginPolicy } from './origin-policy.ts';

const policy = OriginPolicy.create({ allowed: ['https://shop.example', 'https://b.example:8443/'], demo: false });
const allowed = (origin: string | undefined, host = 'chat.example', by = policy): boolean =>
  by.check(origin, host).allowed;

describe('origin policy', () => {
  it('[ORI1] allows requests without Origin', () => {
    expect(allowed(undefined)).toBe(true);
  });
  it('[ORI2] allows its own host, with or without the default port', () => {
    expect(allowed('https://chat.example')).toBe(true);
    expect(allowed('http://127.0.0.1:8080', '127.0.0.1:8080')).toBe(true);
    expect(allowed('https://chat.example', 'chat.example:443')).toBe(true);
    expect(allowed('http://[::1]:8080', '[::1]:8080')).toBe(true);
    expect(allowed('https://chat.example', 'CHAT.example')).toBe(true);
    expect(allowed('http://127.0.0.1:8081', '127.0.0.1:8080')).toBe(false);
    expect(allowed('https://a@chat.example', 'a@chat.example')).toBe(false);
    expect(allowed('https://chat.example', 'chat.example/../x')).toBe(false);
  });
  it('[ORI3] allows exact entries and nothing that resembles one', () => {
    expect(allowed('https://shop.example')).toBe(true);
    expect(allowed('https://b.example:8443')).toBe(true);
    for (const origin of [
      'https://shop.example.evil.com',
      'https://evilshop.example',
      'http://shop.example',
      'https://shop.example:8443',
      'https://www.shop.example',
      'https://shop.example/',
      'https://shop.example, https://evil.example',
      'HTTPS://SHOP.EXAMPLE',
      ' https://shop.example',
      'https://shop.example.',
      'https://shop.example@evil.example',
      'https://evil.example#https://shop.example',
      'https://b.example',
      'https://shop%2eexample',
      '',
      'shop.example',
    ]) {
      expect({ origin, allowed: allowed(origin) }).toEqual({ origin, allowed: false });
    }
  });
  it('[ORI20] says that Host was lost if a proxy put its own name there', () => {
    const messageOf = (origin: string, host: string | undefined): string => {
      const verdict = policy.check(origin, host);
      return verdict.allowed ? 'allowed' : verdict.message;
    };
    for (const host of ['127.0.0.1:8080', 'localhost:8080', 'chat_backend', '10.0.0.7', '[::1]:8080', undefined])
      expect(messageOf('https://www.shop.example', host), host).toContain('does not pass on Host');
    for (const host of ['chat.example', 'shop.example:8443'])
      expect(messageOf('https://www.shop.example', host)).not.toContain('Host');
    expect(messageOf('http://localhost:3000', '127.0.0.1:8080')).not.toContain('Host');
  });
  it('[ORI4] allows the local machine only in demo mode', () => {
    const demo = OriginPolicy.create({ allowed: [], demo: true });
    for (const origin of ['http://localhost:5173', 'http://127.0.0.1:1', 'http://localhost']) {
      expect([allowed(origin), allowed(origin, 'x', demo)]).toEqual([false, true]);
    }
    for (const origin of [
      'https://localhost',
      'http://localhost.evil.example',
      'http://127.0.0.1.evil.example',
      'http://127.0.0.2',
    ]) {
      expect(allowed(origin, 'x', demo)).toBe(false);
    }
  });
  it('[ORI5] refuses null and other schemes', () => {
    for (const origin of [
      'null',
      'file://',
      'chrome-extension://abc',
      'data:text/html,x',
      'javascript:1',
      'blob:https://shop.example/1',
    ]) {
      expect(allowed(origin)).toBe(false);
    }
  });
  it('[ORI6] says which line would allow an origin, and none for an invalid one', () => {
    expect(policy.check('https://new.example', 'x.example')).toEqual({
      allowed: false,
      hint: 'ALLOWED_ORIGINS=https://shop.example,https://b.example:8443,https://new.example',
      message: 'this page may not use the chat; see ALLOWED_ORIGINS',
    });
    expect(policy.check('null', 'x')).toMatchObject({ hint: expect.not.stringContaining('ALLOWED_ORIGINS') });
  });
  it('refuses to start with an invalid entry', () => {
    for (const entry of [
      'shop.example',
      'https://shop.example/chat',
      '*',
      'https://a:b@shop.example',
      'null',
      'https://*.example/x',
    ]) {
      expect(() => OriginPolicy.create({ allowed: [entry], demo: false })).toThrow(/ALLOWED_ORIGINS/);
    }
  });
});
