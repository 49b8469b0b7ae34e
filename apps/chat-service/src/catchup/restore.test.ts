import { execFile } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beginNewEpoch } from '@chat-realtime/database';
import { binaries } from '@chat-realtime/testkit';
import { RevocationSet } from '@chat-realtime/verifier';
import { afterAll, expect, it } from 'vitest';
import { anna, newChat, Stage, text } from '../../test/harness.ts';
import { RevocationRefresher } from '../tokens/revocation-refresher.ts';

const run = promisify(execFile);
const stage = new Stage();
const archive = join(tmpdir(), `chat-restore-${process.pid}.dump`);
afterAll(async () => {
  await stage.stop();
  await rm(archive, { force: true });
});

it('[RES10] [REV7] notices a pg_restore into the running database: a new epoch, and revocations read again', async () => {
  const harness = await stage.harness();
  const { chat, url } = harness;
  const one = await newChat(chat, 'one');
  const ask = () => chat.catchup({ sessions: [{ id: one.id, after_seq: 0 }], limit: 100, revocations_after: 0 });
  const set = new RevocationSet();
  const refresher = new RevocationRefresher(chat, set, { warn: () => undefined });
  const before = await ask();
  await run(binaries.pgDump(), ['--format=custom', `--file=${archive}`, url]);

  for (let n = 0; n < 5; n += 1) await chat.postMessage(anna, one.id, text(`lost ${n}`));
  for (let n = 0; n < 3; n += 1) await chat.revokeStaff('staff', `u${n}`);
  await refresher.refresh();
  const middle = await ask();
  expect(middle.epoch).toBe(before.epoch);
  expect(set.place.id).toBe(3);

  await run(binaries.pgRestore(), ['--clean', '--if-exists', '--no-owner', `--dbname=${url}`, archive]);
  const after = await ask();
  expect(after.epoch).not.toBe(before.epoch);
  expect(after.sessions[0]?.last_seq).toBe(before.sessions[0]?.last_seq);
  expect((await ask()).epoch).toBe(after.epoch);

  // The first revocation of the restored database has an id that the reader passed long ago.
  await chat.revokeStaff('staff', 'mallory');
  await refresher.refresh();
  expect(set.place.id).toBe(1);
  const mallory = { kind: 'staff', userId: 'mallory', issuedAt: 1, expiresAt: 2, loginId: null } as const;
  expect(set.isRevoked({ ...mallory, role: 'operator', scope: 'all', name: null })).toBe(true);
  expect((await chat.catchup({ sessions: [], limit: 1, revocations_after: 3 })).revocations).toHaveLength(1);

  const posted = await chat.postMessage(anna, one.id, text('after the restore'));
  expect(posted.message.body).toBe('after the restore');
  await beginNewEpoch(harness.database);
  expect((await ask()).epoch).not.toBe(after.epoch);
});
