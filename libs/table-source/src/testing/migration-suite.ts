import { openSite, type SiteClient, type SiteKind, until } from '@chat-realtime/testkit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { followTables } from './following.ts';
import { MemoryLedger } from './memory-ledger.ts';
import { type SampleSite, sampleSite } from './sample-site.ts';

type Session = Pick<SiteClient, 'query'>;
interface Column {
  readonly table: 'chat' | 'chat_message';
  readonly name: string;
  /** What it is, and another type that it may become, for both databases. */
  readonly type: string;
  readonly other: string;
  /** Nothing can be written without it. */
  readonly isKey?: true;
}

const COLUMNS: readonly Column[] = [
  { table: 'chat', name: 'state', type: 'integer DEFAULT 0 NOT NULL', other: 'varchar(20)' },
  { table: 'chat', name: 'manager_id', type: 'integer', other: 'varchar(20)' },
  { table: 'chat', name: 'guest_name', type: 'text', other: 'varchar(200)' },
  { table: 'chat', name: 'created_at', type: 'timestamp NULL', other: 'varchar(40)' },
  { table: 'chat', name: 'id', type: '', other: 'numeric(20)', isKey: true },
  { table: 'chat_message', name: 'sender', type: "varchar(20) DEFAULT 'guest' NOT NULL", other: 'text' },
  { table: 'chat_message', name: 'user_id', type: 'integer', other: 'varchar(20)' },
  { table: 'chat_message', name: 'text', type: 'text', other: 'varchar(2000)' },
  { table: 'chat_message', name: 'created_at', type: 'timestamp NULL', other: 'varchar(40)' },
  { table: 'chat_message', name: 'chat_id', type: 'bigint', other: 'varchar(20)' },
  { table: 'chat_message', name: 'id', type: '', other: 'numeric(20)', isKey: true },
];

/** The site changes its own tables under the triggers: a migration goes through, and so does every write after it. */
export function migrationSuite(kind: SiteKind, freshDatabase: () => Promise<string>): void {
  const isMysql = kind === 'mysql';
  const change: Readonly<Record<'type' | 'rename' | 'drop', (column: Column) => string>> = {
    type: ({ table, name, other, isKey }) =>
      isMysql
        ? `ALTER TABLE ${table} MODIFY ${name} ${other}`
        : `ALTER TABLE ${table} ALTER ${name} DROP DEFAULT, ${isKey ? '' : `ALTER ${name} DROP NOT NULL,`} ALTER ${name} TYPE ${other} USING ${name}::text::${other}`,
    rename: ({ table, name }) => `ALTER TABLE ${table} RENAME COLUMN ${name} TO renamed`,
    drop: ({ table, name }) => `ALTER TABLE ${table} DROP COLUMN ${name}`,
  };

  describe(`migrations of a site: ${kind}`, () => {
    let site: SampleSite;
    let ledger: MemoryLedger;
    let released = () => undefined as void;

    beforeEach(async () => {
      site = await sampleSite(kind, await freshDatabase(), 'reconcile_seconds: 1');
      ledger = new MemoryLedger();
      // What would refuse the changes of itself, without any trigger.
      await site.client.script(
        isMysql
          ? 'ALTER TABLE chat_message DROP FOREIGN KEY chat_message_ibfk_1'
          : 'ALTER TABLE chat_message DROP CONSTRAINT chat_message_chat_id_fkey',
      );
      await site.install();
    });
    afterEach(async () => {
      released();
      released = () => undefined;
      await site.client.close();
    });

    /** A chat, a message, and a change of all that may change; what is gone is left out. */
    const writeAll = async (session: Session, id: number, column?: Column, now?: string) => {
      const nameOf = (table: Column['table'], name: string) =>
        column?.table === table && column.name === name ? now : name;
      const insert = (table: Column['table'], values: Readonly<Record<string, string | number>>) => {
        const known = Object.entries(values).flatMap(([name, value]) => {
          const is = nameOf(table, name);
          return is === undefined ? [] : [[is, value] as const];
        });
        const sql = `INSERT INTO ${table} (${known.map(([name]) => name).join(', ')}) VALUES (${known.map(() => '?').join(', ')})`;
        return session.query(
          sql,
          known.map(([, value]) => value),
        );
      };
      await insert('chat', { id, state: 0, guest_name: 'x' });
      await insert('chat_message', { id, chat_id: id, sender: 'guest', text: `m${id}` });
      for (const name of ['state', 'manager_id', 'guest_name']) {
        const is = nameOf('chat', name);
        if (is !== undefined)
          await session.query(`UPDATE chat SET ${is} = ? WHERE ${nameOf('chat', 'id')} = ?`, ['7', id]);
      }
    };
    const counts = async () => {
      const [chats] = await site.client.query('SELECT count(*) AS n FROM chat');
      const [messages] = await site.client.query('SELECT count(*) AS n FROM chat_message');
      return [Number(chats?.['n']), Number(messages?.['n'])];
    };

    for (const kindOfChange of ['type', 'rename', 'drop'] as const)
      it(`[TAB10] lets the site ${kindOfChange === 'type' ? 'change the type of' : kindOfChange} every column that the file names`, async () => {
        // One connection that was there before, as PHP keeps them, and a new one for each.
        const kept = await site.client.session();
        released = () => kept.release();
        let id = 1;
        await writeAll(kept, id);
        for (const column of COLUMNS) {
          if (kindOfChange === 'drop' && column.isKey) continue;
          await site.client.query(change[kindOfChange](column));
          const now = { type: column.name, rename: 'renamed', drop: undefined }[kindOfChange];
          await writeAll(kept, ++id, column, now);
          const fresh = openSite(kind, site.client.url, 1);
          await writeAll(fresh, ++id, column, now);
          await fresh.close();
          expect(await counts(), `${column.table}.${column.name}`).toEqual([id, id]);
          if (kindOfChange === 'rename')
            await site.client.query(`ALTER TABLE ${column.table} RENAME COLUMN renamed TO ${column.name}`);
          if (kindOfChange === 'drop')
            await site.client.query(`ALTER TABLE ${column.table} ADD COLUMN ${column.name} ${column.type}`);
        }
      }, 180_000);

    it('[TAB10] [TAB8] counts what was written while a column had another name, and brings it', async () => {
      const told = followTables(site, ledger);
      const chat = await site.openChat();
      await site.write(chat, 'до');
      await until(() => ledger.bodies(chat).length === 1, { what: 'the first' });
      await site.client.query('ALTER TABLE chat RENAME COLUMN state TO phase');
      await site.client.query('UPDATE chat SET phase = 2 WHERE id = ?', [chat]);
      await site.client.query('ALTER TABLE chat RENAME COLUMN phase TO state');
      await until(() => told.missed.status === 1, { timeoutMs: 20_000, what: 'the status, by the scan' });
      expect((await ledger.sessions([chat])).get(chat)?.status).toBe('closed');
      await site.write(chat, 'после');
      await site.client.query('UPDATE chat SET state = 1 WHERE id = ?', [chat]);
      await until(() => ledger.events(chat).at(-1)?.data['status'] === 'active', { what: 'the next, by the outbox' });
      expect([ledger.bodies(chat), told.missed]).toEqual([['до', 'после'], { status: 1 }]);
      await told.source.stop();
    });
  });
}
