import { type Customer, type Frame, query, type Staff } from '@chat-realtime/testkit';
import type { Delivery, Scope } from '../checker/history.ts';

type Parameters = Readonly<Record<string, string | number | undefined>>;

/** What a client follows and where it stands: all that it takes from one connection to the next, on whatever transport. */
export interface Watch {
  readonly scope: Scope;
  readonly token: string;
  readonly deliveries: readonly Delivery[];
  /** Query of the next connection. */
  parameters(): Parameters;
  /** The cursor as a native EventSource would send it. */
  lastEventId(): string;
  take(frame: Frame, via: string): void;
  /** A poll's own cursor, where the answer has one. */
  takeCursor(cursor: string | undefined): void;
  reset(frame: Frame): void;
  readonly complaints: readonly string[];
}

/** Urls of attachments differ by their signature, contact data and feed positions stand in the staff copy only. */
function contentOf(frame: Frame): string {
  const type = frame.type === 'chat.message.client' ? 'chat.message' : frame.type;
  const data = JSON.stringify(frame.data, (key, value: unknown) =>
    key === 'url' || key === 'contact' ? undefined : value,
  );
  return `${type} ${frame.session_id} ${frame.seq} ${data}`;
}

function deliveryOf(frame: Frame, via: string): Delivery {
  const body = frame.data['body'];
  return {
    sessionId: frame.session_id,
    seq: frame.seq,
    feedId: frame.feed_id ?? null,
    type: frame.type,
    body: typeof body === 'string' ? body : null,
    content: contentOf(frame),
    via,
    at: frame.receivedAt,
  };
}

/** A customer's cursor. Nothing is dropped or put in order here: what the wire brings is what the checker sees. */
export class SessionWatch implements Watch {
  readonly scope: Scope;
  readonly token: string;
  readonly deliveries: Delivery[] = [];
  readonly complaints: string[] = [];
  readonly #sessionId: number;
  #cursor = 0;

  constructor(customer: Customer) {
    this.#sessionId = customer.sessionId;
    this.token = customer.token;
    this.scope = { kind: 'session', sessionId: customer.sessionId, after: 0 };
  }

  parameters(): Parameters {
    return { session: this.#sessionId, last_seq: this.#cursor };
  }

  lastEventId(): string {
    return String(this.#cursor);
  }

  take(frame: Frame, via: string): void {
    if (frame.seq === null) return;
    this.deliveries.push(deliveryOf(frame, via));
    this.#cursor = Math.max(this.#cursor, frame.seq);
  }

  takeCursor(): void {
    // The session's cursor is the seq of the last event, nothing else.
  }

  reset(frame: Frame): void {
    this.complaints.push(`reset at cursor ${this.#cursor}: ${frame.raw}`);
  }
}

/** An operator's cursor. Every event comes once and in the order of the feed, so nothing is dropped here either. */
export class StaffWatch implements Watch {
  readonly scope: Scope = { kind: 'staff' };
  readonly token: string;
  readonly deliveries: Delivery[] = [];
  readonly complaints: string[] = [];
  #feedSeq: number;
  readonly #sessions: ReadonlySet<number>;
  #cursor: string;

  /** `sessions` fills while the run is set up: what happens in others is not its matter. */
  constructor(staff: Staff, cursor: string, sessions: ReadonlySet<number>) {
    this.token = staff.token;
    this.#cursor = cursor;
    this.#feedSeq = Number(cursor);
    this.#sessions = sessions;
  }

  parameters(): Parameters {
    return { type: 'staff', cursor: this.#cursor };
  }

  lastEventId(): string {
    return this.#cursor;
  }

  take(frame: Frame, via: string): void {
    if (frame.seq === null && frame.feed_id === undefined) return;
    if (frame.cursor !== undefined) this.#cursor = frame.cursor;
    // Who follows everything sees every number.
    if (frame.feed_seq !== this.#feedSeq + 1)
      this.complaints.push(`${via}: number ${frame.feed_seq} came after ${this.#feedSeq}`);
    this.#feedSeq = frame.feed_seq ?? this.#feedSeq;
    if (frame.session_id === null || !this.#sessions.has(frame.session_id)) return;
    this.deliveries.push(deliveryOf(frame, via));
  }

  takeCursor(cursor: string | undefined): void {
    if (cursor !== undefined) this.#cursor = cursor;
  }

  reset(frame: Frame): void {
    this.complaints.push(`reset at cursor ${this.#cursor}: ${frame.raw}`);
  }
}

export function pathOf(path: string, parameters: Parameters): string {
  const text = query(parameters);
  return path.includes('?') ? path + text.replace('?', '&') : path + text;
}
