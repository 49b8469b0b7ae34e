import { DatabaseStartError, openDatabase } from '@chat-realtime/database';
import {
  ConfigError,
  closeHttpApp,
  createHttpApp,
  createLogger,
  createMetrics,
  Health,
  loadConfig,
  OriginPolicy,
  Shutdown,
} from '@chat-realtime/service-kit';
import { TokenVerifier } from '@chat-realtime/verifier';
import { createAuthService } from './auth-service.ts';
import { authProcessSchema } from './config.ts';
import { AuthModule } from './http/auth-module.ts';
import { savedOrigins } from './saved-origins.ts';
import { seedChosen } from './seed.ts';

const SERVICE = 'auth-service';
/** How long requests in progress may take to finish at shutdown. */
const IN_FLIGHT_MS = 8_000;

async function main(): Promise<void> {
  const config = loadConfig(authProcessSchema, process.env);
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
  health.add('database', () => database.ping());
  const service = await createAuthService({ database, config, logger, metrics });
  if (config.OPERATOR_PASSWORD !== undefined && (await service.operators.list()).length === 0) {
    const made = await seedChosen(service, config.OPERATOR_PASSWORD, config);
    logger.info({ logins: made.map(({ login }) => login) }, 'no operator existed: the first accounts were made');
  }
  service.start();
  shutdown.onSignal(20, () => service.stop());
  const { AUTH_ISSUER: issuer, AUTH_AUDIENCE: audience } = config;
  const verifier = TokenVerifier.create({
    staff: { keys: service.keySource, issuer, audience },
    revocations: service.revocations,
  });
  const origins = OriginPolicy.create({ allowed: config.ALLOWED_ORIGINS, demo: false });
  await service.follow(async () => origins.replace(await savedOrigins(database)));
  const app = await createHttpApp({
    modules: [AuthModule.forRoot({ service })],
    logger,
    metrics,
    health,
    verifier,
    origins,
    trustedProxies: config.TRUSTED_PROXIES,
    port: config.PORT,
    host: config.HOST,
  });
  shutdown.onSignal(0, () => health.setDraining());
  shutdown.onSignal(10, () => closeHttpApp(app, IN_FLIGHT_MS));
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
