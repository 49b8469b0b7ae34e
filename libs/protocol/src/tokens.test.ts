import { describe, expect, it } from 'vitest';
import { KeyRing, signChannelToken, signStreamLink, verifyChannelToken } from './tokens.ts';

const ring = KeyRing.parse('k1:0123456789abcdef0123456789abcdef');

describe('tokens', () => {
  it('[TOK1] makes the published channel token vector', () => {
    expect(signChannelToken(ring, 123, 1762587011)).toBe('k1.1762587011.12CB2wIZQzgSncNVqukwL52L2rC_Kccv0cY5dNBq5ps');
  });
  it('[TOK2] makes the published stream link vector', () => {
    expect(signStreamLink(ring, 123, 1762590611)).toBe('k1.1762590611.5vMH0FInY_XK_OI-jf3maPNYKGq-Tf5BUTGLWgh_3nE');
  });
  it('[TOK3] refuses a token for another session', () => {
    const token = signChannelToken(ring, 123, 1762587011);
    expect(verifyChannelToken(ring, 124, token, 1762587012)).toEqual({ ok: false, reason: 'forged' });
  });
});
