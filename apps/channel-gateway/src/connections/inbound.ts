import {
  ackFrameSchema,
  customerAuthFrameSchema,
  staffAuthFrameSchema,
  typingFrameSchema,
  viewingFrameSchema,
} from '@chat-realtime/protocol';
import type { StartCursor } from './connection.ts';
import { type Credentials, feedStart } from './credentials.ts';

export interface BadFrame {
  readonly kind: 'bad';
  readonly code: 'malformed_request' | 'validation_failed';
  readonly message: string;
  /** The intended kind of frame, if that can be recognised. */
  readonly of: 'auth' | 'ack' | 'typing' | 'viewing' | null;
}

/** The frames that a client may send on a WebSocket. */
export type Command =
  | { readonly kind: 'auth'; readonly credentials: Credentials }
  | { readonly kind: 'ping' }
  | { readonly kind: 'customer_ack'; readonly lastId: number }
  | { readonly kind: 'staff_ack'; readonly items: readonly { readonly sessionId: number; readonly lastId: number }[] }
  /** `sessionId` null: that of the connection. */
  | { readonly kind: 'typing'; readonly sessionId: number | null; readonly active: boolean }
  | { readonly kind: 'viewing'; readonly sessionId: number | null };

/** Parses a text frame into a command, or reports its fault. It does not know the sender. */
export function readInbound(text: string): Command | BadFrame {
  const frame = parseObject(text);
  if (frame === null) return { kind: 'bad', code: 'malformed_request', message: 'not a JSON object', of: null };
  switch (frame['type']) {
    case 'auth':
      return readAuth(frame);
    case 'ping':
      return { kind: 'ping' };
    case 'ack':
      return readAck(frame);
    case 'typing': {
      const parsed = typingFrameSchema.safeParse(frame);
      if (!parsed.success) return invalidFrame('typing needs active', 'typing');
      return { kind: 'typing', sessionId: parsed.data.session_id ?? null, active: parsed.data.active };
    }
    case 'viewing': {
      const parsed = viewingFrameSchema.safeParse(frame);
      if (!parsed.success) return invalidFrame('viewing needs session_id', 'viewing');
      return { kind: 'viewing', sessionId: parsed.data.session_id };
    }
    default:
      return invalidFrame('unknown type');
  }
}

/** Acks and pings are counted separately, since a client sends them automatically. */
export function isFree(command: Command | BadFrame): boolean {
  if (command.kind === 'bad') return command.of === 'ack';
  return command.kind === 'ping' || command.kind === 'customer_ack' || command.kind === 'staff_ack';
}

export function invalidFrame(message: string, of: BadFrame['of'] = null): BadFrame {
  return { kind: 'bad', code: 'validation_failed', message, of };
}

function readAck(frame: object): Command | BadFrame {
  const parsed = ackFrameSchema.safeParse(frame);
  if (!parsed.success) return invalidFrame('ack needs last_id, or items for staff', 'ack');
  if (!('items' in parsed.data)) return { kind: 'customer_ack', lastId: parsed.data.last_id };
  const items = parsed.data.items.map(({ session_id: sessionId, last_id: lastId }) => ({ sessionId, lastId }));
  return { kind: 'staff_ack', items };
}

function readAuth(frame: object): Command | BadFrame {
  const credentials = readAuthFrame(frame);
  return credentials === null
    ? invalidFrame('auth needs session_id and token, or access_token', 'auth')
    : { kind: 'auth', credentials };
}

function readAuthFrame(frame: object): Credentials | null {
  const customer = customerAuthFrameSchema.safeParse(frame);
  if (customer.success) {
    const { session_id: sessionId, token, last_seq: lastSeq, replaces } = customer.data;
    const start: StartCursor = lastSeq === undefined ? { kind: 'head' } : { kind: 'after', cursor: lastSeq };
    return { kind: 'customer', sessionId, token, start, replaces };
  }
  const staff = staffAuthFrameSchema.safeParse(frame);
  if (!staff.success) return null;
  const { access_token: token, cursor, replaces } = staff.data;
  return { kind: 'staff', token, start: feedStart(cursor), replaces };
}

function parseObject(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : null;
  } catch (error) {
    // Nesting deep enough to exhaust the parser's stack is as malformed as a syntax error.
    if (error instanceof SyntaxError || error instanceof RangeError) return null;
    throw error;
  }
}
