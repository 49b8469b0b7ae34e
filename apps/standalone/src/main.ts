import { rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { operatorPassword } from '@chat-realtime/auth-service';
import { Callbacks } from '@chat-realtime/chat-service';
import { DatabaseStartError, openDatabase } from '@chat-realtime/database';
import { ConfigError, createLogger, createMetrics, loadConfig, Shutdown } from '@chat-realtime/service-kit';
import { isDemo, standaloneSchema } from './config.ts';
import { loadChatTokenSecrets } from './data-secrets.ts';
import { seedOnFirstStart } from './demo/first-start.ts';
import { chooseListenPort } from './listen-port.ts';
import { claimDatabase } from './single-instance.ts';
import { startStandalone } from './standalone.ts';
import { startText } from './start-text.ts';

const SERVICE = 'standalone';
/** The drain comes on top. */
const STOP_MARGIN_MS = 15_000;

async function main(): Promise<void> {
  const env = { ...process.env };
  const dataDir = resolve(env['DATA_DIR'] || './data');
  if (process.argv.includes('--reset')) {
    if (env['DATABASE_URL'])
      throw new ConfigError(['--reset deletes the data folder, not a PostgreSQL database; empty that one yourself']);
    await rm(dataDir, { recursive: true, force: true });
  }
  env['CHAT_TOKEN_SECRETS'] ||= await loadChatTokenSecrets(dataDir);
  // A person watches this start: the log says what goes wrong, the text below what goes right.
  env['LOG_LEVEL'] ||= 'warn';
  const config = { ...loadConfig(standaloneSchema, env), DATA_DIR: dataDir };
  const logger = createLogger({ service: SERVICE, level: config.LOG_LEVEL });
  const metrics = createMetrics(SERVICE);
  const shutdown = new Shutdown({ logger, deadlineMs: config.DRAIN_SECONDS * 1_000 + STOP_MARGIN_MS });

  const { port, moved } = await chooseListenPort(config.HOST, config.PORT);
  const database = await openDatabase(config.DATABASE_URL ?? `pglite:${join(dataDir, 'database')}`, {
    applicationName: SERVICE,
    logger,
  });
  if (database.kind === 'postgres') {
    await claimDatabase(database, logger, () => void shutdown.run().then(() => process.exit(1)));
  }
  const password = await operatorPassword(config.OPERATOR_PASSWORD, dataDir);
  const standalone = await startStandalone({
    config,
    port,
    database,
    logger,
    metrics,
    shutdown,
    operatorPassword: password.password,
    resetPasswords: password.source === 'environment',
  });
  shutdown.listen();
  const baseUrl = `http://${config.HOST.includes(':') ? `[${config.HOST}]` : config.HOST}:${port}`;
  if (isDemo(config)) {
    const callbacks = new Callbacks(database, standalone.chat.operations, {
      defaultCountry: config.CHAT_PHONE_COUNTRY,
      dueMinutes: config.CALLBACK_DUE_MINUTES,
    });
    await seedOnFirstStart(
      database,
      standalone.chat.operations,
      standalone.operators,
      baseUrl,
      async (sessionId, phone, comment) => {
        await callbacks.request(sessionId, { phone, comment, consent: true });
      },
    );
  }
  process.stdout.write(
    startText({
      baseUrl,
      moved,
      operators: standalone.operators,
      password,
      databaseKind: database.kind,
      dataDir,
      demo: isDemo(config),
      trial: standalone.trial,
    }),
  );
}

main().catch((error: unknown) => {
  const expected = error instanceof ConfigError || error instanceof DatabaseStartError;
  const text = expected ? error.message : error instanceof Error ? (error.stack ?? error.message) : String(error);
  process.stderr.write(`${text}\n`);
  process.exit(1);
});
