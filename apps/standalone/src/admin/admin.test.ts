import { spawnSync } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openDatabase } from '@chat-realtime/database';
import { type PostgresServer, startPostgres } from '@chat-realtime/testkit';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SECRETS } from './commands/secrets.ts';
import { runAdmin } from './run.ts';

const MAIN = fileURLToPath(new URL('../../dist/admin/main.js', import.meta.url));
const DEPLOY = fileURLToPath(new URL('../../../../deploy/', import.meta.url));
let folder: string;
let postgres: PostgresServer;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'chat-admin-'));
  postgres = await startPostgres({ durable: false });
  const database = await openDatabase(postgres.url, { applicationName: 'test', poolSize: 1 });
  await database.close();
});
afterAll(async () => {
  await postgres.stop();
  await rm(folder, { recursive: true, force: true });
});

type Settings = Readonly<Record<string, string>>;
interface Ended {
  code: number;
  out: string;
  err: string;
}

/** Arguments may be followed by settings besides the address of the database. */
async function adminAt(databaseUrl: string, input: string, ...words: (string | Settings)[]): Promise<Ended> {
  const args = words.filter((word) => typeof word === 'string');
  const settings = words.filter((word) => typeof word === 'object');
  let out = '';
  let err = '';
  const code = await runAdmin(args, {
    env: Object.assign({ DATABASE_URL: databaseUrl }, ...settings),
    write: (text) => (out += text),
    writeError: (text) => (err += text),
    readSecret: async () => input,
  });
  return { code, out, err };
}
const adminWith = (input: string, ...args: string[]): Promise<Ended> => adminAt(postgres.url, input, ...args);
const admin = (...args: string[]): Promise<Ended> => adminWith('', ...args);

async function answer(...args: string[]): Promise<Record<string, unknown>> {
  const { code, out, err } = await admin(...args, '--json');
  expect([code, err]).toEqual([0, '']);
  const parsed: Record<string, unknown> = JSON.parse(out);
  return parsed;
}

async function query(text: string): Promise<void> {
  const client = new pg.Client(postgres.url);
  await client.connect();
  try {
    await client.query(text);
  } finally {
    await client.end();
  }
}

describe('the list of commands', () => {
  it('is printed as an error if no command is given', async () => {
    const env = { PATH: process.env['PATH'] };
    const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN], { env, encoding: 'utf8' });
    const [code, out, err] = [status, stdout, stderr];
    expect([code, out]).toEqual([2, '']);
    for (const name of ['secrets', 'operators', 'outbox', 'verify', 'new-epoch']) expect(err).toContain(name);
  });

  it.each([
    ['operators'],
    ['operators', 'frobnicate', 'anna'],
    ['outbox'],
    ['outbox', 'replay', '-1'],
    ['verify', 'x'],
    ['migrate', '--now'],
    ['mail-refusals'],
    ['mail-refusals', 'lift'],
    ['mail-refusals', 'list', 'x'],
  ])('a command that is called wrongly prints its usage: %s %s', async (...args) => {
    const { code, err } = await admin(...args);
    expect(code === 2 || err.includes('there is no operator')).toBe(true);
    expect(err.split('\n').length).toBeLessThan(5);
  });
});

it('[RES10] new-epoch gives the database a new epoch and says what follows, as text or JSON', async () => {
  const { epoch } = await answer('new-epoch');
  const second = await answer('new-epoch');
  expect(second['previous_epoch']).toBe(epoch);
  expect(second['epoch']).not.toBe(epoch);
  const people = await admin('new-epoch');
  expect(people.out).toContain('new epoch');
  expect(people.err).toContain(`the epoch of before is ${String(second['epoch'])}`);
});

it('[MAIL11] mail-refusals lists the addresses that get no mail, newest first, and allows mail to one again', async () => {
  expect(await answer('mail-refusals', 'list')).toEqual({ refusals: [], total: 0 });
  expect((await admin('mail-refusals', 'list')).out).toBe('every address gets mail\n');
  await query(`INSERT INTO mail_refusal (address, reason, created_at) VALUES
    ('gone@mail.example', 'bounced', '2026-11-01T10:00:00Z'), ('olga@mail.example', 'unsubscribed', '2026-11-02T10:00:00Z')`);
  const gone = { address: 'gone@mail.example', reason: 'bounced', since: '2026-11-01T10:00:00.000Z' };
  const { refusals, total } = await answer('mail-refusals', 'list');
  expect([refusals, total]).toEqual([[expect.objectContaining({ address: 'olga@mail.example' }), gone], 2]);
  expect((await admin('mail-refusals', 'list')).out).toContain('gone@mail.example\tno such mailbox\t2026-11-01');
  expect(await answer('mail-refusals', 'lift', 'Gone@Mail.example')).toEqual({ lifted: gone });
  const again = await admin('mail-refusals', 'lift', 'gone@mail.example');
  expect([again.code, again.err]).toEqual([
    1,
    expect.stringMatching(/\n"gone@mail.example" is not refused: it gets mail\n$/),
  ]);
  expect((await answer('mail-refusals', 'list'))['total']).toBe(1);
});

