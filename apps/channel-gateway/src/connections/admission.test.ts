import { createMemoryLeases } from '@chat-realtime/messaging';
import { type Principal, type RefusalCode, RevocationSet, type Verdict } from '@chat-realtime/verifier';
import { describe, expect, it } from 'vitest';
import { RecordedPoll, RecordedSocket } from '../testing/recorded-transport.ts';
import { customer, operator, registryUnderTest } from '../testing/registry-under-test.ts';
import { Admission } from './admission.ts';
import type { Connection } from './connection.ts';
import type { Credentials } from './credentials.ts';
import { Rollout } from './rollout.ts';

const HEAD = { kind: 'head' } as const;
const guest = (sessionId = 1, replaces?: string): Credentials => ({
  ...{ kind: 'customer', sessionId, token: 'a', start: HEAD },
  ...(replaces !== undefined && { replaces }),
});
const STAFF: Credentials = { kind: 'staff', token: 'a', start: HEAD };

function admissionUnderTest({ limits = {}, rollout = new Rollout('on', 100) } = {}) {
  const leases = createMemoryLeases();
  const under = registryUnderTest(leases);
  const { registry, metrics } = under;
  const revocations = new RevocationSet(() => 0);
  const entered: Connection[] = [];
  const renewed: Principal[] = [];
  const displacedElsewhere: string[] = [];
  const state: { staff: Verdict<ReturnType<typeof operator>>; refusal: RefusalCode | null } = {
    staff: { ok: true, principal: operator('anna') },
    refusal: null,
  };
  const verifyCustomer = (sessionId: number): Verdict<ReturnType<typeof customer>> =>
    state.refusal === null ? { ok: true, principal: customer(sessionId) } : { ok: false, code: state.refusal };
  const admission = new Admission({
    registry,
    verifier: { verifyCustomer, verifyStreamLink: verifyCustomer, verifyStaff: async () => state.staff },
    revocations,
    leases,
    limits: { maxTabsPerSession: 0, maxConnectionsPerToken: 0, maxOperators: 0, ...limits },
    rollout,
    metrics,
    enter: (connection) => entered.push(connection),
    renew: (_, principal) => renewed.push(principal),
    displacedElsewhere: (id) => displacedElsewhere.push(id),
  });
  const come = async (credentials: Credentials) => {
    const transport = new RecordedSocket();
    const connection = registry.open(transport);
    await admission.admit(connection, credentials);
    return { transport, connection };
  };
  return { ...under, admission, revocations, entered, renewed, displacedElsewhere, state, come };
}

describe('a newcomer', () => {
  it('with a good token is admitted once', async () => {
    const { come, admission, entered, metrics } = admissionUnderTest();
    const { connection } = await come(guest());
    await admission.admit(connection, guest());
    expect([entered.length, connection.principal?.kind]).toEqual([1, 'customer']);
    expect(metrics.counts['handshake ok']).toBe(1);
  });

  it.each([
    ['bad_token', 'bad_token'],
    ['missing_credentials', 'bad_token'],
    ['token_expired', 'token_expired'],
    ['token_revoked', 'revoked'],
    ['forbidden', 'forbidden'],
    ['unavailable', 'try_again_later'],
  ] as const)('that is refused as %s is closed with %s', async (code, reason) => {
    const { come, state, entered } = admissionUnderTest();
    state.refusal = code;
    const { transport } = await come(guest());
    expect([transport.closed, entered.length]).toEqual([reason, 0]);
  });

  it('that names no readable session is refused without a call', async () => {
    const { come } = admissionUnderTest();
    const { transport } = await come({ kind: 'customer', sessionId: null, token: 'a', start: HEAD });
    expect(transport.closed).toBe('bad_token');
  });

  it('is refused with channel_off while the channel is off', async () => {
    const { come } = admissionUnderTest({ rollout: new Rollout('off', 100) });
    expect((await come(guest())).transport.closed).toBe('channel_off');
  });

  it('that leaves before its token is verified takes no slot', async () => {
    const { registry, admission, leases, entered } = admissionUnderTest({ limits: { maxTabsPerSession: 1 } });
    const connection = registry.open(new RecordedSocket());
    const admitted = admission.admit(connection, guest());
    registry.closed(connection, 1006);
    await admitted;
    expect(entered).toEqual([]);
    expect(await leases.acquire({ key: 'session:1', limit: 1, holder: 'next' })).toMatchObject({ kind: 'granted' });
  });

  it('that is revoked while it waits for its slot is not admitted', async () => {
    const { come, revocations, entered } = admissionUnderTest();
    const coming = come(guest());
    revocations.apply([{ id: 1, kind: 'session', subject: '1', not_after: 10 }]);
    expect((await coming).transport.closed).toBe('revoked');
    expect(entered).toEqual([]);
  });
});

