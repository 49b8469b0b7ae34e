import { LATENCY_BUCKETS, type Metrics } from '@chat-realtime/service-kit';
import type { Connection } from './connections/connection.ts';
import type { GatewayCore } from './core.ts';
import { type CoreMetrics, RATE_KINDS, type TransportKind } from './core-metrics.ts';
import type { CoreOptions } from './core-options.ts';

const PING_BUCKETS = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15] as const;
/** Below 0 polling was first. */
const SHADOW_BUCKETS = [-1, 0, 0.5, 1, 2.5, 5, 10, 30] as const;
const RESUME_BUCKETS = [0, 1, 10, 100, 1_000] as const;

const TRANSPORTS: readonly TransportKind[] = ['websocket', 'sse', 'poll'];

/** The core's counters as Prometheus series. */
export function createCoreMetrics(metrics: Metrics): CoreMetrics {
  const handshakes = metrics.counter({
    name: 'chat_handshakes_total',
    help: 'Connection attempts, by transport and result',
    labels: ['transport', 'result'],
    series: TRANSPORTS.map((transport) => ({ transport, result: 'ok' })),
  });
  const disconnects = metrics.counter({
    name: 'chat_disconnects_total',
    help: 'Connections ended, by transport and close code',
    labels: ['transport', 'code'],
  });
  const ping = metrics.histogram({ name: 'chat_ws_ping_latency_seconds', help: 'Ping to pong', buckets: PING_BUCKETS });
  const delivery = metrics.histogram({
    name: 'chat_delivery_latency_seconds',
    help: 'Time from the commit of an event to its write to the sockets',
    labels: ['path'],
    buckets: LATENCY_BUCKETS,
  });
  const gaps = metrics.counter({
    name: 'chat_gaps_detected_total',
    help: 'Gaps in a sequence that were not closed by late frames',
  });
  const duplicates = metrics.counter({
    name: 'chat_duplicates_dropped_total',
    help: 'Live frames at or before the cursor',
  });
  const foreign = metrics.counter({
    name: 'chat_foreign_frames_dropped_total',
    help: 'Live frames on a channel of another session',
  });
  const behind = metrics.counter({
    name: 'chat_headcheck_behind_total',
    help: 'Sessions that a head check found behind, because the live path lost an event',
  });
  const headCheck = metrics.histogram({
    name: 'chat_headcheck_duration_seconds',
    help: 'One head check over all sessions here',
    buckets: LATENCY_BUCKETS,
  });
  const resume = metrics.histogram({
    name: 'chat_resume_events',
    help: 'Events that one page sent to a connection catching up',
    buckets: RESUME_BUCKETS,
  });
  const slow = metrics.counter({
    name: 'chat_slow_consumers_total',
    help: 'Connections shed because they read too slowly',
  });
  const limited = metrics.counter({
    name: 'chat_rate_limited_total',
    help: 'Connections and frames over a rate',
    labels: ['kind'],
    series: RATE_KINDS.map((kind) => ({ kind })),
  });
  const resubscribes = metrics.counter({
    name: 'chat_redis_resubscribes_total',
    help: 'Reconnections of the fan-out',
  });
  const catchup = metrics.counter({
    name: 'chat_catchup_requests_total',
    help: 'Catch-up calls to chat-service',
    labels: ['result'],
  });
  const catchupTime = metrics.histogram({
    name: 'chat_catchup_duration_seconds',
    help: 'One catch-up call',
    buckets: LATENCY_BUCKETS,
  });
  const acks = metrics.counter({ name: 'chat_acks_sent_total', help: 'Delivery marks accepted by chat-service' });
  const shadow = metrics.counter({
    name: 'chat_shadow_messages_total',
    help: 'Messages that pages in the shadow step saw by both ways, by the channel only, or by polling only',
    labels: ['seen'],
    series: ['both', 'channel_only', 'polling_only'].map((seen) => ({ seen })),
  });
  const ahead = metrics.histogram({
    name: 'chat_shadow_ahead_seconds',
    help: 'How much earlier the channel showed a message than polling would have, in the shadow step',
    buckets: SHADOW_BUCKETS,
  });
  return {
    shadowed: ({ both, channel_only, polling_only, ahead_ms }) => {
      shadow.inc({ seen: 'both' }, both);
      shadow.inc({ seen: 'channel_only' }, channel_only);
      shadow.inc({ seen: 'polling_only' }, polling_only);
      for (const ms of ahead_ms) ahead.observe(ms / 1_000);
    },
    handshake: (transport, result) => handshakes.inc({ transport, result }),
    disconnected: (transport, code) => disconnects.inc({ transport, code: String(code) }),
    pingLatency: (seconds) => ping.observe(seconds),
    delivered: (path, seconds) => delivery.observe({ path }, Math.max(0, seconds)),
    gapDetected: () => gaps.inc(),
    duplicateDropped: () => duplicates.inc(),
    foreignFrameDropped: () => foreign.inc(),
    headCheckBehind: () => behind.inc(),
    headCheckDuration: (seconds) => headCheck.observe(seconds),
    resumed: (events) => resume.observe(events),
    slowConsumer: () => slow.inc(),
    rateLimited: (kind) => limited.inc({ kind }),
    resubscribed: () => resubscribes.inc(),
    catchupRequest: (result, seconds) => {
      catchup.inc({ result });
      catchupTime.observe(seconds);
    },
    acksSent: (count) => acks.inc(count),
  };
}
const KINDS = ['customer', 'staff', 'unauthenticated'] as const;

function kindOf(connection: Connection): (typeof KINDS)[number] {
  return connection.principal?.kind ?? 'unauthenticated';
}

/** Values that are read when they are scraped. */
export function observeCore(
  metrics: Metrics,
  core: GatewayCore,
  { leases, fanout }: Pick<CoreOptions, 'leases' | 'fanout'>,
): void {
  metrics.gauge({
    name: 'chat_active_connections',
    help: 'Open connections',
    labels: ['transport', 'kind'],
    collect: (gauge) => {
      const counts = new Map<string, number>();
      for (const connection of core.registry) {
        const key = `${connection.transport.kind} ${kindOf(connection)}`;
        counts.set(key, (counts.get(key) ?? 0) + 1);
      }
      for (const transport of TRANSPORTS)
        for (const kind of KINDS) gauge.set({ transport, kind }, counts.get(`${transport} ${kind}`) ?? 0);
    },
  });
  const value = (name: string, help: string, read: () => number): void => {
    metrics.gauge({ name, help, collect: (gauge) => gauge.set(read()) });
  };
  value('chat_held_events', 'Frames held behind a hole', () => core.staff.heldCount + core.sessions.heldCount);
  value('chat_send_buffer_bytes', 'Bytes queued for slow readers', () => core.registry.queuedBytes);
  value('chat_limit_mode', '1 while connection limits hold over all gateways, 0 while only here', () =>
    leases.mode === 'cluster' ? 1 : 0,
  );
  value('chat_redis_connected', '1 while the fan-out is connected', () => (fanout.connected ? 1 : 0));
  value('chat_live_path_impaired', '1 while events come no faster than the head check finds them', () =>
    core.livePath.impaired ? 1 : 0,
  );
  value('chat_sessions_followed', 'Session channels here', () => core.sessions.size);
  value('chat_feed_cursor', 'Number of the last event of the staff feed that was sent here', () =>
    Math.max(0, core.staff.cursor ?? 0),
  );
  value('chat_acks_pending', 'Delivery marks not yet accepted by chat-service', () => core.acks.size);
}
