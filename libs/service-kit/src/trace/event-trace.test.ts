import { createServer, type Server } from 'node:http';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { createLogger } from '../logger.ts';
import { createEventTrace, EventTrace } from './event-trace.ts';
import { HopJournal } from './hop-journal.ts';

const logger = createLogger({ service: 'test', level: 'silent' });
const PARENT = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

const attributeSchema = z.object({ key: z.string(), value: z.record(z.string(), z.unknown()) });
const receivedSchema = z.object({
  resourceSpans: z.array(
    z.object({
      resource: z.object({ attributes: z.array(attributeSchema) }),
      scopeSpans: z.array(
        z.object({
          spans: z.array(
            z.object({
              traceId: z.string(),
              spanId: z.string(),
              parentSpanId: z.string().optional(),
              name: z.string(),
              startTimeUnixNano: z.string(),
              endTimeUnixNano: z.string(),
              attributes: z.array(attributeSchema),
            }),
          ),
        }),
      ),
    }),
  ),
});

/** What a collector receives at /v1/traces. */
const received: { path: string | undefined; body: z.infer<typeof receivedSchema> }[] = [];
let collector: Server;
let endpoint: string;
beforeAll(async () => {
  collector = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      received.push({ path: request.url, body: receivedSchema.parse(JSON.parse(Buffer.concat(chunks).toString())) });
      response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
    });
  });
  await new Promise<void>((resolve) => collector.listen(0, '127.0.0.1', resolve));
  const address = collector.address();
  endpoint = `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
});
afterAll(() => {
  collector.closeAllConnections();
  collector.close();
});

it('[TRC4] sends a collector the spans of an event, each the child of the previous one, without any text', async () => {
  const trace = await createEventTrace({
    service: 'chat-service',
    logger,
    env: { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint },
  });
  const committed = new Date(Date.now() - 50);
  const relay = trace.begin('chat.relay', { session_id: 7, seq: 3 }, PARENT, committed);
  const dispatch = trace.begin('chat.dispatch', { session_id: 7, seq: 3 }, relay?.traceparent, new Date());
  dispatch?.end();
  relay?.end();
  await trace.stop();
  expect(received.map(({ path }) => path)).toEqual(['/v1/traces']);
  const [batch] = received[0]?.body.resourceSpans ?? [];
  expect(batch?.resource.attributes).toContainEqual({ key: 'service.name', value: { stringValue: 'chat-service' } });
  const spans = batch?.scopeSpans.flatMap(({ spans: some }) => some) ?? [];
  const [first, second] = ['chat.relay', 'chat.dispatch'].map((name) => spans.find((span) => span.name === name));
  expect(first).toMatchObject({ traceId: '0af7651916cd43dd8448eb211c80319c', parentSpanId: 'b7ad6b7169203331' });
  expect(second).toMatchObject({ traceId: first?.traceId, parentSpanId: first?.spanId });
  expect(relay?.traceparent).toBe(`00-${first?.traceId}-${first?.spanId}-01`);
  expect(BigInt(first?.startTimeUnixNano ?? 0) / 1_000_000n).toBe(BigInt(committed.getTime()));
  expect(first?.attributes.map(({ key }) => key).sort()).toEqual(['chat.seq', 'chat.session_id', 'messaging.system']);
});

it('[TRC4] starts its own trace if the caller sent none, and does nothing without a collector', async () => {
  const on = await createEventTrace({ service: 'test', logger, env: { OTEL_EXPORTER_OTLP_ENDPOINT: `${endpoint}/` } });
  expect(on.begin('chat.relay', { session_id: 1, seq: 1 }, null, new Date())?.traceparent).toMatch(
    /^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/,
  );
  await on.stop();
  const off = await createEventTrace({ service: 'test', logger, env: {} });
  expect(off.begin('chat.relay', { session_id: 1, seq: 1 }, PARENT, new Date())).toBeNull();
  await off.stop();
});

it('[TRC4] does not delay a stop if the collector is unavailable', async () => {
  const trace = await createEventTrace({
    service: 'test',
    logger,
    env: { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9' },
  });
  trace.begin('chat.relay', { session_id: 1, seq: 1 }, null, new Date())?.end();
  const begun = performance.now();
  await trace.stop();
  expect(performance.now() - begun).toBeLessThan(10_000);
});

it('remembers the last steps and forgets the oldest', () => {
  const journal = new HopJournal(3);
  for (const seq of [1, 2, 3, 4]) journal.record({ sessionId: 9, seq, at: seq, hop: 'relayed' });
  expect([1, 2, 3, 4].map((seq) => journal.find(9, seq).length)).toEqual([0, 1, 1, 1]);
  expect(journal.find(8, 4)).toEqual([]);
});

it('[TRC3] logs steps only at level debug, and none without a session', () => {
  const debug = vi.fn<(fields: object, message: string) => void>();
  const quiet = new EventTrace({ debug });
  quiet.note(1, 1, { hop: 'relayed' });
  expect(debug).not.toHaveBeenCalled();
  const loud = new EventTrace({ debug }, null, true);
  loud.note(null, 1, { hop: 'relayed' });
  loud.note(5, 2, { hop: 'written', path: 'live', to: 'staff', sockets: 2, connections: ['a', 'b'] });
  expect(debug).toHaveBeenCalledExactlyOnceWith(
    { session_id: 5, seq: 2, hop: 'written', path: 'live', to: 'staff', sockets: 2, connections: ['a', 'b'] },
    'hop',
  );
});
