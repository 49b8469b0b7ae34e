/** What a run leaves behind: everything that was asked, everything that was shown, and the final table. All times are unix ms. */

export type Outcome =
  /** 2xx: from now on the message may never be missing. */
  | { readonly kind: 'ok'; readonly messageId: number }
  /** An answer that says "not stored". */
  | { readonly kind: 'refused'; readonly status: number }
  /** No answer, or one that leaves it open: stored or not, but never twice. */
  | { readonly kind: 'unknown'; readonly reason: string };

/** One POST on the wire; a retry is an attempt of its own with the same `clientMessageId`. */
export interface Attempt {
  readonly writer: string;
  readonly sessionId: number;
  /** `client`, or the id of the operator. */
  readonly sender: string;
  readonly clientMessageId: string;
  readonly body: string;
  readonly startedAt: number;
  readonly endedAt: number;
  readonly outcome: Outcome;
}

/** One event as it stands in the table at the end. */
export interface Row {
  readonly id: number;
  readonly sessionId: number;
  /** Null for what only the staff feed has. */
  readonly seq: number | null;
  readonly type: string;
  /** `client` or the id of the operator; null where nobody posted it. */
  readonly sender: string | null;
  readonly clientMessageId: string | null;
  readonly body: string | null;
  readonly committedAt: number;
}

/** One event that an observer was shown. */
export interface Delivery {
  readonly sessionId: number | null;
  readonly seq: number | null;
  readonly feedId: number | null;
  readonly type: string;
  readonly body: string | null;
  /** The event as text, without what may differ by rule. */
  readonly content: string;
  readonly via: string;
  readonly at: number;
}

export type Scope =
  | { readonly kind: 'session'; readonly sessionId: number; readonly after: number }
  /** Every session of the run from its first event. */
  | { readonly kind: 'staff' };

export interface ObserverLog {
  readonly name: string;
  readonly scope: Scope;
  /** From then on it must see what is committed. */
  readonly since: number;
  readonly deliveries: readonly Delivery[];
  /** What the observer itself found wrong, such as a close code that no fault explains. */
  readonly complaints: readonly string[];
}

export interface OutboxSample {
  readonly at: number;
  readonly pending: number;
  readonly oldestAgeSeconds: number;
}

export interface History {
  readonly sessions: readonly { readonly id: number; readonly lastSeq: number }[];
  readonly attempts: readonly Attempt[];
  readonly table: readonly Row[];
  readonly observers: readonly ObserverLog[];
  readonly outbox: readonly OutboxSample[];
  /** The end of the fault; the start of the run where there is none. */
  readonly healedAt: number;
  /** When the run was over: what was not shown by then counts as never shown. */
  readonly endedAt: number;
  /** What those who wrote found wrong with what is stored. */
  readonly complaints: readonly string[];
}

/** What G4 allows for the fault of a run. */
export interface Bounds {
  /** From the commit of an event to its being shown. */
  readonly shownWithinMs: number;
  /** From the end of the fault, or a later commit, to an empty outbox. */
  readonly outboxWithinMs: number;
}

export interface Violation {
  readonly invariant: string;
  readonly what: string;
}

export type Invariant = (history: History, bounds: Bounds) => Violation[];

/** Every body of a run names its session and itself: so a message that went astray is known by its text alone. */
export function bodyOf(sessionId: number, writer: string, index: number): string {
  return `session=${sessionId} writer=${writer} index=${index}`;
}

export function sessionInBody(body: string): number | null {
  const match = /^session=(\d+) /.exec(body);
  return match === null ? null : Number(match[1]);
}
