import { readFileSync } from 'node:fs';
import { type MariaDbServer, openSite, sleep, startMariaDb } from '@chat-realtime/testkit';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type SampleSite, sampleSite } from '../testing/sample-site.ts';

let server: MariaDbServer;
beforeAll(async () => {
  server = await startMariaDb();
});
afterAll(() => server.stop());

/** An administrator of the site limits how long its pages wait; without it the server waits for hours. */
const WAIT_SECONDS = 3;
const BOUNDS = `SET SESSION lock_wait_timeout = ${WAIT_SECONDS}, innodb_lock_wait_timeout = ${WAIT_SECONDS}`;

const OLDER_THAN_A_WEEK =
  'DELETE FROM chat_realtime_outbox WHERE noted_at < NOW() - INTERVAL 7 DAY ORDER BY id LIMIT 100000';

/** Statements that lock the outbox, and those that release it. */
const HOLDERS: readonly [name: string, take: readonly string[], release: string][] = [
  ['LOCK TABLES', ['LOCK TABLES chat_realtime_outbox WRITE'], 'UNLOCK TABLES'],
  [
    'a range that is read FOR UPDATE under REPEATABLE READ',
    ['BEGIN', 'SELECT * FROM chat_realtime_outbox ORDER BY id FOR UPDATE'],
    'ROLLBACK',
  ],
  ['a DELETE of a range under REPEATABLE READ', ['BEGIN', 'DELETE FROM chat_realtime_outbox WHERE id > 0'], 'ROLLBACK'],
];

describe('a locked outbox on MariaDB', () => {
  let site: SampleSite;
  beforeEach(async () => {
    site = await sampleSite('mysql', await server.createDatabase());
    await site.install();
    await site.client.query("INSERT INTO chat (guest_name) VALUES ('before')");
  });
  afterEach(() => site.client.close());

  const names = async () => {
    const rows = await site.client.query('SELECT guest_name FROM chat ORDER BY id');
    return rows.map(({ guest_name }) => guest_name);
  };
  const noted = async () =>
    Number((await site.client.query('SELECT count(*) AS n FROM chat_realtime_outbox'))[0]?.['n']);
  /** Duration of a write of the site in milliseconds, and its result. */
  const write = async (name: string): Promise<{ ms: number; error: string | null }> => {
    const page = await site.client.session();
    await page.query(BOUNDS);
    const began = performance.now();
    const error = await page.query('INSERT INTO chat (guest_name) VALUES (?)', [name]).then(
      () => null,
      (failure: Error) => failure.message,
    );
    page.release();
    return { ms: performance.now() - began, error };
  };
  const hold = async (statements: readonly string[]) => {
    // A separate pool: unfinished work ends with its connection.
    const other = openSite('mysql', site.client.url, 1);
    const session = await other.session();
    for (const statement of statements) await session.query(statement);
    return {
      release: async (statement: string) => {
        await session.query(statement);
        session.release();
        await other.close();
      },
    };
  };

  it.each(HOLDERS)('[TAB3] by %s: a write waits no longer than the lock, and is recorded', async (_, take, release) => {
    const holder = await hold(take);
    const writing = write('while it is held');
    await sleep(1_000);
    await holder.release(release);
    const { ms, error } = await writing;
    expect(error).toBeNull();
    expect(ms).toBeGreaterThan(500);
    expect(ms).toBeLessThan(WAIT_SECONDS * 1_000);
    expect([await names(), await noted()]).toEqual([['before', 'while it is held'], 2]);
  });

  it.each(HOLDERS)(
    '[TAB3] by %s: the wait ends at the limit of the server, and later writes succeed',
    async (_, take, release) => {
      const holder = await hold(take);
      const { ms, error } = await write('too long');
      expect(ms).toBeGreaterThan(WAIT_SECONDS * 1_000 - 500);
      expect(ms).toBeLessThan(WAIT_SECONDS * 1_000 + 5_000);
      expect(error).toContain('Lock wait timeout exceeded');
      await holder.release(release);
      expect(await write('later')).toMatchObject({ error: null });
      expect([await names(), await noted()]).toEqual([['before', 'later'], 2]);
    },
  );

  it('[TAB3] [TAB11] by the nightly DELETE of the guide: no write waits', async () => {
    for (const guide of ['existing-site.md', 'existing-site.ru.md'])
      expect(readFileSync(new URL(`../../../../docs/guides/${guide}`, import.meta.url), 'utf8')).toContain(
        `SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED; ${OLDER_THAN_A_WEEK}`,
      );
    await site.client.query('UPDATE chat_realtime_outbox SET noted_at = NOW() - INTERVAL 8 DAY');
    await site.client.query("INSERT INTO chat (guest_name) VALUES ('of today')");
    const holder = await hold(['SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED', 'BEGIN', OLDER_THAN_A_WEEK]);
    const { ms, error } = await write('while it is held');
    expect([error, ms < 1_000]).toEqual([null, true]);
    await holder.release('COMMIT');
    expect([await names(), await noted()]).toEqual([['before', 'of today', 'while it is held'], 2]);
  });
});
