import type { Metrics } from '@chat-realtime/service-kit';

/** The gauges of a source that this process reads, or would read if another did not. */
export interface SourceGauges {
  /** False: the number of waiting events is unknown, and none is shown. */
  connected(is: boolean): void;
  waiting(events: number): void;
}

/** `read` is called each time when the source was seen to be read. */
export function sourceGauges(metrics: Metrics, source: string, read: () => void = () => undefined): SourceGauges {
  const labels = { source };
  const connected = metrics.gauge({
    name: 'chat_intake_source_connected',
    help: "1 while this process reads a site's events from this source; 0 where it waits, or another process reads",
    labels: ['source'],
  });
  const waiting = metrics.gauge({
    name: 'chat_intake_source_waiting',
    help: "Events that wait in a site's source, as this process last saw; NaN while it cannot see",
    labels: ['source'],
  });
  let is: boolean | undefined;
  const gauges: SourceGauges = {
    connected(now) {
      if (now) read();
      if (now === is) return;
      is = now;
      connected.set(labels, now ? 1 : 0);
      if (!now) waiting.set(labels, Number.NaN);
    },
    waiting: (events) => waiting.set(labels, events),
  };
  gauges.connected(false);
  return gauges;
}
