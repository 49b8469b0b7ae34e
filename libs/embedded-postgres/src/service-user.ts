import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { DatabaseStartError } from '@chat-realtime/database';
import { messageOf } from './errors.ts';

const run = promisify(execFile);

export const SERVICE_USER = 'chat-realtime';
/** What belongs to that user and to no data folder: copies of the programs. */
export const SERVICE_HOME = '/var/lib/chat-realtime';

export interface ServiceUser {
  readonly uid: number;
  readonly gid: number;
}

/** Another process may hold the list of users just now. */
const TRIES = 20;
const RETRY_MS = 250;

const NOLOGIN = '/usr/sbin/nologin';
/** The first is everywhere but on Alpine and its like, which have the second. */
const WAYS: readonly (readonly [string, readonly string[]])[] = [
  ['useradd', ['--system', '--user-group', '--home-dir', SERVICE_HOME, '--no-create-home', '--shell', NOLOGIN]],
  ['adduser', ['-S', '-D', '-H', '-h', SERVICE_HOME, '-s', NOLOGIN]],
];
const PATH = '/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin:/usr/bin:/bin';

/**
 * PostgreSQL refuses to run as root. Started by root it runs as a separate user, which is created here once: it owns
 * nothing else, unlike `nobody`, which is shared. Undefined if this process is not root: then PostgreSQL runs as the
 * same user.
 */
export async function serviceUser(): Promise<ServiceUser | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  if (process.platform !== 'linux')
    throw new DatabaseStartError(
      'the embedded PostgreSQL does not run as root on this system: start as an ordinary user',
    );
  const known = await lookUp();
  if (known !== undefined) return known;
  let refusal = '';
  for (let tries = 0; tries < TRIES; tries += 1) {
    refusal = await make();
    const made = await lookUp();
    if (made !== undefined) return made;
    await sleep(RETRY_MS);
  }
  throw new DatabaseStartError(
    `PostgreSQL does not run as root, and the system user "${SERVICE_USER}" it would run as could not be made (${refusal}). ` +
      `Make it (useradd --system ${SERVICE_USER}), start as an ordinary user, or set DATABASE_URL to a PostgreSQL`,
  );
}

async function lookUp(): Promise<ServiceUser | undefined> {
  const lines = (await readFile('/etc/passwd', 'utf8')).split('\n').map((line) => line.split(':'));
  const entry = lines.find(([name]) => name === SERVICE_USER);
  return entry === undefined ? undefined : { uid: Number(entry[2]), gid: Number(entry[3]) };
}

/** Answers why it did not work; whether it did is seen by looking. */
async function make(): Promise<string> {
  const refusals: string[] = [];
  for (const [command, args] of WAYS) {
    try {
      await run(command, [...args, SERVICE_USER], { env: { PATH, LC_ALL: 'C' } });
      return '';
    } catch (error) {
      refusals.push(messageOf(error).trim().split('\n').at(-1) ?? command);
    }
  }
  return refusals.join('; ');
}
