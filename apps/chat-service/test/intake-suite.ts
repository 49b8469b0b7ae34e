import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { admin, story } from './harness.ts';
import type { UseCases } from './use-cases.ts';

/** A source of events: from the place where the site puts them to the ledger. */
export interface SourceUnderTest {
  readonly chat: UseCases;
  /** Publishes as the site does; settles when the ledger has decided on all of them. */
  give(...events: readonly Record<string, unknown>[]): Promise<void>;
  /** How many of the events so far were refused for good. */
  refused(): Promise<number>;
  stop(): Promise<void>;
}

export function message(sessionId: number | string, id: number | string, more: Record<string, unknown> = {}) {
  const { body = `text ${id}`, ...rest } = more;
  return {
    type: 'chat.message',
    session_id: sessionId,
    data: { id, sender_type: 'client', body, created_at: '2026-01-10T12:00:00+03:00', ...rest },
  };
}
export const assigned = (sessionId: number, to: string | number | null, more = {}) => ({
  type: 'chat.session.assigned',
  session_id: sessionId,
  data: { assigned_user_id: to, ...more },
});
export const status = (sessionId: number, name: string, more = {}) => ({
  type: 'chat.session.status',
  session_id: sessionId,
  data: { status: name, ...more },
});

/** What every source must do with events in wire format, whatever delivers them. */
export function intakeSuite(name: string, start: () => Promise<SourceUnderTest>): void {
  describe(`events from ${name}`, () => {
    let source: SourceUnderTest;
    let session = 100;
    beforeAll(async () => {
      source = await start();
    });
    afterAll(() => source?.stop());
    const next = () => (session += 1);
    const eventsOf = async (id: number) => (await source.chat.events(admin, id, { afterSeq: 0, limit: 500 })).events;

    it('[BES1] stores a message under the site’s ids, with the next seq, in a shell of its session', async () => {
      const id = next();
      await source.give(message(id, 9001), message(id, 9002, { sender_type: 'operator', sender_id: 7 }));
      const events = await eventsOf(id);
      expect(events.map(({ seq, type }) => [seq, type])).toEqual([
        [1, 'chat.message'],
        [2, 'chat.message'],
      ]);
      expect(events[0]?.data).toEqual({
        id: 9001,
        sender_type: 'client',
        sender_id: null,
        sender_name: null,
        body: 'text 9001',
        attachments: [],
        created_at: '2026-01-10T09:00:00.000Z',
        client_message_id: null,
      });
      expect(events[1]?.data).toMatchObject({ id: 9002, sender_type: 'operator', sender_id: '7' });
    });

    it('[BES2] stores an event once, by its message_id or by its type and id, whenever it comes again', async () => {
      const id = next();
      const named = { ...status(id, 'active'), message_id: `status-${id}` };
      await source.give(message(id, 1), message(id, 1), named, named);
      await source.give(named, message(id, 2), message(id, 1), { ...message(id, 2), message_id: `again-${id}` });
      expect(await story(source.chat, id)).toEqual(['client:text 1', 'new>active:operator', 'client:text 2']);
    });

    it('[BES2] what is known in one session may be new in another', async () => {
      const [one, two] = [next(), next()];
      await source.give(message(one, 5), message(two, 5));
      expect([await story(source.chat, one), await story(source.chat, two)]).toEqual([
        ['client:text 5'],
        ['client:text 5'],
      ]);
    });

    it('[BES3] keeps the order of arrival, whatever the times and ids say', async () => {
      const id = next();
      const early = { created_at: '2025-12-01T00:00:00Z' };
      await source.give(message(id, 30), message(id, 10, early), message(id, 20));
      expect((await eventsOf(id)).map(({ data }) => ('id' in data ? data.id : 0))).toEqual([30, 10, 20]);
      const page = await source.chat.history(admin, id, { beforeId: 20, limit: 1 });
      expect(page.messages.map((found) => found.id)).toEqual([10]);
      const after = await source.chat.history(admin, id, { afterId: 30, limit: 10 });
      expect(after.messages.map((found) => found.id)).toEqual([10, 20]);
    });

    it('[BES4] takes assignment before status and status before assignment', async () => {
      const [one, two] = [next(), next()];
      await source.give(assigned(one, 'anna'), status(one, 'active'));
      await source.give(status(two, 'active'), assigned(two, 12, { assigned_user_name: 'Boris', by: 1 }));
      expect(await story(source.chat, one)).toEqual(['assigned:anna', 'new>active:operator']);
      expect(await story(source.chat, two)).toEqual(['new>active:operator', 'assigned:12']);
      expect(await source.chat.getSession(admin, two)).toMatchObject({
        status: 'active',
        assigned_user_id: '12',
        assigned_user_name: 'Boris',
      });
    });

    it('[BES4] gives back, takes again, and tells whose it was', async () => {
      const id = next();
      await source.give(assigned(id, 'anna'), assigned(id, null), status(id, 'new'), assigned(id, 'boris'));
      expect(await story(source.chat, id)).toEqual([
        'assigned:anna',
        'assigned:null',
        'new>new:operator',
        'assigned:boris',
      ]);
    });

    it('[BES7] has nobody where the site’s assignee is 0 or an empty text', async () => {
      const id = next();
      await source.give(
        { ...message(id, 1), subscribers: { session_id: id, assigned_user_id: 0 } },
        assigned(id, 'anna'),
        assigned(id, 0),
        assigned(id, 'boris'),
        assigned(id, ''),
      );
      expect((await story(source.chat, id)).slice(1)).toEqual([
        'assigned:anna',
        'assigned:null',
        'assigned:boris',
        'assigned:null',
      ]);
      expect(await source.chat.getSession(admin, id)).toMatchObject({ assigned_user_id: null });
    });

    it('[BES5] passes an unknown status through as text', async () => {
      const id = next();
      await source.give(status(id, 'ждёт склад', { reason: 'warehouse' }), message(id, 1));
      expect(await source.chat.getSession(admin, id)).toMatchObject({ status: 'ждёт склад', unread_count: 1 });
      expect((await eventsOf(id))[0]?.data).toEqual({ status: 'ждёт склад', previous: 'new', reason: 'warehouse' });
    });

    it('[BES6] passes an event of an unknown type through with its seq', async () => {
      const id = next();
      const rated = { type: 'shop.order.paid', session_id: id, data: { id: 5, total: { sum: '12.50' } } };
      await source.give(message(id, 1), rated, rated, message(id, 2));
      expect((await eventsOf(id)).map(({ seq, type, data }) => [seq, type, data])[1]).toEqual([
        2,
        rated.type,
        rated.data,
      ]);
      expect(await eventsOf(id)).toHaveLength(3);
    });

    it('[BES7] keeps integer ids, also as text, and gives numbers to all others', async () => {
      const id = next();
      const largest = 4_503_599_627_370_000;
      await source.give(message(String(id), '17'), message(id, 17), message(id, largest), message(id, `m-${id}`));
      const ids = (await eventsOf(id)).map(({ data }) => ('id' in data ? data.id : 0));
      expect(ids.slice(0, 2)).toEqual([17, largest]);
      expect(ids[2]).toBeGreaterThan(2 ** 52);
      expect(ids[2]).toBeLessThan(2 ** 53);
    });

    it('[BES8] refuses what is malformed and stores what stands around it', async () => {
      const id = next();
      const before = await source.refused();
      await source.give(
        message(id, 1),
        message(id, 2, { body: 'x'.repeat(10_001) }),
        message(id, 3, { sender_type: 'robot' }),
        message(id, 4, { body: 'nul \u0000' }),
        message(id, 5, { body: '  ' }),
        message(id, 6, { created_at: '2026-01-10 12:00:00' }),
        { type: 'chat.typing', session_id: id, data: { by: 'client', active: true } },
        { type: 'shop.note', session_id: id, data: { text: 'lone \ud800' } },
        { type: 'shop.large', session_id: id, data: { text: 'x'.repeat(70_000) } },
        { session_id: id, data: {} },
        { ...message(id, 8), type: 'chat.message.sent' },
        { ...status(id, 'active'), type: 'chat.session.updated' },
        message(id, 7),
      );
      expect(await story(source.chat, id)).toEqual(['client:text 1', 'client:text 7']);
      expect((await source.refused()) - before).toBe(11);
    });

    it('[BES9] counts unread and waiting from what the site tells', async () => {
      const id = next();
      await source.give(message(id, 1), message(id, 2));
      expect(await source.chat.getSession(admin, id)).toMatchObject({
        unread_count: 2,
        waiting_since: '2026-01-10T09:00:00.000Z',
      });
      await source.give(message(id, 3, { sender_type: 'operator', sender_id: 'anna' }));
      expect(await source.chat.getSession(admin, id)).toMatchObject({ unread_count: 0, waiting_since: null });
      await source.give(message(id, 4), status(id, 'closed'), message(id, 5));
      expect(await source.chat.getSession(admin, id)).toMatchObject({
        status: 'closed',
        unread_count: 2,
        waiting_since: null,
      });
      await source.give(status(id, 'active'));
      expect((await source.chat.getSession(admin, id)) as object).toMatchObject({
        status: 'active',
        waiting_since: '2026-01-10T09:00:00.000Z',
      });
    });

    it('[BES10] learns a session from its created event, before or after its first message', async () => {
      const id = next();
      const created = {
        type: 'chat.session.created',
        session_id: id,
        data: { session: { id, status: 'new' }, contact: { name: 'Вера', phone: '+7 900 000-00-00' } },
      };
      await source.give(assigned(id, 'anna'), created, created);
      const events = await eventsOf(id);
      expect(events).toHaveLength(2);
      expect(events[1]?.data).toMatchObject({ session: { id, status: 'new', assigned_user_id: 'anna', last_seq: 2 } });
      expect(JSON.stringify(events)).not.toContain('Вера');
      expect(await source.chat.getSession(admin, id)).toMatchObject({ contact: { name: 'Вера' } });
    });

    it('[BES11] knows by the subscribers whose a session is, where no assignment was told', async () => {
      const [one, two] = [next(), next()];
      await source.give({ ...message(one, 1), subscribers: { session_id: one, assigned_user_id: 5 } });
      expect(await source.chat.getSession(admin, one)).toMatchObject({ assigned_user_id: '5' });
      await source.give(assigned(two, 'anna'), { ...message(two, 1), subscribers: { assigned_user_id: 'boris' } });
      expect(await source.chat.getSession(admin, two)).toMatchObject({ assigned_user_id: 'anna' });
    });
  });
}

