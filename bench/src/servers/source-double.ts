import type { ChatSource } from '@chat-realtime/channel-gateway';
import type { CatchupRequest, CatchupResponse, StaffEvent } from '@chat-realtime/protocol';

const FEED_KEPT = 2_000;

/**
 * In place of chat-service, so that the figures are the gateway's alone: it knows the head of each session and the feed's
 * newest rows. It keeps the real one's promises, dense sequences and a feed in the order of commits, and nothing else.
 */
export class SourceDouble implements ChatSource {
  readonly #heads = new Map<number, number>();
  readonly #feed: { position: number; event: StaffEvent }[] = [];
  #position = 1;
  catchups = 0;

  nextSeq(sessionId: number): number {
    const seq = (this.#heads.get(sessionId) ?? 0) + 1;
    this.#heads.set(sessionId, seq);
    return seq;
  }

  addToFeed(event: StaffEvent): void {
    this.#position += 1;
    this.#feed.push({ position: this.#position, event });
    if (this.#feed.length > 2 * FEED_KEPT) this.#feed.splice(0, FEED_KEPT);
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
    if (request.bases !== undefined) response.bases = request.bases.sessions.map((id) => ({ id, seq: 0 }));
    return response;
  }

  async acks(): Promise<void> {
    // Nobody acknowledges here.
  }

  #page(after: string | undefined, limit: number): NonNullable<CatchupResponse['feed']> {
    if (after === undefined) return { events: [], cursor: cursorOf(this.#position), has_more: false };
    const from = Number(after.split('.')[0]);
    const rest = this.#feed.filter((row) => row.position > from);
    const page = rest.slice(0, limit);
    return {
      events: page.map((row) => row.event),
      cursor: cursorOf(page.at(-1)?.position ?? from),
      has_more: rest.length > page.length,
    };
  }
}

function cursorOf(position: number): string {
  return `${position}.${position}`;
}
