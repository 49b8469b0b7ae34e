import { createMemoryLastSeen, createMemoryLeases, type Leases } from '@chat-realtime/messaging';
import { type Principal, RevocationSet, type StaffPrincipal, type Verdict } from '@chat-realtime/verifier';
import type { StartCursor } from '../connections/connection.ts';
import type { Credentials } from '../connections/credentials.ts';
import { Rollout } from '../connections/rollout.ts';
import { GatewayCore } from '../core.ts';
import type { CoreMetrics, TransportKind } from '../core-metrics.ts';
import type { CoreConfig } from '../core-options.ts';
import type { ChatSource } from '@chat-realtime/protocol';
import type { CoreLogger, Verifier } from '../ports.ts';
import { OVERLOAD_LAG_MS } from '../sync/ticker.ts';
import { FakeChatService } from './fake-chat-service.ts';
import { seeded } from './seeded.ts';
import { VirtualClient } from './virtual-client.ts';
import { VirtualClock } from './virtual-clock.ts';
import { VirtualFanout } from './virtual-fanout.ts';

export const VIRTUAL_CONFIG: CoreConfig = {
  gatewayId: 'virtual',
  maxConnections: 0,
  maxTabsPerSession: 0,
  maxConnectionsPerToken: 0,
  maxOperators: 0,
  pingIntervalSeconds: 30,
  headCheckSeconds: 10,
  heartbeatSeconds: 5,
  drainSeconds: 1,
  framesPerSecond: 10,
  framesBurst: 20,
  overloadLagMs: OVERLOAD_LAG_MS,
  ticks: true,
  rollout: new Rollout('on', 100),
};

export const SILENT_LOGGER: CoreLogger = { debug() {}, info() {}, warn() {}, error() {} };

/** Counters by name, for tests that check how often something happened. */
export class CountingMetrics implements CoreMetrics {
  readonly counts: Record<string, number> = {};
  handshake = (_: TransportKind, result: string): void => this.#count(`handshake ${result}`);
  disconnected = (_: TransportKind, code: number): void => this.#count(`disconnected ${code}`);
  pingLatency = (): void => this.#count('pong');
  delivered = (): void => this.#count('delivered');
  gapDetected = (): void => this.#count('gap');
  duplicateDropped = (): void => this.#count('duplicate');
  foreignFrameDropped = (): void => this.#count('foreign');
  headCheckBehind = (): void => this.#count('behind');
  headCheckDuration = (): void => this.#count('head check');
  resumed = (): void => this.#count('resumed');
  slowConsumer = (): void => this.#count('slow');
  rateLimited = (kind: string): void => this.#count(`rate ${kind}`);
  resubscribed = (): void => this.#count('resubscribed');
  catchupRequest = (result: string): void => this.#count(`catchup ${result}`);
  acksSent = (): void => this.#count('acks');
  shadowed = (): void => this.#count('shadowed');

  #count(name: string): void {
    this.counts[name] = (this.counts[name] ?? 0) + 1;
  }
}

/** Tokens are plain words here: `session:<id>@<unix seconds>` and `<user>/<scope>@<unix seconds>`, valid for an hour. */
function virtualVerifier(clock: VirtualClock, revocations: RevocationSet): Verifier {
  const judge = <P extends Principal>(principal: P): Verdict<P> => {
    if (clock.wall() / 1_000 >= principal.expiresAt) return { ok: false, code: 'token_expired' };
    return revocations.isRevoked(principal) ? { ok: false, code: 'token_revoked' } : { ok: true, principal };
  };
  const madeAt = (token: string): number => Number(token.split('@')[1]);
  const verifyCustomer: Verifier['verifyCustomer'] = (sessionId, token = '') => {
    if (!token.startsWith(`session:${sessionId}@`)) return { ok: false, code: 'bad_token' };
    const createdAt = madeAt(token);
    return judge({ kind: 'customer', sessionId, createdAt, expiresAt: createdAt + 3_600 });
  };
  return {
    verifyCustomer,
    verifyStreamLink: verifyCustomer,
    verifyStaff: async (token = '') => {
      const [userId = '', scope = ''] = (token.split('@')[0] ?? '').split('/');
      if (scope !== 'all' && scope !== 'assigned' && scope !== 'own') return { ok: false, code: 'bad_token' };
      const issuedAt = madeAt(token);
      const base = { kind: 'staff', userId, name: userId, role: 'operator', scope, loginId: null } as const;
      return judge<StaffPrincipal>({ ...base, issuedAt, expiresAt: issuedAt + 3_600 });
    },
  };
}