/** One thing that happens in a site's chat. Each source expresses it in its own form: an event, or rows of tables. */
export type SiteChange =
  /** The chat itself. Without it, later changes belong to an unknown chat. */
  | { readonly kind: 'session' }
  | { readonly kind: 'message'; readonly id: number; readonly body?: string; readonly sender?: 'client' | 'operator' }
  | { readonly kind: 'assigned'; readonly to: string | null }
  | { readonly kind: 'status'; readonly to: string }
  /** A message from a sender of no known kind. */
  | { readonly kind: 'malformed'; readonly id: number }
  /** A message of 20,000 letters. */
  | { readonly kind: 'oversized'; readonly id: number };

export interface SiteUnderTest {
  readonly chat: UseCases;
  /** Settles when the ledger has decided on all of them. */
  apply(session: number, ...changes: readonly SiteChange[]): Promise<void>;
  /** Delivers everything about these sessions once more, byte for byte the same. */
  again(...sessions: readonly number[]): Promise<void>;
  /** How many of the changes so far were refused for good. */
  refused(): Promise<number>;
  stop(): Promise<void>;
}

/** A change as the plain event of a site that publishes. */
export function eventOf(session: number, change: SiteChange): Record<string, unknown> {
  switch (change.kind) {
    case 'session':
      return { type: 'chat.session.created', session_id: session, data: { session: { status: 'new' } } };
    case 'message':
      return message(session, change.id, {
        body: change.body ?? `text ${change.id}`,
        sender_type: change.sender ?? 'client',
      });
    case 'assigned':
      return assigned(session, change.to);
    case 'status':
      return status(session, change.to);
    case 'malformed':
      return message(session, change.id, { sender_type: 'robot' });
    case 'oversized':
      return message(session, change.id, { body: 'x'.repeat(20_000) });
  }
}

