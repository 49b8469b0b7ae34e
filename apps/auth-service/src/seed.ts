import { randomInt } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { newPasswordSchema } from '@chat-realtime/protocol';
import { ConfigError, isLoopback, isExposed, type Exposure } from '@chat-realtime/service-kit';
import type { AuthService } from './auth-service.ts';
import { hashPassword, PasswordCheck } from './domain/passwords.ts';
import type { Operator } from './domain/operator.ts';

/** The accounts of a demo, in the order in which they are shown. */
export const SEEDED_OPERATORS = [
  { login: 'anna', name: 'Анна', role: 'operator' },
  { login: 'boris', name: 'Борис', role: 'operator' },
  { login: 'admin', name: 'Администратор', role: 'admin' },
] as const;

/** In the data folder. */
export const PASSWORD_FILE = 'operator-password';
/** Without letters and figures that look alike, since people type it from a terminal. */
const ALPHABET = 'abcdefghjkmnpqrstuvwxyz23456789';
const GENERATED_LENGTH = 16;

export type OperatorPassword =
  | { readonly source: 'environment'; readonly password: string }
  /** `generated`: made just now and not read from the folder. */
  | { readonly source: 'folder'; readonly password: string; readonly generated: boolean; readonly file: string };

/** The seeded accounts' password: `OPERATOR_PASSWORD`, else one that is made once and kept in the data folder. */
export async function operatorPassword(
  fromEnvironment: string | undefined,
  dataFolder: string,
): Promise<OperatorPassword> {
  if (fromEnvironment !== undefined && fromEnvironment !== '')
    return { source: 'environment', password: fromEnvironment };
  const file = join(dataFolder, PASSWORD_FILE);
  const kept = await readIfThere(file);
  if (kept !== undefined) return { source: 'folder', password: kept, generated: false, file };
  const password = Array.from({ length: GENERATED_LENGTH }, () => ALPHABET.charAt(randomInt(ALPHABET.length))).join('');
  await mkdir(dataFolder, { recursive: true });
  await writeFile(file, `${password}\n`, { mode: 0o600 });
  return { source: 'folder', password, generated: true, file };
}

async function readIfThere(file: string): Promise<string | undefined> {
  try {
    const text = (await readFile(file, 'utf8')).trim();
    return text === '' ? undefined : text;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

export interface SeedOptions {
  /** Gives existing seeded accounts this password as well: for one that was set on purpose in the environment. */
  readonly resetPasswords?: boolean;
  /** The accounts end with the demo they belong to. */
  readonly demo?: boolean;
  readonly accounts?: readonly (typeof SEEDED_OPERATORS)[number][];
}

/**
 * The first accounts outside a demo, with a password that the administrator chose. If other machines can reach the
 * chat, there is only the requested account, and no password that is quickly guessed. @throws ConfigError
 */
export async function seedChosen(service: AuthService, password: string, exposure: Exposure): Promise<Operator[]> {
  if (isExposed(exposure) && !newPasswordSchema.safeParse(password).success)
    throw new ConfigError(['OPERATOR_PASSWORD: needs at least 8 characters where other machines reach the chat']);
  const accounts = SEEDED_OPERATORS.filter(({ role }) => role === 'admin' || isLoopback(exposure.HOST));
  return seedOperators(service, password, { accounts });
}

/** Makes the seeded accounts that are missing. Accounts that exist keep role, name and state. */
export async function seedOperators(
  service: AuthService,
  password: string,
  { resetPasswords = false, demo = false, accounts = SEEDED_OPERATORS }: SeedOptions = {},
): Promise<Operator[]> {
  const check = await PasswordCheck.create();
  const seeded: Operator[] = [];
  for (const account of accounts) {
    const existing = await service.operators.credentials(account.login);
    if (existing === undefined) {
      const added = await service.operators.add({ ...account, passwordHash: await hashPassword(password), demo });
      // Another process that starts at the same time may have been quicker; then the account is there.
      const operator = added ?? (await service.operators.credentials(account.login))?.operator;
      if (operator !== undefined) seeded.push(operator);
      continue;
    }
    seeded.push(existing.operator);
    if (demo) await service.operators.markDemo(account.login);
    if (resetPasswords && !(await check.matches(existing.passwordHash, password))) {
      await service.operators.change(account.login, { passwordHash: await hashPassword(password) });
    }
  }
  return seeded;
}
