import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type VirtualClient, VirtualGateway } from '@chat-realtime/channel-gateway/testing';
import { type ComposedChat, composeChat } from '@chat-realtime/chat-service';
import { type Database, openDatabase } from '@chat-realtime/database';
import { createMemoryBroker } from '@chat-realtime/messaging';
import {
  createHttpApp,
  createLogger,
  createMetrics,
  Health,
  OriginPolicy,
  staffTokenConfig,
} from '@chat-realtime/service-kit';
import { DutyPresence, People } from '@chat-realtime/telegram-bot';
import { RevocationSet, TokenVerifier } from '@chat-realtime/verifier';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { standaloneSchema } from './config.ts';

const START = Date.UTC(2026, 0, 1, 12);
const STEP_MS = 5_000;
const MINUTES = 60_000 / STEP_MS;
/** Some seconds on a quiet machine. */
const LONG_MS = 600_000;
const logger = createLogger({ service: 'standalone', level: 'silent' });

/** Queries and defaults read the clock of the test, so that ten minutes can pass at once. */
async function simulateClock(database: Database): Promise<(at: number) => Promise<void>> {
  const run = (text: string) => sql.raw(text).execute(database.kysely);
  const at = (time: number) => `to_timestamp(${time}::float8 / 1000)`;
  await run('CREATE SCHEMA simulated');
  await run(`CREATE TABLE simulated.clock AS SELECT ${at(START)} AS now`);
  await run(`CREATE FUNCTION simulated.clock_timestamp() RETURNS timestamptz LANGUAGE sql
    AS 'SELECT now FROM simulated.clock'`);
  await run(`DO $$ DECLARE c record; BEGIN
    FOR c IN SELECT a.attrelid::regclass AS t, a.attname FROM pg_attribute a
               JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
              WHERE pg_get_expr(d.adbin, d.adrelid) LIKE '%clock_timestamp()%' LOOP
      EXECUTE format('ALTER TABLE %s ALTER %I SET DEFAULT simulated.clock_timestamp()', c.t, c.attname);
    END LOOP; END $$`);
  await run('SET search_path = simulated, public, pg_catalog');
  return async (time) => {
    await run(`UPDATE simulated.clock SET now = ${at(time)}`);
  };
}

/** Each count of operators that a page was sent, with its welcome and after it. */
function countsOf(page: VirtualClient): number[] {
  return page.frames.flatMap(({ data }) => {
    const { state } = data as { state?: { operators_online?: number } };
    const count = state?.operators_online ?? data['operators_online'];
    return typeof count === 'number' ? [count] : [];
  });
}