export interface VirtualSetup {
  readonly seed?: number;
  readonly config?: Partial<CoreConfig>;
  /** Instead of the ledger. */
  readonly source?: ChatSource;
  readonly ticks?: boolean;
  /** In place of its own, as two gateways share them. */
  readonly clock?: VirtualClock;
  readonly fanout?: VirtualFanout;
  readonly leases?: Leases;
  /** In place of the words that stand for tokens. */
  readonly verifier?: (clock: VirtualClock, revocations: RevocationSet) => Verifier;
}

/** The real core of a gateway in virtual time: around it everything is in memory and in the test's hands. */
export class VirtualGateway {
  readonly clock: VirtualClock;
  readonly fanout: VirtualFanout;
  readonly ledger: FakeChatService;
  readonly metrics = new CountingMetrics();
  readonly lastSeen = createMemoryLastSeen();
  readonly leases: Leases;
  readonly #setup: VirtualSetup;
  readonly #random: () => number;
  #verifier: Verifier | undefined;
  #core: GatewayCore;

  constructor(setup: VirtualSetup = {}) {
    this.#setup = setup;
    this.clock = setup.clock ?? new VirtualClock();
    this.fanout = setup.fanout ?? new VirtualFanout(this.clock);
    this.leases = setup.leases ?? createMemoryLeases();
    this.ledger = new FakeChatService(this.fanout, this.clock);
    this.#random = seeded(setup.seed ?? 1);
    this.#core = this.#startCore();
    if (setup.ticks !== false) this.ledger.startTicks();
  }

  get core(): GatewayCore {
    return this.#core;
  }

  /** That of the core. */
  get verifier(): Verifier {
    if (this.#verifier === undefined) throw new Error('the core has not begun');
    return this.#verifier;
  }

  /** The process ends and another one takes its place: all connections are closed, and nothing is remembered. */
  async restart(): Promise<void> {
    const before = this.#core;
    await this.fanout.close();
    this.#core = this.#startCore();
    await before.stop();
  }

  customer(
    sessionId: number,
    after: number | null = null,
    kind: TransportKind = 'websocket',
    waitMs = 0,
  ): VirtualClient {
    const token = `session:${sessionId}@${this.#unix()}`;
    return this.#connect(kind, waitMs, { kind: 'customer', sessionId, token, start: startAt(after) });
  }

  staff(name: string, after: string | null = null, kind: TransportKind = 'websocket', waitMs = 0): VirtualClient {
    const token = `${name.includes('/') ? name : `${name}/all`}@${this.#unix()}`;
    return this.#connect(kind, waitMs, { kind: 'staff', token, start: startAt(after === null ? null : Number(after)) });
  }

  advance(ms: number): Promise<void> {
    return this.clock.advance(ms);
  }

  async stop(): Promise<void> {
    this.ledger.stop();
    const stopped = this.core.stop();
    await this.clock.advance(5_000);
    await stopped;
  }

  #startCore(): GatewayCore {
    const { clock, fanout, lastSeen, leases, metrics } = this;
    const { config = {}, source = this.ledger, verifier = virtualVerifier } = this.#setup;
    const revocations = new RevocationSet(() => clock.wall() / 1_000);
    this.#verifier = verifier(clock, revocations);
    const core = new GatewayCore({
      source,
      fanout,
      leases,
      lastSeen,
      verifier: this.#verifier,
      revocations,
      config: { ...VIRTUAL_CONFIG, ...config },
      metrics,
      logger: SILENT_LOGGER,
      trace: { exports: false, note: () => undefined, begin: () => null },
      clock,
      random: this.#random,
    });
    void core.start();
    return core;
  }

  #connect(kind: TransportKind, waitMs: number, credentials: Credentials): VirtualClient {
    const client = new VirtualClient(this.core, kind, waitMs);
    void this.core.admission.admit(client.connection, credentials);
    return client;
  }

  #unix(): number {
    return Math.floor(this.clock.wall() / 1_000);
  }
}

function startAt(cursor: number | null): StartCursor {
  return cursor === null ? { kind: 'head' } : { kind: 'after', cursor };
}
