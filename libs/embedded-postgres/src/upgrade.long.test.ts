import { execFile } from 'node:child_process';
import { chmod, chown, mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { openDatabase } from '@chat-realtime/database';
import { binaries, tempFolder } from '@chat-realtime/testkit';
import { expect, it } from 'vitest';
import { startEmbeddedPostgres } from './embedded-postgres.ts';
import { serviceUser } from './service-user.ts';
import { upgradeEmbeddedPostgres } from './upgrade.ts';
import { serveOld } from '../test/old-server.ts';

const run = promisify(execFile);
const OLD_BIN = dirname(binaries.postgres());

/** A folder as a chat with Debian's PostgreSQL would have left it. */
async function dataOfDebians(): Promise<{ folder: string; major: number }> {
  const { stdout } = await run(binaries.postgres(), ['--version']);
  const major = Number(/(\d+)/.exec(stdout)?.[1]);
  const folder = tempFolder('upgrade');
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'postgres-password'), 'of-before\n', { mode: 0o600 });
  const data = join(folder, `postgres-${major}`);
  await mkdir(data, { mode: 0o700 });
  const user = await serviceUser();
  // PostgreSQL before 16 must be able to enter every folder above its data, as a user who is not root.
  const file = join(folder, 'initdb-password');
  await writeFile(file, 'of-before\n');
  await chmod(folder, 0o755);
  if (user !== undefined) await chown(data, user.uid, user.gid);
  const args = [
    '-D',
    user === undefined ? data : '.',
    '--username=chat',
    '--auth=scram-sha-256',
    '--encoding=UTF8',
    '--locale=C',
    `--pwfile=${file}`,
  ];
  await run(binaries.initdb(), args, { cwd: data, ...user });
  await rm(file);
  return { folder, major };
}

it('[OPS39] data of an older PostgreSQL are found and carried over with every row', async () => {
  const { folder, major } = await dataOfDebians();
  expect(major).toBeLessThan(18);
  await expect(startEmbeddedPostgres(folder)).rejects.toThrow(`are of PostgreSQL ${major}`);
  expect((await readdir(folder)).sort()).toEqual([`postgres-${major}`, 'postgres-password']);

  // The previous chat wrote the schema and some rows into it, through a server of that version.
  await upgradeEmbeddedPostgres(folder, '/nowhere', () => undefined).then(
    () => expect.unreachable(),
    (error: Error) => expect(error.message).toContain('/nowhere/bin/postgres'),
  );
  await serveOld(folder, major, dirname(OLD_BIN), async (url) => {
    const database = await openDatabase(url);
    for (const id of ['anna', 'boris'])
      await database.kysely.insertInto('chat_operator').values({ id, role: 'operator' }).execute();
    await database.close();
  });

  const lines: string[] = [];
  const done = await upgradeEmbeddedPostgres(folder, dirname(OLD_BIN), (line) => lines.push(line));
  expect(done).toMatchObject({
    kind: 'upgraded',
    from: major,
    to: 18,
    kept: expect.stringContaining('before-upgrade'),
  });
  expect(lines.length).toBeGreaterThan(2);
  expect((await readdir(folder)).sort()).toEqual(
    ['postgres-18', `postgres-${major}.before-upgrade`, 'postgres-password'].sort(),
  );
  expect(await upgradeEmbeddedPostgres(folder, undefined, () => undefined)).toEqual({ kind: 'nothing', major: 18 });

  const server = await startEmbeddedPostgres(folder);
  const database = await openDatabase(server.url, { durable: true });
  const rows = await database.kysely.selectFrom('chat_operator').select('id').orderBy('id').execute();
  expect(rows.map(({ id }) => id)).toEqual(['anna', 'boris']);
  await database.close();
  await server.stop();

  // The old folder was put back beside the new one: its owner must decide which counts.
  await rename(join(folder, `postgres-${major}.before-upgrade`), join(folder, `postgres-${major}`));
  await expect(upgradeEmbeddedPostgres(folder, dirname(OLD_BIN), () => undefined)).rejects.toThrow(
    'move the one you do not need away',
  );
});
