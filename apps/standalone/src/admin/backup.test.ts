import { createWriteStream } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGzip, gunzipSync } from 'node:zlib';
import { openDatabase } from '@chat-realtime/database';
import { type PostgresServer, startPostgres, until } from '@chat-realtime/testkit';
import pg from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { runAdmin } from './run.ts';

let postgres: PostgresServer;
let folder: string;
let dataDir: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'chat-backup-'));
  dataDir = join(folder, 'data');
  postgres = await startPostgres({ durable: false });
  await (await openDatabase(postgres.url, { applicationName: 'test', poolSize: 1 })).close();
});
// One test contains several starts of the whole chat; on a busy machine each may take several times as long.
const LIMIT_MS = 180_000;
afterAll(async () => {
  await postgres.stop();
  await rm(folder, { recursive: true, force: true });
});

async function admin(url: string, ...args: string[]): Promise<{ code: number; out: string; err: string }> {
  let out = '';
  let err = '';
  const code = await runAdmin(args, {
    env: { DATABASE_URL: url, DATA_DIR: dataDir },
    write: (text) => (out += text),
    writeError: (text) => (err += text),
    readSecret: async () => '',
  });
  return { code, out, err };
}

async function answer(url: string, ...args: string[]): Promise<Record<string, unknown>> {
  const { code, out, err } = await admin(url, ...args, '--json');
  expect([code, err]).toEqual([0, '']);
  const parsed: Record<string, unknown> = JSON.parse(out);
  return parsed;
}

async function query<R extends pg.QueryResultRow>(text: string, url = postgres.url): Promise<R[]> {
  const client = new pg.Client(url);
  await client.connect();
  try {
    return (await client.query<R>(text)).rows;
  } finally {
    await client.end();
  }
}

const operator = (id: string, active = true): string =>
  `INSERT INTO auth_operator (id, login, name, role, password_hash, active) VALUES ('${id}', '${id}', 'И', 'operator', '$argon2id$x', ${active});`;
const session = (body: string): string => `
  INSERT INTO chat_session (name, last_seq, client_msgs) VALUES ('Zoë ''quoted'' \\ 💬', 1, 1);
  INSERT INTO chat_event (session_id, seq, type, sender_type, client_message_id, body, data)
    SELECT max(id), 1, 'chat.message', 'client', gen_random_uuid()::text, E'${body}', NULL FROM chat_session;
  INSERT INTO outbox (event_id) SELECT max(id) FROM chat_event;`;

it('writes a consistent snapshot and restores all of it, with a new epoch and every revocation', {
  timeout: LIMIT_MS,
}, async () => {
  await query(session('line\\nand "quotes"') + session('second') + operator('anna') + operator('boris'));
  await query(`INSERT INTO auth_login (id, operator_id, created_at) VALUES ('login-1', 'anna', now())`);
  await query(
    `INSERT INTO chat_attachment (id, session_id, uploaded_by, name, mime, size, storage_key)
     SELECT 'file', max(id), 'client', 'a.png', 'image/png', 5, 'abcdefgh12' FROM chat_session`,
  );
  await mkdir(join(dataDir, 'attachments/ab'), { recursive: true });
  await writeFile(join(dataDir, 'attachments/ab/abcdefgh12'), 'bytes');
  const before = await query('SELECT id, seq, type, body, created_at FROM chat_event ORDER BY id');
  const backup = join(folder, 'backup');

  expect(await answer(postgres.url, 'backup', backup)).toMatchObject({
    folder: backup,
    rows: { chat_session: 2, chat_event: 2, outbox: 2, auth_operator: 2 },
    attachments: { copied: 1, kept: 0, missing: 0 },
  });
  // A second backup into the same folder copies no file twice.
  expect(await answer(postgres.url, 'backup', backup)).toMatchObject({ attachments: { copied: 0, kept: 1 } });
  expect(gunzipSync(await readFile(join(backup, 'database.ndjson.gz'))).toString()).toContain('"end"');

  // After the backup: new chats, a revocation, a closed account, a new account, an erasure.
  await query(session('after the backup'));
  await query(`UPDATE chat_session SET revoked_at = 1763000000, texts_erased_seq = 1 WHERE id = 1`);
  await query(`INSERT INTO revocation (kind, subject, not_after) VALUES ('session', '1', 1763000000)`);
  await query(`UPDATE auth_operator SET active = false WHERE id = 'boris'; ${operator('vera')}`);
  await query(`UPDATE auth_login SET ended_at = now(), end_reason = 'operator'`);
  await rm(join(dataDir, 'attachments'), { recursive: true });
  const [lost] = await query<{ id: string }>('SELECT max(id)::text AS id FROM chat_session');

  const restored = await answer(postgres.url, 'restore', backup, '--yes');
  expect(restored).toMatchObject({
    rows: { chat_session: 2, chat_event: 2 },
    attachments: { copied: 1 },
    revocations_carried_over: 1,
    erase_again: [1],
    queue_emptied: null,
  });
  expect(restored['epoch']).not.toBe(restored['previous_epoch']);
  expect(await query('SELECT id, seq, type, body, created_at FROM chat_event ORDER BY id')).toEqual(before);
  expect(await query('SELECT id, active FROM auth_operator ORDER BY id')).toEqual([
    { id: 'anna', active: true },
    { id: 'boris', active: false },
    { id: 'vera', active: true },
  ]);
  expect(await query('SELECT revoked_at::int AS at FROM chat_session WHERE id = 1')).toEqual([{ at: 1_763_000_000 }]);
  expect(await query('SELECT end_reason FROM auth_login')).toEqual([{ end_reason: 'operator' }]);
  expect(await readFile(join(dataDir, 'attachments/ab/abcdefgh12'), 'utf8')).toBe('bytes');
  // A token of a lost chat is not valid for a later one.
  await query(session('later'));
  const [next] = await query<{ id: string }>('SELECT max(id)::text AS id FROM chat_session');
  expect(Number(next?.id)).toBeGreaterThan(Number(lost?.id));
  expect(await answer(postgres.url, 'verify')).toMatchObject({ ok: true });
});

