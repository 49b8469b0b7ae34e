import type { Metrics } from '@chat-realtime/service-kit';
import { TableSource, type TableSourceObserver } from '@chat-realtime/table-source';
import { RunAlone } from '../run-alone.ts';
import type { SourceDeps, SourceRunner } from '../source.ts';
import { LedgerView } from './ledger-view.ts';

/** 'CTTS': one process at a time follows the site's tables. */
const TABLE_LOCK = 1_129_600_083;

function observer(metrics: Metrics): TableSourceObserver {
  const labels = { source: 'table' };
  const connected = metrics.gauge({
    name: 'chat_intake_source_connected',
    help: "1 while this process reads a site's events from this source; 0 where it waits, or another process reads",
    labels: ['source'],
  });
  const waiting = metrics.gauge({
    name: 'chat_intake_source_waiting',
    help: "Events that wait in a site's source, as this process last saw",
    labels: ['source'],
  });
  const age = metrics.gauge({
    name: 'chat_table_source_outbox_age_seconds',
    help: "Age of the oldest row that waits in the outbox of a site's tables",
  });
  const missed = metrics.counter({
    name: 'chat_table_source_missed_total',
    help: "Rows of a site's tables that no trigger noted and the reconciling scan found, by what they are",
    labels: ['kind'],
  });
  const vanished = metrics.counter({
    name: 'chat_table_source_vanished_total',
    help: 'Rows that a trigger noted and the site deleted before they were read',
  });
  connected.set(labels, 0);
  for (const kind of ['session', 'message', 'status', 'assigned']) missed.inc({ kind }, 0);
  return {
    step: (step) => vanished.inc(step.vanished),
    outbox: ({ rows, oldestSeconds }) => {
      waiting.set(labels, rows);
      age.set(oldestSeconds);
    },
    missed: (kind, count) => missed.inc({ kind }, count),
    connected: (is) => connected.set(labels, is ? 1 : 0),
  };
}

/** The follower of the tables that `TABLE_SOURCE` names. */
export function tableSource({ database, intake, settings, logger, metrics }: SourceDeps): SourceRunner[] {
  const { TABLE_SOURCE: config } = settings;
  if (config === undefined) return [];
  const view = new LedgerView(database);
  const watch = observer(metrics);
  const begin = () => {
    const source = new TableSource({
      config,
      intake,
      ledger: view,
      places: view,
      deadLetters: view,
      observer: watch,
      log: logger,
    });
    source.start();
    return {
      stop: async () => {
        await source.stop();
        watch.connected(false);
      },
    };
  };
  return [new RunAlone({ database, lock: TABLE_LOCK, log: logger, begin })];
}
