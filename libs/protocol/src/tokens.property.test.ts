import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { KeyRing, signChannelToken, signStreamLink, verifyChannelToken, verifyStreamLink } from './tokens.ts';

const kid = fc.stringMatching(/^[A-Za-z0-9_-]{1,16}$/);
const secret = fc.stringMatching(/^[!-+\--~]{32,64}$/);
const session = fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER });
const seconds = fc.integer({ min: 100_000, max: 99_999_999_999 });

describe('tokens, for any key, session and time', () => {
  it('[TOK1] are accepted for exactly the signed session', () => {
    fc.assert(
      fc.property(kid, secret, session, session, seconds, (name, key, id, other, now) => {
        const ring = KeyRing.parse(`${name}:${key}`);
        const token = signChannelToken(ring, id, now);
        expect(verifyChannelToken(ring, id, token, now)).toMatchObject({ ok: true, kid: name, createdAt: now });
        if (other !== id) expect(verifyChannelToken(ring, other, token, now)).toEqual({ ok: false, reason: 'forged' });
      }),
    );
  });

  it('[TOK5] are refused if the text is no signature with this key', () => {
    fc.assert(
      fc.property(secret, secret, session, seconds, (key, otherKey, id, now) => {
        fc.pre(key !== otherKey);
        const token = signChannelToken(KeyRing.parse(`k:${otherKey}`), id, now);
        expect(verifyChannelToken(KeyRing.parse(`k:${key}`), id, token, now)).toEqual({ ok: false, reason: 'forged' });
      }),
    );
  });

  it('[TOK4] are never accepted, and never throw, for arbitrary text', () => {
    const ring = KeyRing.parse('k1:0123456789abcdef0123456789abcdef');
    const anything = fc.oneof(
      fc.string(),
      fc.string({ unit: 'binary' }),
      fc.string().map((text) => `k1.${text}`),
    );
    fc.assert(
      fc.property(anything, session, seconds, (text, id, now) => {
        expect(verifyChannelToken(ring, id, text, now).ok).toBe(false);
        expect(verifyStreamLink(ring, id, text, now).ok).toBe(false);
      }),
    );
  });

  it('[TOK6] [TOK7] are valid exactly from 60 s before created_at to created_at + lifetime', () => {
    const ring = KeyRing.parse('k1:0123456789abcdef0123456789abcdef');
    fc.assert(
      fc.property(
        seconds,
        fc.integer({ min: -200, max: 90_000 }),
        fc.integer({ min: 1, max: 100_000 }),
        (created, shift, lifetime) => {
          const verdict = verifyChannelToken(ring, 1, signChannelToken(ring, 1, created), created + shift, lifetime);
          expect(verdict.ok).toBe(shift >= -60 && shift < Math.min(lifetime, 86_400));
        },
      ),
    );
  });

  it('[TOK10] are never valid for another purpose', () => {
    const ring = KeyRing.parse('k1:0123456789abcdef0123456789abcdef');
    fc.assert(
      fc.property(session, seconds, (id, time) => {
        expect(verifyChannelToken(ring, id, signStreamLink(ring, id, time), time)).toEqual({
          ok: false,
          reason: 'forged',
        });
        expect(verifyStreamLink(ring, id, signChannelToken(ring, id, time), time - 1)).toEqual({
          ok: false,
          reason: 'forged',
        });
      }),
    );
  });
});
