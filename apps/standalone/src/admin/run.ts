import { type Database, DatabaseStartError, openDatabase } from '@chat-realtime/database';
import { ChatError } from '@chat-realtime/protocol';
import { z } from 'zod';
import { AdminRefusal, AdminUsageError } from './command.ts';
import { COMMANDS } from './commands/index.ts';
import { reachDatabase } from './reach-database.ts';

export interface AdminIo {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly write: (text: string) => void;
  readonly writeError: (text: string) => void;
  readonly readSecret: (prompt: string) => Promise<string>;
}

function usage(): string {
  const lines = COMMANDS.map(({ name, usage: args, summary }) => `  ${`${name} ${args}`.trim()}\n      ${summary}`);
  return ['npm run admin -- <command> [--json]', ...lines].join('\n');
}

/** A refusal is for people; anything else is a fault and shows where. */
function textOf(error: unknown): string {
  if (error instanceof z.ZodError) return z.prettifyError(error);
  if (!(error instanceof Error)) return String(error);
  const plain = [AdminUsageError, AdminRefusal, DatabaseStartError, ChatError].some((kind) => error instanceof kind);
  return plain ? error.message : (error.stack ?? error.message);
}

/** Answers the exit code: 0 done, 1 not possible or something bad found, 2 called wrongly. */
export async function runAdmin(args: readonly string[], io: AdminIo): Promise<number> {
  const json = args.includes('--json');
  const [name, ...rest] = args.filter((arg) => arg !== '--json');
  let reached: Promise<Reached> | undefined;
  try {
    const entry = COMMANDS.find((known) => known.name === name);
    if (entry === undefined) throw new AdminUsageError(usage());
    const command = await entry.load();
    const answer = await command.run({
      args: rest,
      env: io.env,
      openDatabase: async () => (await (reached ??= reach(io.env))).database,
      progress: (line) => {
        if (!json) io.writeError(`${line}\n`);
      },
      readSecret: io.readSecret,
    });
    io.write(`${json ? JSON.stringify(answer.result) : answer.text}\n`);
    return answer.failed === true ? 1 : 0;
  } catch (error) {
    io.writeError(`${textOf(error)}\n`);
    return error instanceof AdminUsageError ? 2 : 1;
  } finally {
    // One that never opened has said so already.
    await (await reached?.catch(() => undefined))?.close();
  }
}

interface Reached {
  readonly database: Database;
  close(): Promise<void>;
}

async function reach(env: AdminIo['env']): Promise<Reached> {
  const server = await reachDatabase(env);
  try {
    const database = await openDatabase(server.url, { applicationName: 'chat-admin', poolSize: 1 });
    const close = async (): Promise<void> => {
      await database.close();
      await server.stop();
    };
    return { database, close };
  } catch (error) {
    await server.stop();
    throw error;
  }
}
