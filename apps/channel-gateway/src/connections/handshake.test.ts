import type { BadgeData, CatchupSession, CustomerState, DegradedReason } from '@chat-realtime/protocol';
import type { Principal } from '@chat-realtime/verifier';
import { describe, expect, it } from 'vitest';
import { RecordedPoll, RecordedSocket } from '../testing/recorded-transport.ts';
import { customer, FAR_AWAY, operator, registryUnderTest } from '../testing/registry-under-test.ts';
import type { StartCursor } from './connection.ts';
import { Handshake } from './handshake.ts';
import { Polls } from './polls.ts';

const HEAD: StartCursor = { kind: 'head' };
const after = (cursor: number): StartCursor => ({ kind: 'after', cursor });
const BADGE: BadgeData = { reason: 'badge', unassigned_unread: 2, mine_unread: {}, waiting_count: 1 };
const MARKS: CustomerState = {
  client: { delivered_id: 5, read_id: 4 },
  staff: { delivered_id: 3, read_id: 2 },
  operators_online: 6,
};

/** The customer's session, as chat-service has it. */
function page(lastSeq: number, more: Partial<CatchupSession> = {}): CatchupSession {
  return { id: 4, last_seq: lastSeq, events: [], has_more: false, ...more };
}

function handshakeUnderTest() {
  const state: { revoked: boolean; degraded: DegradedReason | null } = { revoked: false, degraded: null };
  const under = registryUnderTest();
  const { clock, registry } = under;
  const polls = new Polls({ clock, registry, isDraining: () => false, headOf: (id) => id * 10 });
  const handshake = new Handshake({
    registry,
    polls,
    pingIntervalSeconds: 25,
    isRevoked: () => state.revoked,
    epoch: () => 'e1',
    degraded: () => state.degraded,
    operatorsOnline: (marks) => marks.operators_online + 1,
    staffState: () => ({ badge: BADGE, users: [] }),
  });
  const open = <T extends RecordedSocket | RecordedPoll>(transport: T, principal: Principal, start: StartCursor) => {
    const connection = registry.open(transport);
    connection.admit(principal);
    connection.catchUp(start);
    return { transport, connection };
  };
  const byCustomer = (start: StartCursor, principal = customer(4)) => open(new RecordedSocket(), principal, start);
  const byStaff = (start: StartCursor) => open(new RecordedSocket(), operator('anna'), start);
  const typesOf = ({ frames }: RecordedSocket): string[] => frames.map(({ type }) => type);
  return { ...under, state, handshake, open, byCustomer, byStaff, typesOf };
}

describe('the handshake of a customer', () => {
  it('[WS8] [WS14] says where the connection begins, and gives the current state', () => {
    const { handshake, byCustomer } = handshakeUnderTest();
    const { transport, connection } = byCustomer(after(7));
    expect(handshake.customer(connection, page(9), MARKS)).toBe(true);
    expect(transport.frames).toEqual([
      {
        type: 'channel.ready',
        data: {
          session_id: 4,
          from_seq: 7,
          last_seq: 9,
          epoch: 'e1',
          ping_interval: 25,
          connection_id: connection.id,
          expires_at: new Date(FAR_AWAY * 1_000).toISOString(),
          state: { ...MARKS, operators_online: 7 },
        },
      },
    ]);
  });

  it('[RES3] begins at the head without a cursor', () => {
    const { handshake, byCustomer } = handshakeUnderTest();
    const { transport, connection } = byCustomer(HEAD);
    handshake.customer(connection, page(9), MARKS);
    expect(transport.frames[0]?.data).toMatchObject({ from_seq: 9, last_seq: 9 });
    expect(connection.state).toMatchObject({ cursor: 9 });
  });

  it('begins at the cursor, even if that is the head', () => {
    const { handshake, byCustomer, typesOf } = handshakeUnderTest();
    const { transport, connection } = byCustomer(after(9));
    handshake.customer(connection, page(9), MARKS);
    expect(connection.state).toMatchObject({ cursor: 9 });
    expect(typesOf(transport)).toEqual(['channel.ready']);
  });

  it('contains no marks if chat-service gave none', () => {
    const { handshake, byCustomer } = handshakeUnderTest();
    const { transport, connection } = byCustomer(HEAD);
    handshake.customer(connection, page(9), null);
    const none = { delivered_id: 0, read_id: 0 };
    expect(transport.frames[0]?.data['state']).toEqual({ client: none, staff: none, operators_online: 1 });
  });

  it.each([
    { start: after(10), reason: 'cursor_ahead' },
    { start: { kind: 'unreadable' } as const, reason: 'cursor_unknown' },
    { start: { kind: 'outdated' } as const, reason: 'cursor_unknown' },
  ])(
    '[RES4] begins at the head with an invalid cursor, and gives the reason: $reason ($start.kind)',
    ({ start, reason }) => {
      const { handshake, byCustomer } = handshakeUnderTest();
      const { transport, connection } = byCustomer(start);
      expect(handshake.customer(connection, page(9), MARKS)).toBe(true);
      expect(transport.frames.map(({ type, data }) => [type, data['reason'] ?? data['from_seq']])).toEqual([
        ['channel.ready', 9],
        ['channel.reset', reason],
      ]);
    },
  );

  it('[DEG3] reports a delayed live path after `channel.ready`', () => {
    const { handshake, byCustomer, state, typesOf } = handshakeUnderTest();
    state.degraded = 'live_path_silent';
    const { transport, connection } = byCustomer(after(10));
    handshake.customer(connection, page(9), MARKS);
    expect(typesOf(transport)).toEqual(['channel.ready', 'channel.reset', 'channel.degraded']);
    expect(transport.frames[2]?.data).toEqual({ reason: 'live_path_silent' });
  });

  it('[REV1] is refused if the token was created in the second of its revocation or before', () => {
    for (const [madeAt, closed] of [
      [99, 'revoked'],
      [100, 'revoked'],
      [101, null],
    ] as const) {
      const { handshake, byCustomer } = handshakeUnderTest();
      const { transport, connection } = byCustomer(HEAD, { ...customer(4), createdAt: madeAt });
      expect(handshake.customer(connection, page(9, { revoked_at: 100 }), MARKS)).toBe(closed === null);
      expect(transport.closed).toBe(closed);
      expect(transport.frames).toHaveLength(closed === null ? 1 : 0);
    }
  });

  it("does nothing for a connection that has ended, or is not a customer's", () => {
    const { handshake, byCustomer, byStaff, registry } = handshakeUnderTest();
    const gone = byCustomer(HEAD);
    registry.close(gone.connection, 'timeout');
    const staff = byStaff(HEAD);
    for (const { transport, connection } of [gone, staff]) {
      expect(handshake.customer(connection, page(9), MARKS)).toBe(false);
      expect(transport.frames).toEqual([]);
    }
  });
});

