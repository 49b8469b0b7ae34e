import {
  auditResponseSchema,
  configResponseSchema,
  customerPresenceDataSchema,
  customerStateSchema,
  handoverResponseSchema,
  operatorStatusResponseSchema,
  staffPresenceDataSchema,
  staffStateSchema,
} from '@chat-realtime/protocol';
import { type Frame, type Staff, until, type WebSocketClient } from '@chat-realtime/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { useChat } from '../../support/chat.ts';
import { expectError, fieldPaths } from '../../support/expect-error.ts';

const chat = await useChat('main');
let [anna, boris, admin]: Staff[] = [];
function all(): [Staff, Staff, Staff] {
  if (anna === undefined || boris === undefined || admin === undefined) throw new Error('nobody has signed in');
  return [anna, boris, admin];
}
const choose = async (staff: Staff, status: string) =>
  (await staff.request('PUT', '/chat/operator/status', { json: { status } })).as(operatorStatusResponseSchema);

beforeAll(async () => {
  [anna, boris, admin] = [await chat.staff('anna'), await chat.staff('boris'), await chat.staff('admin')];
});
afterAll(async () => {
  for (const staff of all()) await choose(staff, 'online');
});

/** The last word of a channel on who is there. */
function lastOf<T>(client: WebSocketClient, read: (frame: Frame) => T | undefined): T | undefined {
  return client.frames.map(read).findLast((value) => value !== undefined);
}
function operatorsOnline(client: WebSocketClient): number | undefined {
  return lastOf(client, ({ type, data }) => {
    if (type === 'channel.ready') return customerStateSchema.parse(data['state']).operators_online;
    return type === 'chat.presence' ? customerPresenceDataSchema.parse(data).operators_online : undefined;
  });
}
function stateOf(client: WebSocketClient, userId: string): string {
  const users = lastOf(client, ({ type, data }) => {
    if (type === 'channel.ready') return staffStateSchema.parse(data['state']).users;
    return type === 'chat.presence' ? staffPresenceDataSchema.parse(data).users : undefined;
  });
  return users?.find(({ id }) => id === userId)?.state ?? 'absent';
}
const isOnline = async () => (await chat.http.get('/chat/config')).as(configResponseSchema).online;
const soon = (what: string, is: () => boolean | Promise<boolean>) =>
  until(is, { timeoutMs: 20_000, everyMs: 100, what });

describe('own status', () => {
  test('[OST1] [OST2] is kept, and only the three statuses exist', async () => {
    const [, , chief] = all();
    await choose(chief, 'online');
    const away = await choose(chief, 'away');
    expect(away).toEqual({ status: 'away', since: expect.any(String) });
    expect(await choose(chief, 'away')).toEqual(away);
    for (const bad of [{}, { status: 'offline' }, { status: null }, { status: ['off'] }, []])
      expectError(await chief.request('PUT', '/chat/operator/status', { json: bad }), 'validation_failed');
    const headers = { 'Content-Type': 'application/json' };
    expectError(await chief.request('PUT', '/chat/operator/status', { raw: '{', headers }), 'malformed_request');
    expectError(
      await chief.request('PUT', '/chat/operator/status', { json: {}, headers: { Origin: 'https://evil.example' } }),
      'origin_not_allowed',
    );
    const again = await chat.staff('admin', true);
    const own = (await again.request('GET', '/chat/operator/status')).as(operatorStatusResponseSchema);
    expect(own).toEqual(away);
    await choose(chief, 'online');
  });

  test('[OST3] [OST4] [OST5] [CFG2] [ASG11] overrides the connection for everybody who sees it', async () => {
    const [one, two] = all();
    for (const staff of all()) await choose(staff, 'online');
    const customer = await chat.customer();
    const [console1, console2] = [await chat.staffChannel(one), await chat.staffChannel(two)];
    const visitor = await chat.channel(customer);
    // Whoever was connected in the test before may still be counted for some seconds.
    await soon('two operators online', () => operatorsOnline(visitor) === 2);
    await soon('an open chat', isOnline);
    const seen = async (id: string) => (await two.operators()).find((operator) => operator.id === id);

    await choose(one, 'away');
    await soon('anna away for boris', () => stateOf(console2, one.userId) === 'away');
    await soon('one operator for the customer', () => operatorsOnline(visitor) === 1);
    await soon('anna away in the list', async () => (await seen(one.userId))?.presence === 'away');
    expect(await seen(one.userId)).toMatchObject({ status: 'away' });

    await choose(two, 'off');
    await soon('boris off for anna', () => stateOf(console1, two.userId) === 'offline');
    await soon('nobody for the customer', () => operatorsOnline(visitor) === 0);
    await soon('a closed chat', async () => !(await isOnline()));
    await soon('boris off in the list', async () => (await seen(two.userId))?.presence === 'offline');
    expect(await seen(two.userId)).toMatchObject({ status: 'off' });
    expect(stateOf(console1, one.userId)).toBe('away');

    // Whoever comes now is told the same, and who is off is served as ever.
    const late = await chat.channel(await chat.customer());
    expect(operatorsOnline(late)).toBe(0);
    const again = await chat.staffChannel(two);
    expect([stateOf(again, two.userId), stateOf(again, one.userId)]).toEqual(['offline', 'away']);
    const message = await customer.post('Is anybody there?');
    for (const console of [console1, console2, again])
      await console.waitFor((frame) => frame.type === 'chat.message.client' && frame.data['id'] === message.id);
    expect((await two.post(customer.sessionId, 'I am')).body).toBe('I am');

    await choose(two, 'online');
    await soon('one operator again', () => operatorsOnline(visitor) === 1);
    await soon('an open chat again', isOnline);
    await soon('boris back for anna', () => stateOf(console1, two.userId) === 'online');
    await choose(one, 'online');
  }, 120_000);
});

