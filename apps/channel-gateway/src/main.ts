import { connectRedisFanout, createRedisLastSeen, createRedisLeases } from '@chat-realtime/messaging/redis';
import {
  closeHttpApp,
  ConfigError,
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
import { installDrainRoutes } from './drain-routes.ts';
import { GatewayModule } from './gateway.module.ts';
import { gatewayEnvironment } from './config.ts';
import { createGateway } from './gateway.ts';
import { SettingsFollower } from './settings-follower.ts';
import { createHttpSource } from './http-source.ts';

/** Time after the drain for acks and open sockets. */
const SHUTDOWN_MARGIN_MS = 5_000;

async function main(): Promise<void> {
  const config = loadConfig(gatewayEnvironment, process.env);
  const logger = createLogger({ service: 'channel-gateway', level: config.LOG_LEVEL });
  const metrics = createMetrics('channel-gateway');
  const health = new Health();
  const revocations = new RevocationSet();
  const verifier = TokenVerifier.create({
    channelSecrets: config.CHAT_TOKEN_SECRETS,
    channelTokenTtlSeconds: config.CHANNEL_TOKEN_TTL_SECONDS,
    staff: staffTokenConfig(config),
    revocations,
  });
  const redis = {
    url: config.REDIS_URL,
    clusterNodes: config.REDIS_CLUSTER_NODES,
    prefix: config.REDIS_KEY_PREFIX,
    logger,
  };
  const fanout = connectRedisFanout(redis);
  const leases = createRedisLeases({ ...redis, heartbeatSeconds: config.HEARTBEAT_SECONDS });
  const lastSeen = createRedisLastSeen({ ...redis, ttlSeconds: config.LAST_SEEN_TTL_SECONDS });
  const origins = OriginPolicy.create({ allowed: config.ALLOWED_ORIGINS, demo: false });
  const circuitOpen = metrics.gauge({
    name: 'chat_source_circuit_open',
    help: "1 while calls to chat-service, ours or a site's, keep failing and are retried less often",
    labels: ['call'],
  });
  const calls = createHttpSource({
    catchupUrl: config.CATCHUP_URL ?? new URL('/internal/catchup', config.CHAT_SERVICE_URL).href,
    acksUrl: config.ACKS_URL ?? new URL('/internal/acks', config.CHAT_SERVICE_URL).href,
    apiKey: config.INTERNAL_API_KEY,
    circuitChanged: (call, open) => {
      circuitOpen.set({ call }, open ? 1 : 0);
      logger.warn(
        { call, open },
        open
          ? 'calls to chat-service keep failing; the circuit is open and they are retried less often'
          : 'calls to chat-service are answered again; the circuit is closed',
      );
    },
  });
  // A site that keeps seq itself has no such settings.
  const follower = config.CATCHUP_URL === undefined ? new SettingsFollower(calls, { origins, verifier }) : undefined;
  const source = follower?.source ?? calls;
  const trace = await createEventTrace({ service: 'channel-gateway', logger, env: config });
  const gateway = createGateway({
    trace,
    source,
    fanout,
    leases,
    lastSeen,
    verifier,
    revocations,
    origins,
    trustedProxies: config.TRUSTED_PROXIES,
    config,
    logger,
    metrics,
  });
  // Redis only makes delivery faster. Without it events arrive later, so its absence does not take the gateway out of
  // service.
  health.add('chat-service', () => gateway.checkSource());
  const app = await createHttpApp({
    modules: [GatewayModule.forRoot(gateway)],
    logger,
    metrics,
    health,
    verifier,
    internalApiKey: config.INTERNAL_API_KEY,
    configure: (server) => {
      installDrainRoutes(server, gateway, health);
      installHopRoute(server, trace.journal, config.INSTANCE_NAME);
    },
    origins,
    trustedProxies: config.TRUSTED_PROXIES,
    port: config.PORT,
    host: config.HOST,
  });
  follower?.start();
  const shutdown = new Shutdown({ logger, deadlineMs: config.DRAIN_SECONDS * 1_000 + SHUTDOWN_MARGIN_MS });
  shutdown.onSignal(0, () => health.setDraining());
  shutdown.onSignal(1, () => gateway.drain());
  shutdown.onSignal(2, () => {
    follower?.stop();
    return gateway.stop();
  });
  shutdown.onSignal(3, () => closeHttpApp(app));
  shutdown.onSignal(4, async () => {
    await Promise.all([fanout.close(), leases.close(), lastSeen.close(), trace.stop()]);
  });
  shutdown.listen();
  logger.info({ url: await app.getUrl() }, 'channel-gateway listens');
}

main().catch((error: unknown) => {
  // Configuration errors are for people, one per line.
  process.stderr.write(
    `${error instanceof ConfigError || !(error instanceof Error) ? String(error) : (error.stack ?? error.message)}\n`,
  );
  process.exit(1);
});
