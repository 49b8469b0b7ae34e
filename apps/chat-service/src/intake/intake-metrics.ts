import type { Metrics } from '@chat-realtime/service-kit';
import type { IntakeObserver } from './postgres-intake.ts';

export function intakeMetrics(metrics: Metrics): IntakeObserver {
  const events = metrics.counter({
    name: 'chat_intake_events_total',
    help: "Events of a site's own chat by where they came from and what became of them",
    labels: ['source', 'result'],
  });
  const changed = metrics.counter({
    name: 'chat_intake_changed_total',
    help: 'Messages received again with the same id and another text; the first text is kept',
    labels: ['source'],
  });
  const nameless = metrics.counter({
    name: 'chat_intake_nameless_total',
    help: 'Events without message_id and without an id in their data, recognised by their position alone',
    labels: ['source'],
  });
  return {
    taken: (source, result, count) => events.inc({ source, result }, count),
    changed: (source, count) => changed.inc({ source }, count),
    nameless: (source, count) => nameless.inc({ source }, count),
  };
}
