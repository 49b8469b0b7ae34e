import type { CatchupResponse } from '@chat-realtime/protocol';
import { type Connection, LIVE, type StaffCatchingUp } from './connection.ts';
import { encodeFor, type OutFrame } from './encoding.ts';
import type { FeedReader } from './feed-turns.ts';
import type { LiveFrame } from './live-frame.ts';
import type { RecentFrames } from './recent-frames.ts';
import type { SessionOwners } from './session-owners.ts';
import { PAGE_QUEUE_LIMIT } from './session-channel.ts';
import type { StaffAudiences, StaffChannelHost } from './staff-audiences.ts';

export type FeedPage = NonNullable<CatchupResponse['feed']>;

export interface ServedPage {
  readonly after: number | null;
  /** Everything after the one and up to the other is in the page. */
  readonly end: number;
  readonly feed: FeedPage;
  readonly frames: readonly LiveFrame[];
  /** Nothing lay behind the page, and the channel has come that far. */
  readonly atHead: boolean;
}

/** What a joining connection must know of the channel it joins. */
export interface ResumeTarget {
  readonly cursor: number | null;
  readonly audiences: StaffAudiences;
  readonly owners: SessionOwners;
  readonly recent: RecentFrames;
  sent(frame: LiveFrame): void;
}

/** Staff connections on their way to the channel's cursor, each from its own one. */
export class StaffResume {
  readonly connections: Connection[] = [];
  readonly #target: ResumeTarget;
  readonly #host: StaffChannelHost;

  constructor(target: ResumeTarget, host: StaffChannelHost) {
    this.#target = target;
    this.#host = host;
  }

  add(connection: Connection): void {
    this.connections.push(connection);
  }

  remove(connection: Connection): void {
    const index = this.connections.indexOf(connection);
    if (index >= 0) this.connections.splice(index, 1);
  }

  /** Somebody begins where the feed ends, wherever that is. */
  get waitsForHead(): boolean {
    return this.connections.some(({ state }) => {
      const catchingUp = state.kind === 'catching_up' && state.channel === 'staff';
      return catchingUp && state.cursor === null && state.start.kind !== 'after';
    });
  }

  /** Who wants a page of the feed, and after which number. */
  readers(): FeedReader[] {
    const readers: FeedReader[] = [];
    for (const connection of this.connections) {
      const after = this.#wantsPage(connection);
      if (after !== null) readers.push({ key: connection, after });
    }
    return readers;
  }

  serve(page: ServedPage): void {
    for (const connection of [...this.connections]) this.#serve(connection, page);
  }

  /** The channel has moved, or somebody came: whoever is near is served from what was sent last. */
  advance(): void {
    if (this.connections.length === 0 || this.#target.cursor === null) return;
    for (const connection of [...this.connections]) this.#advance(connection);
  }

  #wantsPage(connection: Connection): number | null {
    const { state } = connection;
    const { cursor } = this.#target;
    if (cursor === null || state.kind !== 'catching_up' || state.channel !== 'staff') return null;
    if (state.cursor === null) return state.start.kind === 'after' ? state.start.cursor : null;
    if (state.cursor >= cursor) return null;
    return this.#hasRoom(connection) ? state.cursor : null;
  }

