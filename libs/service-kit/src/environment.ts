import { parseRoleMap, type StaffKeys, type StaffTokenConfig } from '@chat-realtime/verifier';
import { QUEUE_COUNTS } from '@chat-realtime/protocol';
import { z } from 'zod';
import { ConfigError, envInteger, envList, envSecret, envTrustedProxies, envUrl } from './config.ts';
import { LOG_LEVELS } from './logger.ts';

/** Of the calls between gateway and chat-service: both ends must take the same keys. */
export const envInternalApiKey = () => envSecret(16);

/** Variables every HTTP service has. */
export function httpVariables(defaultPort: number) {
  return {
    HOST: z.string().default('127.0.0.1'),
    PORT: envInteger(defaultPort, { min: 0, max: 65_535 }),
    LOG_LEVEL: z.enum(LOG_LEVELS).default('info'),
    TRUSTED_PROXIES: envTrustedProxies(),
    ALLOWED_ORIGINS: envList(),
    /** Spans of events go to this collector, by OTLP over HTTP. */
    OTEL_EXPORTER_OTLP_ENDPOINT: envUrl().optional(),
  };
}

/** `manager:operator,chief:admin`: foreign roles to ours. */
export function envRoleMap() {
  return z.string().transform((text, context) => {
    try {
      return parseRoleMap(text);
    } catch (error) {
      context.addIssue(error instanceof Error ? error.message : 'is not a list of <role>:<our role>');
      return z.NEVER;
    }
  });
}

/** Variables of every service that verifies staff JWTs. */
export const staffTokenVariables = {
  AUTH_JWKS_URL: envUrl().optional(),
  AUTH_JWT_SECRET: envSecret().optional(),
  AUTH_ISSUER: z.string().default('chat-auth'),
  AUTH_AUDIENCE: z.string().default('chat'),
  AUTH_ROLE_CLAIM: z.string().default('role'),
  AUTH_ROLE_MAP: envRoleMap().optional(),
  AUTH_DEFAULT_ROLE: z.enum(['operator', 'admin']).optional(),
};

const staffTokenSchema = z.object(staffTokenVariables);
export type StaffTokenEnvironment = z.infer<typeof staffTokenSchema>;

/**
 * The verifier's settings for the auth-service. `local` is given if that one runs in the same process. @throws
 * ConfigError unless there is exactly one source of keys.
 */
export function staffTokenConfig(
  env: StaffTokenEnvironment,
  local?: Extract<StaffKeys, { kind: 'local' }>,
): StaffTokenConfig {
  return {
    keys: staffKeys(env, local),
    issuer: env.AUTH_ISSUER,
    audience: env.AUTH_AUDIENCE,
    roleClaim: env.AUTH_ROLE_CLAIM,
    roleMap: env.AUTH_ROLE_MAP,
    defaultRole: env.AUTH_DEFAULT_ROLE,
  };
}

function staffKeys(env: StaffTokenEnvironment, local: StaffKeys | undefined): StaffKeys {
  const { AUTH_JWKS_URL: url, AUTH_JWT_SECRET: secret } = env;
  if (url !== undefined && secret !== undefined) {
    throw new ConfigError(['AUTH_JWKS_URL, AUTH_JWT_SECRET: only one of the two may be set']);
  }
  if (url !== undefined) return { kind: 'jwks', url };
  if (secret !== undefined) return { kind: 'secret', secret };
  if (local !== undefined) return local;
  throw new ConfigError(['AUTH_JWKS_URL or AUTH_JWT_SECRET: one of the two is required']);
}

/** Where a service finds Redis: one server, or with `REDIS_CLUSTER_NODES` a cluster. */
export const redisVariables = {
  REDIS_URL: envUrl(['redis:', 'rediss:']),
  /** Further servers of a cluster, `host:port,host:port`. */
  REDIS_CLUSTER_NODES: envList().refine(
    (nodes) => nodes.every((node) => /^(?:[\w.-]+|\[[\da-f:.]+\]):\d{1,5}$/i.test(node)),
    'must be host:port, separated by commas',
  ),
  REDIS_KEY_PREFIX: z.string().max(64).default(''),
};

/** Over how many queues of RabbitMQ events are spread. */
export function envQueueCount() {
  return z
    .string()
    .trim()
    .transform((text, context) => {
      const count = QUEUE_COUNTS.find((allowed) => String(allowed) === text);
      if (count !== undefined) return count;
      context.addIssue(`must be one of ${QUEUE_COUNTS.join(', ')}`);
      return z.NEVER;
    })
    .default(1);
}
