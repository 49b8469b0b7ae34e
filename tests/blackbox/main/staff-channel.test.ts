import { staffEventSchema, staffStateSchema } from '@chat-realtime/protocol';
import { type Frame, ofType, staffEventKey, until } from '@chat-realtime/testkit';
import { describe, expect, test } from 'vitest';
import { useChat } from '../../support/chat.ts';
import { SECRETS } from '../../support/profiles.ts';

const chat = await useChat('main');

const feedFramesOf = (frames: readonly Frame[]): Frame[] =>
  frames.filter((frame) => frame.seq !== null || frame.feed_id !== undefined);

describe('staff channel', () => {
  test('[STF1] [EVT5] events of all sessions and staff-only events, in the form of the contract', async () => {
    const [anna, boris] = [await chat.staff('anna'), await chat.staff('boris')];
    const console = await chat.staffChannel(anna);
    const customer = await chat.customer({ name: 'Staff Sees Me' });
    await customer.post('question');
    await boris.act(customer.sessionId, 'assign');
    await boris.post(customer.sessionId, 'answer');
    await boris.note(customer.sessionId, 'note');
    await boris.act(customer.sessionId, 'close');
    await console.waitFor((frame) => frame.session_id === customer.sessionId && frame.seq === 6);
    await until(() =>
      console.frames.some((frame) => frame.type === 'chat.note' && frame.session_id === customer.sessionId),
    );
    const mine = feedFramesOf(console.frames).filter((frame) => frame.session_id === customer.sessionId);
    expect(mine.filter((frame) => frame.seq !== null).map((frame) => [frame.seq, frame.type])).toEqual([
      [1, 'chat.session.created'],
      [2, 'chat.message.client'],
      [3, 'chat.session.assigned'],
      [4, 'chat.session.status'],
      [5, 'chat.message'],
      [6, 'chat.session.status'],
    ]);
    expect(mine[0]?.data).toMatchObject({ contact: { name: 'Staff Sees Me' } });
    for (const frame of mine) staffEventSchema.parse(JSON.parse(frame.raw));
  });

  test('[STF3] [STF4] from a cursor every later event follows, and a new cursor comes', async () => {
    const anna = await chat.staff('anna');
    const first = await chat.staffChannel(anna);
    const start = String((await first.ready()).data['cursor']);
    await first.close();
    const customers = await Promise.all(Array.from({ length: 4 }, () => chat.customer()));
    await Promise.all(customers.map((customer) => customer.post('while away')));
    await anna.note(customers[0]?.sessionId ?? 0, 'note while away');
    const again = await chat.staffChannel(anna, { cursor: start });
    // An event is in the feed as soon as the relay has numbered it, which may be after the answer that stored it.
    const ours = new Set(customers.map(({ sessionId }) => sessionId));
    const expected = await until(async () => {
      const { events } = await anna.feedAfter(start);
      const own = events.filter(({ session_id }) => session_id !== null && ours.has(session_id));
      return own.length >= 9 ? events.map(staffEventKey) : undefined;
    });
    await until(() => feedFramesOf(again.frames).length >= expected.length, { timeoutMs: 5_000 });
    expect(feedFramesOf(again.frames).slice(0, expected.length).map(staffEventKey)).toEqual(expected);
    // Every event is a resume point: from any of them exactly the rest follows, in the order of the feed.
    for (const frame of feedFramesOf(again.frames)) expect(frame.cursor).toBe(String(frame.feed_seq));
    const middle = feedFramesOf(again.frames)[3];
    const third = await chat.staffChannel(anna, { cursor: middle?.cursor ?? '' });
    const rest = (await anna.feedAfter(middle?.cursor)).events.map(staffEventKey);
    await until(() => feedFramesOf(third.frames).length >= rest.length, { timeoutMs: 5_000 });
    expect(feedFramesOf(third.frames).slice(0, rest.length).map(staffEventKey)).toEqual(rest);
    expect(rest.slice(0, expected.length - 4)).toEqual(expected.slice(4));
  }, 30_000);

  test('[STF7] a cursor of version 0.1 is answered by one reset', async () => {
    const anna = await chat.staff('anna');
    const old = await chat.staffChannel(anna, { cursor: '735.12' });
    const ready = await old.ready();
    const reset = await old.waitFor((frame) => frame.type === 'channel.reset');
    expect(reset.data).toEqual({ reason: 'cursor_unknown' });
    const again = await chat.staffChannel(anna, { cursor: String(ready.data['cursor']) });
    await again.roundTrip();
    expect(again.frames.some((frame) => frame.type === 'channel.reset')).toBe(false);
  });

  test('[STF4] while nothing happens, a cursor reaches the head with the head check', async () => {
    const anna = await chat.staff('anna');
    const console = await chat.staffChannel(anna);
    const customer = await chat.customer();
    await customer.post('last event');
    const head = await anna.feedHead();
    await until(
      async () => {
        const last = console.frames.filter((frame) => frame.cursor !== undefined).at(-1)?.cursor;
        if (last === undefined) return false;
        return (await anna.feedAfter(last)).events.length === 0 && last !== undefined && head.length > 0;
      },
      { timeoutMs: 16_000, everyMs: 300, what: 'a cursor at the head' },
    );
  }, 25_000);

  test("[STF5] delivers each session's events in order and without gaps", async () => {
    const anna = await chat.staff('anna');
    const console = await chat.staffChannel(anna);
    const customers = await Promise.all(Array.from({ length: 5 }, () => chat.customer()));
    await Promise.all(
      customers.map(async (customer) => {
        for (let index = 0; index < 20; index += 1) await customer.post(`m${index}`);
      }),
    );
    for (const customer of customers) {
      await console.waitFor((frame) => frame.session_id === customer.sessionId && frame.seq === 21, {
        timeoutMs: 10_000,
      });
      const seqs = console.frames
        .filter((frame) => frame.session_id === customer.sessionId && frame.seq !== null)
        .map((frame) => frame.seq);
      expect(seqs).toEqual(Array.from({ length: 21 }, (_, index) => index + 1));
    }
  });

  test.each([
    ['999999999999', 'cursor_ahead'],
    ['zzz', 'cursor_unknown'],
    ['1.2', 'cursor_unknown'],
  ])('[STF7] cursor %s: ready, then reset', async (cursor, reason) => {
    const anna = await chat.staff('anna');
    const console = await chat.staffChannel(anna, { cursor });
    const reset = await console.waitFor(ofType('channel.reset'));
    expect(reset.data['reason']).toBe(reason);
    const customer = await chat.customer();
    await console.waitFor((frame) => frame.session_id === customer.sessionId && frame.seq === 1);
  });

  test('[WS14] [STF2] the state of channel.ready: badge and users', async () => {
    const anna = await chat.staff('anna');
    const console = await chat.staffChannel(anna);
    const state = staffStateSchema.parse((await console.ready()).data['state']);
    const alerts = await anna.alerts();
    expect(state.badge.waiting_count).toBe(alerts.waiting_count);
    expect(state.badge.unassigned_unread).toBe(alerts.unassigned_unread);
  });

  test('[ACK1] [RD7] staff acks show to the customer as chat.read', async () => {
    const anna = await chat.staff('anna');
    const customer = await chat.customer();
    await anna.act(customer.sessionId, 'assign');
    const channel = await chat.channel(customer);
    const console = await chat.staffChannel(anna);
    const message = await customer.post('delivered to staff?');
    await console.waitFor((frame) => frame.data['id'] === message.id);
    console.send({ type: 'ack', items: [{ session_id: customer.sessionId, last_id: message.id }] });
    const read = await channel.waitFor(
      (frame) =>
        frame.type === 'chat.read' && frame.data['by'] === 'staff' && Number(frame.data['delivered_id']) >= message.id,
    );
    expect(Number(read.data['read_id'])).toBeLessThan(message.id);
  });

  test('[ACK2] staff acks of unknown sessions, or of ones never sent here, have no effect', async () => {
    const anna = await chat.staff('anna');
    const console = await chat.staffChannel(anna);
    console.send({ type: 'ack', items: [{ session_id: 999_999_999, last_id: 5 }] });
    const customer = await chat.customer();
    const message = await customer.post('x');
    console.send({ type: 'ack', items: [{ session_id: customer.sessionId, last_id: message.id + 1_000_000 }] });
    await console.roundTrip();
    expect(console.closeEvent).toBeUndefined();
  });
});

