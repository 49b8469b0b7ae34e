import { callbackResponseSchema, type CallbackStaff, callbacksResponseSchema } from '@chat-realtime/protocol';
import { type Customer, query } from '@chat-realtime/testkit';
import { describe, expect, test } from 'vitest';
import { useChat } from '../../support/chat.ts';
import { expectError } from '../../support/expect-error.ts';

const chat = await useChat('main');

async function request(json: Record<string, unknown>, token?: string): Promise<CallbackStaff['id']> {
  const answer = await chat.http.post('/chat/callback', { json: { consent: true, ...json }, token });
  expect(answer.status, answer.text).toBe(201);
  const body: unknown = answer.json();
  const id =
    typeof body === 'object' &&
    body !== null &&
    'callback' in body &&
    typeof body.callback === 'object' &&
    body.callback !== null &&
    'id' in body.callback
      ? body.callback.id
      : undefined;
  if (typeof id !== 'number') throw new Error(`no callback id in ${answer.text}`);
  return id;
}

async function find(id: number): Promise<CallbackStaff> {
  const anna = await chat.staff('anna');
  let page: string | undefined;
  for (;;) {
    const answer = (await anna.request('GET', `/chat/callbacks${query({ page, limit: 100 })}`)).as(
      callbacksResponseSchema,
    );
    const found = answer.callbacks.find((callback) => callback.id === id);
    if (found !== undefined) return found;
    if (answer.next_page === null) throw new Error(`callback ${id} is not in the list`);
    page = answer.next_page;
  }
}

async function patch(id: number, json: Record<string, unknown>) {
  const anna = await chat.staff('anna');
  return anna.request('PATCH', `/chat/callbacks/${id}`, { json });
}

const sessionRequest = (customer: Customer): Record<string, unknown> => ({
  phone: '+493012345678',
  session_id: customer.sessionId,
});