it('waits for a transaction that holds what it needs and needs what it holds, and then continues', {
  timeout: LIMIT_MS,
}, async () => {
  const holder = new pg.Client(postgres.url);
  await holder.connect();
  const held = async (): Promise<boolean> => {
    const [row] = await query<{ n: number }>(
      `SELECT count(*)::int AS n FROM pg_locks JOIN pg_stat_activity USING (pid)
        WHERE NOT granted AND application_name = 'chat-admin'`,
    );
    return row?.n === 1;
  };
  await holder.query(`BEGIN; LOCK TABLE revocation IN ROW EXCLUSIVE MODE`);
  const restoring = admin(postgres.url, 'restore', join(folder, 'backup'), '--yes');
  await until(held, { timeoutMs: 60_000, what: 'the restore waits' });
  // The transaction that waited first detects the deadlock first, and is the one that is ended.
  await holder.query('SELECT FROM auth_operator');
  await holder.query('COMMIT');
  await holder.end();
  expect(await restoring).toMatchObject({ code: 0, err: expect.stringContaining('trying again') });
});

it('restores into an empty database, where ids continue far beyond the last one of the backup', {
  timeout: LIMIT_MS,
}, async () => {
  await query('CREATE DATABASE elsewhere');
  const url = new URL(postgres.url);
  url.pathname = '/elsewhere';
  const elsewhere = { url: url.href };
  await answer(elsewhere.url, 'restore', join(folder, 'backup'), '--yes');
  expect(await query('SELECT count(*)::int AS n FROM chat_event', elsewhere.url)).toEqual([{ n: 2 }]);
  await query(session('first here'), elsewhere.url);
  const [row] = await query<{ id: string }>('SELECT max(id)::text AS id FROM chat_session', elsewhere.url);
  expect(Number(row?.id)).toBeGreaterThan(100_000);
  expect(await answer(elsewhere.url, 'verify')).toMatchObject({ ok: true });
});

it('changes nothing without --yes, for a damaged backup, or for one of another version', {
  timeout: LIMIT_MS,
}, async () => {
  const whole = join(folder, 'backup/database.ndjson.gz');
  const state = (): Promise<unknown> => query(`SELECT value, (SELECT count(*) FROM chat_event) FROM chat_meta`);
  const before = await state();
  expect((await admin(postgres.url, 'restore', join(folder, 'backup'))).err).toContain('Say --yes if it is meant');
  expect((await admin(postgres.url, 'backup')).code).toBe(2);

  const damaged = async (name: string, change: (text: string) => string): Promise<string> => {
    await mkdir(join(folder, name));
    const text = gunzipSync(await readFile(whole)).toString();
    await pipeline([change(text)], createGzip(), createWriteStream(join(folder, name, 'database.ndjson.gz')));
    return (await admin(postgres.url, 'restore', join(folder, name), '--yes')).err;
  };
  expect(await damaged('short', (text) => text.slice(0, text.indexOf('{"end"')))).toContain(
    'ends before its last line',
  );
  expect(await damaged('row', (text) => text.replace(/^\[.*\n/m, ''))).toContain('it is damaged');
  expect(await damaged('newer', (text) => text.replace('"0001_chat"', '"9999_later"'))).toContain('newer version');
  expect(await damaged('older', (text) => text.replace(/,\{"name":"0032[^}]*\}/, ''))).toContain('earlier version');
  const torn = join(folder, 'torn');
  await mkdir(torn);
  await writeFile(join(torn, 'database.ndjson.gz'), (await readFile(whole)).subarray(0, 400));
  expect((await admin(postgres.url, 'restore', torn, '--yes')).err).toContain('no whole backup');
  expect(await state()).toEqual(before);
});
