import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { connectPlainly, type Migration, type PlainConnection, readMigrations } from '@chat-realtime/database';
import { createDatabase, tempFolder } from '@chat-realtime/testkit';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { COMMANDS } from './commands/index.ts';
import { runAdmin } from './run.ts';

const folder = tempFolder('schema-kept');

/** Commands that open the database, with arguments that get them that far. */
const TO_THE_DATABASE: readonly string[] = [
  'operators list',
  'operators role vera admin',
  'outbox status',
  'outbox replay 60',
  'mail-refusals list',
  'mail-refusals lift vera@shop.example',
  'trace 1 1',
  'verify',
  'new-epoch',
];
/** The other commands: they open no database. */
const OTHERS = ['secrets', 'dead-letters', 'drain', 'probe', 'rabbit-source', 'shadow-report'];
/** Commands with tests of their own. */
const OF_THEIR_OWN = ['migrate', 'backup', 'restore', 'upgrade-data', 'table-source'];

let migrations: Migration[];
const open: PlainConnection[] = [];
beforeAll(async () => {
  migrations = await readMigrations();
});
afterEach(async () => {
  for (const connection of open.splice(0)) await connection.close();
});

interface Old {
  readonly url: string;
  readonly connection: PlainConnection;
}

/** A database as an earlier version left it, without the last `lacks` migrations. */
async function ofAnEarlierVersion(lacks: number): Promise<Old> {
  const url = await createDatabase();
  const connection = await connectPlainly(url);
  open.push(connection);
  await connection.execute(
    'CREATE TABLE schema_migration (name text PRIMARY KEY, checksum text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now(), lives_with text)',
  );
  for (const { name, sql, checksum } of migrations.slice(0, migrations.length - lacks)) {
    await connection.execute(sql);
    await connection.query('INSERT INTO schema_migration (name, checksum) VALUES ($1, $2)', [name, checksum]);
  }
  await connection.query(
    `INSERT INTO chat_meta (name, value) VALUES ('epoch', 'of before') ON CONFLICT DO NOTHING`,
    [],
  );
  return { url, connection };
}

/** The whole schema, and what opening a database writes besides. */
async function whatIsThere({ connection }: Pick<Old, 'connection'>): Promise<unknown> {
  const [schema] = await connection.query(
    `SELECT (SELECT md5(string_agg(attrelid::regclass || '.' || attname, ',' ORDER BY attrelid, attnum)) FROM pg_attribute
              WHERE attrelid >= 16384) AS columns,
            (SELECT md5(string_agg(proname || prosrc, ',' ORDER BY oid)) FROM pg_proc WHERE oid >= 16384) AS functions`,
    [],
  );
  const journal = await connection.query('SELECT name FROM schema_migration ORDER BY name', []);
  return [schema, journal, await connection.query('SELECT name, value, xmin FROM chat_meta ORDER BY name', [])];
}

async function admin(url: string | undefined, ...args: string[]): Promise<{ code: number; out: string; err: string }> {
  let out = '';
  let err = '';
  const code = await runAdmin(args, {
    env: { ...(url !== undefined && { DATABASE_URL: url }), DATA_DIR: folder },
    write: (text) => (out += text),
    writeError: (text) => (err += text),
    readSecret: async () => 'a long password',
  });
  return { code, out, err };
}

describe('[OPS45] no command except migrate changes the schema', () => {
  it('the lists above include every command', () => {
    const named = new Set([...TO_THE_DATABASE.map((words) => words.split(' ')[0]), ...OTHERS, ...OF_THEIR_OWN]);
    expect(COMMANDS.map(({ name }) => name).filter((name) => !named.has(name))).toEqual([]);
  });

  it('each command refuses a database of an earlier version in one sentence, and changes nothing', async () => {
    const old = await ofAnEarlierVersion(1);
    const before = await whatIsThere(old);
    for (const words of TO_THE_DATABASE) {
      const { code, out, err } = await admin(old.url, ...words.split(' '));
      expect([words, code, out]).toEqual([words, 1, '']);
      expect(err.trim().split('\n').at(-1), words).toMatch(
        new RegExp(`lacks ${migrations.at(-1)?.name}; nothing was changed\\. .* \\(schema_too_old\\)$`),
      );
    }
    expect(await whatIsThere(old)).toEqual(before);
    expect((await admin(old.url, 'migrate', '--dry-run')).code).toBe(0);
    expect(await whatIsThere(old)).toEqual(before);
    expect((await admin(old.url, 'migrate')).code).toBe(0);
    expect((await admin(old.url, 'verify')).code).toBe(0);
  });

  it.each([
    ['the version before', '0063'],
    // 0.1.0 has no epoch of its own, and no column for erased data.
    ['0.1.0', '0008'],
  ])('a backup of a schema of %s has that schema, and can be restored', async (_, lacksFrom) => {
    const old = await ofAnEarlierVersion(migrations.filter(({ name }) => name >= lacksFrom).length);
    await old.connection.execute(`INSERT INTO chat_session (name) VALUES ('of before')`);
    const before = await whatIsThere(old);
    const to = join(folder, `backup-${lacksFrom}`);
    const { code, err } = await admin(old.url, 'backup', to);
    expect([code, err.split('\n')[0]]).toEqual([0, expect.stringContaining('as it is now')]);
    expect(await whatIsThere(old)).toEqual(before);
    const empty = await createDatabase();
    expect(await admin(empty, 'restore', to, '--yes')).toMatchObject({ code: 0 });
    const back = await connectPlainly(empty);
    open.push(back);
    expect(await back.query('SELECT name FROM chat_session', [])).toEqual([{ name: 'of before' }]);
  });

  it('a database without our tables, or no database at all, is reported, and nothing is created', async () => {
    const empty = await createDatabase();
    expect((await admin(empty, 'verify')).err).toMatch(/has no tables of the chat: .* \(schema_missing\)\n$/);
    for (const words of TO_THE_DATABASE) {
      const { code, err } = await admin(undefined, ...words.split(' '));
      expect([words, code, err]).toEqual([
        words,
        1,
        expect.stringMatching(/there is no database in .* \(no_database\)\n$/),
      ]);
    }
    expect(await readdir(folder)).not.toContain('database');
  });
});
