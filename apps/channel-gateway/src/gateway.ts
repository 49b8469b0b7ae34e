import { randomBytes } from 'node:crypto';
import type { Server } from 'node:http';
import type { Fanout, LastSeen, Leases } from '@chat-realtime/messaging';
import {
  EventTrace,
  type Logger,
  type Metrics,
  type OriginPolicy,
  RateLimiter,
  TrustedProxies,
} from '@chat-realtime/service-kit';
import type { RevocationSet, TokenVerifier } from '@chat-realtime/verifier';
import type { ChannelRoutes } from './channel/channel.controller.ts';
import { UpgradeGate } from './channel/upgrade-gate.ts';
import { ChannelServer } from './channel/websocket-server.ts';
import type { GatewayConfig } from './config.ts';
import { type Clock, SYSTEM_CLOCK } from './clock.ts';
import { Rollout } from './connections/rollout.ts';
import { GatewayCore } from './core.ts';
import { createCoreMetrics, observeCore } from './metrics.ts';
import type { ChatSource } from '@chat-realtime/protocol';
import { OVERLOAD_LAG_MS } from './sync/ticker.ts';

/** A response this old still shows that chat-service is available. */
const SOURCE_PROOF_MS = 30_000;

export interface GatewayOptions {
  readonly source: ChatSource;
  readonly fanout: Fanout;
  readonly leases: Leases;
  readonly lastSeen: LastSeen;
  /** Must see the same `revocations`, which the gateway fills. */
  readonly verifier: TokenVerifier;
  readonly revocations: RevocationSet;
  readonly origins: OriginPolicy;
  readonly trustedProxies?: TrustedProxies | undefined;
  readonly config: GatewayConfig;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Unless given, only this process remembers an event's path. */
  readonly trace?: EventTrace | undefined;
  /** Default: the system's clock. */
  readonly clock?: Clock;
  /** How late the event loop may be before new connections are refused; default `OVERLOAD_LAG_MS`. */
  readonly overloadLagMs?: number;
}

/** The channel: the core, and the transports that let clients in. */
export class Gateway {
  readonly core: GatewayCore;
  readonly options: GatewayOptions;
  /** For its routes. */
  readonly routes: ChannelRoutes;
  readonly #server: ChannelServer;
  readonly #clock: Clock;
  #sourceProvenAt = Number.NEGATIVE_INFINITY;
  #stopped: Promise<void> | null = null;

  constructor(options: GatewayOptions) {
    this.options = options;
    const { config, logger } = options;
    const metrics = createCoreMetrics(options.metrics);
    this.#clock = options.clock ?? SYSTEM_CLOCK;
    this.core = new GatewayCore({
      source: options.source,
      fanout: options.fanout,
      leases: options.leases,
      lastSeen: options.lastSeen,
      verifier: options.verifier,
      revocations: options.revocations,
      metrics,
      logger,
      trace: options.trace ?? new EventTrace(logger),
      clock: this.#clock,
      random: Math.random,
      config: {
        gatewayId: randomBytes(9).toString('base64url'),
        maxConnections: config.MAX_CONNECTIONS,
        maxTabsPerSession: config.MAX_TABS_PER_SESSION,
        maxConnectionsPerToken: config.MAX_CONNECTIONS_PER_TOKEN,
        maxOperators: config.MAX_OPERATORS,
        pingIntervalSeconds: config.PING_INTERVAL_SECONDS,
        headCheckSeconds: config.HEAD_CHECK_SECONDS,
        heartbeatSeconds: config.HEARTBEAT_SECONDS,
        drainSeconds: config.DRAIN_SECONDS,
        framesPerSecond: config.RATE_FRAMES_PER_SECOND,
        framesBurst: config.RATE_FRAMES_BURST,
        overloadLagMs: options.overloadLagMs ?? OVERLOAD_LAG_MS,
        ticks: config.CHANNEL_TICKS === 'on',
        rollout: new Rollout(config.CHANNEL_MODE, config.CHANNEL_ROLLOUT_PERCENT),
      },
    });
    observeCore(options.metrics, this.core, options);
    // Upgrades, streams and polls of one address share one rate.
    const connectRate = new RateLimiter(config.RATE_CONNECT_PER_10S, 10);
    this.routes = { edge: this.core.edge, verifier: options.verifier, connectRate, metrics };
    const gate = new UpgradeGate({
      origins: options.origins,
      connectRate,
      trustedProxies: options.trustedProxies ?? TrustedProxies.NONE,
      logger,
      handshake: (result) => metrics.handshake('websocket', result),
      rateLimited: () => metrics.rateLimited('connect'),
    });
    this.#server = new ChannelServer({ edge: this.core.edge, gate, logger });
  }

  /** For readiness: throws while chat-service does not answer. Asks only when nothing else has asked for a while. */
  async checkSource(): Promise<void> {
    const { loop } = this.core;
    if (loop.failingSince > 0) throw new Error('catch-up calls fail');
    if (this.#clock.now() - Math.max(loop.succeededAt, this.#sourceProvenAt) <= SOURCE_PROOF_MS) return;
    await this.options.source.catchup({ sessions: [], limit: 1 });
    this.#sourceProvenAt = this.#clock.now();
  }

  start(): Promise<void> {
    return this.core.start();
  }

  /** Handles the upgrades of an HTTP server. */
  attach(server: Server): void {
    this.#server.attach(server);
  }

  /** Disconnects every client at its own time within DRAIN_SECONDS. New ones are refused. */
  drain(): Promise<void> {
    return this.core.disconnects.drain();
  }

  stop(): Promise<void> {
    this.#stopped ??= this.core.stop();
    return this.#stopped;
  }
}

export function createGateway(options: GatewayOptions): Gateway {
  return new Gateway(options);
}