describe('admin migrate', () => {
  it('[OPS42] says what it would run and what that means, and then runs it, as text or JSON', async () => {
    const url = await postgres.createDatabase();
    const planned = await adminAt(url, '', 'migrate', '--dry-run');
    expect([planned.code, planned.err]).toEqual([0, expect.stringContaining('nothing is changed')]);
    expect(planned.out).toContain('0001_chat: services of before serve on, but do not start again');
    const done = await adminAt(url, '', 'migrate');
    expect(done.code).toBe(0);
    expect(done.err).toContain('0001_chat: services of before');
    expect(done.err).toContain('database schema brought up to date 0001_chat');
    expect(done.out).toContain('the services of this version may start');
    const again = await adminAt(url, '', 'migrate', '--json');
    expect(JSON.parse(again.out)).toEqual({ pending: [], newer: [], done: true });
    expect((await adminAt(url, '', 'migrate')).out).toContain('nothing to do');
  });
});

describe('operators', () => {
  it('adds, lists, changes and deactivates accounts; the password is read from standard input and never shown', async () => {
    const added = await adminWith(
      'a long password',
      'operators',
      'add',
      'Vera',
      'Вера П.',
      'admin',
      'assigned',
      '--json',
    );
    expect(added).toMatchObject({ code: 0, err: '' });
    expect(JSON.parse(added.out)).toMatchObject({
      operators: [{ login: 'vera', name: 'Вера П.', role: 'admin', scope: 'assigned', active: true }],
    });
    await answer('operators', 'role', 'vera', 'operator');
    await answer('operators', 'scope', 'vera', 'own');
    await answer('operators', 'deactivate', 'vera');
    expect(await answer('operators', 'list')).toMatchObject({
      operators: [{ login: 'vera', role: 'operator', scope: 'own', active: false }],
    });
    expect(added.out + (await admin('operators', 'list')).out).not.toContain('a long password');
  });

  it('refuses a taken login, a short password and an unknown operator, in one sentence', async () => {
    await adminWith('a long password', 'operators', 'add', 'gleb', 'Gleb');
    expect(await adminWith('a long password', 'operators', 'add', 'gleb', 'Gleb')).toMatchObject({
      code: 1,
      err: expect.stringMatching(/\nthe login "gleb" is taken\n$/),
    });
    expect((await adminWith('short', 'operators', 'password', 'gleb')).err).toContain('at least 8 characters');
    expect((await admin('operators', 'role', 'nobody', 'admin')).err).toMatch(/\nthere is no operator "nobody"\n$/);
  });
});

describe('outbox', () => {
  it('[AMQP6] reports what is waiting, and has recently published events published again', async () => {
    await query(`INSERT INTO chat_session DEFAULT VALUES`);
    await query(
      `INSERT INTO chat_event (session_id, seq, type, data) SELECT max(id), 1, 'chat.session.created', '{}' FROM chat_session`,
    );
    await query(`UPDATE chat_session SET last_seq = 1`);
    await query(`INSERT INTO outbox (event_id) SELECT max(id) FROM chat_event`);
    expect(await answer('outbox', 'status')).toMatchObject({ unstamped: 1, unpublished: 0 });
    await query('SELECT chat_stamp_feed(10)');
    expect(await answer('outbox', 'status')).toMatchObject({ unstamped: 0, unpublished: 1, stamped: 1, published: 0 });
    await query('SELECT chat_mark_published(0, 1)');
    expect(await answer('outbox', 'status')).toMatchObject({ unpublished: 0, published: 1, oldest_age_seconds: 0 });
    expect(await answer('outbox', 'replay', '600')).toEqual({ events: 1 });
    expect(await answer('outbox', 'status')).toMatchObject({ unpublished: 1, published: 0 });
  });
});

