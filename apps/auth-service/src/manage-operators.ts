/**
 * Accounts from the command line, for whoever may reach the database:
 *   node dist/manage-operators.js list
 *   node dist/manage-operators.js add <login> <name> [operator|admin] [all|assigned|own]
 *   node dist/manage-operators.js password|activate|deactivate <login>
 *   node dist/manage-operators.js role <login> operator|admin
 *   node dist/manage-operators.js scope <login> all|assigned|own
 * New passwords are read from standard input, so that they stand neither in a process list nor in a history.
 */
import { createInterface } from 'node:readline';
import { openDatabase } from '@chat-realtime/database';
import { ChatError, requiredText, staffScopeSchema } from '@chat-realtime/protocol';
import { ConfigError, loadConfig } from '@chat-realtime/service-kit';
import { z } from 'zod';
import { hashPassword } from './domain/passwords.ts';
import type { Operator } from './domain/operator.ts';
import { Operators } from './storage/operators.ts';

const loginSchema = requiredText(200);
const roleSchema = z.enum(['operator', 'admin']);
const MIN_PASSWORD_LENGTH = 8;

class UsageError extends Error {
  override readonly name = 'UsageError';
}

async function passwordFromInput(): Promise<string> {
  if (process.stdin.isTTY) process.stderr.write('new password: ');
  const lines = createInterface({ input: process.stdin });
  for await (const line of lines) {
    lines.close();
    if (line.length < MIN_PASSWORD_LENGTH)
      throw new UsageError(`a password needs at least ${MIN_PASSWORD_LENGTH} characters`);
    return line;
  }
  throw new UsageError('no password on standard input');
}

async function run(operators: Operators, [command, ...args]: readonly string[]): Promise<readonly Operator[]> {
  if (command === 'list') return operators.list();
  const login = loginSchema.parse(args[0]);
  switch (command) {
    case 'add': {
      const name = requiredText(200).parse(args[1]);
      const role = roleSchema.parse(args[2] ?? 'operator');
      const scope = staffScopeSchema.parse(args[3] ?? 'all');
      const added = await operators.add({
        login,
        name,
        role,
        scope,
        passwordHash: await hashPassword(await passwordFromInput()),
      });
      if (added === undefined) throw new UsageError(`the login "${login}" is taken`);
      return [added];
    }
    case 'password':
      return [await operators.change(login, { passwordHash: await hashPassword(await passwordFromInput()) })];
    case 'activate':
      return [await operators.change(login, { active: true })];
    case 'deactivate':
      return [await operators.change(login, { active: false })];
    case 'role':
      return [await operators.change(login, { role: roleSchema.parse(args[1]) })];
    case 'scope':
      return [await operators.change(login, { scope: staffScopeSchema.parse(args[1]) })];
    default:
      throw new UsageError('commands: list, add, password, activate, deactivate, role, scope');
  }
}

async function main(): Promise<void> {
  const config = loadConfig(
    z.object({ DATABASE_URL: z.string(), DATABASE_DIRECT_URL: z.string().optional() }),
    process.env,
  );
  const database = await openDatabase(config.DATABASE_DIRECT_URL ?? config.DATABASE_URL, {
    applicationName: 'manage-operators',
    poolSize: 1,
  });
  try {
    for (const { id, login, role, scope, active, name } of await run(
      new Operators(database, () => new Date()),
      process.argv.slice(2),
    )) {
      process.stdout.write(`${[id, login, role, scope, active ? 'active' : 'inactive', name].join('\t')}\n`);
    }
  } finally {
    await database.close();
  }
}

main().catch((error: unknown) => {
  const isPlain = error instanceof UsageError || error instanceof ConfigError || error instanceof ChatError;
  const text =
    error instanceof z.ZodError
      ? z.prettifyError(error)
      : isPlain
        ? error.message
        : error instanceof Error
          ? (error.stack ?? error.message)
          : String(error);
  process.stderr.write(`${text}\n`);
  process.exitCode = 1;
});
