import { createLogger, createMetrics } from '@chat-realtime/service-kit';
import { openSite, type SiteClient, until } from '@chat-realtime/testkit';
import { parseTableSource, printSql, type TableSourceConfig } from '@chat-realtime/table-source';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { admin, type Harness, Stage } from '../../../test/harness.ts';
import { type SiteChange, type SiteUnderTest, sourceSuite } from '../../../test/intake-suite.ts';
import { Eraser } from '../../privacy/eraser.ts';
import { retentionSweep } from '../../privacy/retention.ts';
import { beginLedger } from '../ledger-mark.ts';
import { chatSettingsSchema } from '../../config.ts';
import { backfillTables } from './backfill.ts';
import { LedgerView } from './ledger-view.ts';
import { tableSource } from './table-source.ts';

const QUIET = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

function configOf(url: string, more = ''): TableSourceConfig {
  return parseTableSource(
    `database: postgresql
url: ${url}
${more}
sessions: { table: dialog, status: state, assigned: manager }
messages: { table: line, session: dialog, body: body, sender: { column: who, map: { me: client, us: operator } } }`,
    { env: {} },
  );
}

/** A site whose tables are followed into the ledger. `memory` keeps what its triggers recorded, to replay it. */
async function tableSite(stage: Stage): Promise<SiteUnderTest> {
  const harness = await stage.harness();
  await beginLedger(harness.database);
  const site = openSite('postgresql', harness.url, 4);
  await site.script(`CREATE TABLE dialog (id bigint PRIMARY KEY, state text NOT NULL DEFAULT 'new', manager integer);
    CREATE TABLE line (id bigint PRIMARY KEY, dialog bigint NOT NULL, who text NOT NULL, body text NOT NULL)`);
  const config = configOf(harness.url, 'reconcile_seconds: 0');
  await site.script(printSql(config));
  await site.script(`CREATE TABLE memory (LIKE chat_realtime_outbox INCLUDING ALL);
    CREATE FUNCTION remember() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
      INSERT INTO public.memory SELECT NEW.* ON CONFLICT DO NOTHING; RETURN NULL; END $$;
    CREATE TRIGGER remember AFTER INSERT ON chat_realtime_outbox FOR EACH ROW EXECUTE FUNCTION remember()`);
  const source = follow(harness, config);
  const emptied = () =>
    until(async () => (await site.query('SELECT 1 FROM chat_realtime_outbox LIMIT 1')).length === 0, {
      timeoutMs: 15_000,
      what: 'an empty outbox',
    });
  const write = async (session: number, change: SiteChange): Promise<void> => {
    const line = (id: number, who: string, body: string) =>
      site.query('INSERT INTO line (id, dialog, who, body) VALUES (?, ?, ?, ?)', [id, session, who, body]);
    switch (change.kind) {
      case 'session':
        return void (await site.query('INSERT INTO dialog (id) VALUES (?)', [session]));
      case 'message':
        return void (await line(
          change.id,
          change.sender === 'operator' ? 'us' : 'me',
          change.body ?? `text ${change.id}`,
        ));
      case 'assigned':
        return void (await site.query('UPDATE dialog SET manager = ? WHERE id = ?', [
          change.to === null ? null : Number(change.to),
          session,
        ]));
      case 'status':
        return void (await site.query('UPDATE dialog SET state = ? WHERE id = ?', [change.to, session]));
      case 'malformed':
        return void (await line(change.id, 'robot', 'bip'));
      case 'oversized':
        return void (await line(change.id, 'me', 'x'.repeat(20_000)));
    }
  };
  return {
    chat: harness.chat,
    apply: async (session, ...changes) => {
      for (const change of changes) await write(session, change);
      await emptied();
    },
    again: async (...sessions) => {
      for (const session of sessions)
        await site.query('INSERT INTO chat_realtime_outbox SELECT * FROM memory WHERE session_id = ?', [
          String(session),
        ]);
      await emptied();
    },
    refused: async () => Number((await site.query('SELECT count(*)::int AS n FROM table_source_refused'))[0]?.['n']),
    stop: async () => {
      await source?.stop();
      await site.close();
    },
  };
}

