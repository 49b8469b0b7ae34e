import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type AppProcess, SERVICE_FLAGS, startProcess } from '../app-process.ts';
import type { ManagedServer } from '../managed-server.ts';
import { type NginxServer, startNginx } from '../nginx.ts';
import { freePort } from '../ports.ts';
import { type PostgresServer, startPostgres } from '../postgres.ts';
import { startRabbit } from '../rabbit.ts';
import { tempFolder } from '../temp-folder.ts';
import { chatSite } from './nginx-template.ts';
import { type PrivateRedis, startPrivateRedis } from './private-redis.ts';
import {
  type Addresses,
  type Environment,
  environmentOf,
  type ServiceName,
  sharedEnvironment,
} from './service-environment.ts';
import { type StackProxies, startProxies } from './stack-proxies.ts';

export interface StackOptions {
  /** Default 2. */
  gateways?: number;
  /** Proxies in front of nginx. */
  outerProxies?: readonly string[] | undefined;
  /** Port of nginx; default a free one. */
  port?: number;
  /** Settings for all services; they override the stack's own. */
  env?: Environment;
  /** Further settings for one service. */
  serviceEnv?: Partial<Record<ServiceName, Environment>>;
  /** A second chat-service that nginx does not know: it only waits to lead the relay. */
  standby?: boolean;
  /** Puts fault proxies between the services and their servers. */
  proxies?: boolean;
  /** A second dispatcher, as several queues (`RABBITMQ_QUEUES`) need it. */
  secondDispatcher?: boolean;
  /** A Redis Cluster with this many masters instead of one Redis; not together with `proxies`. */
  redisMasters?: number;
  /** PostgreSQL with fsync, as in production: for benchmarks and people, not for tests. */
  durable?: boolean;
  onProgress?: (line: string) => void;
  onLine?: (service: string, line: string) => void;
}

/** The distributed form of the product on one machine: real servers, each service a process of its own. */
export interface Stack {
  /** The one origin, served by nginx. */
  readonly url: string;
  /** The settings all services share, secrets included: tests forge tokens with them. */
  readonly env: Readonly<Environment>;
  readonly logins: readonly string[];
  readonly password: string;
  readonly postgres: PostgresServer;
  readonly rabbit: ManagedServer;
  /** Its `url` is the administrator's; each service signs in as a separate user. */
  readonly redis: PrivateRedis;
  readonly nginx: NginxServer;
  readonly auth: AppProcess;
  readonly chat: AppProcess;
  /** Null unless asked for. */
  readonly standby: AppProcess | null;
  readonly dispatcher: AppProcess;
  /** Null unless asked for. */
  readonly secondDispatcher: AppProcess | null;
  readonly gateways: readonly AppProcess[];
  /** Null without TELEGRAM_BOT_TOKEN. */
  readonly telegram: AppProcess | null;
  /** Separate addresses of the services, for health and metrics and for talking to one gateway only. */
  readonly addresses: {
    auth: string;
    chat: string;
    standby: string | null;
    dispatcher: string;
    /** Null unless asked for. */
    secondDispatcher: string | null;
    /** Null without TELEGRAM_BOT_TOKEN. */
    telegram: string | null;
    gateways: readonly string[];
  };
  /** Null unless asked for. */
  readonly proxies: StackProxies | null;
  /** Every service and server by name, for reports. */
  parts(): { name: string; port: number; pid: number; running: boolean }[];
  /** Throws with its output if a service has exited that nobody stopped. */
  assertAlive(): void;
  stop(): Promise<void>;
}

/** For `RABBITMQ_QUEUES`. */
const SPREADING_PLUGIN = 'rabbitmq_consistent_hash_exchange';
const ROOT = fileURLToPath(new URL('../../../../', import.meta.url));
const local = (port: number): string => `http://127.0.0.1:${port}`;

export async function startStack(options: StackOptions = {}): Promise<Stack> {
  const started: { stop(): Promise<unknown> }[] = [];
  try {
    return await assemble(options, started);
  } catch (error) {
    await Promise.allSettled(started.map((part) => part.stop()));
    throw error;
  }
}

