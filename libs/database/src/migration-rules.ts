import { parseIndexStatement, withoutComments } from './concurrent-index.ts';
import { headerOf, type Migration, saysWhoLivesWithIt } from './migration.ts';

/** Migrations up to this one were written before the rules, and files that have run are never changed. */
export const WRITTEN_BEFORE_THE_RULES = '0053_mail_tokens';

/** Statements that block a table for as long as reading or writing all of it takes, and their alternatives. */
const LONG_ON_AN_OLD_TABLE: readonly { readonly pattern: RegExp; readonly instead: string }[] = [
  {
    pattern: /\bADD\s+(?:CONSTRAINT\s+\w+\s+)?(?:UNIQUE|PRIMARY\s+KEY)\b(?!\s+USING\s+INDEX)/i,
    instead: 'build a unique index CONCURRENTLY first, then ADD CONSTRAINT … USING INDEX',
  },
  {
    pattern: /\bADD\s+(?:CONSTRAINT\s+\w+\s+)?(?:CHECK|FOREIGN\s+KEY)\b(?![\s\S]*\bNOT\s+VALID\b)/i,
    instead: 'add it NOT VALID, and VALIDATE CONSTRAINT in the next migration',
  },
  {
    pattern: /\bADD\s+(?:COLUMN\s+)?(?!CONSTRAINT\b|UNIQUE\b)\w+\s[^,]*\bUNIQUE\b/i,
    instead: 'add the column, then a unique index CONCURRENTLY',
  },
  {
    pattern: /\bALTER\s+(?:COLUMN\s+)?\w+\s+(?:SET\s+DATA\s+)?TYPE\b/i,
    instead: 'add a column of the new type beside it',
  },
  {
    pattern: /\bALTER\s+(?:COLUMN\s+)?\w+\s+SET\s+NOT\s+NULL\b/i,
    instead: 'add CHECK (… IS NOT NULL) NOT VALID, and validate it in the next migration',
  },
];

function statementsOf(sql: string): string[] {
  // Bodies of functions are no statements of the migration.
  const plain = withoutComments(sql).replace(/\$(\w*)\$[\s\S]*?\$\1\$/g, "''");
  return plain
    .split(';')
    .map((text) => text.trim())
    .filter((text) => text !== '');
}

function problemsOfStatement(statement: string, isNew: (table: string) => boolean): string[] {
  const index =
    /^CREATE\s+(?:UNIQUE\s+)?INDEX\s+(?!CONCURRENTLY\b)(?:IF\s+NOT\s+EXISTS\s+)?(?:\w+\s+)?ON\s+(?:ONLY\s+)?(\w+)/i.exec(
      statement,
    );
  const problems: string[] = [];
  if (index !== null && !isNew(index[1] ?? ''))
    problems.push(
      `CREATE INDEX on ${index[1]}, which was there before, keeps everybody from writing to it: give the index a migration of its own with "-- transaction: none" and CREATE INDEX CONCURRENTLY`,
    );
  if (/^(?:CREATE|DROP|REINDEX)\b[\s\S]*\bCONCURRENTLY\b/i.test(statement))
    problems.push(
      'CONCURRENTLY runs in no transaction: give the index a migration of its own with "-- transaction: none"',
    );
  else if (/^(?:REINDEX|CLUSTER|VACUUM)\b/i.test(statement))
    problems.push(`${statement.split(/\s/)[0]} locks what it works on`);
  const altered = /^ALTER\s+TABLE\s+(?:IF\s+EXISTS\s+)?(?:ONLY\s+)?(\w+)/i.exec(statement)?.[1];
  if (altered !== undefined && !isNew(altered))
    for (const { pattern, instead } of LONG_ON_AN_OLD_TABLE)
      if (pattern.test(statement)) problems.push(`reads all of ${altered} while nobody may write to it: ${instead}`);
  return problems;
}

/** Why this new migration cannot run beside traffic and the previous version; empty if it can. */
export function problemsOfMigration(migration: Migration): string[] {
  const { name, sql } = migration;
  if (name <= WRITTEN_BEFORE_THE_RULES) return [];
  const problems: string[] = [];
  const { livesWith, outsideTransaction } = headerOf(migration);
  if (!saysWhoLivesWithIt(migration))
    problems.push(
      'says at its top neither "-- lives-with: <newest migration of the oldest version that can serve on it>" nor "-- lives-with: none"',
    );
  if (livesWith !== null && livesWith >= name)
    problems.push('lives with itself or something newer, which says nothing');
  if (outsideTransaction) {
    try {
      parseIndexStatement(migration);
    } catch (error) {
      problems.push(error instanceof Error ? error.message : String(error));
    }
  } else {
    const statements = statementsOf(sql);
    const made = new Set(
      statements.flatMap((text) => /^CREATE\s+TABLE\s+(?:IF\s+NOT\s+EXISTS\s+)?(\w+)/i.exec(text)?.[1] ?? []),
    );
    for (const statement of statements) problems.push(...problemsOfStatement(statement, (table) => made.has(table)));
  }
  return problems.map((problem) => `${name}: ${problem}`);
}
