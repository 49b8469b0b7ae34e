import { type SiteKind, sleep, until } from '@chat-realtime/testkit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { backfill } from '../backfill.ts';
import { siteConnection } from '../connection.ts';
import { Delivery } from '../delivery.ts';
import { EventMapper } from '../events.ts';
import type { TableSource } from '../table-source.ts';
import { type Following, followTables, QUIET } from './following.ts';
import { MemoryLedger } from './memory-ledger.ts';
import { type SampleSite, sampleSite } from './sample-site.ts';

export function siteSuite(kind: SiteKind, freshDatabase: () => Promise<string>): void {
  describe(`a site's tables: ${kind}`, () => {
    let site: SampleSite;
    let ledger: MemoryLedger;
    let following: Following | undefined;

    const follow = (): TableSource => {
      following = followTables(site, ledger);
      return following.source;
    };
    const outboxRows = async () =>
      Number((await site.client.query('SELECT count(*) AS n FROM chat_realtime_outbox'))[0]?.['n']);

    beforeEach(async () => {
      site = await sampleSite(kind, await freshDatabase(), 'reconcile_seconds: 1');
      ledger = new MemoryLedger();
    });
    afterEach(async () => {
      await following?.source.stop();
      following = undefined;
      await site.client.close();
    });

    it('[TAB2] [TAB5] carries a conversation under the ids of the site, in its order, and empties the outbox', async () => {
      await site.install();
      await site.client.query("INSERT INTO manager VALUES (7, 'Анна')");
      follow();
      const chat = await site.openChat();
      await site.write(chat, 'Здравствуйте 👋');
      await site.client.query('UPDATE chat SET manager_id = 7, state = 1 WHERE id = ?', [chat]);
      await site.client.query(
        "INSERT INTO chat_message (chat_id, sender, user_id, text) VALUES (?, 'manager', 7, 'Чем помочь')",
        [chat],
      );
      await site.client.query('UPDATE chat SET state = 2 WHERE id = ?', [chat]);
      await until(() => ledger.events(chat).at(-1)?.data['status'] === 'closed', { what: 'the last event' });
      const events = ledger
        .events(chat)
        .map(({ type, data }) => [type, data['body'] ?? data['status'] ?? data['assigned_user_name'] ?? null]);
      expect(events.filter(([type]) => type !== 'chat.session.created')).toEqual([
        ['chat.message', 'Здравствуйте 👋'],
        ['chat.session.assigned', 'Анна'],
        ['chat.session.status', 'active'],
        ['chat.message', 'Чем помочь'],
        ['chat.session.status', 'closed'],
      ]);
      expect(ledger.events(chat)[0]?.type).toBe('chat.session.created');
      const last = ledger.events(chat).find(({ data }) => data['body'] === 'Чем помочь');
      expect(last?.data).toMatchObject({ id: 2, sender_type: 'operator', sender_id: '7', sender_name: 'Анна' });
      expect(last?.session_id).toBe(Number(chat));
      await until(async () => (await outboxRows()) === 0, { what: 'an empty outbox' });
    });

    it('[TAB5] reads a time without a zone in the zone of the site', async () => {
      await site.install();
      await site.client.query("INSERT INTO chat (created_at) VALUES ('2026-03-01 15:00:00')");
      follow();
      await until(() => ledger.events(1).length > 0, { what: 'the chat' });
      expect(ledger.events(1)[0]?.occurred_at).toBe('2026-03-01T12:00:00.000Z');
    });

    it('[TAB6] leaves out what the file leaves out, and puts aside what the channel cannot carry', async () => {
      await site.install();
      follow();
      const chat = await site.openChat();
      await site.client.query(
        "INSERT INTO chat_message (chat_id, sender, text, is_note) VALUES (?, 'manager', 'между нами', ?)",
        [chat, kind === 'mysql' ? 1 : 'true'],
      );
      await site.write(chat, 'x'.repeat(20_000));
      await site.client.query("INSERT INTO chat_message (chat_id, sender, text) VALUES (?, 'robot', 'bip')", [chat]);
      await site.write(chat, 'после');
      await until(() => ledger.bodies(chat).includes('после'), { what: 'the last message' });
      expect(ledger.bodies(chat)).toEqual(['после']);
      expect(ledger.refused.map(({ reason }) => reason)).toEqual(
        expect.arrayContaining(['data.body is too long', 'data.sender_type is no kind of sender']),
      );
    });

    it('[TAB4] shows every committed row once and no other, however its transactions overlap', async () => {
      await site.install();
      const chats = [await site.openChat(), await site.openChat(), await site.openChat()];
      follow();
      const committed: string[] = [];
      await Promise.all(
        Array.from({ length: 30 }, async (_, number) => {
          const session = await site.client.session();
          try {
            await session.query('BEGIN');
            const text = `t${number}`;
            await session.query('INSERT INTO chat_message (chat_id, sender, text) VALUES (?, ?, ?)', [
              chats[number % 3] ?? '1',
              'guest',
              text,
            ]);
            // A later number commits earlier.
            await sleep((30 - number) * 15);
            await session.query(number % 5 === 0 ? 'ROLLBACK' : 'COMMIT');
            if (number % 5 !== 0) committed.push(text);
          } finally {
            session.release();
          }
        }),
      );
      await until(() => ledger.bodies().length >= committed.length, { what: 'all of them' });
      await until(async () => (await outboxRows()) === 0, { what: 'an empty outbox' });
      expect(ledger.bodies().toSorted()).toEqual(committed.toSorted());
    });

    it('[TAB3] never fails a write of the site, where the outbox is gone or is another table', async () => {
      await site.install();
      const chat = await site.openChat();
      await site.client.query('DROP TABLE chat_realtime_outbox');
      await site.write(chat, 'без таблицы');
      await site.client.query('UPDATE chat SET state = 1 WHERE id = ?', [chat]);
      await site.client.query('CREATE TABLE chat_realtime_outbox (other integer)');
      await site.write(chat, 'другая таблица');
      await site.client.query('DROP TABLE chat_realtime_outbox');
      await site.install();
      await site.write(chat, 'снова');
      const rows = await site.client.query('SELECT text FROM chat_message ORDER BY id');
      expect(rows.map(({ text }) => text)).toEqual(['без таблицы', 'другая таблица', 'снова']);
      expect(await outboxRows()).toBe(1);
    });

    it('[TAB3] holds up no write of the site while a follower that hangs has the rows of the outbox locked', async () => {
      await site.install();
      const chat = await site.openChat();
      await site.write(chat, 'a');
      const hanging = await site.client.session();
      await hanging.query(
        `SET ${kind === 'mysql' ? 'SESSION TRANSACTION' : 'SESSION CHARACTERISTICS AS TRANSACTION'} ISOLATION LEVEL READ COMMITTED`,
      );
      await hanging.query('BEGIN');
      const key = kind === 'mysql' ? 'id' : 'message_id';
      const rows = await hanging.query(`SELECT ${key} AS k FROM chat_realtime_outbox`);
      for (const { k } of rows)
        await hanging.query(`DELETE FROM chat_realtime_outbox WHERE ${key} = ?`, [k as string | number]);
      const began = performance.now();
      await Promise.all(Array.from({ length: 10 }, (_, number) => site.write(chat, `m${number}`)));
      expect(performance.now() - began).toBeLessThan(3_000);
      await hanging.query('ROLLBACK');
      hanging.release();
      expect(await outboxRows()).toBe(12);
    });

    it('[TAB8] finds and counts what no trigger noted', async () => {
      await site.install();
      follow();
      const missed = following?.missed ?? {};
      const chat = await site.openChat();
      await site.write(chat, 'первое');
      await until(() => ledger.bodies(chat).length === 1, { what: 'the first' });
      await site.client.query('DROP TABLE chat_realtime_outbox');
      await site.write(chat, 'пропущено');
      await site.client.query('UPDATE chat SET state = 2, manager_id = 9 WHERE id = ?', [chat]);
      await site.install();
      await site.write(chat, 'третье');
      await until(() => missed.message === 1 && missed.status === 1 && missed.assigned === 1, {
        timeoutMs: 20_000,
        what: 'what was missed',
      });
      expect(ledger.bodies(chat).toSorted()).toEqual(['первое', 'пропущено', 'третье']);
      expect((await ledger.sessions([chat])).get(chat)).toEqual({ status: 'closed', assigned: '9' });
      await sleep(2_500);
      expect(missed).toEqual({ message: 1, status: 1, assigned: 1 });
    });

    it('[TAB4] goes on where it was after the ledger, or the follower, was away', async () => {
      await site.install();
      const first = follow();
      const chat = await site.openChat();
      ledger.away = true;
      await site.write(chat, 'пока её нет');
      await sleep(700);
      expect(ledger.bodies(chat)).toEqual([]);
      ledger.away = false;
      await until(() => ledger.bodies(chat).length === 1, { what: 'the message' });
      await first.stop();
      await site.write(chat, 'пока никого нет');
      follow();
      await until(() => ledger.bodies(chat).length === 2, { what: 'the second message' });
      expect(ledger.bodies(chat)).toEqual(['пока её нет', 'пока никого нет']);
    });

    it('[TAB7] begins the channel of a chat from before as the chat began', async () => {
      const chat = await site.openChat();
      await site.write(chat, 'давно');
      await site.write(chat, 'недавно');
      await site.install();
      follow();
      await site.write(chat, 'сейчас');
      await until(() => ledger.bodies(chat).includes('сейчас'), { what: 'the live message' });
      expect(ledger.events(chat)[0]?.type).toBe('chat.session.created');
      expect(ledger.bodies(chat)).toEqual(['давно', 'недавно', 'сейчас']);
    });

    it('[TAB7] brings what was there before, resumed where it was stopped and while the ledger is away, each row once', async () => {
      const chats = [await site.openChat(), await site.openChat()];
      for (let number = 0; number < 450; number += 1)
        await site.write(chats[number % 2] ?? '1', `m${String(number).padStart(3, '0')}`);
      await site.install();
      follow();
      const connection = await siteConnection(site.config).connect(() => undefined);
      const deps = {
        site: connection,
        mapper: new EventMapper(site.config, { sessions: 'UTC', messages: 'UTC' }),
        delivery: new Delivery({ intake: ledger, deadLetters: ledger, log: QUIET }),
        places: ledger,
      };
      let pages = 0;
      const stopped = await backfill({ ...deps, stopped: () => ++pages > 3 });
      expect(stopped.complete).toBe(false);
      await site.write(chats[0] ?? '1', 'живое');
      ledger.away = true;
      setTimeout(() => {
        ledger.away = false;
      }, 600);
      expect((await backfill(deps)).complete).toBe(true);
      expect((await backfill(deps)).accepted).toBe(0);
      await connection.close();
      await until(() => ledger.bodies().length >= 451, { what: 'everything' });
      expect(ledger.bodies().length).toBe(451);
      expect(ledger.bodies(chats[1])).toEqual(ledger.bodies(chats[1]).toSorted());
      expect(ledger.bodies(chats[0]).at(-1)).toBe('живое');
    });

    it('[TAB3] leaves the number of the last inserted row to the site', async () => {
      await site.install();
      const chat = await site.openChat();
      const session = await site.client.session();
      for (let number = 0; number < 5; number += 1) await session.query('INSERT INTO chat (guest_name) VALUES (NULL)');
      await session.query("INSERT INTO chat_message (chat_id, sender, text) VALUES (?, 'guest', 'x')", [chat]);
      const [row] = await session.query(
        kind === 'mysql' ? 'SELECT LAST_INSERT_ID() AS id' : 'SELECT lastval()::text AS id',
      );
      session.release();
      expect(String(row?.['id'])).toBe('1');
    });

    it('[TAB9] tells how much waits in the outbox, and takes everything away again', async () => {
      await site.install();
      const chat = await site.openChat();
      await site.write(chat, 'a');
      await sleep(1_100);
      ledger.away = true;
      follow();
      await until(() => following?.outbox !== undefined, { what: 'the size of the outbox' });
      expect(following?.outbox?.rows).toBe(2);
      expect(following?.outbox?.oldestSeconds).toBeGreaterThan(1);
      expect(following?.outbox?.oldestSeconds).toBeLessThan(30);
      ledger.away = false;
      await following?.source.stop();
      await site.remove();
      await site.remove();
      await site.write(chat, 'b');
      await expect(outboxRows()).rejects.toThrow();
    });

    it('[TAB1] names every table and column that is not there', async () => {
      await site.client.query('ALTER TABLE chat DROP COLUMN guest_name');
      await site.client.query('DROP TABLE manager');
      await expect(siteConnection(site.config).connect(() => undefined)).rejects.toMatchObject({
        code: 'table_source_config',
        problems: [expect.stringContaining('guest_name'), expect.stringContaining('manager')],
      });
    });
  });
}