async function assemble(options: StackOptions, started: { stop(): Promise<unknown> }[]): Promise<Stack> {
  const progress = options.onProgress ?? (() => undefined);
  const shared = sharedEnvironment(options.env ?? {});
  const keep = <T extends { stop(): Promise<unknown> }>(part: T): T => {
    started.push(part);
    return part;
  };
  progress('starting PostgreSQL, RabbitMQ and Redis');
  const [postgres, rabbit, redis] = await Promise.all([
    startPostgres({ durable: options.durable ?? false }).then(keep),
    startRabbit({ plugins: shared['RABBITMQ_QUEUES'] === undefined ? [] : [SPREADING_PLUGIN] }).then(keep),
    startPrivateRedis(ROOT, shared.REDIS_KEY_PREFIX, options.redisMasters).then((redis) => {
      keep(redis.cluster ?? redis);
      return redis;
    }),
  ]);

  const ports = {
    auth: await freePort(),
    chat: await freePort(),
    standby: await freePort(),
    dispatcher: await freePort(),
    secondDispatcher: await freePort(),
    telegram: await freePort(),
  };
  const gatewayPorts: number[] = [];
  for (let index = 0; index < (options.gateways ?? 2); index += 1) gatewayPorts.push(await freePort());
  const direct = { databaseUrl: postgres.url, rabbitUrl: rabbit.url, redisUrl: redis.url, chatUrl: local(ports.chat) };
  const proxies = options.proxies === true ? await startProxies(direct) : null;
  const at: Addresses = {
    databaseUrl: proxies?.database.urlFor(direct.databaseUrl) ?? direct.databaseUrl,
    rabbitUrl: proxies?.rabbit.urlFor(direct.rabbitUrl) ?? direct.rabbitUrl,
    dispatcherRedisUrl: proxies?.dispatcherRedis.urlFor(redis.urls.dispatcher) ?? redis.urls.dispatcher,
    telegramRedisUrl: redis.urls.telegram,
    redisClusterNodes: redis.cluster?.nodes ?? [],
    gatewayRedisUrl: proxies?.gatewayRedis.urlFor(redis.urls.gateway) ?? redis.urls.gateway,
    authUrl: local(ports.auth),
    chatUrl: proxies?.gatewayChat.urlFor(direct.chatUrl) ?? direct.chatUrl,
    dataFolder: tempFolder('stack-data'),
    tracePeers: [ports.dispatcher, ...gatewayPorts].map(local),
  };

  const launch = async (service: ServiceName, name: string, port: number): Promise<AppProcess> => {
    const main = join(ROOT, 'apps', service, 'dist/main.js');
    if (!existsSync(main)) throw new Error(`${main} is missing: run "npm run build"`);
    const { onLine } = options;
    const app = await startProcess({
      name,
      args: [...SERVICE_FLAGS, main],
      env: { INSTANCE_NAME: name, ...environmentOf(service, port, shared, at), ...options.serviceEnv?.[service] },
      ready: `${local(port)}/readyz`,
      readyTimeoutMs: 180_000,
      ...(onLine === undefined ? {} : { onLine: (line: string) => onLine(name, line) }),
    });
    return keep(app);
  };
  progress(`starting auth-service, chat-service, channel-dispatcher and ${gatewayPorts.length} channel-gateways`);
  const hasTelegram = shared['TELEGRAM_BOT_TOKEN'] !== undefined;
  const [auth, chat, standby, dispatcher, secondDispatcher, telegram, ...gateways] = await Promise.all([
    launch('auth-service', 'auth-service', ports.auth),
    launch('chat-service', 'chat-service', ports.chat),
    options.standby === true ? launch('chat-service', 'chat-service-standby', ports.standby) : null,
    launch('channel-dispatcher', 'channel-dispatcher', ports.dispatcher),
    options.secondDispatcher === true
      ? launch('channel-dispatcher', 'channel-dispatcher-2', ports.secondDispatcher)
      : null,
    hasTelegram ? launch('telegram-bot', 'telegram-bot', ports.telegram) : null,
    ...gatewayPorts.map((port, index) => launch('channel-gateway', `channel-gateway-${index + 1}`, port)),
  ]);
  progress('starting nginx');
  const nginx = keep(
    await startNginx({
      ...(options.port === undefined ? {} : { port: options.port }),
      http: ({ port, folder }) =>
        chatSite(ROOT, {
          failedLog: join(folder, 'failed.log'),
          listen: `127.0.0.1:${port}`,
          authService: `127.0.0.1:${ports.auth}`,
          chatService: `127.0.0.1:${ports.chat}`,
          gateways: gatewayPorts.map((gatewayPort) => `127.0.0.1:${gatewayPort}`),
          telegramBot: `127.0.0.1:${ports.telegram}`,
          outerProxies: options.outerProxies,
          staticRoot: join(ROOT, 'dist/site'),
          operatorTokenUrl: options.env?.['OPERATOR_TOKEN_URL'],
          operatorLoginUrl: options.env?.['OPERATOR_LOGIN_URL'],
          operatorReturnParam: options.env?.['OPERATOR_RETURN_PARAM'],
          operatorSite: options.env?.['OPERATOR_SITE'],
        }),
    }),
  );

  const services: [AppProcess, number][] = [
    [auth, ports.auth],
    [chat, ports.chat],
    ...(standby === null ? [] : [[standby, ports.standby] satisfies [AppProcess, number]]),
    [dispatcher, ports.dispatcher],
    ...(secondDispatcher === null ? [] : [[secondDispatcher, ports.secondDispatcher] satisfies [AppProcess, number]]),
    ...(telegram === null ? [] : [[telegram, ports.telegram] satisfies [AppProcess, number]]),
    ...gateways.map((gateway, index): [AppProcess, number] => [gateway, gatewayPorts[index] ?? 0]),
  ];
  const servers: [string, ManagedServer][] = [
    ['nginx', nginx],
    ['postgres', postgres],
    ['rabbitmq', rabbit],
    ['redis', redis],
  ];
  const stop = async (): Promise<void> => {
    // Edges first, so that requests in progress still find the services behind them.
    await Promise.all(gateways.map((gateway) => gateway.stop()));
    await telegram?.stop();
    await Promise.all([chat.stop(), standby?.stop(), dispatcher.stop(), secondDispatcher?.stop(), auth.stop()]);
    if (proxies !== null)
      await Promise.all(Object.values(proxies).map((proxy: { close(): Promise<void> }) => proxy.close()));
    // RabbitMQ takes seconds to shut down cleanly, for data that are discarded anyway.
    await Promise.all([nginx.stop(), (redis.cluster ?? redis).stop(), postgres.stop(), rabbit.kill()]);
  };
  return {
    url: nginx.url,
    env: shared,
    logins: ['anna', 'boris', 'admin'],
    password: shared.OPERATOR_PASSWORD ?? '',
    ...{
      postgres,
      rabbit,
      redis,
      nginx,
      auth,
      chat,
      standby,
      dispatcher,
      secondDispatcher,
      gateways,
      telegram,
      proxies,
    },
    addresses: {
      auth: local(ports.auth),
      chat: local(ports.chat),
      standby: standby === null ? null : local(ports.standby),
      dispatcher: local(ports.dispatcher),
      secondDispatcher: secondDispatcher === null ? null : local(ports.secondDispatcher),
      telegram: telegram === null ? null : local(ports.telegram),
      gateways: gatewayPorts.map(local),
    },
    parts: () => [
      ...services.map(([app, port]) => ({ name: app.name, port, pid: app.pid, running: app.running })),
      ...servers.map(([name, server]) => ({ name, port: server.port, pid: server.pid, running: server.running })),
    ],
    assertAlive: () => {
      for (const [app] of services) app.assertAlive();
    },
    stop,
  };
}
