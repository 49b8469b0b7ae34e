import type { EventPublisher } from '@chat-realtime/messaging';
import type { EventTrace } from '@chat-realtime/service-kit';
import type { AttachmentLinks, ChatLog, ChatObserver } from '../ports.ts';
import { renderBrokerEvent, routingKeyOf } from '../storage/render.ts';
import type { Outbox, OutboxRow } from './outbox.ts';

export const BATCH_MAX = 500;

export interface PublishDeps {
  readonly publisher: EventPublisher;
  readonly links: AttachmentLinks;
  readonly observer: ChatObserver;
  readonly log: ChatLog;
  readonly trace: EventTrace;
}

/** `blocked`: the broker took nothing; wait longer before the next try. `full`: more is waiting. */
export type BatchResult = 'empty' | 'partial' | 'full' | 'blocked';

/** Numbers all pending events, whether the broker is available or not. */
export async function stampAll(outbox: Outbox): Promise<void> {
  let stamped: number;
  do stamped = await outbox.stamp(BATCH_MAX);
  while (stamped === BATCH_MAX);
}

/** One batch in the order of the feed, marked as far as it is confirmed. */
export async function publishBatch(outbox: Outbox, deps: PublishDeps): Promise<BatchResult> {
  const batch = await outbox.pending(BATCH_MAX);
  if (batch === undefined) return 'empty';
  const { from, to, rows, full } = batch;
  // Their events were deleted since.
  if (rows.length === 0) {
    await outbox.mark(from, to);
    return full ? 'full' : 'partial';
  }
  const started = performance.now();
  const spans = rows.map((row) => deps.trace.begin('chat.relay', row, row.traceparent, row.created_at));
  const { confirmed, failure } = await deps.publisher.publish(
    rows.map((row, index) => outgoing(row, deps.links, spans[index]?.traceparent ?? row.traceparent)),
  );
  if (confirmed > 0) {
    deps.observer.relayConfirm((performance.now() - started) / 1_000);
    deps.observer.relayPublished('confirmed', confirmed);
    for (const { session_id, seq } of rows.slice(0, confirmed)) deps.trace.note(session_id, seq, { hop: 'relayed' });
    for (const span of spans.slice(0, confirmed)) span?.end();
    const last = confirmed === rows.length ? to : (rows[confirmed - 1]?.feed_seq ?? from);
    await outbox.mark(from, last);
  }
  if (confirmed < rows.length) {
    deps.observer.relayPublished('failed', rows.length - confirmed);
    deps.log.debug(
      { unconfirmed: rows.length - confirmed, error: failure?.message },
      'the broker did not confirm a batch',
    );
    return confirmed === 0 ? 'blocked' : 'partial';
  }
  return full ? 'full' : 'partial';
}

function outgoing(row: OutboxRow, links: AttachmentLinks, traceparent: string | null) {
  const event = { routingKey: routingKeyOf(row), event: renderBrokerEvent(row, links) };
  return traceparent === null ? event : { ...event, traceparent };
}
