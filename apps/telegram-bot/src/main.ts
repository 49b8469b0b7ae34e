import { DatabaseStartError, openDatabase } from '@chat-realtime/database';
import { connectRedisFanout } from '@chat-realtime/messaging/redis';
import {
  ConfigError,
  closeHttpApp,
  createHttpApp,
  createLogger,
  createMetrics,
  Health,
  loadConfig,
  Shutdown,
} from '@chat-realtime/service-kit';
import { createHttpChatService } from './adapters/http-chat-service.ts';
import { redisFrames } from './adapters/redis-frames.ts';
import { createTelegramBot } from './bot.ts';
import { telegramEnvironment } from './config.ts';
import { TelegramModule } from './webhook.module.ts';

const SERVICE = 'telegram-bot';
const STOP = { readiness: 0, http: 10, bot: 20, adapters: 30 } as const;
/** A poll that waits ends at once; a file that is being sent is finished. */
const STOP_DEADLINE_MS = 15_000;

async function main(): Promise<void> {
  const config = loadConfig(telegramEnvironment, process.env);
  const logger = createLogger({ service: SERVICE, level: config.LOG_LEVEL });
  const metrics = createMetrics(SERVICE);
  const health = new Health();
  const shutdown = new Shutdown({ logger, deadlineMs: STOP_DEADLINE_MS });
  shutdown.listen();

  const database = await openDatabase(config.DATABASE_URL, {
    directUrl: config.DATABASE_DIRECT_URL,
    applicationName: SERVICE,
    logger,
  });
  const redis = {
    url: config.REDIS_URL,
    clusterNodes: config.REDIS_CLUSTER_NODES,
    prefix: config.REDIS_KEY_PREFIX,
    logger,
  };
  const fanout = connectRedisFanout(redis);
  const chatService = createHttpChatService({ url: config.CHAT_SERVICE_URL, apiKey: config.INTERNAL_API_KEY });
  const frames = redisFrames(redis);
  const siteZone = config.CHAT_SCHEDULE;
  const bot = createTelegramBot({
    config,
    database,
    chatService,
    source: chatService,
    frames,
    fanout,
    logger,
    metrics,
    siteZone,
  });
  // Neither Redis nor Telegram is a condition: without them texts come later, and none is lost.
  health.add('database', () => database.ping());
  health.add('telegram', () => bot.assertAccepted());

  const app = await createHttpApp({
    modules: [TelegramModule.forRoot(bot)],
    logger,
    metrics,
    health,
    trustedProxies: config.TRUSTED_PROXIES,
    port: config.PORT,
    host: config.HOST,
  });
  shutdown.onSignal(STOP.readiness, () => health.setDraining());
  shutdown.onSignal(STOP.http, () => closeHttpApp(app));
  shutdown.onSignal(STOP.bot, () => bot.stop());
  shutdown.onSignal(STOP.adapters, async () => {
    await Promise.all([fanout.close(), database.close()]);
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
  process.exit(1);
});
