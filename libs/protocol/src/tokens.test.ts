import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import {
  KeyRing,
  signChannelToken,
  signStreamLink,
  TOKEN_MAX_LIFETIME_SECONDS,
  verifyChannelToken,
  verifyStreamLink,
} from './tokens.ts';

const SECRET = '0123456789abcdef0123456789abcdef';
const OTHER_SECRET = 'fedcba9876543210fedcba9876543210';
const ring = KeyRing.parse(`k1:${SECRET}`);
const CREATED = 1762587011;
const EXPIRES = 1762590611;
const TOKEN = 'k1.1762587011.12CB2wIZQzgSncNVqukwL52L2rC_Kccv0cY5dNBq5ps';
const LINK = 'k1.1762590611.5vMH0FInY_XK_OI-jf3maPNYKGq-Tf5BUTGLWgh_3nE';

describe('channel tokens', () => {
  it('[TOK1] match the published example', () => {
    expect(signChannelToken(ring, 123, CREATED)).toBe(TOKEN);
    expect(verifyChannelToken(ring, 123, TOKEN, CREATED + 1)).toEqual({
      ok: true,
      kid: 'k1',
      createdAt: CREATED,
      expiresAt: CREATED + TOKEN_MAX_LIFETIME_SECONDS,
    });
  });

  it('[TOK3] are refused for another session', () => {
    for (const session of [122, 124, 1, 1230, 12]) {
      expect(verifyChannelToken(ring, session, TOKEN, CREATED + 1)).toEqual({ ok: false, reason: 'forged' });
    }
  });

  it.each([
    ['empty', ''],
    ['the word undefined', 'undefined'],
    ['two parts', 'k1.1762587011'],
    ['four parts', `${TOKEN}.x`],
    ['truncated by one', TOKEN.slice(0, -1)],
    ['one character longer', `${TOKEN}A`],
    ['padded', `${TOKEN}=`],
    ['the standard alphabet', TOKEN.replaceAll('_', '/')],
    ['a space before', ` ${TOKEN}`],
    ['a space behind', `${TOKEN} `],
    ['a line break behind', `${TOKEN}\n`],
    ['a leading zero', TOKEN.replace('.1762', '.01762')],
    ['a sign', TOKEN.replace('.1762', '.+1762')],
    ['a fraction', TOKEN.replace('.1762587011.', '.1762587011e0.')],
    ['13 digits', TOKEN.replace('.1762587011.', '.1762587011000.')],
    ['an empty kid', TOKEN.slice(2)],
    ['a kid with a slash', TOKEN.replace('k1.', '../k1.')],
    ['a kid of 17 characters', TOKEN.replace('k1.', `${'k'.repeat(17)}.`)],
    ['digits of another script', TOKEN.replace('1762587011', '١٧٦٢٥٨٧٠١١')],
    ['unused bits that are not 0', `${TOKEN.slice(0, -1)}t`],
    ['a megabyte', 'k1.1.'.padEnd(1_048_576, 'A')],
  ])('[TOK4] are refused: %s', (_, token) => {
    expect(verifyChannelToken(ring, 123, token, CREATED + 1)).toEqual({ ok: false, reason: 'malformed' });
  });

  it('[TOK5] are refused with any single byte changed', () => {
    const bytes = Buffer.from(TOKEN);
    for (let index = 0; index < bytes.length; index += 1) {
      for (const bit of [1, 2, 4, 8, 16, 32, 64, 128]) {
        const changed = Buffer.from(bytes);
        changed[index] = (changed[index] ?? 0) ^ bit;
        const verdict = verifyChannelToken(ring, 123, changed.toString('latin1'), CREATED + 1);
        expect(verdict.ok, `byte ${index}, bit ${bit}`).toBe(false);
      }
    }
  });

  it('[TOK6] are valid until the second created_at + lifetime, and never longer than 24 h', () => {
    const end = CREATED + TOKEN_MAX_LIFETIME_SECONDS;
    expect(verifyChannelToken(ring, 123, TOKEN, end - 1).ok).toBe(true);
    expect(verifyChannelToken(ring, 123, TOKEN, end)).toEqual({ ok: false, reason: 'expired' });
    expect(verifyChannelToken(ring, 123, TOKEN, CREATED + 9, 10).ok).toBe(true);
    expect(verifyChannelToken(ring, 123, TOKEN, CREATED + 10, 10)).toEqual({ ok: false, reason: 'expired' });
    expect(verifyChannelToken(ring, 123, TOKEN, end, 1_000_000)).toEqual({ ok: false, reason: 'expired' });
    expect(verifyChannelToken(ring, 123, TOKEN, CREATED, 1_000_000)).toMatchObject({ expiresAt: end });
  });

  it('[TOK7] may be 60 s from the future and no more', () => {
    expect(verifyChannelToken(ring, 123, TOKEN, CREATED - 60).ok).toBe(true);
    expect(verifyChannelToken(ring, 123, TOKEN, CREATED - 61)).toEqual({ ok: false, reason: 'future' });
  });

  it('[TOK12] are accepted if PHP made them with hash_hmac', () => {
    const code = `$t = ${CREATED}; $id = 123; $secret = '${SECRET}';
      echo 'k1.'.$t.'.'.rtrim(strtr(base64_encode(hash_hmac('sha256', "chat-channel\\n$id\\n$t", $secret, true)), '+/', '-_'), '=');`;
    expect(execFileSync('php', ['-r', code], { encoding: 'utf8' })).toBe(TOKEN);
  });
});

