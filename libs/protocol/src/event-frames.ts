import type { BrokerEvent } from './broker.ts';
import { staffEventType } from './events.ts';

/**
 * The frames of an event: what live connections get, and what history, feed and catch-up pages show of it. There is one
 * rule for each, as an object and as text. The text is for whoever writes both frames of an event: `data`, nearly all of
 * a frame, is turned into JSON once.
 */
export type FramedEvent = Pick<
  BrokerEvent,
  'type' | 'session_id' | 'seq' | 'feed_seq' | 'feed_id' | 'data' | 'staff_data' | 'subscribers'
>;

export interface FrameTexts {
  /** Null: it is for staff alone. */
  readonly customer: string | null;
  readonly staff: string;
}

export function customerFrame({ type, session_id, seq, data }: FramedEvent) {
  return { type, session_id, seq, data };
}

/** Its number in the feed is also the resume point after it; older clients know the cursor alone. */
export function staffFrame(event: FramedEvent) {
  const { data, subscribers } = event;
  return { ...staffPlace(event), data: { ...data, ...event.staff_data }, subscribers };
}

/** The same as text, byte for byte. */
export function frameTexts(event: FramedEvent): FrameTexts {
  const { type, session_id, seq, staff_data: staffData } = event;
  const data = JSON.stringify(event.data);
  const both = staffData === undefined ? data : JSON.stringify({ ...event.data, ...staffData });
  return {
    customer: seq === null ? null : `${opened({ type, session_id, seq })},"data":${data}}`,
    staff: `${opened(staffPlace(event))},"data":${both},"subscribers":${JSON.stringify(event.subscribers)}}`,
  };
}

function staffPlace({ type, session_id, seq, feed_seq: feedSeq, feed_id: feedId, data }: FramedEvent) {
  const sender = data['sender_type'];
  return {
    type: staffEventType(type, typeof sender === 'string' ? sender : undefined),
    session_id,
    seq,
    ...(seq === null && feedId !== undefined && { feed_id: feedId }),
    ...(feedSeq !== undefined && { feed_seq: feedSeq, cursor: String(feedSeq) }),
  };
}

function opened(object: object): string {
  return JSON.stringify(object).slice(0, -1);
}
