import { join } from 'node:path';
import {
  AuthModule,
  type AuthService,
  createAuthService,
  type Invite,
  type Operator,
  seedChosen,
  seedOperators,
} from '@chat-realtime/auth-service';
import { createDispatcher, type Dispatcher } from '@chat-realtime/channel-dispatcher';
import { createGateway, GatewayModule } from '@chat-realtime/channel-gateway';
import {
  beginLedger,
  type StorageContext,
  type ChatService,
  composeChat,
  holdsOnlyDemo,
  markServedForReal,
  wasServedForReal,
} from '@chat-realtime/chat-service';
import type { Database } from '@chat-realtime/database';
import {
  createMemoryBroker,
  createMemoryFanout,
  createMemoryLastSeen,
  createMemoryLeases,
} from '@chat-realtime/messaging';
import {
  closeHttpApp,
  createEventTrace,
  createHttpApp,
  type EventTrace,
  Health,
  listenForHops,
  listenForMetrics,
  type Logger,
  type Metrics,
  OriginPolicy,
  type Shutdown,
  staffTokenConfig,
} from '@chat-realtime/service-kit';
import { RevocationSet, TokenVerifier } from '@chat-realtime/verifier';
import { TelegramModule } from '@chat-realtime/telegram-bot';
import type { DynamicModule } from '@nestjs/common';
import type { StandaloneConfig } from './config.ts';
import { type DemoAccounts, DemoModule } from './demo/demo.module.ts';
import { KEPT_PAGES_FOLDER } from './earlier-pages.ts';
import { HOPS_SOCKET } from './hops-socket.ts';
import { invitePath } from './invite-path.ts';
import { installStaticPages } from './static-pages.ts';
import { composeTelegram } from './telegram.ts';
import { Trial } from './try/trial.ts';

export interface StandaloneParts {
  readonly config: StandaloneConfig;
  readonly demo: boolean;
  readonly port: number;
  readonly database: Database;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly shutdown: Shutdown;
  /** Password of the demo's accounts; undefined if there is no demo. */
  readonly operatorPassword: string | undefined;
  /**
   * Password of the first accounts outside demo mode, if the administrator set one. Undefined: they get a one-time
   * link.
   */
  readonly firstPassword: string | undefined;
  /** The password was set on purpose: existing demo accounts get it too. */
  readonly resetPasswords: boolean;
  /** A key of `/try/` was used; this one opens next. */
  readonly tryKeySpent: (nextKey: string) => void;
  /** Runs before any request is served, so that nobody sees it half done. */
  readonly prepare: (chats: StorageContext, accounts: Accounts) => Promise<void>;
}

export interface Standalone {
  readonly chat: ChatService;
  readonly accounts: Accounts;
  readonly trial: TrialState;
}

export type Accounts =
  | { readonly kind: 'demo'; readonly operators: readonly Operator[] }
  /** `invite`: for the administrator, until there is one. */
  | { readonly kind: 'own'; readonly invite: Invite | undefined }
  /** The administrator chose their password. */
  | { readonly kind: 'given'; readonly operators: readonly Operator[] }
  | { readonly kind: 'foreign' };

/**
 * `real_data`: the database contains, or contained, chats of real people. A page that signs in automatically must not
 * be served over it.
 */
export type TrialState =
  | { readonly kind: 'open'; readonly key: string }
  | { readonly kind: 'none' }
  | { readonly kind: 'real_data' };

/** The order of a stop: refuse, drain, stop listening, stop working, close the resources. */
const STOP = { refuse: 0, drain: 10, http: 20, work: 30, adapters: 40, database: 50 } as const;

