import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';

/** Runs SQL on one connection: text with several statements, or one statement with values. */
export interface MigrationConnection {
  execute(text: string): Promise<void>;
  query<R>(text: string, values: readonly unknown[]): Promise<R[]>;
}

export interface Migration {
  readonly name: string;
  readonly sql: string;
  readonly checksum: string;
}

/** What the comments at the top of a migration's file say of it, one to a line. */
export interface MigrationHeader {
  /** `-- lives-with: 0053_mail_tokens`: a version that knows everything up to this one serves on the schema too. */
  readonly livesWith: string | null;
  /** `-- transaction: none`: one index is built or dropped beside the traffic. */
  readonly outsideTransaction: boolean;
}

/** Beside both `src` and `dist`, so that sources and the build read the same files. */
const FOLDER = new URL('../migrations/', import.meta.url);
const FILE_NAME = /^\d{4}_[a-z0-9_]+\.sql$/;
export const MIGRATION_NAME = /^\d{4}_[a-z0-9_]+$/;

export async function readMigrations(): Promise<Migration[]> {
  const files = (await readdir(FOLDER)).filter((file) => FILE_NAME.test(file)).sort();
  return Promise.all(
    files.map(async (file) => {
      const sql = await readFile(new URL(file, FOLDER), 'utf8');
      const checksum = createHash('sha256').update(sql.replaceAll('\r\n', '\n')).digest('hex');
      return { name: file.slice(0, -'.sql'.length), sql, checksum };
    }),
  );
}

/** Names the state of the schema: the same for every database that has run these migrations. */
export function schemaFingerprint(migrations: readonly Migration[]): string {
  const hash = createHash('sha256');
  for (const migration of migrations) hash.update(`${migration.name}:${migration.checksum}\n`);
  return hash.digest('hex').slice(0, 16);
}

function headerLine(sql: string, key: string): string | undefined {
  const top = /^(?:\s*--[^\n]*\n?|\s*\n)*/.exec(sql)?.[0] ?? '';
  return new RegExp(`^\\s*-- ${key}: *(\\S+)\\s*$`, 'm').exec(top)?.[1];
}

/** A value that is no name of a migration, such as `none`, lets no earlier version live with it. */
export function headerOf({ sql }: Pick<Migration, 'sql'>): MigrationHeader {
  const livesWith = headerLine(sql, 'lives-with');
  return {
    livesWith: livesWith !== undefined && MIGRATION_NAME.test(livesWith) ? livesWith : null,
    outsideTransaction: headerLine(sql, 'transaction') === 'none',
  };
}

/** Whether the file says anything of the versions before it, be it that none may live with it. */
export function saysWhoLivesWithIt({ sql }: Pick<Migration, 'sql'>): boolean {
  const value = headerLine(sql, 'lives-with');
  return value !== undefined && (value === 'none' || MIGRATION_NAME.test(value));
}
