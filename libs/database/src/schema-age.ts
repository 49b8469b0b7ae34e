import type { Migration } from './migration.ts';
import { DatabaseStartError } from './types.ts';

/** A row of the journal `schema_migration`. */
export interface AppliedMigration {
  readonly name: string;
  readonly checksum: string;
  /** The newest migration of the oldest version that may run on it. Null: only versions that know this migration. */
  readonly lives_with: string | null;
}

export interface SchemaAge {
  /** Still to be run, in their order. */
  readonly pending: readonly Migration[];
  /** Of a newer version, with which this one can live. */
  readonly newer: readonly string[];
}

/**
 * Compares the migrations of this program with those the database has run. A newer version may have run more; each of
 * them says with which versions before it the schema still works.
 * @throws DatabaseStartError when this program must not run on it; nothing was changed.
 */
export function compareSchema(applied: readonly AppliedMigration[], known: readonly Migration[]): SchemaAge {
  const journal = new Map(applied.map((row) => [row.name, row]));
  for (const { name, checksum } of known)
    if ((journal.get(name)?.checksum ?? checksum) !== checksum)
      throw new DatabaseStartError(
        `migration ${name} was changed after it had run on this database; restore the file and add a new one`,
        { code: 'migration_changed' },
      );
  const names = new Set(known.map(({ name }) => name));
  const pending = known.filter(({ name }) => !journal.has(name));
  const foreign = applied.filter(({ name }) => !names.has(name)).sort((a, b) => (a.name < b.name ? -1 : 1));
  if (foreign.length === 0) return { pending, newer: [] };
  const newest = known.at(-1)?.name ?? '';
  const hostile = foreign.filter(({ lives_with: oldest }) => oldest === null || newest < oldest);
  const list = (rows: readonly { readonly name: string }[]): string => rows.map(({ name }) => name).join(', ');
  if (hostile.length > 0)
    throw new DatabaseStartError(
      `a newer version has brought the database up to date, and this one cannot live with ${list(hostile)}: start that version or a newer one`,
      { code: 'schema_too_new' },
    );
  // Each has migrations that the other lacks: they ran in a different order, which was never tested.
  if (pending.length > 0)
    throw new DatabaseStartError(
      `the database has ${list(foreign)} of a newer version and lacks ${list(pending)} of this one: start the newer version`,
      { code: 'schema_of_another_line' },
    );
  return { pending, newer: foreign.map(({ name }) => name) };
}