describe('a customer’s poll', () => {
  it('[POLL2] without a cursor is answered with the head at once, and nothing follows', () => {
    const { handshake, open } = handshakeUnderTest();
    const { transport, connection } = open(new RecordedPoll(1_000), customer(4), HEAD);
    expect(handshake.customer(connection, page(9), MARKS)).toBe(false);
    expect(transport.answer).toEqual({ lastSeq: 9, hasMore: false });
  });

  it('[POLL5] with an invalid cursor is refused with the reason', () => {
    const { handshake, open } = handshakeUnderTest();
    const { transport, connection } = open(new RecordedPoll(1_000), customer(4), after(10));
    expect(handshake.customer(connection, page(9), MARKS)).toBe(false);
    expect(transport.refusal).toBe('cursor_ahead');
  });

  it('continues from its cursor without a frame of its own', () => {
    const { handshake, open } = handshakeUnderTest();
    const { transport, connection } = open(new RecordedPoll(1_000), customer(4), after(7));
    expect(handshake.customer(connection, page(9), MARKS)).toBe(true);
    expect([transport.answer, transport.enqueuedBytes]).toEqual([null, 0]);
    expect(connection.state).toMatchObject({ cursor: 7 });
  });
});

describe('the handshake of staff', () => {
  it('[STF2] has no seq, and contains the cursor at which it begins twice', () => {
    const { handshake, byStaff } = handshakeUnderTest();
    const { transport, connection } = byStaff(after(7));
    expect(handshake.staff(connection, 7, null)).toBe(true);
    expect(transport.frames).toEqual([
      {
        type: 'channel.ready',
        cursor: '7',
        data: {
          user_id: 'anna',
          from_seq: null,
          last_seq: null,
          cursor: '7',
          epoch: 'e1',
          ping_interval: 25,
          connection_id: connection.id,
          expires_at: new Date(FAR_AWAY * 1_000).toISOString(),
          state: { badge: BADGE, users: [] },
        },
      },
    ]);
  });

  it('[STF7] says why the cursor was refused', () => {
    const { handshake, byStaff } = handshakeUnderTest();
    const { transport, connection } = byStaff(after(70));
    expect(handshake.staff(connection, 9, 'cursor_ahead')).toBe(true);
    expect(transport.frames.map(({ type, data }) => [type, data['reason'] ?? data['cursor']])).toEqual([
      ['channel.ready', '9'],
      ['channel.reset', 'cursor_ahead'],
    ]);
  });

  it('[REV1] is refused if the token was revoked while it waited', () => {
    const { handshake, byStaff, state } = handshakeUnderTest();
    state.revoked = true;
    const { transport, connection } = byStaff(HEAD);
    expect(handshake.staff(connection, 9, null)).toBe(false);
    expect([transport.closed, transport.frames.length]).toEqual(['revoked', 0]);
  });

  it('[POLL5] of a poll refuses an invalid cursor and otherwise sends nothing', () => {
    const { handshake, open } = handshakeUnderTest();
    const refused = open(new RecordedPoll(1_000), operator('anna'), after(70));
    const fine = open(new RecordedPoll(1_000), operator('anna'), after(7));
    expect(handshake.staff(refused.connection, 9, 'cursor_ahead')).toBe(false);
    expect(handshake.staff(fine.connection, 7, null)).toBe(true);
    expect([refused.transport.refusal, fine.transport.refusal]).toEqual(['cursor_ahead', null]);
    expect([fine.transport.answer, fine.transport.enqueuedBytes]).toEqual([null, 0]);
  });

  it('does nothing for a customer', () => {
    const { handshake, byCustomer } = handshakeUnderTest();
    const { transport, connection } = byCustomer(HEAD);
    expect(handshake.staff(connection, 9, null)).toBe(false);
    expect(transport.frames).toEqual([]);
  });
});
