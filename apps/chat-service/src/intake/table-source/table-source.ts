import type { Metrics } from '@chat-realtime/service-kit';
import { TableSource, type TableSourceObserver } from '@chat-realtime/table-source';
import { ExclusiveTask } from '../exclusive-task.ts';
import { sourceGauges } from '../source-gauges.ts';
import { sayRead } from '../source-sight.ts';
import type { SourceDeps, SourceRunner } from '../source.ts';
import { LedgerView } from './ledger-view.ts';

/** 'CTTS': one process at a time follows the site's tables. */
const TABLE_LOCK = 1_129_600_083;

export function tableObserver(metrics: Metrics, read?: () => void): TableSourceObserver {
  const gauges = sourceGauges(metrics, 'table', read);
  const age = metrics.gauge({
    name: 'chat_table_source_outbox_age_seconds',
    help: "Age of the oldest row that waits in the outbox of a site's tables; NaN while it cannot be read",
  });
  const missed = metrics.counter({
    name: 'chat_table_source_missed_total',
    help: "Rows of a site's tables that no trigger noted and the reconciling scan found, by what they are",
    labels: ['kind'],
  });
  const older = metrics.counter({
    name: 'chat_table_source_older_total',
    help: 'Rows from before the triggers that the reconciling scan found before a backfill, by kind',
    labels: ['kind'],
  });
  const vanished = metrics.counter({
    name: 'chat_table_source_vanished_total',
    help: 'Rows that a trigger captured and the site deleted before they were read',
  });
  age.set(Number.NaN);
  for (const kind of ['session', 'message', 'status', 'assigned']) missed.inc({ kind }, 0);
  for (const kind of ['session', 'message']) older.inc({ kind }, 0);
  return {
    step: (step) => vanished.inc(step.vanished),
    outbox: ({ rows, oldestSeconds }) => {
      gauges.waiting(rows);
      age.set(oldestSeconds);
    },
    missed: (kind, count) => missed.inc({ kind }, count),
    older: (kind, count) => older.inc({ kind }, count),
    connected: (is) => {
      gauges.connected(is);
      if (!is) age.set(Number.NaN);
    },
  };
}

/** The follower of the tables that `TABLE_SOURCE` names. */
export function tableSource({ database, intake, settings, logger, metrics }: SourceDeps): SourceRunner[] {
  const { TABLE_SOURCE: config } = settings;
  if (config === undefined) return [];
  const view = new LedgerView(database);
  const watch = tableObserver(metrics, sayRead(database, 'table', logger));
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
  return [new ExclusiveTask({ database, lock: TABLE_LOCK, log: logger, begin })];
}