describe('callback requests', () => {
  test.each([
    ['+49 (30) 123-456.78', '+493012345678'],
    ['+1 202 555 0123', '+12025550123'],
    ['+7 (999) 123-45-67', '+79991234567'],
  ])('[CB2] %s is normalised to %s', async (phone, normalised) => {
    const id = await request({ phone, name: 'Caller', comment: 'please' });
    expect(await find(id)).toMatchObject({
      phone: normalised,
      name: 'Caller',
      comment: 'please',
      session_id: null,
      status: 'new',
    });
  });

  test.each([
    'abc',
    '',
    '+',
    '+0123456',
    '123',
    '+123456789012345678',
    '+49 30 abc',
    '+4930;ext=1',
    null,
    7,
    ['+493012345678'],
  ])('[CB2] [ERR4] %j is no phone: 422', async (phone) => {
    expectError(await chat.http.post('/chat/callback', { json: { phone, consent: true } }), 'validation_failed');
  });

  test.each([{}, { consent: false }, { consent: null }, { consent: { version: '1', accepted: false } }])(
    '[CB8] without consent (%j) it is 422',
    async (more) => {
      expectError(
        await chat.http.post('/chat/callback', { json: { phone: '+493012345678', ...more } }),
        'validation_failed',
      );
    },
  );

  test.each([
    { preferred_at: 'tomorrow' },
    { preferred_at: '2026-01-01T10:00:00' },
    { preferred_at: 5 },
    { name: 'x'.repeat(201) },
    { comment: 'x'.repeat(2_001) },
    { session_id: 'x' },
    { session_id: 1.5 },
  ])('[CB1] [ERR4] a bad field is 422: %j', async (more) => {
    expectError(
      await chat.http.post('/chat/callback', { json: { phone: '+493012345678', consent: true, ...more } }),
      'validation_failed',
    );
  });

  test('[CB1] with a session the token must match it', async () => {
    const customer = await chat.customer();
    const other = await chat.customer();
    const json = { ...sessionRequest(customer), consent: true };
    expectError(await chat.http.post('/chat/callback', { json }), 'missing_credentials');
    expectError(await chat.http.post('/chat/callback', { json, token: other.token }), 'bad_token');
    expectError(
      await chat.http.post('/chat/callback', { json: { ...json, session_id: 999_999_999 }, token: customer.token }),
      'bad_token',
    );
    await request(sessionRequest(customer), customer.token);
  });

  test('[CB3] [EVT4] the session has an event with a seq, and callback_pending until done', async () => {
    const customer = await chat.customer();
    const preferred_at = new Date(Date.now() + 3_600_000).toISOString();
    const id = await request({ ...sessionRequest(customer), preferred_at }, customer.token);
    expect((await customer.session()).callback_pending).toBe(true);
    const { events } = await customer.events();
    const event = events.at(-1);
    expect(event).toMatchObject({ type: 'chat.callback', seq: 2, data: { id, status: 'new' } });
    expect(event?.type === 'chat.callback' ? Date.parse(event.data.preferred_at ?? '') : 0).toBe(
      Date.parse(preferred_at),
    );
    for (const status of ['assigned', 'calling', 'done']) expect((await patch(id, { status })).status).toBe(200);
    expect((await customer.session()).callback_pending).toBe(false);
    const statuses = (await customer.events()).events.flatMap((one) =>
      one.type === 'chat.callback' ? [one.data.status] : [],
    );
    expect(statuses).toEqual(['new', 'assigned', 'calling', 'done']);
  });

  test('[CB3] cancelled ends callback_pending too, no_answer does not', async () => {
    const customer = await chat.customer();
    const id = await request(sessionRequest(customer), customer.token);
    for (const status of ['calling', 'no_answer']) expect((await patch(id, { status })).status, status).toBe(200);
    expect((await customer.session()).callback_pending).toBe(true);
    await patch(id, { status: 'cancelled' });
    expect((await customer.session()).callback_pending).toBe(false);
  });

  test('[CB5] impossible steps are 409, and new → calling assigns the caller', async () => {
    const anna = await chat.staff('anna');
    const id = await request({ phone: '+493012345678' });
    for (const status of ['done', 'no_answer']) expectError(await patch(id, { status }), 'invalid_transition');
    const calling = (await patch(id, { status: 'calling' })).as(callbackResponseSchema).callback;
    expect(calling).toMatchObject({ status: 'calling', assigned_user_id: anna.userId });
    expect((await patch(id, { status: 'no_answer' })).status).toBe(200);
    expect((await patch(id, { status: 'calling' })).status).toBe(200);
    const done = (await patch(id, { status: 'done', result: 'sold' })).as(callbackResponseSchema).callback;
    expect(done).toMatchObject({ status: 'done', result: 'sold' });
    for (const status of ['new', 'assigned', 'calling', 'cancelled'])
      expectError(await patch(id, { status }), 'invalid_transition');
  });

  test('[CB4] the list filters and pages; unknown ids are 404, bad patches 422', async () => {
    const anna = await chat.staff('anna');
    const ids = [await request({ phone: '+493012345671' }), await request({ phone: '+493012345672' })];
    await patch(ids[0] ?? 0, { status: 'cancelled' });
    const cancelled = (await anna.request('GET', '/chat/callbacks?status=cancelled&limit=500')).as(
      callbacksResponseSchema,
    ).callbacks;
    expect(cancelled.map((callback) => callback.id)).toContain(ids[0]);
    expect(cancelled.every((callback) => callback.status === 'cancelled')).toBe(true);
    const seen: number[] = [];
    let page: string | undefined;
    do {
      const answer = (await anna.request('GET', `/chat/callbacks${query({ limit: 1, page })}`)).as(
        callbacksResponseSchema,
      );
      expect(answer.callbacks.length).toBeLessThanOrEqual(1);
      seen.push(...answer.callbacks.map((callback) => callback.id));
      page = answer.next_page ?? undefined;
    } while (page !== undefined);
    expect(new Set(seen).size).toBe(seen.length);
    expect(seen).toEqual(expect.arrayContaining(ids));
    expectError(await patch(999_999_999, { status: 'done' }), 'not_found');
    for (const json of [{ status: 'weird' }, { status: 5 }, { preferred_at: 'x' }, { assigned_user_id: '' }]) {
      expectError(await patch(ids[1] ?? 0, json), 'validation_failed');
    }
    expectError(await anna.request('GET', '/chat/callbacks?page=zzz'), 'validation_failed');
  });

  test('[CB6] [EVT7] staff receive every change, on the channel and in the feed', async () => {
    const anna = await chat.staff('anna');
    const start = await anna.feedHead();
    const console = await chat.staffChannel(anna);
    const id = await request({ phone: '+493012345678', comment: 'after six' });
    await patch(id, { status: 'assigned' });
    await patch(id, { result: 'asked again' });
    await console.waitFor(
      (frame) =>
        frame.type === 'chat.callback.staff' && frame.data['id'] === id && frame.data['result'] === 'asked again',
    );
    const frames = console.frames.filter((frame) => frame.type === 'chat.callback.staff' && frame.data['id'] === id);
    expect(frames).toHaveLength(3);
    for (const frame of frames) {
      expect(frame.seq).toBeNull();
      expect(frame.session_id).toBeNull();
      expect(frame.data['phone']).toBe('+493012345678');
    }
    expect(new Set(frames.map((frame) => frame.feed_id)).size).toBe(3);
    const { events } = await anna.feedAfter(start);
    expect(events.filter((event) => event.type === 'chat.callback.staff' && event.data.id === id)).toHaveLength(3);
  });

  test('[CB7] due at preferred_at, else two hours after the request', async () => {
    const callback = await find(await request({ phone: '+493012345678' }));
    expect(Math.abs(Date.parse(callback.due_at) - Date.parse(callback.created_at) - 7_200_000)).toBeLessThan(1_000);
    const preferred_at = '2031-05-05T10:00:00+03:00';
    expect(Date.parse((await find(await request({ phone: '+493012345678', preferred_at }))).due_at)).toBe(
      Date.parse(preferred_at),
    );
  });
});

