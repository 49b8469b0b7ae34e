import type { Logger } from '../logger.ts';
import { HopJournal, type HopEntry } from './hop-journal.ts';
import type { SpanExport } from './span-export.ts';

export interface EventSpan {
  /** For the next step. */
  readonly traceparent: string;
  end(): void;
}

export type HopNote = Omit<HopEntry, 'at' | 'sessionId' | 'seq'>;
interface EventOfSpan {
  readonly session_id: number | null;
  readonly seq: number | null;
}

/**
 * A process's records of an event's path: the journal that `trace <session> <seq>` and the console read, `debug` log
 * lines, and, with OTEL_EXPORTER_OTLP_ENDPOINT, spans for a collector.
 */
export class EventTrace {
  readonly journal = new HopJournal();
  readonly #logger: Pick<Logger, 'debug'>;
  readonly #spans: SpanExport | null;
  readonly #logs: boolean;

  constructor(logger: Pick<Logger, 'debug'>, spans: SpanExport | null = null, logs = false) {
    this.#logger = logger;
    this.#spans = spans;
    this.#logs = logs;
  }

  /** A collector receives spans. */
  get exports(): boolean {
    return this.#spans !== null;
  }

  /** An event that belongs to no session takes none of these steps. */
  note(sessionId: number | null, seq: number | null, hop: HopNote): void {
    if (sessionId === null || seq === null) return;
    this.journal.record({ ...hop, sessionId, seq, at: Date.now() });
    if (this.#logs) this.#logger.debug({ session_id: sessionId, seq, ...hop }, 'hop');
  }

  /** Null, without any work, if spans are not collected. */
  begin(name: string, event: EventOfSpan, parent: string | null | undefined, since: Date): EventSpan | null {
    return this.#spans?.begin(name, event, parent, since) ?? null;
  }

  /** Sends the remaining ones. */
  async stop(): Promise<void> {
    await this.#spans?.stop();
  }
}

export interface EventTraceOptions {
  readonly service: string;
  readonly logger: Logger;
  readonly env: {
    readonly OTEL_EXPORTER_OTLP_ENDPOINT?: string | undefined;
    readonly LOG_LEVEL?: string | undefined;
  };
}

/** The library of spans is loaded only where they are wanted: it costs memory and time at start. */
export async function createEventTrace({ service, logger, env }: EventTraceOptions): Promise<EventTrace> {
  const endpoint = env.OTEL_EXPORTER_OTLP_ENDPOINT;
  const logs = env.LOG_LEVEL === 'debug';
  if (endpoint === undefined) return new EventTrace(logger, null, logs);
  const { exportSpans } = await import('./span-export.ts');
  logger.info({ server: new URL(endpoint).host }, 'spans are exported');
  return new EventTrace(logger, exportSpans({ service, endpoint }), logs);
}