describe('trace', () => {
  const hop = (at: string, more: object) => ({ hop: 'written', at, where: 'gateway-1', ...more });
  const peer = createServer((request, response) => {
    const known = request.headers.authorization === `Bearer ${'k'.repeat(32)}`;
    const hops = [hop('2100-01-01T00:00:02.000Z', { path: 'live', to: 'client', sockets: 2, connections: ['a', 'b'] })];
    response.writeHead(known ? 200 : 401).end(JSON.stringify({ where: 'gateway-1', hops }));
  });
  let where: { session: string; env: Record<string, string> };
  beforeAll(async () => {
    await new Promise<void>((resolve) => void peer.listen(0, '127.0.0.1', resolve));
    const at = peer.address();
    const port = typeof at === 'object' && at !== null ? at.port : 0;
    await query(`INSERT INTO chat_session (last_seq, client_msgs) VALUES (1, 1)`);
    const session = '(SELECT max(id) FROM chat_session)';
    await query(
      `INSERT INTO chat_event (session_id, seq, type, sender_type, client_message_id, body) VALUES (${session}, 1, 'chat.message', 'client', 't', 'private words')`,
    );
    await query(`INSERT INTO outbox (event_id) SELECT max(id) FROM chat_event`);
    const database = await openDatabase(postgres.url, { applicationName: 'test', poolSize: 1 });
    const rows = await database.kysely
      .selectFrom('chat_session')
      .select(({ fn }) => fn.max('id').as('id'))
      .execute();
    await database.close();
    where = {
      session: String(rows[0]?.id),
      env: {
        TRACE_PEERS: `http://127.0.0.1:${port}, http://127.0.0.1:1`,
        INTERNAL_API_KEY: 'k'.repeat(32),
      },
    };
  });
  afterAll(() => void peer.close());

  it('[TRC3] prints what database, processes and logs know about an event, in order, and which did not answer', async () => {
    const logs = join(folder, 'debug.log');
    const line = { time: '2100-01-01T00:00:01.000Z', level: 'debug', service: 'channel-dispatcher', message: 'hop' };
    const dispatched = { ...line, session_id: Number(where.session), seq: 1, hop: 'dispatched' };
    await writeFile(
      logs,
      ['not JSON', JSON.stringify({ ...dispatched, seq: 2 }), `dispatcher-1  | ${JSON.stringify(dispatched)}`].join(
        '\n',
      ),
    );
    const people = await adminAt(postgres.url, '', 'trace', where.session, '1', '--logs', logs, where.env);
    expect([people.code, people.err]).toEqual([0, 'reading the database and asking 2 processes …\n']);
    const lines = people.out.trim().split('\n');
    expect(lines[0]).toBe(`session ${where.session}, seq 1: chat.message`);
    expect(lines.slice(1).map((text) => /\b(stored|dispatched|written|no answer)\b/.exec(text)?.[1])).toEqual([
      ...['stored', 'dispatched', 'written', 'no answer'],
    ]);
    expect(lines[2]).toContain('channel-dispatcher (log)');
    expect(lines[3]).toContain('client live 2 sockets [a, b]');
    expect(lines[4]).toBe('no answer from http://127.0.0.1:1: what it did is not shown');
    expect(people.out).not.toContain('private words');

    const programs = await adminAt(postgres.url, '', 'trace', where.session, '1', '--json', where.env);
    expect([programs.code, programs.err]).toEqual([0, '']);
    expect(JSON.parse(programs.out)).toMatchObject({
      session_id: Number(where.session),
      hops: [{ hop: 'stored' }, { hop: 'written', sockets: 2 }],
      silent: ['http://127.0.0.1:1'],
    });
  });

  it('[TRC3] reports an event that does not exist and a process that was not asked, and prints its usage', async () => {
    expect(await admin('trace', where.session, '9')).toMatchObject({
      code: 1,
      err: expect.stringContaining('the session has no such event'),
    });
    expect((await admin('trace', where.session, '1')).err).toContain('no process is named (TRACE_PEERS)');
    const elsewhere = { ...where.env, INTERNAL_API_KEY: 'another' };
    expect(
      (await adminAt(postgres.url, '', 'trace', where.session, '1', elsewhere)).out.match(/no answer/g),
    ).toHaveLength(2);
    for (const wrong of [[], ['1'], ['1', 'x'], ['1', '2', '3']])
      expect([wrong, (await admin('trace', ...wrong)).code]).toEqual([wrong, 2]);
  });
});

