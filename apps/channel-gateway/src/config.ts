import { hostname } from 'node:os';
import { TOKEN_MAX_LIFETIME_SECONDS } from '@chat-realtime/protocol/tokens';
import {
  envInteger,
  envOptionalInteger,
  envInternalApiKey,
  envSecretRing,
  envUrl,
  httpVariables,
  redisVariables,
  staffTokenVariables,
} from '@chat-realtime/service-kit';
import { z } from 'zod';

/** Variables of the gateway in any process. All limits and rates: 0 = off. */
export const gatewayVariables = {
  PING_INTERVAL_SECONDS: envInteger(30, { min: 1, max: 3_600 }),
  DRAIN_SECONDS: envInteger(20, { min: 0, max: 600 }),
  HEAD_CHECK_SECONDS: envInteger(10, { min: 1, max: 600 }),
  HEARTBEAT_SECONDS: envInteger(5, { min: 1, max: 60 }),
  MAX_TABS_PER_SESSION: envInteger(5),
  MAX_CONNECTIONS_PER_TOKEN: envInteger(10),
  MAX_OPERATORS: envInteger(20),
  /** Maximum of sockets of this process, to keep it within its memory and descriptors. */
  MAX_CONNECTIONS: envInteger(50_000),
  RATE_CONNECT_PER_10S: envInteger(120),
  RATE_FRAMES_PER_SECOND: envInteger(10),
  RATE_FRAMES_BURST: envInteger(20),
  /** `off`: clients are sent to poll, and try again. */
  CHANNEL_MODE: z.enum(['on', 'off']).default('on'),
  /** The share of customers' sessions that gets the channel. */
  CHANNEL_ROLLOUT_PERCENT: envInteger(100, { min: 0, max: 100 }),
  /** `off`: nobody sends the tick that shows that the live path works, as when a site keeps seq itself. */
  CHANNEL_TICKS: z.enum(['on', 'off']).default('on'),
};

const gatewaySchema = z.object(gatewayVariables);
export type GatewayConfig = z.infer<typeof gatewaySchema>;

/** The gateway as a separate process. */
export const gatewayEnvironment = z.object({
  ...httpVariables(8103),
  ...staffTokenVariables,
  ...gatewayVariables,
  ...redisVariables,
  LAST_SEEN_TTL_SECONDS: envInteger(86_400, { min: 60 }),
  CHAT_TOKEN_SECRETS: envSecretRing(),
  /** Default: the value saved in the console, which chat-service reports. */
  CHANNEL_TOKEN_TTL_SECONDS: envOptionalInteger({ min: 1, max: TOKEN_MAX_LIFETIME_SECONDS }),
  CHAT_SERVICE_URL: envUrl().default('http://127.0.0.1:8102'),
  CATCHUP_URL: envUrl().optional(),
  ACKS_URL: envUrl().optional(),
  INTERNAL_API_KEY: envInternalApiKey(),
  /** The name of this gateway among several. */
  INSTANCE_NAME: z.string().max(64).default(hostname()),
});
export type GatewayEnvironment = z.infer<typeof gatewayEnvironment>;
