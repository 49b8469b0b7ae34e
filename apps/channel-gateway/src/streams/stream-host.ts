import type { Connection } from '../connections/connection.ts';
import type { Clock } from '../clock.ts';
import type { CoreMetrics } from '../core-metrics.ts';
import type { CoreTrace } from '../ports.ts';
import type { AudienceHost } from './audience.ts';

/** The next page is read when fewer bytes are queued on the socket. */
export const PAGE_QUEUE_LIMIT = 65_536;

/** What a stream needs from the gateway around it. */
export interface StreamHost extends AudienceHost {
  readonly clock: Clock;
  readonly metrics: CoreMetrics;
  readonly trace: CoreTrace;
  write(connection: Connection, bytes: Buffer): void;
  /** It shares the bytes of the others from now on. */
  wentLive(connection: Connection): void;
}
