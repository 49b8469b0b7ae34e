import { createHmac } from 'node:crypto';
import {
  createMemoryFanout,
  createMemoryLastSeen,
  createMemoryLeases,
  type Fanout,
  type LastSeen,
  type Leases,
} from '@chat-realtime/messaging';
import { KeyRing, signChannelToken, signStreamLink } from '@chat-realtime/protocol/tokens';
import {
  closeHttpApp,
  createHttpApp,
  createLogger,
  createMetrics,
  Health,
  loadConfig,
  type Metrics,
  OriginPolicy,
} from '@chat-realtime/service-kit';
import { RevocationSet, TokenVerifier } from '@chat-realtime/verifier';
import { z } from 'zod';
import { type Clock, SYSTEM_CLOCK } from '../clock.ts';
import { createGateway, type Gateway, GatewayModule, gatewayVariables } from '../index.ts';
import { installDrainRoutes } from '../drain-routes.ts';
import type { ChatSource } from '@chat-realtime/protocol';
import { FakeChatService } from './fake-chat-service.ts';

const STAFF_SECRET = 'staff-secret-for-tests-0123456789abcdef';
const RING = KeyRing.parse('k1:0123456789abcdef0123456789abcdef');
export const ISSUER = 'chat-auth';
export const AUDIENCE = 'chat';
export const INTERNAL_KEY = 'internal-key-for-tests-0123456789abcdef';

export interface GatewaySetup {
  readonly env?: Record<string, string>;
  readonly fanout?: Fanout;
  readonly leases?: Leases;
  readonly ledger?: FakeChatService;
  readonly allowedOrigins?: readonly string[];
  readonly ticks?: boolean;
  /** In place of the ledger in memory. */
  readonly source?: ChatSource;
}

/** The clock of the machine, which a test sets forward instead of waiting. Timers that run are not touched. */
class LeapingClock implements Clock {
  #leapt = 0;
  readonly after = SYSTEM_CLOCK.after;
  readonly endOfTurn = SYSTEM_CLOCK.endOfTurn;

  now(): number {
    return SYSTEM_CLOCK.now() + this.#leapt;
  }

  wall(): number {
    return SYSTEM_CLOCK.wall() + this.#leapt;
  }

  leap(ms: number): void {
    this.#leapt += ms;
  }
}

export interface GatewayUnderTest {
  readonly gateway: Gateway;
  readonly ledger: FakeChatService;
  readonly fanout: Fanout;
  readonly lastSeen: LastSeen;
  readonly metrics: Metrics;
  readonly port: number;
  readonly wsUrl: string;
  readonly httpUrl: string;
  /** What is due within so many milliseconds is due with the gateway's next tick. */
  leap(ms: number): void;
  close(): Promise<void>;
}

export function unixNow(): number {
  return Math.floor(Date.now() / 1000);
}

export function customerToken(sessionId: number, createdAt = unixNow()): string {
  return signChannelToken(RING, sessionId, createdAt);
}

export function streamSignature(sessionId: number, expiresAt = unixNow() + 3_600): string {
  return signStreamLink(RING, sessionId, expiresAt);
}

export function staffToken(userId: string, claims: Record<string, unknown> = {}): string {
  const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const now = unixNow();
  const payload = {
    iss: ISSUER,
    aud: AUDIENCE,
    sub: userId,
    iat: now,
    exp: now + 900,
    role: 'operator',
    name: userId.toUpperCase(),
    ...claims,
  };
  const signed = `${encode({ alg: 'HS256', typ: 'JWT' })}.${encode(payload)}`;
  return `${signed}.${createHmac('sha256', STAFF_SECRET).update(signed).digest('base64url')}`;
}

/** The gateway with its real edges on a loopback port; chat-service and the live path are in memory. */
export async function startGateway(setup: GatewaySetup = {}): Promise<GatewayUnderTest> {
  const logger = createLogger({
    service: 'channel-gateway',
    level: process.env['TEST_LOG'] === undefined ? 'silent' : 'debug',
  });
  const metrics = createMetrics('channel-gateway');
  const revocations = new RevocationSet();
  const fanout = setup.fanout ?? createMemoryFanout();
  const lastSeen = createMemoryLastSeen();
  const ledger = setup.ledger ?? new FakeChatService(fanout);
  const env = { DRAIN_SECONDS: '1', RATE_CONNECT_PER_10S: '0', ...setup.env };
  const verifier = TokenVerifier.create({
    channelSecrets: RING,
    channelTokenTtlSeconds: Number(setup.env?.['CHANNEL_TOKEN_TTL_SECONDS'] ?? '86400'),
    staff: { keys: { kind: 'secret', secret: STAFF_SECRET }, issuer: ISSUER, audience: AUDIENCE, roleClaim: 'role' },
    revocations,
  });
  const origins = OriginPolicy.create({ allowed: setup.allowedOrigins ?? [], demo: false });
  const config = loadConfig(z.object(gatewayVariables), env);
  const clock = new LeapingClock();
  const gateway = createGateway({
    clock,
    source: setup.source ?? ledger,
    fanout,
    leases: setup.leases ?? createMemoryLeases(),
    lastSeen,
    verifier,
    revocations,
    origins,
    config,
    logger,
    metrics,
    // The machine may be as busy as it likes.
    overloadLagMs: Number.POSITIVE_INFINITY,
  });
  const health = new Health();
  const app = await createHttpApp({
    modules: [GatewayModule.forRoot(gateway)],
    logger,
    metrics,
    health,
    verifier,
    internalApiKey: INTERNAL_KEY,
    configure: (server) => installDrainRoutes(server, gateway, health),
    origins,
    port: 0,
    host: '127.0.0.1',
  });
  if (setup.ticks !== false) ledger.startTicks(500);
  const port = Number(new URL(await app.getUrl()).port);
  return {
    gateway,
    ledger,
    fanout,
    lastSeen,
    metrics,
    port,
    wsUrl: `ws://127.0.0.1:${port}/channel/ws`,
    httpUrl: `http://127.0.0.1:${port}`,
    leap: (ms) => clock.leap(ms),
    async close() {
      ledger.stop();
      await gateway.stop();
      for (const connection of gateway.core.registry) connection.transport.destroy();
      await closeHttpApp(app, 200);
    },
  };
}
