import type { CatchupSession, Subscribers } from '@chat-realtime/protocol';
import { singleLine } from '../connections/encoding.ts';

/** They have no seq, and from a relay of version 0.1 no number in the feed either. */
const STAFF_ONLY: Readonly<Record<string, true>> = { 'chat.note': true, 'chat.callback.staff': true };

/** A frame from the fan-out or from a catch-up page, parsed once for all connections. */
export interface LiveFrame {
  readonly type: string;
  readonly sessionId: number | null;
  readonly seq: number | null;
  /** Its number in the staff feed: what has one lasts. */
  readonly feedSeq: number | null;
  readonly data: Readonly<Record<string, unknown>>;
  readonly subscribers: Subscribers | null;
  readonly payload: Buffer;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function idOrNull(value: unknown): number | null {
  return typeof value === 'number' && Number.isSafeInteger(value) && value > 0 ? value : null;
}

function textOrNull(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}

function readSubscribers(value: unknown): Subscribers | null {
  if (!isRecord(value)) return null;
  return {
    session_id: idOrNull(value['session_id']),
    assigned_user_id: textOrNull(value['assigned_user_id']),
    // A source that does not name the previous assignee must not be confused with one that says the session was
    // unassigned.
    ...('previous_user_id' in value && { previous_user_id: textOrNull(value['previous_user_id']) }),
  };
}

function fromObject(frame: Record<string, unknown>, payload: Buffer): LiveFrame | null {
  const type = frame['type'];
  if (typeof type !== 'string') return null;
  const data = frame['data'];
  return {
    type,
    sessionId: idOrNull(frame['session_id']),
    seq: idOrNull(frame['seq']),
    feedSeq: idOrNull(frame['feed_seq']),
    data: isRecord(data) ? data : {},
    subscribers: readSubscribers(frame['subscribers']),
    payload,
  };
}

/** Null for anything that is not a frame: the fan-out is shared, so its content is checked, not trusted. */
export function parseLiveFrame(payload: Buffer): LiveFrame | null {
  let frame: unknown;
  try {
    frame = JSON.parse(payload.toString('utf8'));
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
  return isRecord(frame) ? fromObject(frame, singleLine(payload, frame)) : null;
}

/** An event of a catch-up or feed page. */
export function liveFrameOf(event: object): LiveFrame | null {
  return fromObject({ ...event }, Buffer.from(JSON.stringify(event)));
}

/** Whether it is an event, which has a place in a sequence, and not an ephemeral frame. */
export function isDurable(frame: LiveFrame): boolean {
  return frame.seq !== null || frame.feedSeq !== null || frame.type in STAFF_ONLY;
}

function isMessage(frame: LiveFrame): boolean {
  return frame.type === 'chat.message' || frame.type === 'chat.message.client';
}

/** Id of the message that a frame carries, 0 for other events. */
export function messageIdOf(frame: LiveFrame): number {
  return isMessage(frame) ? (idOrNull(frame.data['id']) ?? 0) : 0;
}

/** When the event was committed, in unix milliseconds; null if the frame does not contain it. */
export function committedAt(frame: LiveFrame): number | null {
  const createdAt = frame.data['created_at'];
  if (typeof createdAt !== 'string') return null;
  const at = Date.parse(createdAt);
  return Number.isNaN(at) ? null : at;
}

/** Of two ephemeral frames with the same key only the later one counts. */
export function ephemeralKey(frame: LiveFrame): string {
  const by = textOrNull(frame.data['by']) ?? '';
  const user = textOrNull(frame.data['user_id']) ?? '';
  return `${frame.type}:${frame.sessionId ?? ''}:${by}:${user}`;
}

export function textField(frame: LiveFrame, name: string): string | null {
  return textOrNull(frame.data[name]);
}

export function countField(frame: LiveFrame, name: string): number | null {
  const value = frame.data[name];
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : null;
}

/** The gapless part of a page that follows `after`. If the source returned anything else, it is queried again. */
export function followingFrames(page: CatchupSession, after: number): LiveFrame[] {
  const frames: LiveFrame[] = [];
  for (const event of page.events) {
    if (event.session_id !== page.id || event.seq !== after + frames.length + 1) break;
    const frame = liveFrameOf(event);
    if (frame === null) break;
    frames.push(frame);
  }
  return frames;
}
