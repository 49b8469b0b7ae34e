import type { Verdict, Verifier, VirtualSetup } from '@chat-realtime/channel-gateway/testing';

/** What the gateway makes of the tokens of the chat-service in memory. */
export const judgeTokens =
  (lifeSeconds: number): NonNullable<VirtualSetup['verifier']> =>
  (clock, revocations) => {
    const judge = <P extends Parameters<typeof revocations.isRevoked>[0]>(principal: P): Verdict<P> => {
      if (revocations.isRevoked(principal)) return { ok: false, code: 'token_revoked' };
      const isOver = clock.wall() / 1_000 >= principal.expiresAt;
      return isOver ? { ok: false, code: 'token_expired' } : { ok: true, principal };
    };
    const verifyCustomer: Verifier['verifyCustomer'] = (sessionId, token = '') => {
      const [, made, owner] = token.split('.');
      if (owner !== `s${sessionId}`) return { ok: false, code: 'bad_token' };
      const createdAt = Number(made);
      return judge({ kind: 'customer', sessionId, createdAt, expiresAt: createdAt + lifeSeconds });
    };
    return {
      verifyCustomer,
      verifyStreamLink: verifyCustomer,
      verifyStaff: async (token = '') => {
        const [kind, userId = '', scope, made] = token.split('.');
        if (kind !== 'staff' || (scope !== 'all' && scope !== 'assigned' && scope !== 'own'))
          return { ok: false, code: 'bad_token' };
        const issuedAt = Number(made);
        const known = { kind: 'staff', userId, name: userId, role: 'operator', scope, loginId: null } as const;
        return judge({ ...known, issuedAt, expiresAt: issuedAt + lifeSeconds });
      },
    };
  };