describe('verify', () => {
  it('finds nothing in a sound database', async () => {
    expect(await answer('verify')).toMatchObject({ ok: true });
    const people = await admin('verify');
    expect([people.code, people.err]).toEqual([0, expect.stringContaining('checking')]);
  });

  it('finds each kind of damage, names the rows, and exits with 1', async () => {
    const session = (rest: string): Promise<void> => query(`INSERT INTO chat_session DEFAULT VALUES; ${rest}`);
    const latest = '(SELECT max(id) FROM chat_session)';
    const event = (seq: number, type: string, more = '') =>
      `INSERT INTO chat_event (session_id, seq, type, sender_type, client_message_id, data) VALUES (${latest}, ${seq}, '${type}', ${more || 'NULL, NULL'}, '{}');`;
    await session(event(2, 'chat.callback'));
    await session(event(1, 'chat.message', "'client', NULL"));
    await session(`INSERT INTO chat_read_mark (session_id, participant, read_id) VALUES (${latest}, 'client', 99)`);
    await query('DROP INDEX chat_event_once');
    await session(event(1, 'chat.message', "'client', 'one'") + event(2, 'chat.message', "'client', 'one'"));
    await session(
      `${event(1, 'chat.callback')} INSERT INTO chat_event (id, session_id, seq, type, data) OVERRIDING SYSTEM VALUE VALUES (-5, ${latest}, 2, 'chat.callback', '{}')`,
    );
    await query('UPDATE feed_head SET stamped = stamped + 1');
    const { code, out } = await admin('verify', '--json');
    const found: { ok: boolean; invariants: { id: string; ok: boolean; violations: string[] }[] } = JSON.parse(out);
    expect([code, found.ok]).toEqual([1, false]);
    expect(found.invariants.filter(({ ok, violations }) => ok || violations.length === 0)).toEqual([]);
    expect((await admin('verify')).out).toContain('✗ no read mark lies beyond');
  });
});

describe('secrets', () => {
  const values = (text: string): Map<string, string> =>
    new Map([...text.matchAll(/^([A-Z][A-Z0-9_]*)=(.*)$/gm)].map(([, name = '', value = '']) => [name, value]));
  const made = async (...args: string[]) => {
    const result = await answer('secrets', '--folder', folder, ...args);
    return { result, env: await readFile(join(folder, '.env'), 'utf8') };
  };
  beforeAll(async () => {
    await mkdir(join(folder, 'redis'), { recursive: true });
    await cp(join(DEPLOY, '.env.example'), join(folder, '.env.example'));
    for (const path of ['redis/users.acl.template', 'monitoring/alertmanager.yml.template'])
      await cp(join(DEPLOY, path), join(folder, path), { recursive: true });
  });

  it('fills in every secret of .env.example, readable only by its owner, prints none, and writes the files that contain them', async () => {
    const { result, env } = await made();
    expect(result['made']).toEqual(expect.arrayContaining(Object.keys(SECRETS)));
    expect((await stat(join(folder, '.env'))).mode & 0o777).toBe(0o600);
    const users = await readFile(join(folder, 'generated/redis-users.acl'), 'utf8');
    for (const name of Object.keys(SECRETS)) {
      const value = values(env).get(name) ?? '';
      expect(value.length, name).toBeGreaterThanOrEqual(16);
      expect(JSON.stringify(result), name).not.toContain(value);
      expect(users, name).not.toContain(value);
    }
    expect(await readFile(join(folder, 'generated/metrics-token'), 'utf8')).toBe(values(env).get('METRICS_TOKEN'));
  });

  it('keeps existing secrets, adds those a newer version needs, and changes nothing the second time', async () => {
    const before = (await made()).env;
    await writeFile(
      join(folder, '.env'),
      before.replace(/^INTERNAL_API_KEY=.*\n/m, '').replace('=single', '=distributed'),
    );
    const { result, env } = await made();
    expect(result['made']).toEqual(['INTERNAL_API_KEY']);
    expect(values(env).get('COMPOSE_PROFILES')).toBe('distributed');
    expect(values(env).get('CHAT_TOKEN_SECRETS')).toBe(values(before).get('CHAT_TOKEN_SECRETS'));
    expect((await made()).env).toBe(env);
  });

  it('puts a new key in front of a list and keeps the old one for verification; other secrets are replaced', async () => {
    const before = values((await made()).env);
    const after = values((await made('--rotate', 'CHAT_TOKEN_SECRETS')).env).get('CHAT_TOKEN_SECRETS') ?? '';
    expect(after).toMatch(/^k\d{8}-2:[\w-]{43},k\d{8}:[\w-]{43}$/);
    expect(after.endsWith(`,${before.get('CHAT_TOKEN_SECRETS')}`)).toBe(true);
    expect(values((await made('--rotate', 'SITE_API_KEY')).env).get('SITE_API_KEY')).not.toBe(
      before.get('SITE_API_KEY'),
    );
    expect((await admin('secrets', '--folder', folder, '--rotate', 'NOTHING')).code).toBe(2);
  });
});
