import type { TransportKind } from '../core-metrics.ts';

/** One frame on its way out: the JSON as it is, encoded once for all connections. */
export interface OutFrame {
  readonly payload: Buffer;
  /** What an SSE client resumes from after this frame: a seq, or a feed cursor for staff. */
  readonly id: number | string | null;
}

const TEXT_FINAL = 0x81;
const LENGTH_16 = 126;
const LENGTH_64 = 127;

function headerLength(payloadLength: number): number {
  if (payloadLength < LENGTH_16) return 2;
  return payloadLength < 65_536 ? 4 : 10;
}

function writeHeader(target: Buffer, offset: number, payloadLength: number): number {
  target[offset] = TEXT_FINAL;
  if (payloadLength < LENGTH_16) {
    target[offset + 1] = payloadLength;
    return offset + 2;
  }
  if (payloadLength < 65_536) {
    target[offset + 1] = LENGTH_16;
    target.writeUInt16BE(payloadLength, offset + 2);
    return offset + 4;
  }
  target[offset + 1] = LENGTH_64;
  target.writeUInt32BE(0, offset + 2);
  target.writeUInt32BE(payloadLength, offset + 6);
  return offset + 10;
}

/** Unmasked text frames (RFC 6455 §5.2), one after the other in one buffer. */
export function encodeWebSocket(frames: readonly OutFrame[]): Buffer {
  let total = 0;
  for (const { payload } of frames) total += headerLength(payload.length) + payload.length;
  const bytes = Buffer.allocUnsafe(total);
  let offset = 0;
  for (const { payload } of frames) {
    offset = writeHeader(bytes, offset, payload.length);
    offset += payload.copy(bytes, offset);
  }
  return bytes;
}

const DATA_FIELD = Buffer.from('data: ');
const EVENT_END = Buffer.from('\n\n');

/** Payloads contain no raw line break (see `singleLine`), so no text can end an event or begin a field. */
export function encodeSse(frames: readonly OutFrame[]): Buffer {
  const parts: Buffer[] = [];
  for (const { payload, id } of frames) {
    if (id !== null) parts.push(Buffer.from(`id: ${id}\n`));
    parts.push(DATA_FIELD, payload, EVENT_END);
  }
  return Buffer.concat(parts);
}

const COMMA = Buffer.from(',');

/** Elements of a JSON array, each followed by a comma; the end of the answer removes the last one. */
export function encodePoll(frames: readonly OutFrame[]): Buffer {
  const parts: Buffer[] = [];
  for (const { payload } of frames) parts.push(payload, COMMA);
  return Buffer.concat(parts);
}

const ENCODERS: Readonly<Record<TransportKind, (frames: readonly OutFrame[]) => Buffer>> = {
  websocket: encodeWebSocket,
  sse: encodeSse,
  poll: encodePoll,
};

export function encodeFor(kind: TransportKind, frames: readonly OutFrame[]): Buffer {
  return ENCODERS[kind](frames);
}

const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;

/** JSON from another publisher may be printed over several lines, which SSE would read as fields. */
export function singleLine(payload: Buffer, parsed: unknown): Buffer {
  if (!payload.includes(LINE_FEED) && !payload.includes(CARRIAGE_RETURN)) return payload;
  return Buffer.from(JSON.stringify(parsed));
}

export function jsonFrame(frame: object, id: number | string | null = null): OutFrame {
  return { payload: Buffer.from(JSON.stringify(frame)), id };
}
