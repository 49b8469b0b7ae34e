import { KeyRing, signChannelToken, signStreamLink } from '@chat-realtime/protocol/tokens';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createVerifier, NOW, ring, staffCode, staffToken } from './testing/tokens.ts';
import { looksLikeChannelToken, type TokenVerifierConfig } from './token-verifier.ts';

const oldRing = KeyRing.parse('k1:0123456789abcdef0123456789abcdef');

const verifier = createVerifier();
const codeOf = (token: string | undefined, by = verifier): Promise<string> => staffCode(token, by);

describe('channel tokens and stream links', () => {
  it('[TOK3] are accepted only for their own session', () => {
    const token = signChannelToken(ring, 123, NOW);
    expect(verifier.verifyCustomer(123, token)).toEqual({
      ok: true,
      principal: { kind: 'customer', sessionId: 123, createdAt: NOW, expiresAt: NOW + 86_400 },
    });
    expect(verifier.verifyCustomer(124, token)).toEqual({ ok: false, code: 'bad_token' });
    expect(verifier.verifyCustomer(123, undefined)).toEqual({ ok: false, code: 'missing_credentials' });
    expect(verifier.verifyCustomer(123, '')).toEqual({ ok: false, code: 'missing_credentials' });
  });
  it('[TOK6] expire to the second, sooner if so configured', () => {
    const at = (seconds: number, more: Partial<TokenVerifierConfig> = {}): unknown => {
      const verdict = createVerifier(more).verifyCustomer(1, signChannelToken(ring, 1, NOW - seconds));
      return verdict.ok ? 'ok' : verdict.code;
    };
    expect([at(86_399), at(86_400)]).toEqual(['ok', 'token_expired']);
    expect([at(59, { channelTokenTtlSeconds: 60 }), at(60, { channelTokenTtlSeconds: 60 })]).toEqual([
      'ok',
      'token_expired',
    ]);
    expect(at(86_400, { channelTokenTtlSeconds: 999_999 })).toBe('token_expired');
  });
  it('[TOK7] are refused more than 60 s from the future', () => {
    expect(verifier.verifyCustomer(1, signChannelToken(ring, 1, NOW + 60)).ok).toBe(true);
    expect(verifier.verifyCustomer(1, signChannelToken(ring, 1, NOW + 61))).toEqual({ ok: false, code: 'bad_token' });
  });
  it('[TOK8] of an older key are valid until it is removed', () => {
    const old = signChannelToken(oldRing, 1, NOW);
    expect(verifier.verifyCustomer(1, old).ok).toBe(true);
    expect(
      createVerifier({ channelSecrets: KeyRing.parse('k2:fedcba9876543210fedcba9876543210') }).verifyCustomer(1, old),
    ).toEqual({ ok: false, code: 'bad_token' });
  });
  it('[TOK10] cannot replace each other or JWTs', async () => {
    const jwt = await staffToken();
    expect(verifier.verifyCustomer(1, signStreamLink(ring, 1, NOW)).ok).toBe(false);
    expect(verifier.verifyStreamLink(1, signChannelToken(ring, 1, NOW + 5)).ok).toBe(false);
    expect(verifier.verifyCustomer(1, jwt)).toEqual({ ok: false, code: 'bad_token' });
    expect(await codeOf(signChannelToken(ring, 1, NOW))).toBe('bad_token');
    expect([looksLikeChannelToken(jwt), looksLikeChannelToken(signChannelToken(ring, 1, NOW))]).toEqual([false, true]);
  });
  it('[TOK11] a stream link may be valid for at most 24 h', () => {
    expect(verifier.verifyStreamLink(1, signStreamLink(ring, 1, NOW + 86_400))).toMatchObject({
      ok: true,
      principal: { expiresAt: NOW + 86_400, createdAt: NOW },
    });
    expect(verifier.verifyStreamLink(1, signStreamLink(ring, 1, NOW + 86_461))).toEqual({
      ok: false,
      code: 'bad_token',
    });
    expect(verifier.verifyStreamLink(1, signStreamLink(ring, 1, NOW))).toEqual({ ok: false, code: 'token_expired' });
  });
  it('[TOK5] [TOK4] are refused after any change of any character', () => {
    const token = signChannelToken(ring, 123, NOW);
    fc.assert(
      fc.property(fc.nat(token.length - 1), fc.string({ unit: 'binary', maxLength: 3 }), (at, put) => {
        const changed = token.slice(0, at) + put + token.slice(at + 1);
        fc.pre(changed !== token);
        expect(verifier.verifyCustomer(123, changed).ok).toBe(false);
      }),
      { numRuns: 500 },
    );
    for (const bad of [
      `${token}=`,
      ` ${token}`,
      `${token}\n`,
      token.slice(0, -1),
      `../${token}`,
      token.replace('k2', '__proto__'),
      token.replace(`${NOW}`, `+${NOW}`),
      token.replace(`${NOW}`, `0${NOW}`),
    ]) {
      expect(verifier.verifyCustomer(123, bad)).toEqual({ ok: false, code: 'bad_token' });
    }
  });
});
