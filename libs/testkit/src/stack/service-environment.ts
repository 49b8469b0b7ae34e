import { randomBytes } from 'node:crypto';

export interface Addresses {
  databaseUrl: string;
  rabbitUrl: string;
  /** The dispatcher's and the gateways' way to Redis may lead through different fault proxies. */
  dispatcherRedisUrl: string;
  gatewayRedisUrl: string;
  telegramRedisUrl: string;
  /** Empty for a single Redis. */
  redisClusterNodes: readonly string[];
  authUrl: string;
  chatUrl: string;
  dataFolder: string;
  /** The processes besides chat-service that remember an event's path. */
  tracePeers: readonly string[];
}

export type ServiceName = 'auth-service' | 'chat-service' | 'channel-dispatcher' | 'channel-gateway' | 'telegram-bot';
export type Environment = Record<string, string>;

const secret = (): string => randomBytes(32).toString('base64url');

/**
 * Settings all services of one stack share; `given` (a test's or an administrator's) wins over what is made up here.
 */
export function sharedEnvironment(given: Environment): Environment {
  return {
    HOST: '127.0.0.1',
    LOG_LEVEL: 'info',
    TRUSTED_PROXIES: '127.0.0.1',
    CHAT_TOKEN_SECRETS: `k1:${secret()}`,
    INTERNAL_API_KEY: secret(),
    OPERATOR_PASSWORD: randomBytes(9).toString('base64url'),
    AUTH_ISSUER: 'chat-auth',
    AUTH_AUDIENCE: 'chat',
    DRAIN_SECONDS: '1',
    ...given,
  };
}

/**
 * The environment of one service: the shared settings and the addresses it needs, no more (only three of them get
 * Redis, each as a separate user).
 */
export function environmentOf(service: ServiceName, port: number, shared: Environment, at: Addresses): Environment {
  const staff: Environment =
    'AUTH_JWT_SECRET' in shared ? {} : { AUTH_JWKS_URL: `${at.authUrl}/.well-known/jwks.json` };
  const cluster: Environment =
    at.redisClusterNodes.length === 0 ? {} : { REDIS_CLUSTER_NODES: at.redisClusterNodes.join() };
  const own = ((): Environment => {
    switch (service) {
      case 'auth-service':
        return { DATABASE_URL: at.databaseUrl };
      case 'chat-service':
        return {
          DATABASE_URL: at.databaseUrl,
          RABBITMQ_URL: at.rabbitUrl,
          DATA_DIR: at.dataFolder,
          TRACE_PEERS: at.tracePeers.join(),
          ...staff,
        };
      case 'channel-dispatcher':
        return { RABBITMQ_URL: at.rabbitUrl, REDIS_URL: at.dispatcherRedisUrl, ...cluster };
      case 'telegram-bot':
        return {
          DATABASE_URL: at.databaseUrl,
          REDIS_URL: at.telegramRedisUrl,
          ...cluster,
          CHAT_SERVICE_URL: at.chatUrl,
        };
      case 'channel-gateway':
        return { REDIS_URL: at.gatewayRedisUrl, ...cluster, CHAT_SERVICE_URL: at.chatUrl, ...staff };
    }
  })();
  return { ...own, ...shared, PORT: String(port) };
}