/** Every event gets its own message_id, so that the same one can be delivered again. */
export class NumberedEvents {
  readonly #numbered = new Map<number, Record<string, unknown>[]>();
  #count = 0;

  of(session: number, changes: readonly SiteChange[]): Record<string, unknown>[] {
    const events = changes.map((change) => {
      this.#count += 1;
      return { ...eventOf(session, change), message_id: `change-${this.#count}` };
    });
    this.#numbered.set(session, [...(this.#numbered.get(session) ?? []), ...events]);
    return events;
  }

  again(sessions: readonly number[]): Record<string, unknown>[] {
    return sessions.flatMap((session) => this.#numbered.get(session) ?? []);
  }
}

/** What may become of an event. All three sources share this: a broker, a call, and the site's own tables. */
export function sourceSuite(name: string, start: () => Promise<SiteUnderTest>): void {
  describe(`what becomes of events from ${name}`, () => {
    let source: SiteUnderTest;
    let session = 500;
    let id = 5_000;
    beforeAll(async () => {
      source = await start();
    });
    afterAll(() => source?.stop());
    const nextSession = () => (session += 1);
    const nextId = () => (id += 1);
    const told = async (of: number) =>
      (await story(source.chat, of).catch(() => [])).filter((line) => line !== 'chat.session.created');
    const said = (body: string): SiteChange => ({ kind: 'message', id: nextId(), body });

    it('[BES2] redelivered: stored once, however often', async () => {
      const [one, two] = [nextSession(), nextSession()];
      await source.apply(one, { kind: 'session' }, said('a'), { kind: 'status', to: 'active' }, said('b'));
      await source.apply(two, { kind: 'session' }, said('c'));
      for (let turn = 0; turn < 3; turn += 1) await source.again(one, two);
      await source.apply(one, said('last'));
      expect(await told(one)).toEqual(['client:a', 'new>active:operator', 'client:b', 'client:last']);
      expect(await told(two)).toEqual(['client:c']);
      const { events } = await source.chat.events(admin, one, { afterSeq: 0, limit: 100 });
      expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index + 1));
    });

    it('[BES3] reordered: kept in the order of arrival, under the ids of the site', async () => {
      const one = nextSession();
      await source.apply(one, { kind: 'session' });
      const [small, middle, large] = [nextId(), nextId(), nextId()];
      for (const number of [large, small, middle]) await source.apply(one, { kind: 'message', id: number });
      const { messages } = await source.chat.history(admin, one, { limit: 10 });
      expect(messages.map((found) => found.id)).toEqual([large, small, middle]);
    });

    it('[BES1] of an unknown session creates a placeholder session', async () => {
      const one = nextSession();
      await source.apply(one, said('of nobody'));
      expect(await told(one)).toEqual(['client:of nobody']);
      expect(await source.chat.getSession(admin, one)).toMatchObject({ id: one, status: 'new', unread_count: 1 });
    });

    it('[BES8] malformed and oversized: refused alone, with what stands around them stored', async () => {
      const one = nextSession();
      const before = await source.refused();
      await source.apply(
        one,
        { kind: 'session' },
        said('before'),
        { kind: 'oversized', id: nextId() },
        said('between'),
        { kind: 'malformed', id: nextId() },
        said('after'),
      );
      expect(await told(one)).toEqual(['client:before', 'client:between', 'client:after']);
      expect((await source.refused()) - before).toBe(2);
    });

    it('[BES4] assignment before status, and status before assignment', async () => {
      const [one, two] = [nextSession(), nextSession()];
      await source.apply(one, { kind: 'session' }, { kind: 'assigned', to: '7' }, { kind: 'status', to: 'active' });
      await source.apply(two, { kind: 'session' }, { kind: 'status', to: 'active' }, { kind: 'assigned', to: '8' });
      expect(await told(one)).toEqual(['assigned:7', 'new>active:operator']);
      expect(await told(two)).toEqual(['new>active:operator', 'assigned:8']);
      for (const [of, to] of [
        [one, '7'],
        [two, '8'],
      ] as const)
        expect(await source.chat.getSession(admin, of)).toMatchObject({ status: 'active', assigned_user_id: to });
    });

    it('[BES4] given back and taken again: each change is told', async () => {
      const one = nextSession();
      await source.apply(one, { kind: 'session' }, { kind: 'assigned', to: '7' }, { kind: 'assigned', to: null });
      await source.apply(one, { kind: 'assigned', to: '8' }, { kind: 'status', to: 'closed' });
      expect(await told(one)).toEqual(['assigned:7', 'assigned:null', 'assigned:8', 'new>closed:operator']);
    });
  });
}
