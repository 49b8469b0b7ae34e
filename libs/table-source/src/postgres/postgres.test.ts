import { openSite, type PostgresServer, startPostgres, until } from '@chat-realtime/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseTableSource } from '../config.ts';
import { siteConnection } from '../connection.ts';
import { printSql } from '../print-sql.ts';
import { sampleSite, sampleYaml } from '../testing/sample-site.ts';
import { orderSuite } from '../testing/order-suite.ts';
import { siteSuite } from '../testing/site-suite.ts';

let server: PostgresServer;
beforeAll(async () => {
  server = await startPostgres();
});
afterAll(() => server.stop());

siteSuite('postgresql', () => server.createDatabase());
orderSuite('postgresql', () => server.createDatabase());

describe('rights on PostgreSQL', () => {
  it('[TAB3] record changes of a user who may not see the outbox, and fail no write if their owner lost the right', async () => {
    const url = await server.createDatabase();
    const site = await sampleSite('postgresql', url);
    const as = (user: string) => openSite('postgresql', url.replace(/\/\/[^@]*@/, `//${user}:pw@`), 2);
    await site.client.script(`CREATE ROLE site_owner LOGIN PASSWORD 'pw'; CREATE ROLE site_app LOGIN PASSWORD 'pw';
      CREATE ROLE follower LOGIN PASSWORD 'pw'; GRANT CREATE ON SCHEMA public TO site_owner;
      ALTER TABLE chat OWNER TO site_owner; ALTER TABLE chat_message OWNER TO site_owner; ALTER TABLE manager OWNER TO site_owner;
      GRANT SELECT, INSERT, UPDATE ON chat, chat_message TO site_app; GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO site_app`);
    const [owner, app] = [as('site_owner'), as('site_app')];
    const config = parseTableSource(sampleYaml('postgresql', url, 'grant_to: follower'), { env: {} });
    await owner.script(printSql(config));
    await app.query("INSERT INTO chat (guest_name) VALUES ('x')");
    await expect(app.query('SELECT * FROM chat_realtime_outbox')).rejects.toThrow('permission denied');

    const follower = { ...config, url: url.replace(/\/\/[^@]*@/, '//follower:pw@') };
    const connection = await siteConnection(follower).connect(() => undefined);
    const rows = await connection.readOutbox(10);
    expect(rows.map(({ kind }) => kind)).toEqual(['session']);
    expect(await connection.sessions(['1'])).toHaveLength(1);
    await connection.deleteOutbox(rows);
    await connection.close();

    await owner.query('REVOKE INSERT ON chat_realtime_outbox FROM site_owner');
    await app.query("INSERT INTO chat (guest_name) VALUES ('y')");
    await app.query("UPDATE chat SET state = 2 WHERE guest_name = 'y'");
    expect(await site.client.query('SELECT state FROM chat ORDER BY id')).toEqual([{ state: 0 }, { state: 2 }]);
    for (const client of [owner, app, site.client]) await client.close();
  });

  it('[TAB3] run nothing of the caller’s, whatever their search_path puts before PostgreSQL’s names', async () => {
    const url = await server.createDatabase();
    const site = await sampleSite('postgresql', url);
    await site.install();
    // The owner of the tables must not run what a user of the site wrote: each of these would record who ran it.
    const mine = (signature: string, returns: string, value: string) =>
      `CREATE FUNCTION mine.${signature} RETURNS ${returns} LANGUAGE plpgsql AS
        $f$ BEGIN INSERT INTO mine.did VALUES (current_user, '${signature}'); RETURN ${value}; END $f$;`;
    const compares = (operator: string, name: string, type: string) =>
      `${mine(`${name}(a ${type}, b ${type})`, 'boolean', 'false')}
       CREATE OPERATOR mine.${operator} (LEFTARG = ${type}, RIGHTARG = ${type}, FUNCTION = mine.${name});`;
    await site.client.script(`CREATE ROLE caller LOGIN PASSWORD 'pw'; CREATE SCHEMA mine;
      CREATE TABLE mine.did (who text, what text); CREATE TABLE mine.chat_realtime_rows (id bigint, chat_id bigint);
      ${mine('clock_timestamp()', 'timestamptz', 'pg_catalog.now()')}
      ${mine('pg_notification_queue_usage()', 'double precision', '0')}
      ${mine('pg_notify(a text, b text)', 'void', '').replace('RETURN ;', 'RETURN;')}
      ${compares('=', 'same', 'pg_catalog.text')} ${compares('<>', 'other', 'pg_catalog.text')}
      ${compares('>=', 'more', 'pg_catalog.tid')} ${compares('<', 'less', 'pg_catalog.float8')}
      CREATE FUNCTION mine.noted(v pg_catalog.text) RETURNS boolean LANGUAGE plpgsql AS
        $f$ BEGIN INSERT INTO mine.did VALUES (current_user, 'text'); RETURN true; END $f$;
      CREATE DOMAIN mine.text AS pg_catalog.text CHECK (mine.noted(VALUE));
      CREATE DOMAIN mine.bool AS pg_catalog.bool; CREATE DOMAIN mine.timestamptz AS pg_catalog.timestamptz;
      CREATE DOMAIN mine.tid AS pg_catalog.tid;
      GRANT ALL ON SCHEMA mine TO caller; GRANT ALL ON ALL TABLES IN SCHEMA mine TO PUBLIC;
      GRANT SELECT, INSERT, UPDATE ON chat, chat_message TO caller; GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO caller`);
    const caller = openSite('postgresql', url.replace(/\/\/[^@]*@/, '//caller:pw@'), 1);
    const session = await caller.session();
    await session.query('SET search_path = mine, pg_catalog, public');
    await session.query("INSERT INTO public.chat (guest_name) VALUES ('x')");
    await session.query("INSERT INTO public.chat_message (chat_id, sender, text) VALUES (1, 'guest', 'y')");
    await session.query('UPDATE public.chat SET state = 2, manager_id = 7');
    session.release();
    await caller.close();
    expect(await site.client.query('SELECT who, what FROM mine.did')).toEqual([]);
    expect(await site.client.query('SELECT kind FROM chat_realtime_outbox ORDER BY kind')).toEqual(
      ['assigned', 'message', 'session', 'status'].map((kind) => ({ kind })),
    );
    await site.client.close();
  });

  it('[TAB3] wait a moment for a locked outbox, and no longer', async () => {
    const site = await sampleSite('postgresql', await server.createDatabase());
    await site.install();
    const holder = await site.client.session();
    await holder.query('BEGIN');
    await holder.query('LOCK TABLE chat_realtime_outbox IN ACCESS EXCLUSIVE MODE');
    const began = performance.now();
    const session = await site.client.session();
    await session.query('BEGIN');
    await session.query("INSERT INTO chat (guest_name) VALUES ('x')");
    expect(performance.now() - began).toBeLessThan(2_000);
    expect(await session.query('SHOW lock_timeout')).toEqual([{ lock_timeout: '0' }]);
    await session.query('COMMIT');
    session.release();
    await holder.query('ROLLBACK');
    holder.release();
    expect(await site.client.query('SELECT guest_name FROM chat')).toEqual([{ guest_name: 'x' }]);
    await site.client.close();
  });

  it('[TAB5] the rows of one instant come in the order of the table', async () => {
    const site = await sampleSite('postgresql', await server.createDatabase());
    await site.install();
    const noted = (kind: string, id: number) => `('2026-03-01 12:00:00.000001Z', '${kind}', '${id}', '1')`;
    const ids = Array.from({ length: 30 }, (_, index) => index + 1);
    const rows = [
      noted('status', 1),
      noted('assigned', 1),
      ...ids.map((id) => noted('message', id)),
      noted('session', 1),
    ];
    await site.client.query(
      `INSERT INTO chat_realtime_outbox (noted_at, kind, row_id, session_id) VALUES ${rows.join(', ')}`,
    );
    const connection = await siteConnection(site.config).connect(() => undefined);
    const read = await connection.readOutbox(100);
    expect(read.map(({ kind, rowId }) => `${kind} ${rowId}`)).toEqual([
      'session 1',
      ...ids.map((id) => `message ${id}`),
      'assigned 1',
      'status 1',
    ]);
    await connection.close();
    await site.client.close();
  });

  it('[TAB4] no more of a long outbox is read than is taken', async () => {
    const url = await server.createDatabase();
    const site = await sampleSite('postgresql', url);
    await site.install();
    await site.client.query(`INSERT INTO chat_realtime_outbox (noted_at, kind, row_id, session_id)
      SELECT '2026-03-01Z'::timestamptz + n * interval '1 ms', 'message', n::text, '1' FROM generate_series(1, 20000) n`);
    await site.client.query('ANALYZE chat_realtime_outbox');
    const counted = async () => {
      const [row] = await site.client.query(
        "SELECT seq_tup_read + idx_tup_fetch AS n FROM pg_stat_user_tables WHERE relname = 'chat_realtime_outbox'",
      );
      return Number(row?.['n']);
    };
    const before = await counted();
    const connection = await siteConnection(site.config).connect(() => undefined);
    const read = await connection.readOutbox(100);
    expect([read.length, read[0]?.rowId, read.at(-1)?.rowId]).toEqual([100, '1', '100']);
    // PostgreSQL writes its counts when it disconnects.
    await connection.close();
    await until(async () => (await counted()) > before, { what: 'the counts of the look' });
    expect((await counted()) - before).toBeLessThan(2_000);
    await site.client.close();
  });

  it('[TAB2] a notification wakes the follower', async () => {
    const site = await sampleSite('postgresql', await server.createDatabase());
    await site.install();
    let woken = 0;
    const connection = await siteConnection(site.config).connect(() => {
      woken += 1;
    });
    await site.openChat();
    await until(() => woken === 1, { what: 'the notification' });
    await connection.close();
    await site.client.close();
  });
});
