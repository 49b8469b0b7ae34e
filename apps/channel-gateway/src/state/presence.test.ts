import type { CatchupRequest, CustomerState, PresenceUser } from '@chat-realtime/protocol';
import { expect, it } from 'vitest';
import { CatchupDraft } from '../sync/catchup-draft.ts';
import { operator } from '../testing/registry-under-test.ts';
import { VirtualClock } from '../testing/virtual-clock.ts';
import { Presence } from './presence.ts';
import type { PresenceMessage } from './presence-board.ts';

const ANNA = operator('anna');
const REQUEST: CatchupRequest = { sessions: [], limit: 1 };
const MARKS = { operators_online: 2 } as CustomerState;

function presenceUnderTest() {
  const clock = new VirtualClock();
  const told: { users: string[][]; counts: number[]; messages: PresenceMessage[]; calls: number } = {
    ...{ users: [], counts: [], messages: [], calls: 0 },
  };
  const state = { isImpaired: false };
  const presence = new Presence({
    clock,
    gatewayId: 'own',
    heartbeatSeconds: 5,
    isImpaired: () => state.isImpaired,
    changed: (users: readonly PresenceUser[]) => told.users.push(users.map(({ id }) => id)),
    countChanged: (count) => told.counts.push(count),
    publish: (message) => told.messages.push(message),
    requestCatchup: () => {
      told.calls += 1;
    },
  });
  const tick = async (ms: number) => {
    await clock.advance(ms);
    presence.tick(clock.now());
  };
  /** What the next call reports about connected staff. */
  const report = (): CatchupRequest['presence'] => {
    const draft = new CatchupDraft(1);
    presence.compose(draft);
    return draft.finish()?.presence;
  };
  const elsewhere = (...ids: string[]) =>
    presence.receive({
      type: 'control.presence',
      data: { gateway_id: 'other', operators: ids.map((id) => ({ id, name: null })) },
    });
  return { clock, told, state, presence, tick, report, elsewhere };
}

it('notifies staff, customers and the other gateways at once when an operator connects', () => {
  const { presence, told } = presenceUnderTest();
  presence.joined(ANNA);
  expect([told.users, told.counts]).toEqual([[['anna']], [1]]);
  expect(told.messages.map(({ data }) => data.operators)).toEqual([[{ id: 'anna', name: 'anna' }]]);
});

it('sends nothing for a second connection of the same operator', () => {
  const { presence, told } = presenceUnderTest();
  presence.joined(ANNA);
  presence.joined(ANNA);
  expect([told.users.length, told.messages.length]).toEqual([1, 1]);
});

it('hides a page reload, and reports an operator as offline after five seconds', async () => {
  const { presence, told, tick, clock } = presenceUnderTest();
  presence.joined(ANNA);
  presence.left(ANNA, null, clock.now());
  await tick(4_900);
  presence.joined(ANNA);
  await tick(10_000);
  expect(told.users).toEqual([['anna']]);
  presence.left(ANNA, null, clock.now());
  await tick(5_000);
  expect([told.users, told.counts]).toEqual([
    [['anna'], []],
    [1, 0],
  ]);
});

it('counts operators of another gateway as long as it repeats them', async () => {
  const { told, tick, elsewhere } = presenceUnderTest();
  elsewhere('boris');
  await tick(0);
  await tick(15_000);
  expect(told.counts).toEqual([1]);
  await tick(1);
  expect(told.counts).toEqual([1, 0]);
});

it('repeats its presence to the other gateways with every heartbeat while an operator is connected', async () => {
  const { presence, told, tick } = presenceUnderTest();
  await tick(20_000);
  expect(told.messages).toEqual([]);
  presence.joined(ANNA);
  for (let second = 0; second < 11; second += 1) await tick(1_000);
  expect(told.messages).toHaveLength(4);
});

it('reports to chat-service what has changed, and repeats the rest only when it is due', async () => {
  const { presence, report, tick } = presenceUnderTest();
  presence.joined(ANNA);
  expect(report()?.operators).toEqual([{ id: 'anna', name: 'anna' }]);
  expect(report()).toBeUndefined();
  presence.headCheckDue();
  expect(report()?.operators).toHaveLength(1);
  await tick(14_999);
  expect(report()).toBeUndefined();
  await tick(1);
  expect(report()?.operators).toHaveLength(1);
});

it('does not report operators of other gateways, which report them themselves', async () => {
  const { presence, report, elsewhere, tick } = presenceUnderTest();
  presence.joined(ANNA);
  report();
  elsewhere('boris');
  await tick(0);
  expect(report()).toBeUndefined();
});

it('sends staff what an operator is viewing, and customers nothing, since their number is the same', async () => {
  const { presence, told, tick } = presenceUnderTest();
  presence.joined(ANNA);
  presence.viewing(ANNA, 5);
  await tick(0);
  expect([told.users.length, told.counts]).toEqual([2, [1]]);
});

it('repeats the report of a call that failed', () => {
  const { presence, report } = presenceUnderTest();
  presence.joined(ANNA);
  const presenceReport = report();
  if (presenceReport === undefined) throw new Error('no report');
  presence.failed(REQUEST);
  expect(report()).toBeUndefined();
  presence.failed({ ...REQUEST, presence: presenceReport });
  expect(report()?.operators).toHaveLength(1);
});

it('[OST4] counts for customers only operators who chose to be online', () => {
  const { presence, told } = presenceUnderTest();
  presence.joined(ANNA);
  presence.learnStatuses([{ user_id: 'anna', status: 'away', version: 1 }]);
  expect([told.counts, presence.operatorsOnline(MARKS)]).toEqual([[1, 0], 0]);
});

it('[OST5] learns chosen statuses from a response and from a control message', () => {
  const { presence, told } = presenceUnderTest();
  presence.joined(ANNA);
  presence.apply(REQUEST, { sessions: [], operator_statuses: [{ user_id: 'anna', status: 'off', version: 1 }] });
  expect(told.counts).toEqual([1, 0]);
});

it('counts as chat-service does while the gateways may not reach each other', () => {
  const { presence, state } = presenceUnderTest();
  presence.apply(REQUEST, { sessions: [], operators_online: 3 });
  expect(presence.operatorsOnline(MARKS)).toBe(0);
  state.isImpaired = true;
  expect(presence.operatorsOnline(MARKS)).toBe(3);
});

it('takes the statuses of a new database, whose versions start over', () => {
  const { presence, told } = presenceUnderTest();
  presence.joined(ANNA);
  presence.learnStatuses([{ user_id: 'anna', status: 'off', version: 9 }]);
  presence.databaseChanged();
  presence.learnStatuses([{ user_id: 'anna', status: 'online', version: 1 }]);
  expect(told.counts).toEqual([1, 0, 1]);
});
