import { type SiteKind, until } from '@chat-realtime/testkit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseTableSource } from '../config.ts';
import { siteConnection } from '../connection.ts';
import { type Following, followTables } from './following.ts';
import { MemoryLedger } from './memory-ledger.ts';
import { type SampleSite, sampleSite, sampleYaml } from './sample-site.ts';

/** Tables that are not as they should be. */
export function shapeSuite(kind: SiteKind, freshDatabase: () => Promise<string>): void {
  const isMysql = kind === 'mysql';

  describe(`the shapes of a site's tables: ${kind}`, () => {
    let site: SampleSite;
    let ledger: MemoryLedger;
    let following: Following | undefined;
    let url: string;

    const change = async (...statements: readonly string[]) => {
      for (const statement of statements) await site.client.query(statement);
    };
    const follow = () => {
      following = followTables(site, ledger);
      return following;
    };
    const problems = async (config = site.config): Promise<readonly string[]> => {
      try {
        await (await siteConnection(config).connect(() => undefined)).close();
        return [];
      } catch (error) {
        return (error as { problems?: readonly string[] }).problems ?? [String(error)];
      }
    };

    beforeEach(async () => {
      url = await freshDatabase();
      site = await sampleSite(kind, url, 'reconcile_seconds: 1');
      ledger = new MemoryLedger();
    });
    afterEach(async () => {
      await following?.source.stop();
      following = undefined;
      await site.client.close();
    });

    it('[TAB6] a row of no chat holds up neither the others of its statement nor the scan', async () => {
      await change(
        isMysql
          ? 'ALTER TABLE chat_message MODIFY chat_id BIGINT NULL'
          : 'ALTER TABLE chat_message ALTER chat_id DROP NOT NULL',
      );
      await site.install();
      const chat = await site.openChat();
      const { missed } = follow();
      const two = "INSERT INTO chat_message (chat_id, sender, text) VALUES (NULL, 'guest', 'ничьё'), (?, 'guest', ?)";
      await site.client.query(two, [chat, 'живое']);
      await until(() => ledger.bodies().length === 1, { what: 'the message beside the row of no chat' });
      await change('DROP TABLE chat_realtime_outbox');
      await site.client.query(two, [chat, 'пропущено']);
      await until(() => ledger.bodies().length === 2, { timeoutMs: 20_000, what: 'what the scan found' });
      expect([ledger.bodies(chat), ledger.bodies().length, missed.message]).toEqual([['живое', 'пропущено'], 2, 1]);
    });

    it('[TAB6] a reference that is no number holds up no other row, and is taken for no other chat', async () => {
      const [drop] = isMysql
        ? await site.client.query(
            "SELECT constraint_name AS name FROM information_schema.table_constraints WHERE table_schema = DATABASE() AND table_name = 'chat_message' AND constraint_type = 'FOREIGN KEY'",
          )
        : [{ name: 'chat_message_chat_id_fkey' }];
      await change(
        `ALTER TABLE chat_message DROP ${isMysql ? 'FOREIGN KEY' : 'CONSTRAINT'} ${String(drop?.['name'])}`,
        isMysql
          ? 'ALTER TABLE chat_message MODIFY chat_id VARCHAR(40)'
          : 'ALTER TABLE chat_message ALTER chat_id TYPE text',
      );
      await site.install();
      const chat = await site.openChat();
      await site.write(chat, 'до');
      await site.write('order-5', 'заказ');
      await site.write(`${chat} яблок`, 'яблоки');
      await site.write(chat, 'после');
      follow();
      await until(() => ledger.bodies().length === 4, { what: 'all four' });
      expect([ledger.bodies(chat), ledger.bodies('order-5')]).toEqual([['до', 'после'], ['заказ']]);
      expect(ledger.bodies(`${chat} яблок`)).toEqual(['яблоки']);
      expect(ledger.events('order-5').map(({ type }) => type)).not.toContain('chat.session.created');
      await change('DROP TABLE chat_realtime_outbox');
      await site.write('order-6', 'ещё заказ');
      await until(() => ledger.bodies('order-6').length === 1, { timeoutMs: 20_000, what: 'what the scan found' });
    });

    it('[TAB8] brings what the site writes by the scan alone while the outbox is gone or another table', async () => {
      await site.install();
      const chat = await site.openChat();
      await site.write(chat, 'первое');
      const told = follow();
      const { missed } = told;
      await until(() => ledger.bodies(chat).length === 1, { what: 'the first' });
      expect(told.connected).toBe(true);
      await change('DROP TABLE chat_realtime_outbox');
      await site.write(chat, 'второе');
      await until(() => ledger.bodies(chat).length === 2, { timeoutMs: 20_000, what: 'the second, by the scan' });
      expect(told.connected).toBe(false);
      await change('CREATE TABLE chat_realtime_outbox (other integer)');
      await site.write(chat, 'третье');
      await until(() => ledger.bodies(chat).length === 3, { timeoutMs: 20_000, what: 'the third, by the scan' });
      expect(missed).toEqual({ message: 2 });
      await change('DROP TABLE chat_realtime_outbox');
      await site.install();
      await site.write(chat, 'четвёртое');
      await until(() => ledger.bodies(chat).length === 4, { timeoutMs: 20_000, what: 'the fourth, by the outbox' });
      expect(told.connected).toBe(true);
      expect([ledger.bodies(chat), missed]).toEqual([['первое', 'второе', 'третье', 'четвёртое'], { message: 2 }]);
    });

    it('[TAB1] refuses ids that could name other rows, and message ids without an order', async () => {
      expect(await problems()).toEqual([]);
      await change(
        ...(isMysql
          ? [
              'ALTER TABLE chat_message MODIFY id BIGINT NOT NULL, DROP PRIMARY KEY, ADD PRIMARY KEY (id, sender)',
              'ALTER TABLE manager MODIFY id BINARY(16) NOT NULL',
            ]
          : [
              'ALTER TABLE chat_message DROP CONSTRAINT chat_message_pkey, ADD PRIMARY KEY (id, sender)',
              "ALTER TABLE manager ALTER id TYPE bytea USING ''",
            ]),
      );
      expect(await problems()).toEqual([
        expect.stringMatching(/manager: column id is (binary|bytea)/),
        expect.stringContaining('chat_message: column id has no unique index'),
      ]);
    });

    it('[TAB1] refuses message ids without an order, unless they are said to ascend', async () => {
      await change(
        isMysql
          ? 'ALTER TABLE chat_message MODIFY id VARCHAR(36) NOT NULL'
          : 'ALTER TABLE chat_message ALTER id DROP DEFAULT, ALTER id TYPE text',
      );
      expect(await problems()).toEqual([expect.stringMatching(/chat_message: column id is .*no order/)]);
      const yaml = sampleYaml(kind, url).replace('session: chat_id', 'session: chat_id\n  ids_ascend: true');
      expect(await problems(parseTableSource(yaml, { env: {} }))).toEqual([]);
    });

    it('[TAB5] reads ids of a fixed length, and truth in a bit', async () => {
      const id = '0a1b2c3d-0000-4000-8000-00000000000a';
      await change(
        'DROP TABLE chat_message',
        'DROP TABLE chat',
        `CREATE TABLE chat (id char(36) PRIMARY KEY, state integer NOT NULL DEFAULT 0, manager_id integer, guest_name text,
         created_at ${isMysql ? 'DATETIME' : 'timestamp'})`,
        isMysql
          ? `CREATE TABLE chat_message (id BIGINT AUTO_INCREMENT PRIMARY KEY, chat_id char(36) NOT NULL, sender VARCHAR(20),
             user_id INT, text TEXT, is_note BIT(1) NOT NULL DEFAULT b'0', created_at TIMESTAMP NULL, KEY (chat_id))`
          : `CREATE TABLE chat_message (id bigserial PRIMARY KEY, chat_id char(36) NOT NULL, sender text, user_id integer,
             text text, is_note boolean NOT NULL DEFAULT false, created_at timestamptz)`,
      );
      await change(`INSERT INTO chat (id, guest_name) VALUES ('${id}', 'Ольга')`);
      await site.write(id, 'давно');
      await site.install();
      follow();
      await site.write(id, 'сейчас');
      await site.client.query(
        `INSERT INTO chat_message (chat_id, sender, text, is_note) VALUES (?, 'manager', 'между нами', ${isMysql ? "b'1'" : 'true'})`,
        [id],
      );
      await site.write(id, 'потом');
      await until(() => ledger.bodies(id).includes('потом'), { what: 'the last' });
      expect(ledger.bodies(id)).toEqual(['давно', 'сейчас', 'потом']);
      expect(ledger.events(id)[0]?.type).toBe('chat.session.created');
    });
  });
}
