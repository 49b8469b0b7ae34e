import type { CatchupRequest, CatchupResponse, ChatSource, StaffEvent } from '@chat-realtime/protocol';

const FEED_KEPT = 2_000;

/**
 * In place of chat-service, so that the figures are the gateway's alone: it knows the head of each session and the feed's
 * newest rows. It keeps the real one's promises, dense sequences of sessions and feed, and nothing else.
 */
export class SourceDouble implements ChatSource {
  readonly #heads = new Map<number, number>();
  readonly #feed: StaffEvent[] = [];
  #feedSeq = 0;
  catchups = 0;

  nextSeq(sessionId: number): number {
    const seq = (this.#heads.get(sessionId) ?? 0) + 1;
    this.#heads.set(sessionId, seq);
    return seq;
  }

  /** Gives the event its number, as the relay leader does. */
  addToFeed(event: StaffEvent): StaffEvent {
    this.#feedSeq += 1;
    const stamped = { ...event, feed_seq: this.#feedSeq, cursor: String(this.#feedSeq) };
    this.#feed.push(stamped);
    if (this.#feed.length > 2 * FEED_KEPT) this.#feed.splice(0, FEED_KEPT);
    return stamped;
  }

  async catchup(request: CatchupRequest): Promise<CatchupResponse> {
    this.catchups += 1;
    const marks = { delivered_id: 0, read_id: 0 };
    const response: CatchupResponse = {
      epoch: 'bench',
      sessions: request.sessions.map(({ id }) => ({
        id,
        last_seq: this.#heads.get(id) ?? 0,
        events: [],
        has_more: false,
        state: { client: marks, staff: marks, operators_online: 0 },
        assigned_user_id: null,
      })),
      revocations: [],
    };
    if (request.feed !== undefined) response.feed = this.#page(request.feed.after, request.feed.limit);
    return response;
  }

  async acks(): Promise<void> {
    // Nobody acknowledges here.
  }

  #page(after: string | undefined, limit: number): NonNullable<CatchupResponse['feed']> {
    const from = after === undefined ? this.#feedSeq : Number(after);
    const events = this.#feed.filter((event) => (event.feed_seq ?? 0) > from).slice(0, limit);
    const end = events.at(-1)?.feed_seq ?? from;
    return { events, cursor: String(end), has_more: end < this.#feedSeq };
  }
}