describe('stream links', () => {
  it('[TOK2] match the published example', () => {
    expect(signStreamLink(ring, 123, EXPIRES)).toBe(LINK);
    expect(verifyStreamLink(ring, 123, LINK, EXPIRES - 1)).toMatchObject({ ok: true, expiresAt: EXPIRES });
  });

  it('[TOK11] are valid until the second expires_at, at most 24 h ahead', () => {
    expect(verifyStreamLink(ring, 123, LINK, EXPIRES)).toEqual({ ok: false, reason: 'expired' });
    expect(verifyStreamLink(ring, 123, LINK, EXPIRES - 86_400).ok).toBe(true);
    expect(verifyStreamLink(ring, 123, LINK, EXPIRES - 86_400 - 60).ok).toBe(true);
    expect(verifyStreamLink(ring, 123, LINK, EXPIRES - 86_400 - 61)).toEqual({ ok: false, reason: 'future' });
    expect(verifyStreamLink(ring, 124, LINK, EXPIRES - 1)).toEqual({ ok: false, reason: 'forged' });
  });

  it('[TOK10] are not channel tokens, and channel tokens are not stream links', () => {
    expect(verifyChannelToken(ring, 123, LINK, EXPIRES - 1)).toEqual({ ok: false, reason: 'forged' });
    expect(verifyStreamLink(ring, 123, TOKEN, CREATED - 1)).toEqual({ ok: false, reason: 'forged' });
  });
});

describe('key ring', () => {
  it('[TOK8] signs with the first key and verifies with all', () => {
    const rotated = KeyRing.parse(`k2:${OTHER_SECRET},k1:${SECRET}`);
    expect(signChannelToken(rotated, 123, CREATED)).toMatch(/^k2\./);
    expect(verifyChannelToken(rotated, 123, TOKEN, CREATED).ok).toBe(true);
    expect(verifyChannelToken(rotated, 123, signChannelToken(rotated, 123, CREATED), CREATED)).toMatchObject({
      ok: true,
      kid: 'k2',
    });
  });

  it('[TOK8] refuses a token of a removed key, even under the name of an existing key', () => {
    const without = KeyRing.parse(`k2:${OTHER_SECRET}`);
    expect(verifyChannelToken(without, 123, TOKEN, CREATED)).toEqual({ ok: false, reason: 'unknown_key' });
    expect(verifyChannelToken(without, 123, TOKEN.replace('k1.', 'k2.'), CREATED)).toEqual({
      ok: false,
      reason: 'forged',
    });
  });

  it('[TOK9] splits at the first colon, so a secret may hold one', () => {
    expect(KeyRing.parse(`a:${SECRET}:with:colons`).secret('a')?.export().toString()).toBe(`${SECRET}:with:colons`);
  });

  it.each([
    ['nothing', ''],
    ['no colon', SECRET],
    ['an empty kid', `:${SECRET}`],
    ['a kid with a dot', `k.1:${SECRET}`],
    ['a kid of 17 characters', `${'k'.repeat(17)}:${SECRET}`],
    ['a secret of 31 bytes', `k1:${SECRET.slice(1)}`],
    ['a kid that stands twice', `k1:${SECRET},k1:${OTHER_SECRET}`],
    ['an empty entry', `k1:${SECRET},`],
  ])('[TOK9] refuses %s without printing a secret', (_, text) => {
    let message = '';
    try {
      KeyRing.parse(text);
    } catch (error) {
      message = error instanceof Error ? error.message : '';
    }
    expect(message).toMatch(/secret/);
    expect(message).not.toContain(SECRET.slice(1));
    expect(message).not.toContain(OTHER_SECRET);
  });

  it('[TOK9] counts bytes, not characters, and accepts 32 of them', () => {
    expect(KeyRing.parse(`k1:${'ж'.repeat(16)}`).signingKid).toBe('k1');
    expect(KeyRing.parse(`${'k'.repeat(16)}:${SECRET}`).signingKid).toBe('k'.repeat(16));
  });
});
