import type { ShadowReport } from '@chat-realtime/protocol';

export type TransportKind = 'websocket' | 'sse' | 'poll';
/** The path by which an event reached the socket. */
export type DeliveryPath = 'live' | 'catchup' | 'resume';
export type HandshakeResult =
  | 'ok'
  | 'origin'
  | 'token'
  | 'expired'
  | 'limit'
  | 'rate'
  | 'overload'
  | 'off'
  | 'bad_request'
  | 'not_found';

export const RATE_KINDS = ['connect', 'frames', 'pings'] as const;
export type RateKind = (typeof RATE_KINDS)[number];

/** The metrics of the core. `metrics.ts` of the app has the names of the series. */
export interface CoreMetrics {
  handshake(transport: TransportKind, result: HandshakeResult): void;
  disconnected(transport: TransportKind, code: number): void;
  pingLatency(seconds: number): void;
  delivered(path: DeliveryPath, seconds: number): void;
  gapDetected(): void;
  duplicateDropped(): void;
  foreignFrameDropped(): void;
  headCheckBehind(): void;
  headCheckDuration(seconds: number): void;
  resumed(events: number): void;
  slowConsumer(): void;
  rateLimited(kind: RateKind): void;
  resubscribed(): void;
  catchupRequest(result: 'ok' | 'failed', seconds: number): void;
  acksSent(count: number): void;
  shadowed(report: ShadowReport): void;
}
