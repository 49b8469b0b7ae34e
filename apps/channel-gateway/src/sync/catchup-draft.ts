import {
  CATCHUP_MAX_HEADS,
  CATCHUP_MAX_SESSIONS,
  type CatchupRequest,
  type CatchupResponse,
} from '@chat-realtime/protocol';

/** Events of one session in one page. */
const PAGE_LIMIT = 100;
/** Bytes of the events in one answer. */
const CALL_BYTES = 4 * 1024 * 1024;

/**
 * A part of the gateway that needs chat-service. All of them share one call: each adds what it wants to the request,
 * and takes what concerns it from the response.
 */
export interface CatchupParticipant {
  /** Adds what is wanted now; what is added counts as asked. */
  compose(draft: CatchupDraft): void;
  apply(request: CatchupRequest, response: CatchupResponse): void;
  /** There was no answer, or an unusable one: everything in the request is wanted again. */
  failed(request: CatchupRequest): void;
  /** The database is another one: everything known of the old one is void. */
  databaseChanged(): void;
  /** Request what may have been missed with the next calls. */
  headCheckDue?(): void;
}

/** A request under construction. Each session is requested once, however many parts want it. */
export class CatchupDraft {
  readonly #sessions = new Map<number, number | null>();
  readonly #request: CatchupRequest;
  readonly #pagesMax: number;
  #pages = 0;
  #needed = false;

  /** `share` of a full call, in (0, 1]. */
  constructor(share: number) {
    this.#pagesMax = CATCHUP_MAX_SESSIONS * share;
    this.#request = {
      sessions: [],
      limit: Math.ceil(PAGE_LIMIT * share),
      ...(share < 1 && { max_bytes: Math.ceil(CALL_BYTES * share) }),
    };
  }

  get hasRoomForHead(): boolean {
    return this.#sessions.size < CATCHUP_MAX_HEADS;
  }

  get hasRoomForPage(): boolean {
    return this.#pages < this.#pagesMax && this.hasRoomForHead;
  }

  /** Only the head and the assignee of the session; adds nothing if the session's events are requested. */
  askHead(sessionId: number): void {
    if (!this.#sessions.has(sessionId) && this.hasRoomForHead) this.#sessions.set(sessionId, null);
  }

  /** A page of the session's events after `seq`; null = its head, for a connection that waits for it. */
  askPage(sessionId: number, seq: number | null): void {
    this.#sessions.set(sessionId, seq);
    this.#pages += 1;
  }

  askFeed(feed: NonNullable<CatchupRequest['feed']>): void {
    this.#request.feed = feed;
    this.#needed = true;
  }

  report(presence: NonNullable<CatchupRequest['presence']>): void {
    this.#request.presence = presence;
    this.#needed = true;
  }

  /** Costs nothing if there is nothing new, so it goes with every call; `needed`: it justifies a separate call. */
  askRevocations(after: number, needed: boolean): void {
    this.#request.revocations_after = after;
    if (needed) this.#needed = true;
  }

  /** Null if nothing is wanted. */
  finish(): CatchupRequest | null {
    for (const [id, after] of this.#sessions)
      this.#request.sessions.push(after === null ? { id } : { id, after_seq: after });
    return this.#needed || this.#sessions.size > 0 ? this.#request : null;
  }
}