  /** The socket paces the resume: a full one is looked at again when it has drained. */
  #hasRoom(connection: Connection): boolean {
    if (connection.transport.kind === 'poll' || connection.transport.queuedBytes < PAGE_QUEUE_LIMIT) return true;
    if (!connection.awaitingDrain) {
      connection.awaitingDrain = true;
      connection.transport.whenDrained(() => {
        connection.awaitingDrain = false;
        this.#advance(connection);
        this.#host.requestCatchup();
      });
    }
    return false;
  }

  #serve(connection: Connection, page: ServedPage): void {
    const { state } = connection;
    if (state.kind !== 'catching_up' || state.channel !== 'staff') return;
    const wasAt = state.cursor ?? (state.start.kind === 'after' ? state.start.cursor : null);
    if (state.cursor === null && !this.#announce(connection, state, page)) return;
    if (page.after === null || wasAt !== page.after || page.feed.reset !== undefined) {
      this.#finishPoll(connection, state, page.feed.has_more);
      return;
    }
    this.#write(connection, state, page.frames, page.end, true);
    this.#finishPoll(connection, state, page.feed.has_more);
  }

  /** False while it cannot begin yet, or when it was refused. */
  #announce(connection: Connection, state: StaffCatchingUp, { after, feed, atHead }: ServedPage): boolean {
    const { cursor } = this.#target;
    if (cursor === null) return false;
    if (state.start.kind === 'head') return atHead && this.#host.announceStaff(connection, state, cursor, null);
    if (state.start.kind !== 'after')
      return atHead && this.#host.announceStaff(connection, state, cursor, 'cursor_unknown');
    if (state.start.cursor !== after) return false;
    if (feed.reset !== undefined) return this.#host.announceStaff(connection, state, cursor, feed.reset);
    return this.#host.announceStaff(connection, state, state.start.cursor, null);
  }

  #advance(connection: Connection): void {
    const { state } = connection;
    const { cursor, recent } = this.#target;
    if (cursor === null || state.kind !== 'catching_up' || state.channel !== 'staff') return;
    if (!this.connections.includes(connection)) return;
    let from = state.cursor ?? (state.start.kind === 'after' ? state.start.cursor : null);
    if (from === null || from > cursor) return;
    // Further behind than what is kept: it reads pages.
    if (from < cursor && recent.after(from, 0) === null) return;
    if (state.cursor === null && !this.#host.announceStaff(connection, state, from, null)) return;
    while (from < cursor && this.#hasRoom(connection)) {
      const missed: readonly LiveFrame[] = recent.after(from, PAGE_QUEUE_LIMIT) ?? [];
      from = missed.at(-1)?.feedSeq ?? cursor;
      this.#write(connection, state, missed, from, false);
      // A poll answers with one page.
      if (connection.transport.kind === 'poll' && connection.transport.queuedBytes > 0) break;
    }
    if (connection.transport.kind === 'poll') this.#finishPoll(connection, state, from < cursor);
    else if (from === cursor && this.#hasRoom(connection)) this.#join(connection);
  }

  #write(
    connection: Connection,
    state: StaffCatchingUp,
    frames: readonly LiveFrame[],
    end: number,
    paged: boolean,
  ): void {
    const out = this.#visibleFrames(connection, frames, paged);
    state.cursor = end;
    if (out.length === 0) return;
    this.#host.write(connection, encodeFor(connection.transport.kind, out));
    this.#host.metrics.resumed(out.length);
  }

  #finishPoll(connection: Connection, state: StaffCatchingUp, hasMore: boolean): void {
    if (connection.transport.kind !== 'poll' || state.cursor === null) return;
    this.#host.finishStaffPoll(connection, state.cursor, hasMore);
  }

  #visibleFrames(connection: Connection, frames: readonly LiveFrame[], paged: boolean): OutFrame[] {
    const { principal } = connection;
    const { owners } = this.#target;
    if (principal?.kind !== 'staff') return [];
    const out: OutFrame[] = [];
    for (const frame of frames) {
      if (!(paged ? owners.seesPaged(principal, frame) : owners.seesLive(principal, frame))) continue;
      this.#target.sent(frame);
      out.push({ payload: frame.payload, id: frame.feedSeq === null ? null : String(frame.feedSeq) });
    }
    return out;
  }

  /** From now on it shares the bytes of the others. */
  #join(connection: Connection): void {
    const { audiences } = this.#target;
    // What is pending for the others it has got by itself.
    audiences.flush();
    this.remove(connection);
    connection.state = LIVE;
    audiences.add(connection);
    this.#host.wentLive(connection);
  }
}
