import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { STAFF_CHANNEL } from '@chat-realtime/protocol';
import { type GatewayUnderTest, staffToken, startGateway } from '../testing/gateway-under-test.ts';
import { eventually, type Frame, SocketClient } from '../testing/socket-client.ts';

function keys(client: SocketClient): string[] {
  return client.frames.filter((frame) => typeof frame.seq === 'number' || frame.feed_id !== undefined).map(keyOf);
}

function keyOf(frame: Frame): string {
  return typeof frame.seq === 'number' ? `${frame.session_id}:${frame.seq}` : `f:${frame.feed_id}`;
}

describe('staff channel', () => {
  let under: GatewayUnderTest;
  const clients: SocketClient[] = [];

  const staff = (user: string, more = '', claims: Record<string, unknown> = {}): SocketClient => {
    const client = new SocketClient(`${under.wsUrl}?type=staff&access_token=${staffToken(user, claims)}${more}`);
    clients.push(client);
    return client;
  };

  beforeAll(async () => {
    under = await startGateway({ env: { MAX_CONNECTIONS_PER_TOKEN: '0' } });
    for (const id of [1, 2, 3]) under.ledger.createSession(id);
  });
  afterAll(async () => {
    for (const client of clients) client.end();
    await under.close();
  });

  it('[STF1] [STF2] carries events of all sessions and staff-only events', async () => {
    const anna = staff('anna');
    const ready = await anna.ready();
    expect(ready.data).toMatchObject({
      user_id: 'anna',
      from_seq: null,
      last_seq: null,
      cursor: String(under.ledger.feedHead),
    });
    expect(ready.data['state']).toMatchObject({ badge: { unassigned_unread: 0 }, users: expect.any(Array) });
    under.ledger.post(1, 'hello', 'client');
    under.ledger.post(2, 'answer');
    const note = under.ledger.note(1, 'careful');
    under.ledger.createSession(4);
    await eventually(() => (keys(anna).length >= 4 ? true : undefined), 'four frames');
    expect(keys(anna)).toEqual(
      expect.arrayContaining(['1:2', '2:2', '4:1', `f:${note.seq === null ? note.feed_id : 0}`]),
    );
    expect(anna.frames.find((frame) => frame.session_id === 1 && frame.seq === 2)?.type).toBe('chat.message.client');
    expect(anna.find('chat.session.created')?.data['contact']).toEqual({ name: 'Ivan', email: null, phone: null });
    // Every event is a position to resume from.
    const events = anna.frames.filter((frame) => frame.feed_seq !== undefined);
    expect(events.map(({ cursor }) => cursor)).toEqual(events.map(({ feed_seq: seq }) => String(seq)));
    anna.end();
  });

  it('[STF3] resumes from a cursor without a gap', async () => {
    const first = staff('anna');
    const cursor = String((await first.ready()).data['cursor']);
    first.end();
    const expected: string[] = [];
    for (let index = 0; index < 700; index += 1) {
      const event = under.ledger.post((index % 3) + 1, `m${index}`);
      expected.push(`${event.session_id}:${event.seq}`);
    }
    const second = staff('anna', `&cursor=${cursor}`);
    expect((await second.ready()).data['cursor']).toBe(cursor);
    const live = under.ledger.post(2, 'live');
    expected.push(`2:${live.seq}`);
    await eventually(
      () => (keys(second).includes(`2:${live.seq}`) && keys(second).length >= 701 ? true : undefined),
      'everything',
    );
    expect(keys(second)).toEqual(expected);
    second.end();
  });

  it('[STF3] [STF5] shows each event once and in feed order after any number of resumes', async () => {
    const start = String((await staff('anna').ready()).data['cursor']);
    let cursor = start;
    const seen: (number | undefined)[] = [];
    for (let visit = 0; visit < 6; visit += 1) {
      for (let index = 0; index < 5; index += 1) under.ledger.post((index % 3) + 1, `visit ${visit}`);
      const client = staff('anna', `&cursor=${cursor}`);
      // The connection is cut anywhere: among missed events or among live ones.
      await client.ready();
      for (let index = 0; index < 3; index += 1) under.ledger.note(1, `visit ${visit}`);
      await eventually(() => (client.frames.some(({ feed_seq: seq }) => seq !== undefined) ? true : undefined), 'one');
      client.end();
      await client.closed;
      for (const frame of client.frames) {
        if (frame.feed_seq !== undefined) seen.push(frame.feed_seq);
        if (frame.cursor !== undefined) cursor = frame.cursor;
      }
    }
    const last = staff('anna', `&cursor=${cursor}`);
    await eventually(
      () =>
        last.frames.at(-1)?.feed_seq === under.ledger.feedHead || Number(cursor) === under.ledger.feedHead || undefined,
      'the end',
    );
    seen.push(...last.frames.flatMap(({ feed_seq: seq }) => (seq === undefined ? [] : [seq])));
    expect(seen).toEqual(Array.from({ length: 6 * 8 }, (_, index) => Number(start) + index + 1));
    last.end();
  });

  it('[STF7] answers an unknown cursor with a request to take a snapshot', async () => {
    const ahead = staff('anna', '&cursor=99999999');
    expect((await ahead.waitFor('channel.reset')).data).toEqual({ reason: 'cursor_ahead' });
    const unknown = staff('anna', '&cursor=nonsense');
    expect((await unknown.waitFor('channel.reset')).data).toEqual({ reason: 'cursor_unknown' });
    const old = staff('anna', '&cursor=735.12');
    expect((await old.waitFor('channel.reset')).data).toEqual({ reason: 'cursor_unknown' });
    // Only once: the cursor it is given then is valid.
    const again = staff('anna', `&cursor=${String(old.find('channel.ready')?.data['cursor'])}`);
    await again.ready();
    again.send({ type: 'ping' });
    await again.waitFor('channel.pong');
    expect(again.find('channel.reset')).toBeUndefined();
    for (const client of [ahead, unknown, old, again]) client.end();
  });

  it('[STF6] [ASG10] shows the scope `assigned` only unassigned sessions and its own', async () => {
    for (const id of [11, 12, 13]) under.ledger.createSession(id);
    under.ledger.assign(12, 'boris');
    under.ledger.assign(13, 'anna');
    const cursor = String((await staff('boris').ready()).data['cursor']);
    const anna = staff('anna', '', { scope: 'assigned' });
    await anna.ready();
    for (const id of [11, 12, 13]) under.ledger.post(id, `to ${id}`);
    under.ledger.note(12, 'for boris alone');
    const lost = under.ledger.assign(13, 'boris');
    under.ledger.post(13, "now boris's");
    under.ledger.post(11, 'end');
    await anna.waitForSeq(lost.seq);
    await eventually(() => (keys(anna).includes('11:3') ? true : undefined), 'the end');
    expect(keys(anna)).toEqual(['11:2', '13:3', `13:${lost.seq}`, '11:3']);
    const resumed = staff('anna', `&cursor=${cursor}`, { scope: 'assigned' });
    await eventually(() => (keys(resumed).includes('11:3') ? true : undefined), 'the resume');
    expect(keys(resumed).filter((key) => key.startsWith('12:') || key.startsWith('f:'))).toEqual([]);
  });

  it('[STF6] [ASG13] judges earlier events by the current assignee of the session', async () => {
    const cursor = String((await staff('boris').ready()).data['cursor']);
    for (const id of [21, 22]) under.ledger.createSession(id);
    for (const id of [21, 22]) under.ledger.post(id, 'written while it was nobody’s', 'client');
    under.ledger.assign(21, 'anna');
    const lost = under.ledger.assign(21, 'boris');
    under.ledger.assign(22, 'anna');
    under.ledger.createSession(23);
    for (const scope of ['assigned', 'own']) {
      const resumed = staff('anna', `&cursor=${cursor}`, { scope });
      await eventually(() => (keys(resumed).includes('22:3') ? true : undefined), `the resume of ${scope}`);
      const seen = ['22:1', '22:2', `21:${lost.seq}`, '22:3'];
      await eventually(
        () => (keys(resumed).length >= seen.length + (scope === 'own' ? 0 : 1) ? true : undefined),
        'its end',
      );
      expect(keys(resumed)).toEqual(scope === 'own' ? seen : [...seen, '23:1']);
    }
  });

  it("[ASG12] [STF6] shows the scope `own` only the operator's own sessions", async () => {
    for (const id of [31, 32]) under.ledger.createSession(id);
    under.ledger.assign(32, 'olga');
    const olga = staff('olga', '', { scope: 'own' });
    const boris = staff('boris');
    await Promise.all([olga.ready(), boris.ready()]);
    under.ledger.post(31, 'nobody’s');
    under.ledger.post(32, 'hers');
    const gained = under.ledger.assign(31, 'olga');
    under.ledger.post(31, 'hers too');
    const lost = under.ledger.assign(31, null);
    under.ledger.post(31, 'nobody’s again');
    under.ledger.post(32, 'end');
    await eventually(() => (keys(olga).includes('32:4') ? true : undefined), 'the end');
    expect(keys(olga).filter((key) => /^3[12]:/.test(key))).toEqual([
      '32:3',
      `31:${gained.seq}`,
      `31:${gained.seq + 1}`,
      `31:${lost.seq}`,
      '32:4',
    ]);
  });

  it('[ASG14] includes in presence and badge only what is within the scope', async () => {
    for (const id of [41, 42]) under.ledger.createSession(id);
    under.ledger.assign(41, 'boris');
    under.ledger.assign(42, 'olga');
    const boris = staff('boris');
    const carl = staff('carl');
    const olga = staff('olga', '', { scope: 'own' });
    await Promise.all([boris.ready(), carl.ready(), olga.ready()]);
    boris.send({ type: 'viewing', session_id: 41 });
    carl.send({ type: 'viewing', session_id: 42 });
    const shown = (client: SocketClient): string =>
      JSON.stringify(client.frames.filter((frame) => frame.type === 'chat.presence').at(-1)?.data['users'] ?? '');
    await eventually(() => shown(olga).includes('"viewing":42') || undefined, 'what olga may know');
    await eventually(
      () => (shown(carl).includes('"viewing":41') && shown(carl).includes('"viewing":42')) || undefined,
      'what carl may know',
    );
    expect(olga.frames.some((frame) => JSON.stringify(frame).includes('"viewing":41'))).toBe(false);
    // If she connects later, her first frame follows the same rule.
    const later = staff('olga', '', { scope: 'own' });
    const state = JSON.stringify((await later.ready()).data['state']);
    expect([state.includes('"viewing":42'), state.includes('"viewing":41')]).toEqual([true, false]);
    // A session may be named as soon as it becomes hers.
    under.ledger.assign(41, 'olga');
    await eventually(() => shown(olga).includes('"viewing":41') || undefined, 'what became hers');
    under.ledger.badge = {
      reason: 'badge',
      unassigned_unread: 3,
      mine_unread: { olga: 1, boris: 2 },
      waiting_count: 6,
      waiting: { unassigned: 3, mine: { olga: 1, boris: 2 } },
    };
    await under.fanout.execute([
      {
        kind: 'publish',
        channel: STAFF_CHANNEL,
        payload: JSON.stringify({ type: 'chat.alert', session_id: null, seq: null, data: under.ledger.badge }),
      },
    ]);
    const badge = await olga.waitFor('chat.alert');
    expect(badge.data).toEqual({ reason: 'badge', unassigned_unread: 0, mine_unread: { olga: 1 }, waiting_count: 1 });
  });

  it('[FRM5] [FRM6] shows who is online and what they are viewing', async () => {
    const anna = staff('anna');
    const boris = staff('boris');
    await Promise.all([anna.ready(), boris.ready()]);
    boris.send({ type: 'viewing', session_id: 2 });
    await eventually(() => {
      const users = anna.frames.filter((frame) => frame.type === 'chat.presence').at(-1)?.data['users'];
      return JSON.stringify(users ?? '').includes('"viewing":2') || undefined;
    }, 'the presence of boris');
  });
});
