/**
 * `npm run admin -- <command> [--json]`. The database is that of the services: `DATABASE_DIRECT_URL` or `DATABASE_URL`,
 * else the embedded one in `DATA_DIR`, which must then not be served at the same time.
 */
import { resolve } from 'node:path';
import { DatabaseStartError, openDatabase } from '@chat-realtime/database';
import { databaseFolder } from '../reset.ts';
import { type AdminCommand, AdminUsageError } from './command.ts';
import { newEpoch } from './new-epoch.ts';

const COMMANDS: readonly AdminCommand[] = [newEpoch];

function usage(): string {
  return ['npm run admin -- <command> [--json]', ...COMMANDS.map(({ name, summary }) => `  ${name}: ${summary}`)].join(
    '\n',
  );
}

function databaseUrl(): string {
  const { DATABASE_DIRECT_URL: direct, DATABASE_URL: url, DATA_DIR: dataDir } = process.env;
  return direct || url || `pglite:${databaseFolder(resolve(dataDir || './data'))}`;
}

async function main(args: readonly string[]): Promise<string> {
  const [name, ...rest] = args.filter((arg) => arg !== '--json');
  const command = COMMANDS.find((known) => known.name === name);
  if (command === undefined) throw new AdminUsageError(usage());
  const database = await openDatabase(databaseUrl(), { applicationName: 'chat-admin', poolSize: 1 });
  try {
    const { result, text } = await command.run({ database, args: rest });
    return args.includes('--json') ? JSON.stringify(result) : text;
  } finally {
    await database.close();
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