/** Every service in this process, over memory adapters and one HTTP server. */
export async function startStandalone(parts: StandaloneParts): Promise<Standalone> {
  const { config, demo, database, logger, metrics, shutdown } = parts;
  const health = new Health();
  health.add('database', () => database.ping());
  shutdown.onSignal(STOP.database, () => database.close());

  const revocations = new RevocationSet();
  if (!demo) await markServedForReal(database);
  const auth = await startAuth(parts);
  const verifier = TokenVerifier.create({
    channelSecrets: config.CHAT_TOKEN_SECRETS,
    channelTokenTtlSeconds: config.CHANNEL_TOKEN_TTL_SECONDS,
    identitySecrets: config.IDENTITY_SECRETS,
    staff: staffTokenConfig(config, auth?.service.keySource),
    revocations,
  });

  const ledger = config.CHAT_ROLE === 'ledger';
  if (ledger) await beginLedger(database);
  const onlyDemo = await holdsOnlyDemo(database);
  // Signs its visitor in, so it needs our own auth-service.
  const hasTrial = demo && auth !== undefined && !ledger;
  const trial = hasTrial && onlyDemo && auth.accounts.kind === 'demo' ? new Trial(parts.port, parts.tryKeySpent) : null;
  const broker = trial?.broker ?? createMemoryBroker();
  const fanout = trial?.fanout ?? createMemoryFanout();
  const leases = createMemoryLeases();
  const lastSeen = createMemoryLastSeen();
  shutdown.onSignal(STOP.adapters, async () => {
    await Promise.all([
      broker.publisher.close(),
      broker.consumer.close(),
      fanout.close(),
      leases.close(),
      lastSeen.close(),
    ]);
  });

  const trace = await createEventTrace({ service: 'standalone', logger, env: config });
  shutdown.onSignal(STOP.adapters, () => trace.stop());
  const chat = composeChat({
    trace,
    database,
    publisher: broker.publisher,
    settings: config,
    dataDir: config.DATA_DIR,
    allowedOrigins: config.ALLOWED_ORIGINS,
    logger,
    metrics,
    rabbitUrl: config.RABBITMQ_URL,
  });
  const newDispatcher = (): Dispatcher =>
    createDispatcher({ consumer: broker.consumer, fanout, lastSeen, logger, metrics, trace });
  const dispatcher = trial?.dispatcher(newDispatcher) ?? newDispatcher();
  const origins = OriginPolicy.create({ allowed: config.ALLOWED_ORIGINS, demo });
  const { TRUSTED_PROXIES: trustedProxies } = config;
  const gateway = createGateway({
    source: trial?.source(chat.service.source) ?? chat.service.source,
    fanout,
    leases,
    lastSeen,
    verifier,
    revocations,
    origins,
    trustedProxies,
    config,
    logger,
    metrics,
    trace,
  });

  const bot = composeTelegram({ config, chat, database, fanout, logger, metrics });
  const modules: DynamicModule[] = [
    chat.module({ verifier, revocations, origins, trustedProxies, internal: false }),
    GatewayModule.forRoot(gateway),
    DemoModule.forRoot({
      database,
      accounts: auth?.accounts.kind === 'demo' ? demoAccounts(auth.service) : null,
    }),
    ...(bot === null ? [] : [TelegramModule.forRoot(bot)]),
    ...(auth === undefined ? [] : [AuthModule.forRoot({ service: auth.service })]),
  ];
  const accounts: Accounts = auth?.accounts ?? { kind: 'foreign' };
  await dispatcher.start();
  chat.start();
  await parts.prepare(chat.service.context, accounts);
  const app = await createHttpApp({
    modules,
    logger,
    metrics,
    health,
    verifier,
    eventsApiKey: config.EVENTS_API_KEY,
    origins,
    trustedProxies,
    metricsAccess:
      config.METRICS_TOKEN === undefined ? { kind: 'none' } : { kind: 'bearer', token: config.METRICS_TOKEN },
    configure: async (server) => {
      await installStaticPages(server, {
        demo,
        signIn: {
          tokenUrl: config.OPERATOR_TOKEN_URL ?? null,
          loginUrl: config.OPERATOR_LOGIN_URL ?? null,
          returnParam: config.OPERATOR_RETURN_PARAM,
          site: config.OPERATOR_SITE,
        },
        keptFolder: join(config.DATA_DIR, KEPT_PAGES_FOLDER),
        notKept: (err) => logger.warn({ err }, 'could not keep the files of this build for pages that are still open'),
      });
      const { operatorPassword } = parts;
      if (trial === null || auth === undefined || operatorPassword === undefined) return;
      const chats = chat.service.context;
      const operators = auth.accounts.kind === 'demo' ? auth.accounts.operators : [];
      await trial.install(server, { database, chats, auth: auth.service, operators, operatorPassword, logger });
    },
    port: parts.port,
    host: config.HOST,
  });

  shutdown.onSignal(STOP.refuse, () => health.setDraining());
  shutdown.onSignal(STOP.drain, () => gateway.drain());
  shutdown.onSignal(STOP.http, async () => {
    await gateway.stop();
    await closeHttpApp(app);
  });
  shutdown.onSignal(STOP.work, async () => {
    auth?.service.stop();
    await bot?.stop();
    await chat.stop();
    await dispatcher.stop();
  });
  await openMetricsPort(parts);
  await openHopsSocket(parts, trace);
  return {
    chat: chat.service,
    accounts,
    trial: trial !== null ? { kind: 'open', key: trial.door.key } : { kind: hasTrial ? 'real_data' : 'none' },
  };
}