describe('handover', () => {
  const hand = (staff: Staff, json: unknown) => staff.request('POST', '/chat/operator/handover', { json });
  const handed = async (staff: Staff, to: string | null) =>
    (await hand(staff, { to_user_id: to })).as(handoverResponseSchema).sessions;

  test('[OST7] [OST8] gives all chats to a colleague or to the queue, each with the events of a transfer', async () => {
    const [, other, chief] = all();
    const [open, closed, theirs] = [await chat.customer(), await chat.customer(), await chat.customer()];
    for (const { sessionId } of [open, closed]) await chief.act(sessionId, 'assign');
    await other.act(theirs.sessionId, 'assign');
    await chief.act(closed.sessionId, 'close');
    const untouched = [await closed.session(), await theirs.session()];
    expect(await handed(chief, chief.userId)).toEqual([]);
    const console = await chat.staffChannel(other);
    const sessions = await handed(chief, other.userId);
    expect(sessions).toContain(open.sessionId);
    expect(sessions).not.toContain(closed.sessionId);
    expect((await open.events()).events.at(-1)).toMatchObject({
      type: 'chat.session.assigned',
      data: { assigned_user_id: other.userId, by: chief.userId },
    });
    expect([await closed.session(), await theirs.session()]).toEqual(untouched);
    await console.waitFor((frame) => frame.type === 'chat.session.assigned' && frame.session_id === open.sessionId);
    expect(await handed(chief, other.userId)).toEqual([]);

    const mine = await chat.customer();
    await chief.act(mine.sessionId, 'assign');
    expect(await handed(chief, null)).toEqual([mine.sessionId]);
    const events = (await mine.events()).events;
    expect(events.slice(-2).map(({ type, data }) => ({ type, data }))).toMatchObject([
      { type: 'chat.session.assigned', data: { assigned_user_id: null, by: chief.userId } },
      {
        type: 'chat.session.status',
        data: { status: 'new', previous: 'active', reason: 'operator', by: chief.userId },
      },
    ]);
    expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index + 1));
  });

  test("[OST7] an administrator gives away another's chats, and nobody else does", async () => {
    const [one, other, chief] = all();
    const customer = await chat.customer();
    await one.act(customer.sessionId, 'assign');
    const json = { from_user_id: one.userId, to_user_id: other.userId };
    expectError(await hand(other, json), 'forbidden');
    expect(
      fieldPaths(expectError(await hand(chief, { ...json, from_user_id: 'nobody' }), 'validation_failed')),
    ).toEqual(['from_user_id']);
    expect((await hand(chief, json)).as(handoverResponseSchema).sessions).toContain(customer.sessionId);
    expect((await customer.events()).events.at(-1)).toMatchObject({
      type: 'chat.session.assigned',
      data: { assigned_user_id: other.userId, by: chief.userId },
    });
    const { entries } = (await chief.request('GET', '/chat/audit')).as(auditResponseSchema);
    expect(entries.find(({ action }) => action === 'operator.handed_over')).toMatchObject({
      actor_id: chief.userId,
      subject: `operator:${one.userId}`,
    });
    await handed(other, null);
  });

  test('[OST7] an unknown operator is 422, and nothing is moved', async () => {
    const [, , chief] = all();
    const customer = await chat.customer();
    await chief.act(customer.sessionId, 'assign');
    const error = expectError(await hand(chief, { to_user_id: 'nobody-of-that-id' }), 'validation_failed');
    expect(fieldPaths(error)).toEqual(['to_user_id']);
    for (const bad of [{}, { to_user_id: '' }, { to_user_id: 5 }, { to_user_id: ' ' }, []])
      expectError(await hand(chief, bad), 'validation_failed');
    expect(await customer.session()).toMatchObject({ status: 'active', assigned_user_id: chief.userId });
    await handed(chief, null);
  });
});
