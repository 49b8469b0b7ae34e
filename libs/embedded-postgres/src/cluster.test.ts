import { readdir } from 'node:fs/promises';
import { DatabaseStartError } from '@chat-realtime/database';
import { tempFolder } from '@chat-realtime/testkit';
import { expect, it } from 'vitest';
import { PASSWORD_FILE, provideCluster } from './cluster.ts';
import type { Programs } from './programs.ts';

/** A uid that no user has, as in a container that may give files to anybody. */
const NO_USER = { uid: 2 ** 32, gid: 2 ** 32 };

it.each([
  ['may not be given to its user', NO_USER],
  ['finds no program to be filled by', undefined],
])('a data folder that %s ends the start with a reason, and leaves no copy of the password', async (_, user) => {
  const folder = tempFolder('cluster');
  const programs: Programs = { folder: '/nonexistent', version: '15.0', major: 15 };
  const error: unknown = await provideCluster(folder, programs, user).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(DatabaseStartError);
  expect(String(error)).toContain('the embedded PostgreSQL could not make its data folder: ');
  expect((await readdir(folder)).filter((name) => name.includes('password'))).toEqual([PASSWORD_FILE]);
});