/**
 * If a folder's path is too long for a socket, or the system has none, only the live half of `admin trace` is missing.
 */
async function openHopsSocket({ config, logger, shutdown }: StandaloneParts, trace: EventTrace): Promise<void> {
  try {
    const server = await listenForHops(join(config.DATA_DIR, HOPS_SOCKET), trace.journal, 'standalone');
    shutdown.onSignal(STOP.http, async () => {
      server.closeAllConnections();
      server.close();
    });
  } catch (err) {
    logger.warn({ err }, 'the socket for traces could not be opened: admin trace shows what the database knows');
  }
}

async function openMetricsPort({ config, metrics, logger, shutdown }: StandaloneParts): Promise<void> {
  if (config.METRICS_PORT === undefined) return;
  const server = await listenForMetrics(config.METRICS_PORT, metrics, logger);
  shutdown.onSignal(STOP.http, async () => {
    server.closeAllConnections();
    server.close();
  });
}

async function startAuth(parts: StandaloneParts): Promise<{ service: AuthService; accounts: Accounts } | undefined> {
  const { config, database, logger, metrics } = parts;
  if (config.AUTH_JWT_SECRET !== undefined || config.AUTH_JWKS_URL !== undefined) return undefined;
  const service = await createAuthService({ database, config, logger, metrics });
  const accounts = await provideAccounts(service, parts);
  service.start();
  return { service, accounts };
}

/** A demo has accounts whose password is printed in the terminal. A real chat has only accounts made by its people. */
async function provideAccounts(service: AuthService, parts: StandaloneParts): Promise<Accounts> {
  const { demo, database, operatorPassword, resetPasswords } = parts;
  if (demo && operatorPassword !== undefined && !(await wasServedForReal(database)))
    return { kind: 'demo', operators: await seedOperators(service, operatorPassword, { resetPasswords, demo }) };
  await service.operators.closeDemo();
  // As in the distributed form. A password that somebody chose is no default login.
  const { firstPassword } = parts;
  if (firstPassword !== undefined && (await service.operators.list()).every(({ active }) => !active))
    return { kind: 'given', operators: await seedChosen(service, firstPassword, parts.config) };
  return { kind: 'own', invite: await service.invites.forFirstAdmin() };
}

function demoAccounts(service: AuthService): DemoAccounts {
  return {
    areOpen: () => service.operators.hasDemo(),
    end: async () => {
      const invite = await service.endDemo();
      return invite === undefined ? null : invitePath(invite.key);
    },
  };
}