describe('operations', () => {
  test('[OPS1] [OPS2] healthz and readyz', async () => {
    if (chat.kind === 'url') return;
    for (const path of ['/healthz', '/readyz']) {
      const answer = await chat.http.get(path);
      // nginx of the stack does not route the services' own health pages.
      if (chat.kind === 'stack') continue;
      expect(answer.status, path).toBe(200);
      expect(answer.text).not.toMatch(/:\/\/[^/\s]*:[^/\s]*@/);
    }
  });

  test('[OPS3] [OPS4] metrics: names begin with chat_, no ids in labels; on the public port only by their token', async () => {
    expect((await chat.http.get('/metrics')).status).toBeGreaterThanOrEqual(400);
    if (chat.kind !== 'standalone') return;
    const answer = await chat.http.get('/metrics', { token: SECRETS.metrics });
    expect(answer.status).toBe(200);
    for (const name of ['chat_active_connections', 'chat_dispatch_errors_total', 'chat_ws_ping_latency_seconds'])
      expect(answer.text).toContain(name);
    const names = [...answer.text.matchAll(/^([a-zA-Z_:][\w:]*)/gm)].map((match) => match[1] ?? '');
    for (const name of names) expect(name).toMatch(/^(chat|process|nodejs)_/);
    expect(answer.text).not.toMatch(/(session|user)(_id)?="/);
  });
});
