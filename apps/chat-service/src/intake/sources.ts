import { readRabbit } from './rabbit-feed.ts';
import { RunAlone } from './run-alone.ts';
import type { SourceDeps, SourceRunner } from './source.ts';
import { tableSource } from './table-source/table-source.ts';

/** 'CTRQ': one process at a time reads the site's broker, so that order is kept. */
const RABBIT_LOCK = 1_129_599_569;

export function createSources(deps: SourceDeps): SourceRunner[] {
  if (deps.settings.CHAT_ROLE !== 'ledger') return [];
  return [...rabbitSource(deps), ...tableSource(deps)];
}

function rabbitSource({ database, intake, settings, rabbitUrl, logger, metrics }: SourceDeps): SourceRunner[] {
  const { RABBITMQ_SOURCE: source, RABBITMQ_SOURCE_URL: url = rabbitUrl } = settings;
  if (source === undefined || url === undefined) return [];
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
  const labels = { source: 'rabbitmq' };
  connected.set(labels, 0);
  const begin = () => {
    const reading = readRabbit({ url, source, intake, logger });
    const look = setInterval(() => {
      connected.set(labels, reading.state.kind === 'reading' ? 1 : 0);
      if (reading.waiting !== undefined) waiting.set(labels, reading.waiting);
    }, 1_000);
    return {
      stop: async () => {
        clearInterval(look);
        connected.set(labels, 0);
        await reading.close();
      },
    };
  };
  return [new RunAlone({ database, lock: RABBIT_LOCK, log: logger, begin })];
}
