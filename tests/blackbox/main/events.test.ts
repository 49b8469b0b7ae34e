import { noteSchema } from '@chat-realtime/protocol';
import { type Customer, staffEventKey } from '@chat-realtime/testkit';
import { describe, expect, test } from 'vitest';
import { useChat } from '../../support/chat.ts';
import { expectError } from '../../support/expect-error.ts';

const chat = await useChat('main');

/** A session in which one of each durable event stands. */
async function eventfulSession(): Promise<Customer> {
  const customer = await chat.customer({ name: 'Private Name', email: 'private@example.com' });
  const anna = await chat.staff('anna');
  await customer.post('question');
  await anna.act(customer.sessionId, 'assign');
  await anna.post(customer.sessionId, 'answer');
  await anna.note(customer.sessionId, 'secret note');
  const callback = await chat.http.post('/chat/callback', {
    token: customer.token,
    json: {
      phone: '+4917099887766',
      name: 'Callback Name',
      comment: 'secret comment',
      session_id: customer.sessionId,
      consent: true,
    },
  });
  expect(callback.status).toBe(201);
  await anna.act(customer.sessionId, 'close');
  return customer;
}

describe('events of a session', () => {
  test('[EVT1] [EVT4] one dense sequence of messages and changes of state', async () => {
    const customer = await eventfulSession();
    const { events, last_seq, has_more } = await customer.events();
    expect(events.map((event) => event.seq)).toEqual([1, 2, 3, 4, 5, 6, 7]);
    expect(events.map((event) => event.type)).toEqual([
      'chat.session.created',
      'chat.message',
      'chat.session.assigned',
      'chat.session.status',
      'chat.message',
      'chat.callback',
      'chat.session.status',
    ]);
    expect(events.every((event) => event.session_id === customer.sessionId)).toBe(true);
    expect([last_seq, has_more]).toEqual([7, false]);
    const [created] = events;
    expect(created?.type === 'chat.session.created' ? created.data.session : undefined).toMatchObject({
      id: customer.sessionId,
      status: 'new',
      assigned_user_id: null,
    });
  });

  test('[EVT2] pages by after_seq; last_seq is always the head', async () => {
    const customer = await eventfulSession();
    const seen: number[] = [];
    let after = 0;
    for (;;) {
      const page = await customer.events({ after_seq: after, limit: 2 });
      expect(page.last_seq).toBe(7);
      expect(page.events.length).toBeLessThanOrEqual(2);
      seen.push(...page.events.map((event) => event.seq));
      after = page.events.at(-1)?.seq ?? after;
      if (!page.has_more) break;
    }
    expect(seen).toEqual([1, 2, 3, 4, 5, 6, 7]);
    expect(await customer.events({ after_seq: 7 })).toEqual({ events: [], last_seq: 7, has_more: false });
  });

  test('[EVT3] a cursor beyond the head is 409 cursor_ahead', async () => {
    const customer = await eventfulSession();
    expectError(await customer.request('GET', '/events?after_seq=8'), 'cursor_ahead');
    expectError(await customer.request('GET', '/events?after_seq=9007199254740991'), 'cursor_ahead');
  });

  test('[EVT6] [NOTE2] the customer never sees contact, notes, phone, comment or subscribers', async () => {
    const customer = await eventfulSession();
    const channel = await chat.channel(customer, { lastSeq: 0 });
    await channel.waitFor((frame) => frame.seq === 7);
    const texts = [
      (await customer.request('GET', '/events')).text,
      (await customer.request('GET', '/messages')).text,
      (await customer.request('GET', '')).text,
      (await chat.poll(customer).request({ last_seq: 0 })).text,
      channel.frames.map((frame) => frame.raw).join('\n'),
    ];
    for (const text of texts) {
      for (const hidden of [
        'Private Name',
        'private@',
        'secret',
        '+491709',
        'Callback Name',
        'subscribers',
        'contact',
        'chat.note',
        'feed_id',
      ]) {
        expect(text).not.toContain(hidden);
      }
    }
  });

  test('[EVT2] [EVT5] the same events for every observer and transport', async () => {
    const customer = await eventfulSession();
    const anna = await chat.staff('anna');
    const { events } = await customer.events();
    const channel = await chat.channel(customer, { lastSeq: 0 });
    await channel.waitFor((frame) => frame.seq === 7);
    expect(channel.log.durable().map((frame) => JSON.parse(frame.raw))).toEqual(events);
    const sse = await chat.sseChannel(customer, { lastSeq: 0 });
    await sse.waitFor((frame) => frame.seq === 7);
    expect(sse.log.durable().map((frame) => frame.raw)).toEqual(channel.log.durable().map((frame) => frame.raw));
    expect((await chat.poll(customer).poll({ last_seq: 0 })).events).toEqual(events);
    const staffView = (await anna.request('GET', `${customer.path}/events`)).json();
    expect(staffView).toMatchObject({ last_seq: 7 });
    const feed = (await anna.feedAfter(undefined)).events.filter(
      (event) => event.session_id === customer.sessionId && event.seq !== null,
    );
    expect(feed.map((event) => event.seq)).toEqual([1, 2, 3, 4, 5, 6, 7]);
    for (const [index, event] of feed.entries()) expect(event.data).toMatchObject({ ...events[index]?.data });
    expect(feed.map((event) => event.type)).toEqual([
      'chat.session.created',
      'chat.message.client',
      'chat.session.assigned',
      'chat.session.status',
      'chat.message',
      'chat.callback',
      'chat.session.status',
    ]);
  });

  test('[EVT8] all times have an offset', async () => {
    const customer = await eventfulSession();
    const text = (await customer.request('GET', '/events')).text + (await customer.request('GET', '')).text;
    const times = [...text.matchAll(/"(\d{4}-\d\d-\d\dT[^"]+)"/g)].map((match) => match[1] ?? '');
    expect(times.length).toBeGreaterThan(3);
    for (const time of times) {
      expect(time).toMatch(/(Z|[+-]\d\d:\d\d)$/);
      expect(Math.abs(Date.parse(time) - Date.now())).toBeLessThan(120_000);
    }
  });

  test('[EVT1] concurrent writers of one session leave no gap and no duplicate', async () => {
    const customer = await chat.customer();
    const staff = [await chat.staff('anna'), await chat.staff('boris')];
    await Promise.all(
      Array.from({ length: 40 }, (_, index) => {
        const one = staff[index % 2];
        return index % 4 < 2 || one === undefined
          ? customer.post(`c${index}`)
          : one.post(customer.sessionId, `s${index}`);
      }),
    );
    const { events } = await customer.events();
    // Created, forty messages, and the assignment and status of whoever answered first.
    expect(events.map((event) => event.seq)).toEqual(Array.from({ length: 43 }, (_, index) => index + 1));
    const ids = events.flatMap((event) => (event.type === 'chat.message' ? [event.data.id] : []));
    expect(ids).toEqual([...ids].sort((a, b) => a - b));
  });
});

