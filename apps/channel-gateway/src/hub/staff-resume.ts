import type { CatchupResponse } from '@chat-realtime/protocol';
import { type Connection, LIVE, type StaffCatchingUp } from './connection.ts';
import { encodeFor, type OutFrame, withCursor } from './encoding.ts';
import { compareFeedPositions } from './feed-position.ts';
import { type LiveFrame, messageIdOf } from './live-frame.ts';
import type { StaffAudiences, StaffChannelHost } from './staff-audiences.ts';
import type { SessionOwners } from './session-owners.ts';
import type { StaffSession } from './staff-sessions.ts';

/** The next page is read when less is queued on the socket. */
const PAGE_QUEUE_LIMIT = 65_536;

export type FeedPage = NonNullable<CatchupResponse['feed']>;

export interface ServedPage {
  readonly after: string | null;
  readonly feed: FeedPage;
  readonly frames: readonly LiveFrame[];
  /** The watermark was just read, and nothing visible lies beyond it. */
  readonly atHead: boolean;
}

/** What a joining connection must know of the channel it joins. */
export interface ResumeTarget {
  readonly watermark: string | null;
  readonly audiences: StaffAudiences;
  readonly owners: SessionOwners;
  /** What was sent live beyond the watermark; null while that is not known as a whole. */
  readonly beyondWatermark: Iterable<LiveFrame> | null;
  sessionFor(frame: LiveFrame): StaffSession | undefined;
}

/** Staff connections on their way to the watermark, each through pages of the feed from its own cursor. */
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

  /** The feed position after which somebody wants a page. */
  wants(watermark: string): string | null {
    for (const connection of this.connections) {
      const after = this.#wantsPage(connection, watermark);
      if (after !== null) return after;
    }
    return null;
  }

  serve(page: ServedPage): void {
    for (const connection of [...this.connections]) this.#serve(connection, page);
  }

  #wantsPage(connection: Connection, watermark: string): string | null {
    const { state } = connection;
    if (state.kind !== 'catching_up' || state.channel !== 'staff') return null;
    if (state.cursor === null) return state.start.kind === 'after' ? state.start.cursor : null;
    if (compareFeedPositions(state.cursor, watermark) >= 0) return null;
    return this.#hasRoom(connection) ? state.cursor : null;
  }

  /** The socket paces the resume: a full one is looked at again when it has drained. */
  #hasRoom(connection: Connection): boolean {
    if (connection.transport.kind === 'poll' || connection.transport.queuedBytes < PAGE_QUEUE_LIMIT) return true;
    if (!connection.awaitingDrain) {
      connection.awaitingDrain = true;
      connection.transport.whenDrained(() => {
        connection.awaitingDrain = false;
        this.#joinIfLevel(connection);
        this.#host.requestCatchup();
      });
    }
    return false;
  }

  #serve(connection: Connection, page: ServedPage): void {
    const { state } = connection;
    if (state.kind !== 'catching_up' || state.channel !== 'staff') return;
    const { after, feed, frames } = page;
    const wasAt = state.cursor ?? (state.start.kind === 'after' ? state.start.cursor : null);
    if (state.cursor === null && !this.#announce(connection, state, page)) return;
    if (after !== null && wasAt === after && feed.reset === undefined)
      this.#writePage(connection, state, frames, feed.cursor);
    if (
      connection.transport.kind === 'poll' &&
      this.#host.finishStaffPoll(connection, state.cursor ?? feed.cursor, feed.has_more)
    )
      return;
    this.#joinIfLevel(connection);
  }

  /** False while it cannot begin yet, or when it was refused. */
  #announce(connection: Connection, state: StaffCatchingUp, { after, feed, atHead }: ServedPage): boolean {
    const { watermark } = this.#target;
    if (watermark === null) return false;
    if (state.start.kind === 'head') return atHead && this.#host.announceStaff(connection, state, watermark, null);
    if (state.start.kind === 'unreadable')
      return atHead && this.#host.announceStaff(connection, state, watermark, 'cursor_unknown');
    if (state.start.cursor !== after) return false;
    if (feed.reset !== undefined) return this.#host.announceStaff(connection, state, watermark, feed.reset);
    return this.#host.announceStaff(connection, state, state.start.cursor, null);
  }

  #writePage(connection: Connection, state: StaffCatchingUp, frames: readonly LiveFrame[], cursor: string): void {
    const out = this.#visibleFrames(connection, frames, true);
    for (const frame of frames)
      if (frame.seq !== null && frame.sessionId !== null) state.sent.set(frame.sessionId, frame.seq);
    const last = out.at(-1);
    if (last !== undefined) out[out.length - 1] = withCursor(last, cursor);
    state.cursor = cursor;
    if (out.length === 0) return;
    this.#host.write(connection, encodeFor(connection.transport.kind, out));
    this.#host.metrics.resumed(out.length);
  }

  #visibleFrames(connection: Connection, frames: Iterable<LiveFrame>, paged: boolean): OutFrame[] {
    const { principal } = connection;
    const { owners } = this.#target;
    if (principal?.kind !== 'staff') return [];
    const out: OutFrame[] = [];
    for (const frame of frames) {
      const session = this.#target.sessionFor(frame);
      if (!(paged ? owners.seesPaged(principal, frame) : owners.seesLive(principal, frame))) continue;
      const messageId = messageIdOf(frame);
      // Sent here, so it may be acknowledged.
      if (session !== undefined && messageId > session.lastMessageId) session.lastMessageId = messageId;
      out.push({ payload: frame.payload, id: null });
    }
    return out;
  }

  /** Beyond the watermark it gets what the others got live; then it shares their bytes. */
  #joinIfLevel(connection: Connection): void {
    const { state, transport } = connection;
    const { watermark, audiences, beyondWatermark } = this.#target;
    if (state.kind !== 'catching_up' || state.channel !== 'staff' || state.cursor === null) return;
    if (watermark === null || beyondWatermark === null || transport.kind === 'poll') return;
    if (compareFeedPositions(state.cursor, watermark) < 0 || !this.#hasRoom(connection)) return;
    audiences.flush();
    const missed: LiveFrame[] = [];
    for (const frame of beyondWatermark) {
      const sent = frame.sessionId === null ? 0 : (state.sent.get(frame.sessionId) ?? 0);
      if (frame.seq === null || frame.seq > sent) missed.push(frame);
    }
    const out = this.#visibleFrames(connection, missed, false);
    if (out.length > 0) this.#host.write(connection, encodeFor(transport.kind, out));
    this.remove(connection);
    connection.state = LIVE;
    audiences.add(connection);
    this.#host.wentLive(connection);
  }
}
