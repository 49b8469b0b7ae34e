import type { CatchupResponse, Revocation } from '@chat-realtime/protocol';
import { RevocationSet } from '@chat-realtime/verifier';
import { expect, it } from 'vitest';
import { CatchupDraft } from '../sync/catchup-draft.ts';
import { customer } from '../testing/registry-under-test.ts';
import { range } from '../testing/socket-client.ts';
import { VirtualGateway } from '../testing/virtual-gateway.ts';
import { Revocations } from './revocations.ts';

const ofSession = (id: number, sessionId = 1): Revocation => ({
  ...{ id, kind: 'session', subject: String(sessionId), not_after: 100 + id },
});

function revocationsUnderTest() {
  const set = new RevocationSet(() => 0);
  const told = { revoked: 0, calls: 0 };
  const revocations = new Revocations({
    set,
    revoked: () => {
      told.revoked += 1;
    },
    requestCatchup: () => {
      told.calls += 1;
    },
  });
  /** The part of the next call that concerns revocations; null if no call would be made. */
  const next = () => {
    const draft = new CatchupDraft(1);
    revocations.compose(draft);
    return draft.finish()?.revocations_after ?? null;
  };
  const answer = (response: Partial<CatchupResponse>) =>
    revocations.apply({ sessions: [], limit: 1 }, { sessions: [], ...response });
  return { set, told, revocations, next, answer };
}

it('[REV1] applies a control message to later tokens and to open connections', () => {
  const { set, told, revocations } = revocationsUnderTest();
  revocations.learn([ofSession(7)]);
  expect([set.isRevoked(customer(1)), set.isRevoked(customer(2)), told.revoked]).toEqual([true, false, 1]);
});

it('checks the connections once, however often a revocation is repeated', () => {
  const { told, revocations, answer } = revocationsUnderTest();
  revocations.learn([ofSession(7)]);
  revocations.learn([ofSession(7)]);
  answer({ revocations: [ofSession(7)], revocations_head: 7 });
  expect(told.revoked).toBe(1);
});

it('[REV4] makes a call as soon as a tick announces a revocation it has not read, and no other call', () => {
  const { told, revocations, next, answer } = revocationsUnderTest();
  revocations.learnHead(7);
  expect([told.calls, next()]).toEqual([1, 0]);
  answer({ revocations: [ofSession(7)], revocations_head: 7 });
  revocations.learnHead(7);
  expect([told.calls, next()]).toEqual([1, null]);
});

it('[REV4] reads again revocations that were lost before a control message that arrived', () => {
  const { revocations, next } = revocationsUnderTest();
  revocations.learn([ofSession(7)]);
  expect(revocations.readUpTo).toBe(0);
  revocations.headCheckDue();
  expect(next()).toBe(0);
});

it('reads the last few again, since a site may number them before it shows them', () => {
  const { revocations, next, answer } = revocationsUnderTest();
  answer({ revocations: [ofSession(80)], revocations_head: 80 });
  revocations.headCheckDue();
  expect(next()).toBe(30);
});

it('[REV4] asks again when the call failed', () => {
  const { revocations, next } = revocationsUnderTest();
  revocations.learnHead(7);
  next();
  revocations.failed();
  expect(next()).toBe(0);
});

it('[REV7] reads all revocations of a new database, and still refuses those of the old one', () => {
  const { set, revocations, next, answer } = revocationsUnderTest();
  answer({ revocations: [ofSession(80)], revocations_head: 80 });
  revocations.databaseChanged();
  expect(next()).toBe(0);
  answer({ revocations: [ofSession(3, 2)], revocations_head: 3 });
  expect([revocations.readUpTo, set.isRevoked(customer(1)), set.isRevoked(customer(2))]).toEqual([3, true, true]);
});

it('[REV7] starts over when the newest number is below those it has read', () => {
  const { revocations, answer } = revocationsUnderTest();
  answer({ revocations: [ofSession(80)], revocations_head: 80 });
  answer({ revocations: [], revocations_head: 2 });
  expect(revocations.readUpTo).toBe(2);
});

it('[REV4] asks again at once after a full page, and stops at the first page without a new one', () => {
  const { told, revocations, next, answer } = revocationsUnderTest();
  const all = range(1, 5_200).map((id) => ofSession(id, id));
  const asked: number[] = [];
  revocations.headCheckDue();
  for (let after = next(); after !== null; after = next()) {
    asked.push(after);
    const from = after;
    const page = all.filter(({ id }) => id > from).slice(0, 1_000);
    answer({ revocations: page, revocations_head: page.at(-1)?.id ?? 5_200 });
  }
  expect(revocations.readUpTo).toBe(5_200);
  expect(asked).toEqual([0, 950, 1_900, 2_850, 3_800, 4_750, 5_150]);
  expect(told.calls).toBe(6);
});

it('[REV4] stops asking a source that gives the same answer to every request', () => {
  const { told, answer } = revocationsUnderTest();
  const all = range(1, 20_000).map((id) => ofSession(id, id));
  for (let call = 0; call < 3; call += 1) answer({ revocations: all });
  expect(told.calls).toBe(1);
});

it('[REV3] closes, within 5 s of the start of a gateway, the connection that the last of 5,200 revocations names', async () => {
  const gateway = new VirtualGateway();
  await gateway.advance(1_500);
  const { ledger } = gateway;
  for (const id of range(1, 5_200)) ledger.revoke('session', String(id), false);
  ledger.revoke('staff', 'anna', false, 2 ** 40);
  await gateway.restart();
  const anna = gateway.staff('anna');
  await gateway.advance(3_000);
  expect(anna.closed).toBe('revoked');
  await gateway.stop();
});