describe('staff feed', () => {
  test('[FEED1] [FEED2] from the beginning, every event once, in the order of each session', async () => {
    const customer = await eventfulSession();
    const anna = await chat.staff('anna');
    const { events } = await anna.feedAfter(undefined, 50);
    const keys = events.map(staffEventKey);
    expect(new Set(keys).size).toBe(keys.length);
    // One dense sequence, and each event's number is the cursor after it.
    expect(events.map((event) => event.feed_seq)).toEqual(events.map((_, index) => index + 1));
    expect(events.map((event) => event.cursor)).toEqual(events.map((event) => String(event.feed_seq)));
    const perSession = new Map<number, number>();
    for (const event of events) {
      if (event.seq === null || event.session_id === null) continue;
      expect(event.seq).toBe((perSession.get(event.session_id) ?? 0) + 1);
      perSession.set(event.session_id, event.seq);
    }
    expect(perSession.get(customer.sessionId)).toBe(7);
  });

  test('[EVT7] notes and staff’s callbacks are in the feed without a seq', async () => {
    const anna = await chat.staff('anna');
    const before = await anna.feedHead();
    const customer = await eventfulSession();
    const { events } = await anna.feedAfter(before);
    const mine = events.filter((event) => event.session_id === customer.sessionId && event.seq === null);
    expect(mine.map((event) => event.type).sort()).toEqual(
      expect.arrayContaining(['chat.callback.staff', 'chat.note']),
    );
    const note = mine.find((event) => event.type === 'chat.note');
    expect(noteSchema.parse(note?.data).body).toBe('secret note');
    const callback = mine.find((event) => event.type === 'chat.callback.staff');
    expect(callback?.data).toMatchObject({ phone: '+4917099887766', name: 'Callback Name', comment: 'secret comment' });
    const created = events.find(
      (event) => event.type === 'chat.session.created' && event.session_id === customer.sessionId,
    );
    expect(created?.data).toMatchObject({ contact: { name: 'Private Name', email: 'private@example.com' } });
  });

  test('[FEED2] a reader that follows the cursor while many write misses nothing', async () => {
    const anna = await chat.staff('anna');
    const start = await anna.feedHead();
    const customers = await Promise.all(Array.from({ length: 6 }, () => chat.customer()));
    let writing = true;
    const seen = new Set<string>();
    const read = async (): Promise<void> => {
      let cursor = start;
      for (;;) {
        const last = !writing;
        const page = await anna.feed({ after: cursor, limit: 7 });
        for (const event of page.events) {
          const key = staffEventKey(event);
          expect(seen.has(key), `${key} came twice`).toBe(false);
          seen.add(key);
        }
        cursor = page.cursor;
        if (last && !page.has_more && page.events.length === 0) return;
      }
    };
    const reader = read();
    await Promise.all(
      customers.map(async (customer) => {
        for (let index = 0; index < 15; index += 1) await customer.post(`f${index}`);
      }),
    );
    writing = false;
    await reader;
    for (const customer of customers) {
      for (let seq = 1; seq <= 16; seq += 1) expect(seen.has(`${customer.sessionId}:${seq}`)).toBe(true);
    }
  });

  test.each(['abc', '1e3', '1.2.3', '-1.5', '1.x', ' 1.2', '', '999999999999999999999.1', "1.1'"])(
    '[FEED3] a malformed cursor (%s) is 422',
    async (cursor) => {
      const anna = await chat.staff('anna');
      expectError(await anna.request('GET', `/chat/feed?after=${encodeURIComponent(cursor)}`), 'validation_failed');
    },
  );

  test('[FEED3] a cursor beyond the feed is 409', async () => {
    const anna = await chat.staff('anna');
    const head = await anna.feedHead();
    expectError(await anna.request('GET', '/chat/feed?after=999999999999'), 'cursor_ahead');
    // Version 0.1 gave out such ones.
    expectError(await anna.request('GET', '/chat/feed?after=735.12'), 'cursor_unknown');
    expect((await anna.feed({ after: head, limit: 1 })).events).toEqual([]);
  });

  test('[INB6] the feed after feed_cursor has what the inbox did not yet include', async () => {
    const anna = await chat.staff('anna');
    const { feed_cursor } = await anna.sessions({ limit: 1 });
    const customer = await chat.customer();
    await customer.post('after the inbox');
    const { events } = await anna.feedAfter(feed_cursor);
    expect(events.filter((event) => event.session_id === customer.sessionId).map((event) => event.seq)).toEqual([1, 2]);
  });
});
