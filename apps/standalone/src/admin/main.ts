/**
 * `npm run admin -- <command> [--json]`. The database is that of the services: `DATABASE_DIRECT_URL` or `DATABASE_URL`,
 * else the embedded one in `DATA_DIR`, whether the chat runs or not.
 */
import { resolve } from 'node:path';
import { DatabaseStartError, openDatabase } from '@chat-realtime/database';
import { type ReachedPostgres, reachEmbeddedPostgres } from '@chat-realtime/embedded-postgres';
import { databaseFolder } from '../reset.ts';
import { type AdminCommand, AdminUsageError } from './command.ts';
import { newEpoch } from './new-epoch.ts';

const COMMANDS: readonly AdminCommand[] = [newEpoch];

function usage(): string {
  return ['npm run admin -- <command> [--json]', ...COMMANDS.map(({ name, summary }) => `  ${name}: ${summary}`)].join(
    '\n',
  );
}

async function reachDatabase(): Promise<ReachedPostgres> {
  const { DATABASE_DIRECT_URL: direct, DATABASE_URL: pooled, DATA_DIR: dataDir } = process.env;
  const url = direct || pooled;
  if (url) return { url, stop: async () => undefined };
  return reachEmbeddedPostgres(databaseFolder(resolve(dataDir || './data')));
}

async function main(args: readonly string[]): Promise<string> {
  const [name, ...rest] = args.filter((arg) => arg !== '--json');
  const command = COMMANDS.find((known) => known.name === name);
  if (command === undefined) throw new AdminUsageError(usage());
  const server = await reachDatabase();
  try {
    const database = await openDatabase(server.url, { applicationName: 'chat-admin', poolSize: 1 });
    try {
      const { result, text } = await command.run({ database, args: rest });
      return args.includes('--json') ? JSON.stringify(result) : text;
    } finally {
      await database.close();
    }
  } finally {
    await server.stop();
  }
}

main(process.argv.slice(2)).then(
  (text) => void process.stdout.write(`${text}\n`),
  (error: unknown) => {
    const isPlain = error instanceof AdminUsageError || error instanceof DatabaseStartError;
    const text = isPlain ? error.message : error instanceof Error ? (error.stack ?? error.message) : String(error);
    process.stderr.write(`${text}\n`);
    process.exitCode = error instanceof AdminUsageError ? 2 : 1;
  },
);
