import { ROOT_CONTEXT, type SpanContext, SpanKind, trace } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { BatchSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';

const TRACEPARENT = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/;
/** Spans that wait; more are dropped, so that a collector that is away costs no memory. */
const QUEUE_MAX = 4_096;
const BATCH_MAX = 512;
const DELAY_MS = 1_000;
const STOP_MS = 2_000;

export interface SpanExport {
  begin(
    name: string,
    event: { readonly session_id: number | null; readonly seq: number | null },
    parent: string | null | undefined,
    since: Date,
  ): { readonly traceparent: string; end(): void };
  stop(): Promise<void>;
}

function contextOf(traceparent: string | null | undefined): SpanContext | undefined {
  const [, traceId, spanId, flags] = TRACEPARENT.exec(traceparent ?? '') ?? [];
  if (traceId === undefined || spanId === undefined || flags === undefined) return undefined;
  return { traceId, spanId, traceFlags: Number.parseInt(flags, 16), isRemote: true };
}

/** Spans by OTLP over HTTP to `<endpoint>/v1/traces`. Only metadata of events: no text, no name, no address. */
export function exportSpans({ service, endpoint }: { service: string; endpoint: string }): SpanExport {
  const base = endpoint.endsWith('/') ? endpoint : `${endpoint}/`;
  const provider = new TracerProvider({
    resource: resourceFromAttributes({ 'service.name': service, 'service.namespace': 'chat-realtime' }),
    spanProcessors: [
      new BatchSpanProcessor({
        exporter: new OTLPTraceExporter({ url: new URL('v1/traces', base).href }),
        maxQueueSize: QUEUE_MAX,
        maxExportBatchSize: BATCH_MAX,
        scheduledDelayMillis: DELAY_MS,
      }),
    ],
  });
  const tracer = provider.getTracer('chat-realtime');
  return {
    begin(name, { session_id, seq }, parent, since) {
      const remote = contextOf(parent);
      const context = remote === undefined ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, remote);
      const attributes = {
        'messaging.system': 'chat-realtime',
        ...(session_id === null ? {} : { 'chat.session_id': session_id }),
        ...(seq === null ? {} : { 'chat.seq': seq }),
      };
      const span = tracer.startSpan(name, { kind: SpanKind.INTERNAL, startTime: since, attributes }, context);
      const { traceId, spanId, traceFlags } = span.spanContext();
      return {
        traceparent: `00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, '0')}`,
        end: () => span.end(),
      };
    },
    async stop() {
      const deadline = new Promise<void>((resolve) => setTimeout(resolve, STOP_MS).unref());
      await Promise.race([provider.shutdown(), deadline]);
    },
  };
}
