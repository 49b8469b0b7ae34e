import { emptyPendingLetters } from '../privacy/refused-events.ts';
import { readRabbit } from './rabbit-feed.ts';
import { ExclusiveTask } from './exclusive-task.ts';
import { sourceGauges } from './source-gauges.ts';
import { sayRead } from './source-sight.ts';
import type { SourceDeps, SourceRunner } from './source.ts';
import { tableSource } from './table-source/table-source.ts';

/** 'CTRQ': one process at a time reads the site's broker, so that order is kept. */
const RABBIT_LOCK = 1_129_599_569;

export function createSources(deps: SourceDeps): SourceRunner[] {
  if (deps.settings.CHAT_ROLE !== 'ledger') return [];
  return [...rabbitSource(deps), ...tableSource(deps)];
}

const LETTERS_EVERY_MS = 1_000;

function rabbitSource({ database, intake, settings, rabbitUrl, logger, metrics }: SourceDeps): SourceRunner[] {
  const { RABBITMQ_SOURCE: source, RABBITMQ_SOURCE_URL: url = rabbitUrl } = settings;
  if (source === undefined || url === undefined) return [];
  const gauges = sourceGauges(metrics, 'rabbitmq', sayRead(database, 'rabbitmq', logger));
  const begin = () => {
    const reading = readRabbit({ url, source, intake, logger });
    const timer = setInterval(() => {
      const isReading = reading.state.kind === 'reading';
      gauges.connected(isReading);
      if (isReading && reading.waiting !== undefined) gauges.waiting(reading.waiting);
    }, 1_000);
    let isEmptying = false;
    const letters = setInterval(() => {
      if (isEmptying || reading.state.kind !== 'reading') return;
      isEmptying = true;
      emptyPendingLetters(database, () => reading.emptyDeadLetters())
        .catch((error: unknown) =>
          logger.warn({ err: error }, "the dead letters in the site's broker wait to be emptied after an erasing"),
        )
        .finally(() => {
          isEmptying = false;
        });
    }, LETTERS_EVERY_MS);
    return {
      stop: async () => {
        clearInterval(timer);
        clearInterval(letters);
        gauges.connected(false);
        await reading.close();
      },
    };
  };
  return [new ExclusiveTask({ database, lock: RABBIT_LOCK, log: logger, begin })];
}
