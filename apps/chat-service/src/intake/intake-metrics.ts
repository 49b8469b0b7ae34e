import type { Metrics } from '@chat-realtime/service-kit';
import type { IntakeObserver } from './postgres-intake.ts';

export function intakeMetrics(metrics: Metrics): IntakeObserver {
  const events = metrics.counter({
    name: 'chat_intake_events_total',
    help: "Events of a site's own chat by where they came from and what became of them",
    labels: ['source', 'result'],
  });
  return { taken: (source, result, count) => events.inc({ source, result }, count) };
}
