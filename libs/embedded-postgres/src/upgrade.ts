import { access, readdir, realpath, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseStartError, guardFolder } from '@chat-realtime/database';
import { newAddress } from './address.ts';
import { clusterName, dataArgument, keptPassword, programEnv, provideCluster } from './cluster.ts';
import { copyIntoPlace, migrationConnection, rowsCopied } from './copy-into-place.ts';
import { connect, DATABASE, provideDatabase } from './database-of-cluster.ts';
import { endLeftover } from './leftover.ts';
import { COPY, providePrograms } from './programs.ts';
import { ServerProcess, untilReady } from './server-process.ts';
import { SERVICE_HOME, serviceUser, type ServiceUser } from './service-user.ts';
import { serverSettings, settingsForReading } from './settings.ts';
import { majorsIn } from './upgrade-check.ts';

export type DataUpgrade =
  | { readonly kind: 'nothing'; readonly major: number }
  | {
      readonly kind: 'upgraded';
      readonly from: number;
      readonly to: number;
      readonly rows: number;
      /** Where the previous data are now, untouched. */
      readonly kept: string;
    };

/**
 * Brings the data of an older major version of PostgreSQL to the one that npm brought: copied row by row from one server
 * to the other, all or nothing; the old data folder is kept under another name. The chat must not run.
 * @param oldPrograms folder with `bin/postgres` of the version that wrote the data; by default the copy that a start as
 * root left behind
 * @throws DatabaseStartError when it cannot; then nothing has changed.
 */
export async function upgradeEmbeddedPostgres(
  folder: string,
  oldPrograms: string | undefined,
  progress: (line: string) => void,
): Promise<DataUpgrade> {
  const guard = await guardFolder(folder);
  const release: (() => Promise<void>)[] = [() => guard.release()];
  try {
    const real = await realpath(folder);
    const user = await serviceUser();
    const programs = await providePrograms(user === undefined ? real : SERVICE_HOME, user !== undefined);
    const from = (await majorsIn(real)).find((major) => major !== programs.major);
    if (from === undefined) return { kind: 'nothing', major: programs.major };
    if (from > programs.major)
      throw new DatabaseStartError(
        `the data are of PostgreSQL ${from}, which is newer than the ${programs.major} of this version`,
      );
    const password = await keptPassword(real);
    if (password === undefined)
      throw new DatabaseStartError(`the file with the database's password is missing in ${real}`);

    const old = { data: join(real, clusterName(from)), password };
    const bin = oldPrograms ?? (await keptPrograms(user === undefined ? real : SERVICE_HOME, from));
    progress(`starting PostgreSQL ${from} over ${old.data} …`);
    const source = await serve(join(bin, 'bin', POSTGRES), old, user, settingsForReading, release);
    const cluster = await provideCluster(real, programs, user);
    progress(`starting PostgreSQL ${programs.major} over ${cluster.data} …`);
    const target = await serve(join(programs.folder, 'bin', POSTGRES), cluster, user, serverSettings, release);
    await provideDatabase(target('postgres'));
    progress('copying …');
    const reader = await connect(source(DATABASE));
    release.unshift(() => reader.end());
    const rows = await copyIntoPlace(target, old.data, (to) => rowsCopied(migrationConnection(reader), to));
    // Both have ended before the name says that it is done.
    for (const step of release.splice(0, release.length - 1)) await step();
    const kept = `${old.data}.before-upgrade`;
    await rename(old.data, kept);
    return { kind: 'upgraded', from, to: programs.major, rows, kept };
  } finally {
    for (const step of release.splice(0)) await step();
  }
}

const POSTGRES = process.platform === 'win32' ? 'postgres.exe' : 'postgres';

/** @returns the address of its databases; what ends it again stands first in `release`. */
async function serve(
  command: string,
  cluster: { readonly data: string; readonly password: string },
  user: ServiceUser | undefined,
  settings: (address: Readonly<Record<string, string>>) => string[],
  release: (() => Promise<void>)[],
): Promise<(database: string) => string> {
  await access(command).catch(() => {
    throw new DatabaseStartError(`there is no ${command}`);
  });
  await endLeftover(cluster.data);
  const address = await newAddress(cluster);
  release.unshift(() => address.release());
  const run = new ServerProcess({
    command,
    args: ['-D', dataArgument(cluster.data, user), ...settings(address.settings)],
    cwd: cluster.data,
    env: programEnv(),
    user,
    onLine: () => undefined,
  });
  release.unshift(() => run.stop());
  await untilReady(run, cluster.data);
  return (database) => address.url(database);
}

/** Copies of the programs are kept by version. */
async function keptPrograms(copies: string, major: number): Promise<string> {
  const names = await readdir(copies).catch(() => []);
  const copy = names.find((name) => COPY.test(name) && name.startsWith(`postgresql-${major}.`));
  if (copy !== undefined) return join(copies, copy, 'native');
  throw new DatabaseStartError(
    `the programs of PostgreSQL ${major}, which wrote the data, are not here: install them (Debian: postgresql-${major}) and name their folder, as in upgrade-data /usr/lib/postgresql/${major}`,
  );
}
