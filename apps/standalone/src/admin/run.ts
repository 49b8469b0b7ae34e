import { type Database, type DatabaseLog, DatabaseStartError, openDatabase } from '@chat-realtime/database';
import { ChatError } from '@chat-realtime/protocol';
import { z } from 'zod';
import { AdminRefusal, AdminUsageError } from './command.ts';
import { COMMANDS } from './commands/index.ts';
import { accessDatabase } from './access-database.ts';

export interface AdminIo {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly write: (text: string) => void;
  readonly writeError: (text: string) => void;
  readonly readSecret: (prompt: string) => Promise<string>;
}

function usage(): string {
  const lines = COMMANDS.map(({ name, usage: args, summary }) => `  ${`${name} ${args}`.trim()}\n      ${summary}`);
  const command = import.meta.url.includes('/node_modules/') ? 'npx chat-realtime admin' : 'npm run admin --';
  return [`${command} <command> [--json]`, ...lines].join('\n');
}

/** What the system refused, a connection or a file: no fault of this program. A name with several addresses has one for each. */
function systemError(error: unknown): Error | undefined {
  if (error instanceof AggregateError) return systemError(error.errors[0]);
  return error instanceof Error && 'syscall' in error ? error : undefined;
}

const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';

/** An unknown option is an error of use, wherever it is detected. */
const isUsage = (error: unknown): boolean =>
  error instanceof AdminUsageError || codeOf(error).startsWith('ERR_PARSE_ARGS');

/** A refusal is for people; anything else is a fault and shows where. */
function textOf(error: unknown): string {
  if (error instanceof z.ZodError) return z.prettifyError(error);
  if (!(error instanceof Error)) return String(error);
  if (error instanceof DatabaseStartError) return `${error.message} (${error.code})`;
  const refused = systemError(error);
  if (refused !== undefined) return refused.message;
  const plain = isUsage(error) || [AdminRefusal, ChatError].some((kind) => error instanceof kind);
  return plain ? error.message : (error.stack ?? error.message);
}

/** Answers the exit code: 0 done, 1 not possible or something bad found, 2 called wrongly. */
export async function runAdmin(args: readonly string[], io: AdminIo): Promise<number> {
  const json = args.includes('--json');
  const [name, ...rest] = args.filter((arg) => arg !== '--json');
  const progress = (line: string): void => {
    if (!json) io.writeError(`${line}\n`);
  };
  const server = new ReachedOnce(io.env, progress);
  try {
    const entry = COMMANDS.find((known) => known.name === name);
    if (entry === undefined) throw new AdminUsageError(usage());
    const command = await entry.load();
    const answer = await command.run({
      args: rest,
      env: io.env,
      openDatabase: () => server.open(),
      databaseUrl: (may) => server.url(may),
      migrateDatabase: () => server.migrate(),
      progress,
      readSecret: io.readSecret,
    });
    io.write(`${json ? JSON.stringify(answer.result) : answer.text}\n`);
    return answer.failed === true ? 1 : 0;
  } catch (error) {
    io.writeError(`${textOf(error)}\n`);
    return isUsage(error) ? 2 : 1;
  } finally {
    await server.close();
  }
}

/** The database and its server, each reached when it is first asked for. */
class ReachedOnce {
  readonly #env: AdminIo['env'];
  /** `migrate` changes the schema, or waits for another process that does: the caller sees which. */
  readonly #logger: DatabaseLog;
  #server: ReturnType<typeof accessDatabase> | undefined;
  #database: Promise<Database> | undefined;

  constructor(env: AdminIo['env'], progress: (line: string) => void) {
    this.#env = env;
    // How the server is set up is for the services to say.
    const report = (fields: object, message: string): void => {
      if (!('fsync' in fields)) progress([message, ...Object.values(fields).map(String)].join(' '));
    };
    this.#logger = { info: report, warn: report, error: report };
  }

  async url(may: { readonly create: boolean } = { create: false }): Promise<string> {
    return (await (this.#server ??= accessDatabase(this.#env, may))).url;
  }

  open(): Promise<Database> {
    this.#database ??= this.url().then((url) => this.#open(url, { migrate: false }));
    return this.#database;
  }

  async migrate(): Promise<void> {
    const database = await this.#open(await this.url({ create: true }), { migrate: true });
    await database.close();
  }

  #open(url: string, how: { readonly migrate: boolean }): Promise<Database> {
    return openDatabase(url, { applicationName: 'chat-admin', poolSize: 1, logger: this.#logger, ...how });
  }

  /** One that never opened has said so already. */
  async close(): Promise<void> {
    await (await this.#database?.catch(() => undefined))?.close();
    await (await this.#server?.catch(() => undefined))?.stop();
  }
}
