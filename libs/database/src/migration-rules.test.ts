import { describe, expect, it } from 'vitest';
import { parseIndexStatement } from './concurrent-index.ts';
import { headerOf, type Migration, readMigrations } from './migration.ts';
import { problemsOfMigration } from './migration-rules.ts';
import { compareSchema } from './schema-age.ts';
import { DatabaseStartError } from './types.ts';

const HEAD = '-- lives-with: 0053_mail_tokens\n';
const CONCURRENT = `${HEAD}-- transaction: none\n`;
const of = (sql: string, name = '9000_new'): Migration => ({ name, sql, checksum: name });
const problems = (sql: string): string => problemsOfMigration(of(sql)).join('\n');

describe('a new migration', () => {
  it('[OPS41] runs alongside traffic: every one of our files follows the rules', async () => {
    expect((await readMigrations()).flatMap(problemsOfMigration)).toEqual([]);
  });

  it.each([
    ['an index on a table of before', `${HEAD}CREATE INDEX x ON chat_event (id)`, 'CREATE INDEX on chat_event'],
    ['a unique one', `${HEAD}CREATE UNIQUE INDEX x ON chat_event (id)`, 'CREATE INDEX on chat_event'],
    ['one without a name', `${HEAD}CREATE INDEX ON chat_event (id)`, 'CREATE INDEX on chat_event'],
    ['one that may be there', `${HEAD}CREATE INDEX IF NOT EXISTS x ON chat_event (id)`, 'CREATE INDEX on chat_event'],
    ['one behind a new table', `${HEAD}CREATE TABLE n (id int);\nCREATE INDEX x ON chat_event (id);`, 'on chat_event'],
    ['one in lower case', `${HEAD}create index x on chat_event (id)`, 'CREATE INDEX on chat_event'],
    ['CONCURRENTLY in a transaction', `${HEAD}CREATE INDEX CONCURRENTLY x ON chat_event (id)`, 'in no transaction'],
    ['two statements outside one', `${CONCURRENT}CREATE INDEX CONCURRENTLY x ON t (id); SELECT 1`, 'one statement'],
    ['something else outside one', `${CONCURRENT}ALTER TABLE t ADD COLUMN n int`, 'one statement'],
    ['a plain index outside one', `${CONCURRENT}CREATE INDEX x ON chat_event (id)`, 'one statement'],
    [
      'IF NOT EXISTS, which would keep a broken one',
      `${CONCURRENT}CREATE INDEX CONCURRENTLY IF NOT EXISTS x ON t (id)`,
      'one statement',
    ],
    ['a unique constraint', `${HEAD}ALTER TABLE chat_event ADD CONSTRAINT u UNIQUE (id)`, 'USING INDEX'],
    ['a foreign key', `${HEAD}ALTER TABLE chat_event ADD FOREIGN KEY (a) REFERENCES b`, 'NOT VALID'],
    ['a check', `${HEAD}ALTER TABLE chat_event ADD CONSTRAINT c CHECK (id > 0)`, 'NOT VALID'],
    ['a unique column', `${HEAD}ALTER TABLE chat_event ADD COLUMN n text UNIQUE`, 'unique index CONCURRENTLY'],
    ['another type', `${HEAD}ALTER TABLE chat_event ALTER COLUMN id TYPE numeric`, 'beside it'],
    ['NOT NULL', `${HEAD}ALTER TABLE chat_event ALTER COLUMN id SET NOT NULL`, 'IS NOT NULL'],
    ['REINDEX', `${HEAD}REINDEX TABLE chat_event`, 'REINDEX'],
    ['no word of the versions before', 'CREATE TABLE n (id int)', 'lives-with'],
    ['a word that is no migration', '-- lives-with: 0.1.0\nCREATE TABLE n (id int)', 'lives-with'],
    ['a word of versions to come', '-- lives-with: 9000_new\nCREATE TABLE n (id int)', 'says nothing'],
    ['a word that stands below the statements', `CREATE TABLE n (id int);\n${HEAD}`, 'lives-with'],
  ])('is refused with %s', (_, sql, reason) => {
    expect(problems(sql)).toContain(reason);
  });

  it.each([
    ['an index on a table of its own', `${HEAD}CREATE TABLE n (id int);\nCREATE INDEX x ON n (id);`],
    [
      'an index beside the traffic',
      `${CONCURRENT}-- Why.\nCREATE UNIQUE INDEX CONCURRENTLY x ON chat_event (id) WHERE id > 1;`,
    ],
    ['one that goes', `${CONCURRENT}DROP INDEX CONCURRENTLY IF EXISTS x;`],
    ['a column', `${HEAD}ALTER TABLE chat_event ADD COLUMN n int NOT NULL DEFAULT 0`],
    ['a check for later', `${HEAD}ALTER TABLE chat_event ADD CONSTRAINT c CHECK (id > 0) NOT VALID`],
    ['a constraint over an index', `${HEAD}ALTER TABLE chat_event ADD CONSTRAINT u UNIQUE USING INDEX x`],
    [
      'a body that speaks of indexes',
      `${HEAD}CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $$ BEGIN\n CREATE INDEX x ON t (id); END $$;`,
    ],
    ['no version before that may live with it', '-- lives-with: none\nDROP TABLE n'],
  ])('may have %s', (_, sql) => {
    expect(problems(sql)).toBe('');
  });

  it('has its header in the first lines, whatever other comments it has', () => {
    expect(
      headerOf(of('-- Why it is.\n\n-- transaction: none\n-- lives-with: 0053_mail_tokens\nDROP INDEX CONCURRENTLY x')),
    ).toEqual({
      livesWith: '0053_mail_tokens',
      outsideTransaction: true,
    });
    expect(headerOf(of('CREATE TABLE n (id int);'))).toEqual({ livesWith: null, outsideTransaction: false });
  });

  it('names its index and its table', () => {
    expect(parseIndexStatement(of('-- a;b\nCREATE UNIQUE INDEX CONCURRENTLY x\n  ON t (a) WHERE b;\n'))).toMatchObject({
      does: 'create',
      index: 'x',
      table: 't',
    });
    expect(parseIndexStatement(of('DROP INDEX CONCURRENTLY x'))).toMatchObject({ does: 'drop', index: 'x' });
  });
});

