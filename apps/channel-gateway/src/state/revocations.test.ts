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
  /** The request of the next call, as far as it concerns revocations; null where none would be made. */
  const next = () => {
    const draft = new CatchupDraft(1);
    revocations.compose(draft);
    return draft.finish()?.revocations_after ?? null;
  };
  const answer = (response: Partial<CatchupResponse>) =>
    revocations.apply({ sessions: [], limit: 1 }, { sessions: [], ...response });
  return { set, told, revocations, next, answer };
}

it('[REV1] refuses what a control message says, and has the connections looked through', () => {
  const { set, told, revocations } = revocationsUnderTest();
  revocations.learn([ofSession(7)]);
  expect([set.isRevoked(customer(1)), set.isRevoked(customer(2)), told.revoked]).toEqual([true, false, 1]);
});

it('looks through the connections once, however often the same is said', () => {
  const { told, revocations, answer } = revocationsUnderTest();
  revocations.learn([ofSession(7)]);
  revocations.learn([ofSession(7)]);
  answer({ revocations: [ofSession(7)], revocations_head: 7 });
  expect(told.revoked).toBe(1);
});

it('[REV4] makes a call as soon as a tick tells of one that it has not read, and none for what it has', () => {
  const { told, revocations, next, answer } = revocationsUnderTest();
  revocations.learnHead(7);
  expect([told.calls, next()]).toEqual([1, 0]);
  answer({ revocations: [ofSession(7)], revocations_head: 7 });
  revocations.learnHead(7);
  expect([told.calls, next()]).toEqual([1, null]);
});

it('[REV4] reads again what was lost before a control message that came', () => {
  const { revocations, next } = revocationsUnderTest();
  revocations.learn([ofSession(7)]);
  expect(revocations.readUpTo).toBe(0);
  revocations.headCheckDue();
  expect(next()).toBe(0);
});

it('reads a little of what it has once more, since a site may number them before it shows them', () => {
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

it('[REV7] reads everything of another database, and refuses what it knew of the old one all the same', () => {
  const { set, revocations, next, answer } = revocationsUnderTest();
  answer({ revocations: [ofSession(80)], revocations_head: 80 });
  revocations.databaseChanged();
  expect(next()).toBe(0);
  answer({ revocations: [ofSession(3, 2)], revocations_head: 3 });
  expect([revocations.readUpTo, set.isRevoked(customer(1)), set.isRevoked(customer(2))]).toEqual([3, true, true]);
});

it('[REV7] goes back where the numbers end before those it has read', () => {
  const { revocations, answer } = revocationsUnderTest();
  answer({ revocations: [ofSession(80)], revocations_head: 80 });
  answer({ revocations: [], revocations_head: 2 });
  expect(revocations.readUpTo).toBe(2);
});

it('[REV4] asks on at once after a long page, and is done with the first that brings nothing new', () => {
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

it('[REV4] does not ask on of a source that answers the same, whatever it is asked', () => {
  const { told, answer } = revocationsUnderTest();
  const all = range(1, 20_000).map((id) => ofSession(id, id));
  for (let call = 0; call < 3; call += 1) answer({ revocations: all });
  expect(told.calls).toBe(1);
});

it('[REV3] closes within 5 s whom the last of 5,200 revocations names, after a gateway has started', async () => {
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
