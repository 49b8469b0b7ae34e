import { describe, expect, it } from 'vitest';
import { clientIp, isForwardingIgnored, rateLimitKey, TrustedProxies } from './client-ip.ts';

const trusted = TrustedProxies.parse(['127.0.0.1', '10.0.0.0/8', 'fd00::/8']);
const ip = (remoteAddress: string | undefined, forwarded?: string | string[], by = trusted): string =>
  clientIp({ socket: { remoteAddress }, headers: { 'x-forwarded-for': forwarded } }, by);

describe('client address', () => {
  it('[RATE7] is the peer unless the peer is trusted', () => {
    expect(ip('203.0.113.5', '1.2.3.4')).toBe('203.0.113.5');
    expect(ip('127.0.0.1', '1.2.3.4', TrustedProxies.NONE)).toBe('127.0.0.1');
    expect(ip('127.0.0.1')).toBe('127.0.0.1');
    expect(ip(undefined, '1.2.3.4')).toBe('');
  });
  it('[RATE7] is the rightmost address that is not a trusted proxy', () => {
    expect(ip('127.0.0.1', '6.6.6.6, 203.0.113.5')).toBe('203.0.113.5');
    expect(ip('127.0.0.1', '6.6.6.6, 203.0.113.5, 10.1.2.3')).toBe('203.0.113.5');
    expect(ip('::ffff:127.0.0.1', ['6.6.6.6', '203.0.113.5'])).toBe('203.0.113.5');
    expect(ip('fd00::1', '2001:db8::7')).toBe('2001:db8::7');
    expect(ip('127.0.0.1', '10.0.0.1, 10.0.0.2')).toBe('10.0.0.1');
  });
  it('[RATE7] is searched only up to an invalid address', () => {
    expect(ip('127.0.0.1', 'unknown')).toBe('127.0.0.1');
    expect(ip('127.0.0.1', '203.0.113.5, evil, 10.0.0.1')).toBe('10.0.0.1');
    expect(ip('127.0.0.1', '')).toBe('127.0.0.1');
  });
  it('[RATE20] of an untrusted proxy is detected, whichever header it sends', () => {
    const ignored = (headers: Record<string, string>, by = trusted): boolean =>
      isForwardingIgnored({ socket: { remoteAddress: '127.0.0.1' }, headers }, by);
    expect(ignored({ 'user-agent': 'a browser' }, TrustedProxies.NONE)).toBe(false);
    for (const name of ['x-forwarded-for', 'x-real-ip', 'cf-connecting-ip', 'true-client-ip', 'forwarded', 'via'])
      expect(ignored({ [name]: '203.0.113.5' }, TrustedProxies.NONE), name).toBe(true);
    expect(ignored({ 'x-forwarded-for': '203.0.113.5' })).toBe(false);
    expect(ignored({ 'x-forwarded-for': '203.0.113.5', 'x-real-ip': '203.0.113.5' })).toBe(false);
    // A trusted proxy that names the client in a header nobody reads.
    expect(ignored({ 'x-real-ip': '203.0.113.5' })).toBe(true);
  });
  it('cannot be configured with an invalid network', () => {
    for (const entry of ['nonsense', '10.0.0.0/33', '10.0.0.0/-1', '10.0.0.0/8/8', '10.0.0.0/x', '::/129', '1.2.3']) {
      expect(() => TrustedProxies.parse([entry])).toThrow(entry);
    }
  });
  it('is counted by network for IPv6', () => {
    expect(rateLimitKey('203.0.113.5')).toBe('203.0.113.5');
    expect(rateLimitKey('2001:db8:1:2:3:4:5:6')).toBe(rateLimitKey('2001:0DB8:1:2::9'));
    expect(rateLimitKey('2001:db8:1:3::9')).not.toBe(rateLimitKey('2001:db8:1:2::9'));
    expect(rateLimitKey('::1')).toBe('0:0:0:0::/64');
  });
});
