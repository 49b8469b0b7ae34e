import { resolve } from 'node:path';
import { operatorPassword } from '@chat-realtime/auth-service';
import { Callbacks, type StorageContext, wasServedForReal } from '@chat-realtime/chat-service';
import { DatabaseStartError, guardFolder, openDatabase } from '@chat-realtime/database';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '@chat-realtime/embedded-postgres';
import {
  ConfigError,
  createLogger,
  createMetrics,
  loadConfig,
  type Logger,
  Shutdown,
} from '@chat-realtime/service-kit';
import { type StandaloneConfig, standaloneSchema } from './config.ts';
import { loadChatTokenSecrets } from './data-secrets.ts';
import { demoMode } from './demo-mode.ts';
import { DiskReserve } from './disk-reserve.ts';
import { seedOnFirstStart } from './demo/seed-once.ts';
import { chooseListenPort } from './listen-port.ts';
import { databaseFolder, resetDataFolder } from './reset.ts';
import { InstanceClaim } from './single-instance.ts';
import { type Accounts, startStandalone } from './standalone.ts';
import { startText, tryAddress } from './start-text.ts';

const SERVICE = 'standalone';
/** In addition to the drain. */
const STOP_MARGIN_MS = 15_000;
/** After the work, before the database is closed. */
const CLAIM_STEP = 45;
/** After everything that queries it. */
const SERVER_STEP = 55;
/** After everything that uses the folder. */
const FOLDER_STEP = 60;

async function main(): Promise<void> {
  const dataDir = resolve(process.env['DATA_DIR'] || './data');
  const reset = process.argv.includes('--reset');
  if (reset && process.env['DATABASE_URL'])
    throw new ConfigError(['--reset deletes the data folder, not a PostgreSQL database; empty that one yourself']);
  // Held as long as this process lives, even with a PostgreSQL elsewhere: files and secrets are there in any case.
  const folder = await guardFolder(dataDir);
  if (reset) {
    // A wrong setting is reported before anything is deleted.
    await readConfig(dataDir);
    await resetDataFolder(dataDir);
  }
  const config = await readConfig(dataDir);
  const logger = createLogger({ service: SERVICE, level: config.LOG_LEVEL });
  const metrics = createMetrics(SERVICE);
  const shutdown = new Shutdown({ logger, deadlineMs: config.DRAIN_SECONDS * 1_000 + STOP_MARGIN_MS });

  const { port, moved } = await chooseListenPort(config.HOST, config.PORT);
  const reserve = config.DATABASE_URL === undefined ? new DiskReserve(dataDir) : null;
  const embedded = reserve === null ? null : await startEmbedded(dataDir, reserve, logger);
  if (embedded !== null) shutdown.onSignal(SERVER_STEP, () => embedded.stop());
  const database = await openDatabase(config.DATABASE_URL ?? embedded?.url ?? '', {
    directUrl: config.DATABASE_DIRECT_URL,
    applicationName: SERVICE,
    logger,
    durable: embedded !== null,
  });
  await reserve?.take();
  const demo = demoMode(config, {
    env: process.env,
    empty: process.argv.includes('--empty'),
    servedForReal: await wasServedForReal(database),
  });
  // Nobody else has access to the embedded one.
  if (embedded === null) {
    const claim = await InstanceClaim.take(database, logger, () => void shutdown.run().then(() => process.exit(1)));
    shutdown.onSignal(CLAIM_STEP, () => claim.release());
  }
  const password = demo.on ? await operatorPassword(config.OPERATOR_PASSWORD, dataDir) : undefined;
  const baseUrl = `http://${config.HOST.includes(':') ? `[${config.HOST}]` : config.HOST}:${port}`;
  const prepare = async (chats: StorageContext, accounts: Accounts): Promise<void> => {
    // In the ledger every chat is the site's.
    if (!demo.on || config.CHAT_ROLE !== 'chat') return;
    const callbacks = new Callbacks(database, chats, {
      defaultCountry: config.CHAT_PHONE_COUNTRY,
      dueMinutes: async () => config.CALLBACK_DUE_MINUTES ?? 120,
    });
    await seedOnFirstStart(
      database,
      chats,
      accounts.kind === 'demo' ? accounts.operators : [],
      baseUrl,
      async (sessionId, phone, comment) => {
        await callbacks.request(sessionId, { phone, comment, consent: true });
      },
    );
  };
  const standalone = await startStandalone({
    config,
    prepare,
    demo: demo.on,
    port,
    database,
    logger,
    metrics,
    shutdown,
    operatorPassword: password?.password,
    firstPassword: process.argv.includes('--empty') ? undefined : config.OPERATOR_PASSWORD,
    resetPasswords: password?.source === 'environment',
    tryKeySpent: (nextKey) =>
      void process.stdout.write(`  /try/ was opened. For another browser: ${tryAddress(baseUrl, nextKey)}\n`),
  });
  shutdown.onSignal(FOLDER_STEP, () => folder.release());
  shutdown.listen();
  process.stdout.write(
    startText({
      baseUrl,
      publicUrl: config.PUBLIC_URL,
      moved,
      accounts: standalone.accounts,
      password,
      embedded,
      databaseVersion: database.settings.version,
      dataDir,
      demo,
      trial: standalone.trial,
    }),
  );
}

/** With the disk reserve released while the server starts. */
async function startEmbedded(dataDir: string, reserve: DiskReserve, logger: Logger): Promise<EmbeddedPostgres> {
  if (await reserve.release())
    process.stdout.write('  The disk is full. The room kept for this case lets the chat start; make more.\n');
  return startEmbeddedPostgres(databaseFolder(dataDir), {
    logger,
    beforeRestart: () => reserve.release(),
    afterRestart: () => reserve.take(),
  });
}

async function readConfig(dataDir: string): Promise<StandaloneConfig> {
  const env = { ...process.env };
  env['CHAT_TOKEN_SECRETS'] ||= await loadChatTokenSecrets(dataDir);
  // A person watches this start: errors go to the log, progress to the terminal.
  env['LOG_LEVEL'] ||= 'warn';
  return { ...loadConfig(standaloneSchema, env), DATA_DIR: dataDir };
}

main().catch((error: unknown) => {
  const text =
    error instanceof DatabaseStartError
      ? `${error.message} (${error.code})`
      : error instanceof ConfigError
        ? error.message
        : error instanceof Error
          ? (error.stack ?? error.message)
          : String(error);
  process.stderr.write(`${text}\n`);
  process.exit(1);
});
