import { type EventConsumer, type Fanout } from '@chat-realtime/messaging';
import { BAD_MESSAGES } from '@chat-realtime/messaging/rabbitmq';
import type { Counter, Gauge, Histogram, Metrics } from '@chat-realtime/service-kit';
import { BAD_EVENTS } from './frames.ts';

export interface DispatcherMetrics {
  readonly events: Counter;
  readonly errors: Counter;
  readonly deadLettered: Counter;
  readonly lag: Histogram;
  readonly erasuresPending: Gauge;
}

const ERROR_REASONS = [
  'redis_unavailable',
  'redis_refused',
  'stream_refused',
  'erasure_unfinished',
  'sweep_failed',
] as const;
export type ErrorReason = (typeof ERROR_REASONS)[number];

export function dispatcherMetrics(metrics: Metrics, consumer: EventConsumer, fanout: Fanout): DispatcherMetrics {
  metrics.gauge({
    name: 'chat_redis_connected',
    help: '1 while the fan-out is connected',
    collect: (gauge) => gauge.set(fanout.connected ? 1 : 0),
  });
  metrics.gauge({
    name: 'chat_rabbitmq_connected',
    help: '1 while the event queue is connected',
    collect: (gauge) => gauge.set(consumer.connected ? 1 : 0),
  });
  const errors = metrics.counter({
    name: 'chat_dispatch_errors_total',
    help: 'Failed attempts to pass events on, by reason',
    labels: ['reason'],
    series: ERROR_REASONS.map((reason) => ({ reason })),
  });
  return {
    errors,
    events: metrics.counter({
      name: 'chat_dispatch_events_total',
      help: 'Messages taken from the queue, by result and kind',
      labels: ['result', 'kind'],
    }),
    deadLettered: metrics.counter({
      name: 'chat_dispatch_dead_lettered_total',
      help: 'Messages rejected as dead letters, by reason',
      labels: ['reason'],
      series: [...BAD_MESSAGES, ...BAD_EVENTS].map((reason) => ({ reason })),
    }),
    erasuresPending: metrics.gauge({
      name: 'chat_erasures_pending',
      help: 'Parts of erasures that Redis or RabbitMQ refused, in their queue until they are done',
    }),
    lag: metrics.histogram({
      name: 'chat_dispatch_lag_seconds',
      help: 'Time from the commit of an event to its publication to Redis',
    }),
  };
}
