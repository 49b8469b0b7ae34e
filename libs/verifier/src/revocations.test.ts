import { signChannelToken, signStreamLink } from '@chat-realtime/protocol/tokens';
import { describe, expect, it } from 'vitest';
import { RevocationSet } from './revocations.ts';
import { createVerifier, good, NOW, ring, staffCode as codeOf, staffToken } from './testing/tokens.ts';

describe('revocations', () => {
  it('[REV1] cover what was issued up to their moment, and nothing later', () => {
    const revocations = new RevocationSet(() => NOW);
    const by = createVerifier({ revocations });
    revocations.apply([{ id: 3, kind: 'session', subject: '5', not_after: NOW - 10 }]);
    const code = (session: number, createdAt: number): unknown => {
      const verdict = by.verifyCustomer(session, signChannelToken(ring, session, createdAt));
      return verdict.ok ? 'ok' : verdict.code;
    };
    expect([code(5, NOW - 11), code(5, NOW - 10), code(5, NOW - 9), code(6, NOW - 11)]).toEqual([
      'token_revoked',
      'token_revoked',
      'ok',
      'ok',
    ]);
    expect(by.verifyStreamLink(5, signStreamLink(ring, 5, NOW + 60))).toEqual({ ok: false, code: 'token_revoked' });
    expect(by.verifyStreamLink(5, signStreamLink(ring, 5, NOW + 86_400)).ok).toBe(true);
  });
  it('[REV3] cover an operator or one sign-in', async () => {
    const revocations = new RevocationSet(() => NOW);
    const by = createVerifier({ revocations });
    const [token, later, other] = [
      await staffToken(),
      await staffToken({ ...good, iat: NOW }),
      await staffToken({ ...good, sid: 'login-2' }),
    ];
    revocations.apply([{ id: 1, kind: 'staff_login', subject: 'login-1', not_after: NOW + 900 }]);
    expect([await codeOf(token, by), await codeOf(later, by), await codeOf(other, by)]).toEqual([
      'token_revoked',
      'token_revoked',
      'ok',
    ]);
    revocations.apply([{ id: 2, kind: 'staff', subject: 'u7', not_after: NOW - 5 }]);
    expect(await codeOf(other, by)).toBe('token_revoked');
    expect(await codeOf(await staffToken({ ...good, iat: NOW, sid: 'login-3' }), by)).toBe('ok');
  });
  it('[REV5] apply in any order and repetition, and are forgotten when no token can be left', () => {
    let now = NOW;
    const set = new RevocationSet(() => now);
    const principal = { kind: 'customer', sessionId: 1, createdAt: NOW, expiresAt: NOW + 1 } as const;
    set.apply([
      { id: 9, kind: 'session', subject: '1', not_after: NOW },
      { id: 8, kind: 'session', subject: '1', not_after: NOW - 100 },
    ]);
    expect(set.isRevoked(principal)).toBe(true);
    now += 86_401;
    set.apply(
      Array.from({ length: 300 }, (_, i) => ({
        id: 10 + i,
        kind: 'session' as const,
        subject: `${i + 2}`,
        not_after: now,
      })),
    );
    expect(set.size).toBe(300);
  });
  it('[REV7] keep their position in what was read in order, within one epoch', () => {
    const set = new RevocationSet(() => NOW);
    const read = { id: 7, kind: 'session', subject: '1', not_after: NOW } as const;
    set.applyPage({ epoch: 'a', id: 7, revocations: [read], hasMore: false });
    set.apply([{ ...read, id: 9 }]);
    expect(set.place).toEqual({ epoch: 'a', id: 7 });
    set.applyPage({ epoch: 'b', id: 2, revocations: [{ ...read, id: 2, subject: '4' }], hasMore: false });
    expect([set.place, set.size]).toEqual([{ epoch: 'b', id: 2 }, 2]);
  });
});