describe('a slot', () => {
  it('[LIM1] is refused beyond the limit, and the refusal is counted', async () => {
    const { come, metrics } = admissionUnderTest({ limits: { maxTabsPerSession: 1 } });
    const first = await come(guest());
    const second = await come(guest());
    expect([first.transport.closed, second.transport.closed]).toEqual([null, 'connection_limit']);
    expect(metrics.counts['handshake limit']).toBe(1);
  });

  it('passes from a connection to its replacement', async () => {
    const { come } = admissionUnderTest({ limits: { maxTabsPerSession: 1 } });
    const first = await come(guest());
    const second = await come(guest(1, first.connection.id));
    expect([first.transport.closed, second.transport.closed]).toEqual(['timeout', null]);
  });

  it('of a connection at another gateway is requested from that gateway', async () => {
    const { come, leases, displacedElsewhere } = admissionUnderTest({ limits: { maxTabsPerSession: 1 } });
    await leases.acquire({ key: 'session:1', limit: 1, holder: 'elsewhere' });
    await come(guest(1, 'elsewhere'));
    expect(displacedElsewhere).toEqual(['elsewhere']);
  });

  it('is not taken by a poll that does not wait', async () => {
    const { registry, admission, leases } = admissionUnderTest({ limits: { maxTabsPerSession: 1 } });
    await admission.admit(registry.open(new RecordedPoll(0)), guest());
    expect(await leases.acquire({ key: 'session:1', limit: 1, holder: 'next' })).toMatchObject({ kind: 'granted' });
  });

  it('[LIM3] counts operators as people, not their connections', async () => {
    const { come, state } = admissionUnderTest({ limits: { maxOperators: 1 } });
    const first = await come(STAFF);
    const again = await come(STAFF);
    state.staff = { ok: true, principal: operator('boris') };
    const other = await come(STAFF);
    expect([first, again, other].map(({ transport }) => transport.closed)).toEqual([null, null, 'connection_limit']);
  });
});

describe('a new token on an open connection', () => {
  it('of the same person is accepted and answered with its expiry', async () => {
    const { come, admission, renewed } = admissionUnderTest();
    const { connection, transport } = await come(STAFF);
    await admission.refresh(connection, STAFF);
    expect(renewed).toHaveLength(1);
    expect(transport.frames.map(({ type }) => type)).toEqual(['channel.refreshed']);
  });

  it('of another person ends the connection', async () => {
    const { come, admission, state, renewed } = admissionUnderTest();
    const { connection, transport } = await come(STAFF);
    state.staff = { ok: true, principal: operator('boris') };
    await admission.refresh(connection, STAFF);
    expect([transport.closed, renewed]).toEqual(['forbidden', []]);
  });

  it('that is refused ends the connection', async () => {
    const { come, admission, state } = admissionUnderTest();
    const { connection, transport } = await come(STAFF);
    state.staff = { ok: false, code: 'token_expired' };
    await admission.refresh(connection, STAFF);
    expect(transport.closed).toBe('token_expired');
  });
});
