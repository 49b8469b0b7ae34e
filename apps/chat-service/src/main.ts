import { DatabaseStartError, openDatabase } from '@chat-realtime/database';
import { connectRabbitPublisher } from '@chat-realtime/messaging/rabbitmq';
import {
  ConfigError,
  closeHttpApp,
  createEventTrace,
  createHttpApp,
  createLogger,
  createMetrics,
  Health,
  installHopRoute,
  loadConfig,
  OriginPolicy,
  Shutdown,
  staffTokenConfig,
} from '@chat-realtime/service-kit';
import { RevocationSet, TokenVerifier } from '@chat-realtime/verifier';
import { composeChat } from './compose.ts';
import { chatServiceSchema } from './config.ts';
import { beginLedger } from './intake/ledger-mark.ts';
import { markServedForReal } from './storage/real-data.ts';

const SERVICE = 'chat-service';
/** Requests in progress are answered. */
const IN_FLIGHT_MS = 8_000;

async function main(): Promise<void> {
  const config = loadConfig(chatServiceSchema, process.env);
  const staff = staffTokenConfig(config);
  const origins = OriginPolicy.create({ allowed: config.ALLOWED_ORIGINS, demo: false });
  const logger = createLogger({ service: SERVICE, level: config.LOG_LEVEL });
  const metrics = createMetrics(SERVICE);
  const health = new Health();
  const shutdown = new Shutdown({ logger });
  shutdown.listen();

  const database = await openDatabase(config.DATABASE_URL, {
    directUrl: config.DATABASE_DIRECT_URL,
    applicationName: SERVICE,
    logger,
  });
  shutdown.onSignal(30, () => database.close());
  await markServedForReal(database);
  // RabbitMQ is not required: without it delivery is slower, and this service answers as before.
  health.add('database', () => database.ping());
  if (config.CHAT_ROLE === 'ledger') await beginLedger(database);
  const publisher = connectRabbitPublisher({ url: config.RABBITMQ_URL, queues: config.RABBITMQ_QUEUES, logger });
  const trace = await createEventTrace({ service: SERVICE, logger, env: config });
  const chat = composeChat({
    trace,
    tracePeers: { addresses: config.TRACE_PEERS, key: config.INTERNAL_API_KEY },
    database,
    publisher,
    settings: config,
    dataDir: config.DATA_DIR,
    allowedOrigins: config.ALLOWED_ORIGINS,
    logger,
    metrics,
    rabbitUrl: config.RABBITMQ_URL,
  });

  const revocations = new RevocationSet();
  const verifier = TokenVerifier.create({
    channelSecrets: config.CHAT_TOKEN_SECRETS,
    channelTokenTtlSeconds: config.CHANNEL_TOKEN_TTL_SECONDS,
    identitySecrets: config.IDENTITY_SECRETS,
    staff,
    revocations,
  });
  const app = await createHttpApp({
    modules: [
      chat.module({
        verifier,
        revocations,
        origins,
        trustedProxies: config.TRUSTED_PROXIES,
        internal: config.INTERNAL_API_KEY !== undefined,
      }),
    ],
    logger,
    metrics,
    health,
    verifier,
    internalApiKey: config.INTERNAL_API_KEY,
    eventsApiKey: config.EVENTS_API_KEY,
    configure: (server) => installHopRoute(server, trace.journal, SERVICE),
    origins,
    trustedProxies: config.TRUSTED_PROXIES,
    port: config.PORT,
    host: config.HOST,
  });
  chat.start();
  shutdown.onSignal(0, () => health.setDraining());
  shutdown.onSignal(10, () => closeHttpApp(app, IN_FLIGHT_MS));
  // The relay stops first: what it has started to publish must still be confirmed.
  shutdown.onSignal(20, async () => {
    await chat.stop();
    await publisher.close();
    await trace.stop();
  });
  logger.info({ host: config.HOST, port: config.PORT }, 'listening');
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
  process.stderr.write(`${SERVICE}: ${text}\n`);
  process.exitCode = 1;
  process.exit();
});
