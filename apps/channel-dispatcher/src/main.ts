import { connectRabbitConsumer } from '@chat-realtime/messaging/rabbitmq';
import { connectRedisFanout, createRedisLastSeen } from '@chat-realtime/messaging/redis';
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
  Shutdown,
} from '@chat-realtime/service-kit';
import { dispatcherEnvironment } from './config.ts';
import { createDispatcher } from './dispatcher.ts';

const SERVICE = 'channel-dispatcher';
/** Order of the steps at the end: no longer ready, work finished, then what it needed. */
const STOP = { readiness: 0, dispatcher: 10, adapters: 20, http: 30 } as const;

async function main(): Promise<void> {
  const config = loadConfig(dispatcherEnvironment, process.env);
  const { REDIS_URL, REDIS_CLUSTER_NODES: clusterNodes, REDIS_KEY_PREFIX: prefix, RABBITMQ_URL } = config;
  const { HOST: host, PORT: port } = config;
  const logger = createLogger({ service: SERVICE, level: config.LOG_LEVEL });
  const metrics = createMetrics(SERVICE);
  const health = new Health();
  const shutdown = new Shutdown({ logger });
  shutdown.listen();

  const consumer = connectRabbitConsumer({ url: RABBITMQ_URL, queues: config.RABBITMQ_QUEUES, logger });
  const redis = { url: REDIS_URL, clusterNodes, prefix, logger };
  const fanout = connectRedisFanout(redis);
  const lastSeen = createRedisLastSeen({ ...redis, ttlSeconds: config.LAST_SEEN_TTL_SECONDS });
  const trace = await createEventTrace({ service: SERVICE, logger, env: config });
  const dispatcher = createDispatcher({ consumer, fanout, lastSeen, logger, metrics, trace });
  health.add('rabbitmq', () => assertConnected(consumer, 'rabbitmq'));
  health.add('redis', () => assertConnected(fanout, 'redis'));
  health.add('consumption', () => {
    if (!dispatcher.healthy) throw new Error('no event is taken from the queue');
  });

  shutdown.onSignal(STOP.readiness, () => health.setDraining());
  shutdown.onSignal(STOP.dispatcher, () => dispatcher.stop());
  shutdown.onSignal(STOP.adapters, async () => {
    await Promise.all([fanout.close(), lastSeen.close(), trace.stop()]);
  });
  const app = await createHttpApp({
    modules: [],
    logger,
    metrics,
    health,
    internalApiKey: config.INTERNAL_API_KEY,
    configure: (server) => installHopRoute(server, trace.journal, SERVICE),
    trustedProxies: config.TRUSTED_PROXIES,
    port,
    host,
  });
  shutdown.onSignal(STOP.http, () => closeHttpApp(app));
  await dispatcher.start();
  logger.info({ host, port }, 'listening');
}

function assertConnected(dependency: { readonly connected: boolean }, name: string): void {
  if (!dependency.connected) throw new Error(`${name} is not connected`);
}

main().catch((error: unknown) => {
  const text =
    error instanceof ConfigError
      ? error.message
      : error instanceof Error
        ? (error.stack ?? error.message)
        : String(error);
  process.stderr.write(`${SERVICE}: ${text}\n`);
  process.exit(1);
});
