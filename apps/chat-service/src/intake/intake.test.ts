import { ChatError } from '@chat-realtime/protocol';
import { afterAll, describe, expect, it } from 'vitest';
import { admin, anna, type Harness, newChat, Stage, story } from '../../test/harness.ts';
import { assigned, intakeSuite, message, sourceSuite, status, NumberedEvents } from '../../test/intake-suite.ts';
import { Eraser } from '../privacy/eraser.ts';
import { beginLedger } from './ledger-mark.ts';
import { PostgresIntake } from './postgres-intake.ts';

const stage = new Stage();
afterAll(() => stage.stop());

async function ledger(): Promise<Harness> {
  const harness = await stage.harness();
  await beginLedger(harness.database);
  return harness;
}

describe('the ledger on postgres', () => {
  intakeSuite('a call of the intake', async () => {
    const harness = await ledger();
    let refused = 0;
    return {
      chat: harness.chat,
      give: async (...events) => {
        const result = await harness.service.intake.take(events, 'http');
        refused += new Set(result.refused.map(({ index }) => index)).size;
      },
      refused: async () => refused,
      stop: () => harness.close(),
    };
  });

  sourceSuite('a call of the intake', async () => {
    const harness = await ledger();
    const numbered = new NumberedEvents();
    let refused = 0;
    const give = async (events: readonly Record<string, unknown>[]) => {
      const result = await harness.service.intake.take(events, 'http');
      refused += new Set(result.refused.map(({ index }) => index)).size;
    };
    return {
      chat: harness.chat,
      apply: (session, ...changes) => give(numbered.of(session, changes)),
      again: (...sessions) => give(numbered.again(sessions)),
      refused: async () => refused,
      stop: () => harness.close(),
    };
  });

  describe('the ledger', () => {
    it('[BES2] keeps the first text of a message, and reports when the same id came with another', async () => {
      const { database, chat, service } = await ledger();
      const changed: [string, number][] = [];
      const lines: object[] = [];
      const log = { debug: () => undefined, info: () => undefined, error: () => undefined };
      const intake = new PostgresIntake({
        context: {
          database,
          committed: () => undefined,
          ephemeral: () => undefined,
          log: { ...log, warn: (fields) => lines.push(fields) },
        },
        observer: {
          taken: () => undefined,
          changed: (source, count) => changed.push([source, count]),
          nameless: () => undefined,
        },
      });
      await intake.take([message(1, 1), message(1, 2)], 'http');
      await intake.take([message(1, 1), message(1, 2)], 'http');
      expect(changed).toEqual([]);
      const other = message(1, 2, { body: 'other words' });
      expect(
        await intake.take([message(1, 1), other, message(1, 3), message(1, 3, { body: 'third' })], 'rabbitmq'),
      ).toMatchObject({ accepted: 1, duplicate: 3, refused: [] });
      expect(await intake.takeAll([other], 'http')).toMatchObject({ accepted: 0, duplicate: 1 });
      expect(changed).toEqual([
        ['rabbitmq', 2],
        ['http', 1],
      ]);
      expect(await story(chat, 1)).toEqual(['client:text 1', 'client:text 2', 'client:text 3']);
      expect(lines[0]).toMatchObject({
        source: 'rabbitmq',
        count: 2,
        messages: [
          { session_id: 1, message_id: 2 },
          { session_id: 1, message_id: 3 },
        ],
      });
      expect(JSON.stringify(lines)).not.toMatch(/words|third|text/);
      // The hash identifies what was erased.
      await new Eraser(database, service.context, {
        removeErased: async () => ({ removed: 0, failures: [] }),
      }).eraseSession(admin, 1);
      changed.splice(0);
      await intake.take([message(1, 1)], 'http');
      expect(changed).toEqual([]);
      await intake.take([other], 'http');
      expect(changed).toEqual([['http', 1]]);
      expect(await story(chat, 1)).not.toContain('client:other words');
    });

    it('[BES2] reports what was new and what was known, and wakes the relay only for the former', async () => {
      const { service, database } = await ledger();
      const waiting = async () =>
        (await database.query<{ n: number }>({ name: 't', text: 'SELECT count(*) AS n FROM outbox' }))[0]?.n;
      const { intake } = service;
      expect(await intake.take([message(1, 1), message(1, 2)], 'http')).toMatchObject({ accepted: 2, duplicate: 0 });
      expect(await intake.take([message(1, 2), message(1, 3)], 'rabbitmq')).toMatchObject({
        accepted: 1,
        duplicate: 1,
      });
      expect(await waiting()).toBe(3);
    });

    it('[BES1] [BES3] stores the same whether events come in one call or in a call each', async () => {
      const said = (session: number, id: number, more = {}) => message(session, id, more);
      const answer = { sender_type: 'operator', sender_id: '7', sender_name: 'Olga' };
      const at = { occurred_at: '2026-01-10T12:30:00+03:00' };
      const events = [
        said(1, 1),
        said(1, 2),
        { ...assigned(1, '7', { assigned_user_name: 'Olga' }), ...at, message_id: 'a-1' },
        said(2, 3),
        said(1, 4, answer),
        // A known event in the middle of a batch, and as its first.
        said(1, 2),
        said(1, 5),
        said(2, 3),
        { ...status(2, 'closed'), ...at, message_id: 's-2' },
        said(2, 6, answer),
        said(1, 7),
        { ...status(1, 'closed'), ...at, message_id: 's-1' },
        { ...status(1, 'active'), ...at, message_id: 's-3' },
        said(1, 8),
      ];
      const left = async (calls: readonly (typeof events)[]) => {
        const { service, database } = await ledger();
        for (const call of calls) await service.intake.take(call, 'http');
        const rows = (text: string) => database.query({ name: `left-${text.length}`, text });
        return [
          await rows(`SELECT id, status, assigned_user_id, assigned_user_name, assigned_at, created_at, updated_at, closed_at,
            last_seq, version, client_msgs, team_client_msgs, team_read_id, last_message_id, last_client_message_at,
            waiting_since, closed_waiting_since, waiting_round FROM chat_session ORDER BY id`),
          await rows(`SELECT e.session_id, e.seq, e.type, e.sender_type, e.body, e.client_msgs, e.data, e.message_id,
            e.assigned_user_id, e.previous_user_id, (SELECT count(*) FROM intake_key k WHERE k.event_id = e.id) AS keys
            FROM chat_event e ORDER BY e.session_id, e.seq`),
          await rows('SELECT count(*) AS n FROM intake_key k JOIN chat_event e ON e.id = k.event_id'),
        ];
      };
      const together = await left([events]);
      expect(together).toEqual(await left(events.map((event) => [event])));
      expect(together[0]).toMatchObject([
        { id: 1, status: 'active', last_seq: 9, client_msgs: 5, team_client_msgs: 2, last_message_id: 8 },
        { id: 2, status: 'closed', last_seq: 3, client_msgs: 1, team_client_msgs: 1, last_message_id: 6 },
      ]);
    });

    it('[BES8] stores nothing of a request with a malformed event, and names its path', async () => {
      const { service, chat } = await ledger();
      const broken = message(8, 2, { body: 5 });
      const error: unknown = await service.intake.takeAll([message(8, 1), broken], 'http').catch((e: unknown) => e);
      expect(error).toBeInstanceOf(ChatError);
      expect(error).toMatchObject({
        code: 'validation_failed',
        details: { fields: [{ path: 'events.1.data.body' }] },
      });
      await expect(chat.getSession(admin, 8)).rejects.toMatchObject({ code: 'session_not_found' });
    });

    it('[BES7] gives a session without a number a permanent one, and returns it', async () => {
      const { service, chat } = await ledger();
      const { intake } = service;
      const numbers = await intake.sessionNumbers(['chat-a', 12, 'chat-b']);
      expect(numbers.get('12')).toBe(12);
      const a = numbers.get('chat-a') ?? 0;
      const result = await intake.take([message('chat-a', 'first'), message('chat-a', 'second')], 'http');
      expect(result.ids.sessions).toEqual(new Map([['chat-a', a]]));
      const ids = [...result.ids.messages];
      expect(ids.map(([text]) => text)).toEqual(['first', 'second']);
      const again = await intake.take([message('chat-a', 'first')], 'http');
      expect([...again.ids.messages]).toEqual([ids[0]]);
      const { events } = await chat.events(admin, a, { afterSeq: 0, limit: 10 });
      expect(events.map(({ data }) => ('id' in data ? data.id : 0))).toEqual(ids.map(([, id]) => id));
    });

    it('[BES9] counts the assignee’s read mark by the site’s ids, in whatever order they came', async () => {
      const { service, chat } = await ledger();
      await service.intake.take([assigned(3, 'anna'), message(3, 20), message(3, 10), message(3, 30)], 'http');
      await chat.markRead(anna, 3, 10);
      expect(await chat.getSession(admin, 3)).toMatchObject({ unread_count: 1 });
      await chat.markRead(anna, 3, 30);
      await service.intake.take([message(3, 25)], 'http');
      expect(await chat.getSession(admin, 3)).toMatchObject({ unread_count: 1, last_message: { id: 25 } });
      await chat.markRead(anna, 3, 30);
      expect(await chat.getSession(admin, 3)).toMatchObject({ unread_count: 0 });
      await chat.acks({ acks: [{ session_id: 3, participant: 'client', last_id: 99, at: '2026-01-10T12:00:00Z' }] });
      expect(await chat.getSession(admin, 3)).toMatchObject({ client_last_seen_id: 30 });
    });

    it('[BES4] lets staff do what the site does not manage: notes, and only transitions from a fully known state', async () => {
      const { service, chat } = await ledger();
      await service.intake.take([assigned(4, 'anna'), message(4, 1)], 'http');
      await expect(chat.assign(anna, 4)).rejects.toMatchObject({ code: 'invalid_transition' });
      await service.intake.take([status(4, 'active')], 'http');
      expect(await chat.assign(anna, 4)).toMatchObject({ status: 'active', assigned_user_id: 'anna' });
      await chat.addNote(anna, 4, 'a note');
      expect(await story(chat, 4)).toEqual(['assigned:anna', 'client:text 1', 'new>active:operator']);
    });

    it('[BES12] refuses a database that holds its own chats', async () => {
      const harness = await stage.harness();
      await newChat(harness.chat, 'hello');
      await expect(beginLedger(harness.database)).rejects.toThrow(/empty database/);
    });

    it('[BES12] is set up once, and continues after a restart', async () => {
      const harness = await ledger();
      await harness.service.intake.take([message(1, 1)], 'http');
      await beginLedger(harness.database);
      expect(await harness.service.intake.take([message(1, 1), message('x', 1)], 'http')).toMatchObject({
        accepted: 1,
        duplicate: 1,
      });
    });
  });
});

describe('the ledger under concurrent calls', () => {
  it('[BES2] stores events that come from several sides only once', async () => {
    const harness = await ledger();
    const other = await harness.another();
    const batch = Array.from({ length: 200 }, (_, i) => message(1 + (i % 7), 1_000 + i));
    const both = [harness, other].flatMap(({ service }) => [
      service.intake.take(batch, 'http'),
      service.intake.take(batch.toReversed(), 'rabbitmq'),
    ]);
    const results = await Promise.all(both);
    expect(results.reduce((sum, { accepted }) => sum + accepted, 0)).toBe(200);
    expect(results.reduce((sum, { duplicate }) => sum + duplicate, 0)).toBe(600);
    for (let id = 1; id <= 7; id += 1) {
      const { events } = await harness.chat.events(admin, id, { afterSeq: 0, limit: 500 });
      expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index + 1));
    }
    await other.close();
  });
});
