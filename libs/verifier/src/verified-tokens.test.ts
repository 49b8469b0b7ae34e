import { describe, expect, it } from 'vitest';
import type { StaffPrincipal } from './principal.ts';
import { VerifiedTokens } from './verified-tokens.ts';
import { createVerifier, good, NOW, publicJwk, staffCode, staffNames, staffToken } from './testing/tokens.ts';

const anna: StaffPrincipal = {
  kind: 'staff',
  userId: 'u7',
  name: 'Анна',
  role: 'operator',
  scope: 'all',
  issuedAt: NOW,
  expiresAt: NOW + 900,
  loginId: null,
};

describe('recently verified tokens', () => {
  it('are kept for half a minute and never beyond their expiry', () => {
    const tokens = new VerifiedTokens();
    tokens.add('long', anna, NOW);
    tokens.add('short', { ...anna, expiresAt: NOW + 5 }, NOW);
    expect([tokens.find('long', NOW + 29), tokens.find('short', NOW + 4)]).toMatchObject([anna, { userId: 'u7' }]);
    expect([tokens.find('long', NOW + 30), tokens.find('short', NOW + 5)]).toEqual([undefined, undefined]);
    expect(tokens.find('other', NOW)).toBe(undefined);
  });

  it('are at most a thousand', () => {
    const tokens = new VerifiedTokens();
    for (let index = 0; index < 1_001; index += 1) tokens.add(`t${index}`, anna, NOW);
    expect([tokens.find('t0', NOW), tokens.find('t1', NOW), tokens.find('t1000', NOW)]).toEqual([
      undefined,
      anna,
      anna,
    ]);
  });

  it('[TOK17] still expire, can still be revoked, and are forgotten with the key that signed them', async () => {
    let now = NOW;
    let revoked = false;
    let keys = [publicJwk];
    const verifier = createVerifier({
      staff: { keys: { kind: 'local', keys: () => ({ keys }) }, ...staffNames },
      revocations: { isRevoked: () => revoked },
      now: () => now,
    });
    const token = await staffToken({ ...good, exp: NOW + 100 });
    expect(await staffCode(token, verifier)).toBe('ok');
    revoked = true;
    expect(await staffCode(token, verifier)).toBe('token_revoked');
    revoked = false;
    keys = [];
    expect(await staffCode(token, verifier)).toBe('ok');
    now = NOW + 30;
    expect(await staffCode(token, verifier)).toBe('bad_token');
    keys = [publicJwk];
    expect(await staffCode(token, verifier)).toBe('ok');
    now = NOW + 100;
    expect(await staffCode(token, verifier)).toBe('token_expired');
  });
});
