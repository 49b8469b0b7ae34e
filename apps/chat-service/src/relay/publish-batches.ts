import type { EventPublisher } from '@chat-realtime/messaging';
import type { EventTrace } from '@chat-realtime/service-kit';
import type { AttachmentLinks, ChatLog, ChatObserver } from '../ports.ts';
import { renderBrokerEvent, routingKeyOf } from '../storage/render.ts';
import type { Outbox, OutboxRow } from './outbox.ts';

/** How long a publish may take, and how long between two looks then, before what is committed meanwhile gets its numbers. */
const STAMP_EVERY_MS = 50;

export interface PublishDeps {
  readonly publisher: EventPublisher;
  readonly links: AttachmentLinks;
  readonly observer: ChatObserver;
  readonly log: ChatLog;
  readonly trace: EventTrace;
}

/** `empty`: nothing waits. `blocked`: the broker took nothing; wait longer before the next try. */
export type BatchResult = 'empty' | 'published' | 'blocked';

/**
 * A broker that hangs, or whose queues are being changed, holds a publish up for many seconds, and the feed must not wait
 * for it. The connection is still the one with the leader's lock. If that is lost, this fails as soon as the publish is
 * over: the next leader must not publish beside it.
 */
async function whileStamping<T>(work: Promise<T>, outbox: Outbox): Promise<T> {
  let isOver = false;
  let timer: NodeJS.Timeout | undefined;
  let stamping = Promise.resolve();
  const soon = (): void => {
    if (isOver) return;
    timer = setTimeout(() => {
      stamping = outbox.stamp().then(soon);
      // Thrown below.
      stamping.catch(() => undefined);
    }, STAMP_EVERY_MS);
  };
  soon();
  try {
    return await work;
  } finally {
    isOver = true;
    clearTimeout(timer);
    await stamping;
  }
}

/** Stamps and publishes one batch in the order of the feed. What the broker confirms is marked with the next batch. */
export async function publishBatch(outbox: Outbox, deps: PublishDeps): Promise<BatchResult> {
  const batch = await outbox.next();
  if (batch === undefined) return 'empty';
  const { from, to, rows } = batch;
  // Their events were deleted since.
  if (rows.length === 0) {
    outbox.confirmed(from, to);
    return 'published';
  }
  const started = performance.now();
  const spans = rows.map((row) => deps.trace.begin('chat.relay', row, row.traceparent, row.created_at));
  const { confirmed, failure } = await whileStamping(
    deps.publisher.publish(
      rows.map((row, index) => outgoing(row, deps.links, spans[index]?.traceparent ?? row.traceparent)),
    ),
    outbox,
  );
  if (confirmed > 0) {
    outbox.confirmed(from, confirmed === rows.length ? to : (rows[confirmed - 1]?.feed_seq ?? from));
    deps.observer.relayConfirm((performance.now() - started) / 1_000);
    deps.observer.relayPublished('confirmed', confirmed);
    for (const { session_id, seq } of rows.slice(0, confirmed)) deps.trace.note(session_id, seq, { hop: 'relayed' });
    for (const span of spans.slice(0, confirmed)) span?.end();
  }
  if (confirmed < rows.length) {
    deps.observer.relayPublished('failed', rows.length - confirmed);
    deps.log.debug(
      { unconfirmed: rows.length - confirmed, error: failure?.message },
      'the broker did not confirm a batch',
    );
  }
  return confirmed === 0 ? 'blocked' : 'published';
}

function outgoing(row: OutboxRow, links: AttachmentLinks, traceparent: string | null) {
  const event = { routingKey: routingKeyOf(row), event: renderBrokerEvent(row, links) };
  return traceparent === null ? event : { ...event, traceparent };
}