describe('a program on a database of another version', () => {
  const known = [of('', '0001_a'), of('', '0002_b')];
  const row = (name: string, livesWith: string | null = null): Parameters<typeof compareSchema>[0][number] => ({
    name,
    checksum: name,
    lives_with: livesWith,
  });
  const both = [row('0001_a'), row('0002_b')];
  const refusal = (applied: Parameters<typeof compareSchema>[0]): [string, string] => {
    try {
      compareSchema(applied, known);
    } catch (error) {
      if (error instanceof DatabaseStartError) return [error.code, error.message];
      throw error;
    }
    throw new Error('it was not refused');
  };

  it('[OPS42] runs missing migrations, and none on its own schema', () => {
    expect(compareSchema([row('0001_a')], known)).toEqual({ pending: [known[1]], newer: [] });
    expect(compareSchema(both, known)).toEqual({ pending: [], newer: [] });
  });

  it('[OPS42] starts if every newer migration is compatible with it', () => {
    expect(compareSchema([...both, row('0004_d', '0001_a'), row('0003_c', '0002_b')], known)).toEqual({
      pending: [],
      newer: ['0003_c', '0004_d'],
    });
  });

  it('[OPS42] refuses with one sentence and a code if one is not, or does not say', () => {
    const told = 'start that version or a newer one';
    expect(refusal([...both, row('0003_c', '0002_b'), row('0004_d', '0003_c')])).toEqual([
      'schema_too_new',
      `a newer version has brought the database up to date, and this one cannot live with 0004_d: ${told}`,
    ]);
    expect(refusal([...both, row('0003_c')])[0]).toBe('schema_too_new');
  });

  it('refuses migrations that ran in another order or were changed afterwards', () => {
    expect(refusal([row('0001_a'), row('0003_c', '0001_a')])[0]).toBe('schema_of_another_line');
    const twoAhead = [of('', '0001_a'), of('', '0002_b'), of('', '0003_c')];
    expect(() => compareSchema([row('0001_a'), row('0003_c'), row('0004_d', '0002_b')], twoAhead)).toThrow(
      'lacks 0002_b',
    );
    expect(refusal([{ ...row('0001_a'), checksum: 'other' }, row('0002_b')])[0]).toBe('migration_changed');
  });
});
