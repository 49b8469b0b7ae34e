import { connectPlainly, headerOf, readMigrations, schemaAge } from '@chat-realtime/database';
import { type AdminCommand, AdminUsageError } from '../command.ts';

interface Step {
  readonly name: string;
  /** Built or dropped outside a transaction, which may take minutes on a large table. */
  readonly index: boolean;
  /** The newest migration of the oldest version that serves on it; null: every service of before ends when it restarts. */
  readonly lives_with: string | null;
}

function describe({ name, index, lives_with: livesWith }: Step): string {
  const remarks = [
    ...(index ? ['an index, beside the traffic'] : []),
    livesWith === null
      ? 'services of before serve on, but do not start again'
      : `versions from ${livesWith} on serve on it`,
  ];
  return `  ${name}: ${remarks.join('; ')}`;
}

async function ageOf(url: string): ReturnType<typeof schemaAge> {
  const connection = await connectPlainly(url);
  try {
    return await schemaAge(connection, await readMigrations());
  } finally {
    await connection.close();
  }
}

export const migrate: AdminCommand = {
  async run({ args, databaseUrl, migrateDatabase, progress }) {
    const dryRun = args[0] === '--dry-run';
    if (args.length > (dryRun ? 1 : 0)) throw new AdminUsageError('migrate [--dry-run]');
    progress(
      `comparing the schema with this version’s${dryRun ? '; nothing is changed' : ', to run what is missing while the services serve'} …`,
    );
    const age = await ageOf(await databaseUrl({ create: !dryRun }));
    const steps: Step[] = age.pending.map((migration) => {
      const { livesWith, outsideTransaction } = headerOf(migration);
      return { name: migration.name, index: outsideTransaction, lives_with: livesWith };
    });
    const result = { pending: steps, newer: age.newer, done: !dryRun };
    if (steps.length === 0)
      return {
        result,
        text:
          age.newer.length === 0
            ? 'The schema is up to date; there is nothing to do.'
            : `The schema is of a newer version (${age.newer.join(', ')}), with which this one can live; there is nothing to do.`,
      };
    const list = steps.map(describe).join('\n');
    if (dryRun) return { result, text: `To be run:\n${list}` };
    progress(`running, while the services serve:\n${list}`);
    await migrateDatabase();
    return { result, text: `${steps.length} migrations have run; the services of this version may start.` };
  },
};
