import type { Database } from '@chat-realtime/database';
import type { EventPublisher } from '@chat-realtime/messaging';
import { EventTrace, type Metrics } from '@chat-realtime/service-kit';
import { type AttachmentLinks, type ChatLog, type ChatOptions, DEFAULT_CHAT_OPTIONS, type Sweep } from './ports.ts';
import { intakeMetrics } from './intake/intake-metrics.ts';
import type { EventIntake } from './intake/intake.ts';
import { PostgresIntake } from './intake/postgres-intake.ts';
import { type SourceName, SourceWatch } from './intake/source-sight.ts';
import { LeaderDuties } from './relay/leader-duties.ts';
import { RelayLeader } from './relay/relay-leader.ts';
import type { StorageContext } from './storage/context.ts';
import { feedLagSeconds } from './feed/feed.ts';
import { metricsObserver } from './metrics-observer.ts';
import { badge } from './alerts/badge-queries.ts';
import { OperatorDirectory } from './operators/operators.ts';
import type { ChatSource } from '@chat-realtime/protocol';
import { chatSource } from './catchup/source.ts';
import { revocationsHead } from './tokens/revocations.ts';
import { autoCloseSweep, deactivatedSweep, expirySweep, returnToQueueSweep } from './lifecycle/session-sweeps.ts';

export interface ChatServiceDeps {
  readonly database: Database;
  readonly publisher: EventPublisher;
  readonly links: AttachmentLinks;
  readonly metrics: Metrics;
  readonly logger: ChatLog;
  readonly options?: Partial<ChatOptions>;
  /** Run by the leader only, next to those of the service. */
  readonly sweeps?: readonly Sweep[];
  /** What is to be read of a site that keeps its own chat. */
  readonly sources?: readonly SourceName[];
  /** The recorder of an event's path; unless given, only this process remembers it. */
  readonly trace?: EventTrace | undefined;
  /** How long a relay waits before it seeks the leadership again; shorter in tests of many faults. */
  readonly relayRetryMs?: number;
}

export interface ChatService {
  /** The dependencies of every use case. */
  readonly context: StorageContext;
  readonly directory: OperatorDirectory;
  readonly source: ChatSource;
  /** Accepts the events of a site's own chat. `beginLedger` comes first. */
  readonly intake: EventIntake;
  /** Whether the relay of this process leads. */
  readonly leading: boolean;
  /** Only before `start`. */
  addSweep(sweep: Sweep): void;
  /** Starts relaying, or goes on standby. */
  start(): void;
  /** Finishes the batch in progress and gives up the leadership. */
  stop(): Promise<void>;
}

/** The core of the chat: the use cases, and the relay that publishes what they commit. */
export function createChatService(deps: ChatServiceDeps): ChatService {
  const { database, publisher, links, logger: log } = deps;
  const observer = metricsObserver(deps.metrics);
  const context: StorageContext = {
    database,
    links,
    observer,
    options: { ...DEFAULT_CHAT_OPTIONS, ...deps.options },
    log,
    committed: () => relay.wake(),
    ephemeral: (message) => publisher.publishEphemeral(message),
  };
  const watch = SourceWatch.of(database, deps.sources ?? []);
  const duties = new LeaderDuties({
    publisher,
    observer,
    log,
    badge: () => badge(context),
    revocationsHead: () => revocationsHead(context),
    sourceLost: () => watch.lost(),
    feedLagSeconds: () => feedLagSeconds(context),
  });
  const own = [autoCloseSweep(context), returnToQueueSweep(context), deactivatedSweep(context), expirySweep(context)];
  for (const sweep of [...own, ...(deps.sweeps ?? [])]) duties.add(sweep);
  const relay = new RelayLeader({
    publisher,
    links,
    observer,
    log,
    trace: deps.trace ?? new EventTrace(log),
    database,
    duties,
    ...(deps.relayRetryMs === undefined ? {} : { retryMs: deps.relayRetryMs }),
  });
  return {
    context,
    directory: new OperatorDirectory(context),
    intake: new PostgresIntake({ context, observer: intakeMetrics(deps.metrics) }),
    source: chatSource(context),
    get leading() {
      return relay.leading;
    },
    addSweep: (sweep) => duties.add(sweep),
    start: () => relay.start(),
    stop: () => relay.stop(),
  };
}
