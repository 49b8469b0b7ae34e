import type { Fanout, LastSeen, Leases } from '@chat-realtime/messaging';
import type { RevocationSet } from '@chat-realtime/verifier';
import type { Clock } from './clock.ts';
import type { Rollout } from './connections/rollout.ts';
import type { CoreMetrics } from './core-metrics.ts';
import type { ChatSource } from '@chat-realtime/protocol';
import type { CoreLogger, CoreTrace, Verifier } from './ports.ts';

export interface CoreConfig {
  readonly gatewayId: string;
  /** Of all kinds. 0 = off, as for all limits. */
  readonly maxConnections: number;
  readonly maxTabsPerSession: number;
  readonly maxConnectionsPerToken: number;
  readonly maxOperators: number;
  readonly pingIntervalSeconds: number;
  readonly headCheckSeconds: number;
  readonly heartbeatSeconds: number;
  /** The longest time over which clients are disconnected. */
  readonly drainSeconds: number;
  readonly framesPerSecond: number;
  readonly framesBurst: number;
  /** The lag of the event loop beyond which new connections are refused. */
  readonly overloadLagMs: number;
  /** A tick comes every second through the whole live path; false: nobody sends one, and its absence means nothing. */
  readonly ticks: boolean;
  readonly rollout: Rollout;
}

export interface CoreOptions {
  readonly source: ChatSource;
  readonly fanout: Fanout;
  readonly leases: Leases;
  readonly lastSeen: LastSeen;
  readonly verifier: Verifier;
  readonly revocations: RevocationSet;
  readonly config: CoreConfig;
  readonly metrics: CoreMetrics;
  readonly logger: CoreLogger;
  readonly trace: CoreTrace;
  readonly clock: Clock;
  /** Uniform in [0, 1), for what must not happen to all at once. */
  readonly random: () => number;
}
