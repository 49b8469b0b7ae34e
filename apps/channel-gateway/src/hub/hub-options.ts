import type { Fanout, LastSeen, Leases } from '@chat-realtime/messaging';
import type { RevocationSet, TokenVerifier } from '@chat-realtime/verifier';
import type { Rollout } from './rollout.ts';
import type { HubMetrics } from './metrics.ts';
import type { ChatSource, HubLogger, HubTrace } from './ports.ts';

export interface HubConfig {
  readonly gatewayId: string;
  /** 0 = off, as for all limits. */
  readonly maxTabsPerSession: number;
  readonly maxConnectionsPerToken: number;
  readonly maxOperators: number;
  readonly pingIntervalSeconds: number;
  readonly headCheckSeconds: number;
  readonly heartbeatSeconds: number;
  /** The longest time over which clients are sent away. */
  readonly drainSeconds: number;
  readonly framesPerSecond: number;
  readonly framesBurst: number;
  /** Every second a tick comes through the whole live path; false: nobody sends one, and its absence says nothing. */
  readonly ticks: boolean;
  readonly rollout: Rollout;
}

export interface HubOptions {
  readonly source: ChatSource;
  readonly fanout: Fanout;
  readonly leases: Leases;
  readonly lastSeen: LastSeen;
  readonly verifier: TokenVerifier;
  readonly revocations: RevocationSet;
  readonly config: HubConfig;
  readonly metrics: HubMetrics;
  readonly logger: HubLogger;
  readonly trace: HubTrace;
  /** A place where a test may break the hub; does nothing otherwise. */
  readonly failpoint: (name: string) => void | Promise<void>;
}
