import {
  callbackResponseSchema,
  callbacksResponseSchema,
  createSessionResponseSchema,
  customerCallbackResponseSchema,
  eventsResponseSchema,
  feedResponseSchema,
  sessionSchema,
} from '@chat-realtime/protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ChatUnderTest } from '../../test/chat-under-test.ts';

let chat: ChatUnderTest;
let anna: string;
let boris: string;
describe('on postgres', () => {
  beforeAll(async () => {
    chat = await ChatUnderTest.start();
    [anna, boris] = await Promise.all([chat.staff('anna'), chat.staff('boris')]);
  });
  afterAll(() => chat.stop());

  async function newSession() {
    return (await chat.call('POST', '/chat/session', { body: {} })).as(createSessionResponseSchema);
  }
  const PHONE = '8 (999) 123-45-67';
  const ask = (body: object, token?: string) =>
    chat.call('POST', '/chat/callback', { token, body: { phone: PHONE, consent: true, ...body } });
  const patch = (token: string, id: number, body: object) =>
    chat.call('PATCH', `/chat/callbacks/${id}`, { token, body });

  describe('callback requests', () => {
    it('[CB1] [CB2] [CB7] need no token without a session; the phone number is normalised; they are due in two hours', async () => {
      const answer = await ask({ name: 'Пётр', comment: 'после обеда' });
      expect(answer.status).toBe(201);
      const { callback } = answer.as(customerCallbackResponseSchema);
      expect(answer.text).not.toContain('999');
      const { callbacks } = (await chat.call('GET', '/chat/callbacks', { token: anna })).as(callbacksResponseSchema);
      const row = callbacks.find(({ id }) => id === callback.id);
      expect(row).toMatchObject({
        phone: '+79991234567',
        name: 'Пётр',
        comment: 'после обеда',
        status: 'new',
        session_id: null,
      });
      expect(Date.parse(row?.due_at ?? '') - Date.parse(row?.created_at ?? '')).toBeCloseTo(7_200_000, -4);
    });

    it('[CB2] an extension is put into the comment, as operators write it', async () => {
      const { callback } = (await ask({ phone: '8 (999) 123-45-67 доб. 12' })).as(customerCallbackResponseSchema);
      const { callbacks } = (await chat.call('GET', '/chat/callbacks', { token: anna })).as(callbacksResponseSchema);
      expect(callbacks.find(({ id }) => id === callback.id)).toMatchObject({
        phone: '+79991234567',
        comment: 'доб. 12',
      });
    });

    it('[CB3] [EVT6] [EVT7] in a session show the customer their state, and only staff the phone number', async () => {
      const { session, token } = await newSession();
      const preferred = '2030-01-02T10:00:00+03:00';
      const { callback } = (
        await ask({ session_id: session.id, preferred_at: preferred, comment: 'секрет' }, token)
      ).as(customerCallbackResponseSchema);
      expect(callback).toEqual({ id: callback.id, status: 'new', preferred_at: '2030-01-02T07:00:00.000Z' });
      const events = await chat.call('GET', `/chat/session/${session.id}/events?after_seq=1`, { token });
      expect(events.as(eventsResponseSchema).events).toEqual([
        { type: 'chat.callback', session_id: session.id, seq: 2, data: { ...callback, callback_pending: true } },
      ]);
      expect(events.text).not.toMatch(/999|секрет/);
      expect(
        (await chat.call('GET', `/chat/session/${session.id}`, { token })).as(sessionSchema).callback_pending,
      ).toBe(true);
      await chat.stamp();
      const { events: feed } = (await chat.call('GET', '/chat/feed?limit=500', { token: anna })).as(feedResponseSchema);
      const staffEvent = feed.find((event) => event.type === 'chat.callback.staff' && event.session_id === session.id);
      expect(staffEvent).toMatchObject({
        seq: null,
        data: { phone: '+79991234567', due_at: '2030-01-02T07:00:00.000Z' },
      });
    });

    it('[CB1] need a matching token with a session', async () => {
      const { session } = await newSession();
      const other = await newSession();
      expect((await ask({ session_id: session.id })).code).toBe('missing_credentials');
      expect((await ask({ session_id: session.id }, other.token)).code).toBe('bad_token');
      expect((await ask({ session_id: session.id }, anna)).code).toBe('bad_token');
      expect((await ask({ session_id: 999_999 }, other.token)).code).toBe('bad_token');
    });

    it.each([
      [{ phone: 'call me' }],
      [{ phone: '+7 123' }],
      [{ phone: '' }],
      [{ consent: false }],
      [{ consent: undefined }],
      [{ preferred_at: 'tomorrow' }],
      [{ comment: 'a\u0000' }],
      [{ session_id: 'x' }],
    ])('[CB2] [CB8] %j is 422', async (body) => {
      expect((await ask(body)).code).toBe('validation_failed');
    });

    it('[CB4] [CB5] [CB6] are taken, called and completed, and the customer learns of each step', async () => {
      const { session, token } = await newSession();
      const { callback } = (await ask({ session_id: session.id }, token)).as(customerCallbackResponseSchema);
      const states = [];
      for (const body of [
        { status: 'assigned' },
        { status: 'calling' },
        { status: 'no_answer' },
        { status: 'calling' },
        { status: 'done', result: 'договорились' },
      ]) {
        states.push((await patch(anna, callback.id, body)).as(callbackResponseSchema).callback);
      }
      expect(states.at(-1)).toMatchObject({ status: 'done', assigned_user_id: 'anna', result: 'договорились' });
      const events = await chat.call('GET', `/chat/session/${session.id}/events?after_seq=2`, { token });
      expect(events.as(eventsResponseSchema).events.map(({ data }) => ('status' in data ? data.status : ''))).toEqual([
        'assigned',
        'calling',
        'no_answer',
        'calling',
        'done',
      ]);
      expect(events.text).not.toContain('договорились');
      expect(
        (await chat.call('GET', `/chat/session/${session.id}`, { token })).as(sessionSchema).callback_pending,
      ).toBe(false);
      expect((await patch(anna, callback.id, { status: 'calling' })).code).toBe('invalid_transition');
    });

    it('[CB3] each event says whether the session, which may have two requests, still has an open one', async () => {
      const { session, token } = await newSession();
      const ids: number[] = [];
      for (let count = 0; count < 2; count += 1) {
        const answer = await ask({ session_id: session.id }, token);
        ids.push(answer.as(customerCallbackResponseSchema).callback.id);
      }
      for (const id of ids) await patch(anna, id, { status: 'cancelled' });
      const told = (await chat.call('GET', `/chat/session/${session.id}/events`, { token })).as(eventsResponseSchema);
      const calls = told.events.flatMap((event) => (event.type === 'chat.callback' ? [event.data] : []));
      expect(calls.map(({ status, callback_pending: pending }) => [status, pending])).toEqual([
        ['new', true],
        ['new', true],
        ['cancelled', true],
        ['cancelled', false],
      ]);
    });

    it('[CB5] new → calling assigns the caller, and a colleague cannot call as well', async () => {
      const { callback } = (await ask({})).as(customerCallbackResponseSchema);
      expect((await patch(boris, callback.id, { status: 'done' })).code).toBe('invalid_transition');
      const racing = await Promise.all([
        patch(anna, callback.id, { status: 'calling' }),
        patch(boris, callback.id, { status: 'calling' }),
      ]);
      expect(racing.map(({ status }) => status).toSorted()).toEqual([200, 409]);
      expect(racing.find(({ status }) => status === 409)?.code).toBe('already_assigned');
      const winner = racing[0].status === 200 ? anna : boris;
      expect((await patch(winner, callback.id, { status: 'calling' })).status).toBe(200);
    });

    it('[TG31] each change names the person who made it, even without a session', async () => {
      const { callback } = (await ask({})).as(customerCallbackResponseSchema);
      await patch(boris, callback.id, { status: 'assigned' });
      await patch(anna, callback.id, { status: 'cancelled' });
      const changes = await chat.database.kysely
        .selectFrom('chat_event')
        .select('actor_id')
        .where('type', '=', 'chat.callback.staff')
        .orderBy('id', 'desc')
        .limit(3)
        .execute();
      expect(changes.map(({ actor_id: by }) => by)).toEqual(['anna', 'boris', null]);
    });

    it('[CB4] [CB6] setting preferred_at moves due_at; a patch that changes nothing publishes no event', async () => {
      const { session, token } = await newSession();
      const { callback } = (await ask({ session_id: session.id }, token)).as(customerCallbackResponseSchema);
      const moved = (await patch(anna, callback.id, { preferred_at: '2031-05-05T12:00:00Z' })).as(
        callbackResponseSchema,
      ).callback;
      expect(moved).toMatchObject({ status: 'new', due_at: '2031-05-05T12:00:00.000Z' });
      await patch(anna, callback.id, { preferred_at: '2031-05-05T12:00:00Z' });
      await patch(anna, callback.id, {});
      await patch(anna, callback.id, { result: 'заметка' });
      const { last_seq } = (await chat.call('GET', `/chat/session/${session.id}/events`, { token })).as(
        eventsResponseSchema,
      );
      expect(last_seq).toBe(3);
    });

    it('[CB4] the list filters and pages; unknown ids are 404', async () => {
      await ask({});
      const all = (await chat.call('GET', '/chat/callbacks?limit=500', { token: anna })).as(callbacksResponseSchema);
      const seen: number[] = [];
      for (let page: string | null = ''; page !== null; ) {
        const answer: ReturnType<typeof callbacksResponseSchema.parse> = (
          await chat.call('GET', `/chat/callbacks?limit=2${page === '' ? '' : `&page=${page}`}`, { token: anna })
        ).as(callbacksResponseSchema);
        seen.push(...answer.callbacks.map(({ id }) => id));
        page = answer.next_page;
      }
      expect(seen).toEqual(all.callbacks.map(({ id }) => id));
      const open = (await chat.call('GET', '/chat/callbacks?status=new,assigned', { token: anna })).as(
        callbacksResponseSchema,
      );
      expect(new Set(open.callbacks.map(({ status }) => status))).toEqual(new Set(['new']));
      for (const query of ['status=odd', 'page=x', 'limit=501'])
        expect((await chat.call('GET', `/chat/callbacks?${query}`, { token: anna })).status).toBe(422);
      for (const id of ['999999', 'x', '0'])
        expect((await chat.call('PATCH', `/chat/callbacks/${id}`, { token: anna, body: {} })).code).toBe('not_found');
      expect((await patch(anna, all.callbacks[0]?.id ?? 0, { status: 'odd' })).status).toBe(422);
    });

    it("[ASG10] an operator who sees only their own is not shown a colleague's", async () => {
      const { session, token } = await newSession();
      const { callback } = (await ask({ session_id: session.id }, token)).as(customerCallbackResponseSchema);
      await chat.call('POST', `/chat/session/${session.id}/assign`, { token: anna });
      const narrow = await chat.staff('narrow', { scope: 'assigned' });
      expect((await patch(narrow, callback.id, { status: 'assigned' })).code).toBe('not_found');
      const { callbacks } = (await chat.call('GET', '/chat/callbacks?limit=500', { token: narrow })).as(
        callbacksResponseSchema,
      );
      expect(callbacks.map(({ id }) => id)).not.toContain(callback.id);
      expect(callbacks.length).toBeGreaterThan(0);
    });
  });
});