function follow(harness: Harness, config: TableSourceConfig, metrics = createMetrics('test')) {
  const [source] = tableSource({
    database: harness.database,
    intake: harness.service.intake,
    settings: {
      ...chatSettingsSchema.parse({ CHAT_TOKEN_SECRETS: `k1:${'s'.repeat(32)}`, CHAT_ROLE: 'ledger' }),
      TABLE_SOURCE: config,
    },
    rabbitUrl: undefined,
    logger: createLogger({ service: 'test', level: 'silent' }),
    metrics,
  });
  source?.start();
  return source;
}

describe('changes in tables', () => {
  const stage = new Stage();
  afterAll(() => stage.stop());
  sourceSuite('the tables of a site', () => tableSite(stage));
});

describe('the tables of a site, into the ledger', () => {
  const stage = new Stage();
  let harness: Harness;
  let site: SiteClient;
  let config: TableSourceConfig;
  const metrics = createMetrics('test');
  let source: ReturnType<typeof follow>;

  beforeAll(async () => {
    harness = await stage.harness();
    await beginLedger(harness.database);
    site = openSite('postgresql', harness.url, 4);
    await site.script(`CREATE TABLE dialog (id text PRIMARY KEY, state text NOT NULL DEFAULT 'new', manager integer);
      CREATE TABLE line (id bigserial PRIMARY KEY, dialog text NOT NULL, who text NOT NULL, body text NOT NULL)`);
    await site.query("INSERT INTO dialog (id) VALUES ('7'), ('abc')");
    await site.query("INSERT INTO line (dialog, who, body) VALUES ('7', 'me', 'before'), ('abc', 'me', 'also before')");
    config = configOf(harness.url);
    await site.script(printSql(config));
    source = follow(harness, config, metrics);
  });
  afterAll(async () => {
    await source?.stop();
    await site.close();
    await stage.stop();
  });

  const eventsOf = async (id: number) =>
    (await harness.chat.events(admin, id, { afterSeq: 0, limit: 100 }).catch(() => ({ events: [] }))).events;
  const numberOf = async (id: string) => (await harness.service.intake.sessionNumbers([id])).get(id) ?? 0;

  it('[TAB7] imports the existing rows once, and reports their number', async () => {
    const options = { database: harness.database, config, log: QUIET, onProgress: () => undefined };
    expect(await backfillTables(options)).toMatchObject({ sessions: 2, messages: 2, accepted: 4, complete: true });
    expect(await backfillTables(options)).toMatchObject({ accepted: 0, refused: 0 });
    expect((await eventsOf(7)).map(({ seq, type }) => [seq, type])).toEqual([
      [1, 'chat.session.created'],
      [2, 'chat.message'],
    ]);
  });

  it('[TAB5] keeps the number of a chat, and gives one to a chat without', async () => {
    await site.query("INSERT INTO line (dialog, who, body) VALUES ('7', 'us', 'here')");
    await site.query("UPDATE dialog SET manager = 3, state = 'spam' WHERE id = '7'");
    await site.query("INSERT INTO line (dialog, who, body) VALUES ('abc', 'me', 'there')");
    await until(async () => (await eventsOf(7)).length === 5, { what: 'three more events' });
    expect((await eventsOf(7)).slice(2).map(({ data }) => data)).toMatchObject([
      { id: 3, body: 'here', sender_type: 'operator' },
      { assigned_user_id: '3' },
      { status: 'spam', previous: 'new' },
    ]);
    const other = await numberOf('abc');
    await until(async () => (await eventsOf(other)).length === 3, { what: 'the message of the other chat' });
    expect(other).toBeGreaterThan(2 ** 52);
    const view = new LedgerView(harness.database);
    expect(await view.sessions(['7', 'abc', 'none'])).toEqual(
      new Map([
        ['7', { status: 'spam', assigned: '3' }],
        ['abc', { status: 'new', assigned: null }],
      ]),
    );
  });

  it('[TAB6] puts aside, once and with the reason, what the channel cannot carry', async () => {
    await site.query(
      "INSERT INTO line (dialog, who, body) VALUES ('7', 'me', '   '), ('7', 'robot', 'bip'), ('7', 'me', 'last')",
    );
    await until(async () => JSON.stringify(await eventsOf(7)).includes('last'), { what: 'the last message' });
    const refused = async () =>
      (
        await harness.database.query<{ reason: string }>({
          name: 'test-refused',
          text: 'SELECT r.reason FROM table_source_refused r ORDER BY r.id',
        })
      ).map(({ reason }) => reason.split(' ')[0]);
    await until(async () => (await refused()).length === 2, { what: 'what was refused' });
    expect(await refused()).toEqual(['data.body', 'data.sender_type']);
    const view = new LedgerView(harness.database);
    const event = { type: 'chat.message', session_id: 7, data: { id: 99, body: 'a\u0000\ud800' } };
    await view.put(event, 'again');
    await view.put(event, 'again');
    expect(await refused()).toHaveLength(3);
  });

  it('[ERA5] [RET1] deletes rows put aside for a person when they are erased, and all of them after 30 days', async () => {
    const view = new LedgerView(harness.database);
    const other = await numberOf('abc');
    const refused = (session: number | string, id: number) => ({
      type: 'chat.message',
      session_id: session,
      data: { id, sender_type: 'robot', body: 'a secret' },
    });
    for (const session of [7, 'abc', 'nobody']) await view.put(refused(session, 500), 'data.sender_type');
    const holding = async () =>
      (
        await harness.database.query<{ session_id: string }>({
          name: 'test-holding',
          text: "SELECT DISTINCT r.session_id FROM table_source_refused r WHERE r.event::text LIKE '%secret%' ORDER BY 1",
        })
      ).map(({ session_id }) => session_id);
    expect(await holding()).toEqual(['7', 'abc', 'nobody']);
    const eraser = new Eraser(harness.database, harness.service.context, {
      removeErased: async () => ({ removed: 0, failures: [] }),
    });
    await eraser.eraseSession(admin, 7);
    expect(await holding()).toEqual(['abc', 'nobody']);
    await eraser.eraseSession(admin, other);
    expect(await holding()).toEqual(['nobody']);
    // The scan finds the row of the site again.
    await view.put(refused(7, 500), 'data.sender_type');
    expect(await holding()).toEqual(['nobody']);
    const days = { messages: 0, files: 0, contacts: 0, callbacks: 0 };
    const sweep = (now: number) =>
      retentionSweep(
        eraser,
        { removeErased: async () => ({ removed: 0, failures: [] }) },
        () => days,
        undefined,
        () => now,
      ).run();
    await sweep(Date.now() + 29 * 86_400_000);
    expect(await holding()).toEqual(['nobody']);
    await sweep(Date.now() + 31 * 86_400_000);
    expect(await holding()).toEqual([]);
  });

  it('[TAB9] shows in the metrics that it is read, and what is waiting', async () => {
    await until(async () => (await metrics.collect()).includes('chat_intake_source_connected{source="table"} 1'), {
      timeoutMs: 15_000,
      what: 'the gauge',
    });
    const text = await metrics.collect();
    for (const line of [
      'chat_intake_source_waiting{source="table"}',
      'chat_table_source_outbox_age_seconds',
      'chat_table_source_missed_total{kind="message"} 0',
    ])
      expect(text).toContain(line);
  });

  it('[TAB1] cannot be used with our own chats, and reports every error of its file', () => {
    const parsed = chatSettingsSchema.safeParse({
      CHAT_TOKEN_SECRETS: `k1:${'s'.repeat(32)}`,
      TABLE_SOURCE: '/nowhere.yaml',
    });
    const problems = parsed.error?.issues.map(({ path, message }) => `${path.join('.')}: ${message}`) ?? [];
    expect(problems.join('\n')).toContain('TABLE_SOURCE: cannot be read');
  });
});