describe('[TG9] an operator who is only on duty in Telegram', () => {
  let database: Database;
  let setClock: (at: number) => Promise<void>;
  let folder: string;
  let chat: ComposedChat;
  let app: Awaited<ReturnType<typeof createHttpApp>>;
  let gateway: VirtualGateway;
  let presence: DutyPresence;
  let botIsDead: boolean;
  let now: number;
  let session: number;

  beforeAll(async () => {
    [database, folder] = await Promise.all([openDatabase('pglite:memory'), mkdtemp(join(tmpdir(), 'duty-'))]);
    setClock = await simulateClock(database);
    now = START;
    botIsDead = false;
    vi.useFakeTimers({ now, toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'Date'] });
    const config = standaloneSchema.parse({
      CHAT_TOKEN_SECRETS: 'k1:0123456789abcdef0123456789abcdef',
      AUTH_JWT_SECRET: 'secret-of-the-tokens-of-operators-01',
      CHAT_WIDGET: '{"online":"operators"}',
      RETURN_TO_QUEUE: 'offline',
      DATA_DIR: folder,
    });
    const metrics = createMetrics('standalone');
    const broker = createMemoryBroker();
    chat = composeChat({
      ...{ database, publisher: broker.publisher, settings: config, dataDir: folder, logger, metrics },
    });
    const revocations = new RevocationSet();
    const verifier = TokenVerifier.create({
      channelSecrets: config.CHAT_TOKEN_SECRETS,
      channelTokenTtlSeconds: config.CHANNEL_TOKEN_TTL_SECONDS,
      identitySecrets: config.IDENTITY_SECRETS,
      staff: staffTokenConfig(config, undefined),
      revocations,
    });
    const origins = OriginPolicy.create({ allowed: [], demo: true });
    const { TRUSTED_PROXIES: trustedProxies } = config;
    app = await createHttpApp({
      modules: [chat.module({ verifier, revocations, origins, trustedProxies, internal: false })],
      ...{ logger, metrics, health: new Health(), verifier, origins, trustedProxies },
    });
    chat.start();
    gateway = new VirtualGateway({ source: chat.service.source, ticks: false });

    await sql`INSERT INTO operator_telegram (user_id, telegram_user_id, role, scope, on_duty)
      VALUES ('anna', 501, 'operator', 'all', false)`.execute(database.kysely);
    presence = startBot();
    await act({ kind: 'duty', status: 'online' });
    presence.beat();

    const made = await sql<{ id: number }>`INSERT INTO chat_session (name) VALUES ('Иван') RETURNING id`.execute(
      database.kysely,
    );
    session = Number(made.rows[0]?.id);
    await act({ kind: 'assign', session_id: session });
  });
  afterAll(async () => {
    vi.useRealTimers();
    await presence.stop();
    await gateway.stop();
    await chat.stop();
    await app.close();
    await database.close();
    await rm(folder, { recursive: true });
  });

  const startBot = (): DutyPresence => {
    const people = new People(database, 77);
    botIsDead = false;
    const started = new DutyPresence({
      id: 'telegram-77',
      database,
      fanout: gateway.fanout,
      people: {
        // A killed process sends nothing, not even that it ends.
        onDuty: () => (botIsDead ? new Promise(() => undefined) : people.onDuty()),
        botRuns: () => people.botRuns(),
      },
      availability: { isFresh: true },
      logger,
    });
    started.start();
    return started;
  };

  const act = (action: Parameters<ComposedChat['telegram']['act']>[0]['action']) =>
    chat.telegram.act({ telegram_user_id: 501, request_id: `telegram:77:${now}`, action });

  /** Advances all clocks together: of the database, of the services and of the gateway. */
  const step = async (): Promise<void> => {
    now += STEP_MS;
    await setClock(now);
    await vi.advanceTimersByTimeAsync(STEP_MS);
    await gateway.advance(STEP_MS / 2);
    await settle();
    await gateway.advance(STEP_MS / 2);
  };
  /** Queued behind everything that waits for the database. */
  const settle = async (): Promise<void> => {
    for (let turn = 0; turn < 5; turn += 1) {
      await sql`SELECT 1`.execute(database.kysely);
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  const steps = async (count: number): Promise<void> => {
    for (let n = 0; n < count; n += 1) await step();
  };

  const owner = async (): Promise<string | null> => {
    const row = await database.kysely
      .selectFrom('chat_session')
      .select('assigned_user_id')
      .where('id', '=', session)
      .executeTakeFirstOrThrow();
    return row.assigned_user_id;
  };
  /** What a customer's page shows: when it opens, and in its header. */
  const shown = async () => {
    const config = (await app.inject({ method: 'GET', url: '/chat/config' })).json();
    const page = gateway.customer(session);
    await gateway.advance(100);
    await settle();
    await gateway.advance(100);
    const frame = countsOf(page).at(-1);
    page.cut();
    return { online: config.online, frame };
  };

  it(
    'counts as connected for ten minutes: their chat stays theirs, and page and header show an operator online',
    async () => {
      const page = gateway.customer(session);
      for (let minute = 1; minute <= 10; minute += 1) {
        await steps(MINUTES);
        expect([minute, await owner()]).toEqual([minute, 'anna']);
        expect([minute, await shown()]).toEqual([minute, { online: true, frame: 1 }]);
      }
      // Nobody was notified meanwhile that they had gone.
      const told = countsOf(page);
      expect(told.at(-1)).toBe(1);
      expect(told.slice(told.indexOf(1))).not.toContain(0);
      page.cut();
    },
    LONG_MS,
  );

  it(
    'no longer counts when the bot was killed without a message',
    async () => {
      botIsDead = true;
      presence.beat();
      await steps(MINUTES);
      expect(await shown()).toEqual({ online: false, frame: 0 });
      await steps(4.5 * MINUTES);
      expect(await owner()).toBeNull();
    },
    LONG_MS,
  );

  it(
    'no longer counts when they end their duty: nobody is online, and after five minutes the chat is unassigned',
    async () => {
      presence = startBot();
      await act({ kind: 'assign', session_id: session });
      await steps(MINUTES);
      expect(await shown()).toEqual({ online: true, frame: 1 });
      await act({ kind: 'duty', status: 'off' });
      presence.beat();
      await steps(2);
      expect(await shown()).toEqual({ online: false, frame: 0 });
      expect(await owner()).toBe('anna');
      await steps(5.5 * MINUTES);
      expect(await owner()).toBeNull();
    },
    LONG_MS,
  );
});
