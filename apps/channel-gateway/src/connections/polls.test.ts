import type { Leases } from '@chat-realtime/messaging';
import { describe, expect, it } from 'vitest';
import { RecordedPoll } from '../testing/recorded-transport.ts';
import { customer, operator, registryUnderTest } from '../testing/registry-under-test.ts';
import type { Connection, StartCursor } from './connection.ts';
import { Polls } from './polls.ts';

const HEAD: StartCursor = { kind: 'head' };

function pollsUnderTest(leases?: Leases) {
  const state = { isDraining: false };
  const under = registryUnderTest(leases);
  const { clock, registry } = under;
  const polls = new Polls({ clock, registry, isDraining: () => state.isDraining, headOf: (id) => id * 10 });
  const open = (waitMs: number, principal: Parameters<Connection['admit']>[0]) => {
    const transport = new RecordedPoll(waitMs);
    const connection = registry.open(transport);
    connection.admit(principal);
    return { transport, connection };
  };
  /** A poll of an operator who has everything up to 7. */
  const atSeven = (waitMs: number, start: StartCursor = { kind: 'after', cursor: 7 }) => {
    const opened = open(waitMs, operator('anna'));
    opened.connection.catchUp(start);
    opened.connection.reach(7);
    return opened;
  };
  return { ...under, state, polls, open, atSeven };
}

describe('a poll of a customer', () => {
  it('is answered with the head of its session when it has received everything', () => {
    const { polls, open, registry } = pollsUnderTest();
    const { transport, connection } = open(0, customer(4));
    polls.complete(connection);
    expect(transport.answer).toEqual({ lastSeq: 40, hasMore: false });
    expect(registry.size).toBe(0);
  });

  it('waits once it is live, if it asked to', () => {
    const { polls, open } = pollsUnderTest();
    const [patient, brief] = [open(1_000, customer(1)), open(0, customer(1))];
    for (const { connection } of [patient, brief]) polls.wentLive(connection);
    expect([patient.transport.answer, brief.transport.answer?.lastSeq]).toEqual([null, 10]);
  });

  it('[POLL7] does not wait at a gateway that drains', () => {
    const { polls, open, state } = pollsUnderTest();
    state.isDraining = true;
    const { transport, connection } = open(1_000, customer(1));
    polls.wentLive(connection);
    expect(transport.answer).toEqual({ lastSeq: 10, hasMore: false });
  });

  it('is not answered when its wait ends while its starting point is still unknown', () => {
    const { polls, open } = pollsUnderTest();
    const { transport, connection } = open(1_000, customer(1));
    connection.catchUp(HEAD);
    polls.expired(connection);
    expect(transport.answer).toBeNull();
    connection.reach(3);
    polls.expired(connection);
    expect(transport.answer).toEqual({ lastSeq: 10, hasMore: false });
  });
});

describe('a poll of staff', () => {
  it('[POLL4] waits while there is nothing for it, and is answered with its own cursor when the wait ends', () => {
    const { polls, atSeven } = pollsUnderTest();
    const { transport, connection } = atSeven(1_000);
    expect(polls.finishStaff(connection, 7, false)).toBe(false);
    expect(transport.answer).toBeNull();
    polls.expired(connection);
    expect(transport.answer).toEqual({ lastSeq: null, hasMore: false, cursor: '7' });
  });

  it('is answered as soon as it has events', () => {
    const { polls, atSeven } = pollsUnderTest();
    const { transport, connection } = atSeven(1_000);
    transport.write(Buffer.from('{},'));
    expect(polls.finishStaff(connection, 9, true)).toBe(true);
    expect(transport.answer).toEqual({ lastSeq: null, hasMore: true, cursor: '9' });
  });

  it('[POLL4] without a cursor is given one at once, and nothing is fetched', () => {
    const { polls, atSeven } = pollsUnderTest();
    const { transport, connection } = atSeven(1_000, HEAD);
    expect(polls.finishStaff(connection, 7, true)).toBe(true);
    expect(transport.answer).toEqual({ lastSeq: null, hasMore: false, cursor: '7' });
  });

  it('[POLL5] is refused if its cursor is invalid', () => {
    const { polls, atSeven, registry } = pollsUnderTest();
    const { transport, connection } = atSeven(0);
    polls.refuse(connection, 'cursor_ahead');
    expect([transport.refusal, registry.size]).toEqual(['cursor_ahead', 0]);
  });
});

describe('the slot of a poll', () => {
  it('is free before the answer is sent', async () => {
    const { polls, open, leases, clock } = pollsUnderTest();
    const { transport, connection } = open(1_000, customer(1));
    await leases.acquire({ key: 'session:1', limit: 1, holder: connection.id });
    connection.holdLease('session:1');
    polls.complete(connection);
    expect(transport.answer).toBeNull();
    await clock.advance(0);
    expect(transport.answer).not.toBeNull();
    expect(await leases.acquire({ key: 'session:1', limit: 1, holder: 'next' })).toMatchObject({ kind: 'granted' });
  });

  it('delays the answer by at most half a second if the store of slots hangs', async () => {
    const hangs: Leases = {
      mode: 'cluster',
      acquire: async () => ({ kind: 'granted', displaced: [] }),
      release: () => new Promise(() => undefined),
      setStale: async () => undefined,
      close: async () => undefined,
    };
    const { polls, open, clock } = pollsUnderTest(hangs);
    const { transport, connection } = open(1_000, customer(1));
    connection.holdLease('session:1');
    polls.complete(connection);
    await clock.advance(499);
    expect(transport.answer).toBeNull();
    await clock.advance(1);
    expect(transport.answer).not.toBeNull();
  });
});