describe('notes', () => {
  test("[NOTE1] [NOTE2] notes are staff's own, ascending, without a seq", async () => {
    const customer = await chat.customer();
    const [anna, boris] = [await chat.staff('anna'), await chat.staff('boris')];
    const console = await chat.staffChannel(boris);
    const channel = await chat.channel(customer);
    const first = await anna.note(customer.sessionId, 'first <b>note</b>');
    await boris.note(customer.sessionId, 'second');
    expect(first).toMatchObject({ author_id: anna.userId, session_id: customer.sessionId, body: 'first <b>note</b>' });
    expect((await boris.notes(customer.sessionId)).map((note) => note.body)).toEqual(['first <b>note</b>', 'second']);
    const frame = await console.waitFor((one) => one.type === 'chat.note' && one.data['id'] === first.id);
    expect(frame).toMatchObject({ seq: null, session_id: customer.sessionId });
    expect(frame.feed_id).toBeGreaterThan(0);
    await channel.roundTrip();
    expect(channel.frames.map((one) => one.raw).join()).not.toContain('note');
    expect((await customer.session()).last_seq).toBe(1);
  });

  test.each([{ body: '' }, { body: '  ' }, { body: 'x'.repeat(10_001) }, { body: 5 }, {}])(
    '[NOTE1] [ERR8] a bad note is 422: %j',
    async (json) => {
      const customer = await chat.customer();
      const anna = await chat.staff('anna');
      expectError(await anna.request('POST', `${customer.path}/notes`, { json }), 'validation_failed');
      expect(await anna.notes(customer.sessionId)).toEqual([]);
    },
  );
});
