import type { CatchupResponse, CursorReset, StaffViewer } from '@chat-realtime/protocol';
import type { CatchingUp, Connection, StartCursor } from '../connections/connection.ts';
import { encodeFor, type OutFrame } from '../connections/encoding.ts';
import type { FeedReader } from './feed-turns.ts';
import { Joining, type Pacing } from './joining.ts';
import type { LiveFrame } from './live-frame.ts';
import type { RecentFrames } from './recent-frames.ts';
import type { SessionOwners } from './session-owners.ts';
import { EPHEMERAL_QUEUE_LIMIT } from './audience.ts';
import { badgeFrame, cursorFrame, presenceFrame, type StaffAudiences } from './staff-audiences.ts';
import type { StaffState, StaffStreamHost } from './staff-host.ts';
import { PAGE_QUEUE_LIMIT } from './stream-host.ts';

export type FeedPage = NonNullable<CatchupResponse['feed']>;

export interface ServedPage {
  readonly after: number | null;
  /** The page contains everything after the first number, up to the second. */
  readonly end: number;
  readonly feed: FeedPage;
  readonly frames: readonly LiveFrame[];
  /** Nothing came after the page, and the stream has reached that point. */
  readonly atHead: boolean;
}

/** The state of the stream that a joining connection needs. */
export interface ResumeTarget {
  /** Null while it is not known where it is. */
  readonly cursor: () => number | null;
  readonly audiences: StaffAudiences;
  readonly owners: SessionOwners;
  readonly recent: RecentFrames;
  /** Badge and presence as the operator may see them. */
  stateFor(viewer: StaffViewer): StaffState;
  sent(frame: LiveFrame): void;
}

/** What a connection knows that does not follow live yet. */
interface Told {
  /** Badge and presence, as a count of their changes. */
  readonly stateChanges: number;
  /** The last resume point that stood in a frame. */
  cursor: number;
}

/** Staff connections that catch up with the stream, each from its own cursor. */
export class StaffResume implements Pacing {
  readonly #catching: Joining;
  readonly #target: ResumeTarget;
  readonly #host: StaffStreamHost;
  readonly #told = new Map<Connection, Told>();

  constructor(target: ResumeTarget, host: StaffStreamHost) {
    this.#target = target;
    this.#host = host;
    this.#catching = new Joining(target.audiences, host, this);
  }

  get connections(): readonly Connection[] {
    return this.#catching.connections;
  }

  add(connection: Connection): void {
    this.#catching.connections.push(connection);
  }

  remove(connection: Connection): void {
    this.#catching.remove(connection);
    this.#told.delete(connection);
  }

  /** A connection starts at the end of the feed, wherever that is. */
  get waitsForHead(): boolean {
    return this.connections.some(({ state }) => {
      return state.kind === 'catching_up' && state.cursor === null && state.start.kind !== 'after';
    });
  }

  /** Connections that need a page of the feed, each with its cursor. */
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

  /** The stream has moved, or a connection came: those close enough are served from the latest frames. */
  advance(): void {
    if (this.connections.length === 0 || this.#target.cursor() === null) return;
    for (const connection of [...this.connections]) this.#advance(connection);
  }

  /** A read mark that moves meanwhile stands in no state, so it is passed on at once, unless it would have to wait. */
  passMark(frame: LiveFrame): void {
    for (const connection of this.connections) {
      const { principal, transport } = connection;
      if (transport.kind === 'poll' || principal?.kind !== 'staff' || !connection.isReadySent) continue;
      if (transport.queuedBytes > EPHEMERAL_QUEUE_LIMIT || !this.#target.owners.seesLive(principal, frame)) continue;
      this.#host.write(connection, encodeFor(transport.kind, [{ payload: frame.payload, id: null }]));
    }
  }

  #wantsPage(connection: Connection): number | null {
    const { state } = connection;
    const cursor = this.#target.cursor();
    if (cursor === null || state.kind !== 'catching_up') return null;
    if (state.cursor === null) return state.start.kind === 'after' ? state.start.cursor : null;
    if (state.cursor >= cursor) return null;
    return this.#catching.hasRoom(connection) ? state.cursor : null;
  }

  drained(connection: Connection): void {
    this.#advance(connection);
    this.#host.requestCatchup();
  }

  #serve(connection: Connection, page: ServedPage): void {
    const { state } = connection;
    if (state.kind !== 'catching_up') return;
    const wasAt = placeOf(state);
    if (state.cursor === null && !this.#sendReady(connection, state.start, page)) return;
    if (page.after !== null && wasAt === page.after && page.feed.reset === undefined)
      this.#write(connection, page.frames, page.end, true);
    this.#finishPoll(connection, page.feed.has_more);
  }

  /** False while it cannot begin yet, or when it was refused. */
  #sendReady(connection: Connection, start: StartCursor, { after, feed, atHead }: ServedPage): boolean {
    const cursor = this.#target.cursor();
    if (cursor === null) return false;
    if (start.kind === 'head') return atHead && this.#announce(connection, cursor, null);
    if (start.kind !== 'after') return atHead && this.#announce(connection, cursor, 'cursor_unknown');
    if (start.cursor !== after) return false;
    if (feed.reset !== undefined) return this.#announce(connection, cursor, feed.reset);
    return this.#announce(connection, start.cursor, null);
  }

  #announce(connection: Connection, from: number, reset: CursorReset | null): boolean {
    if (!this.#host.sendReady(connection, from, reset)) return false;
    this.#told.set(connection, { stateChanges: this.#target.audiences.stateChanges, cursor: from });
    return true;
  }

  /** What was told since `channel.ready` to those alone who follow live, and how far it is where no event said so. */
  #tellRest(connection: Connection, cursor: number): void {
    const { principal, transport } = connection;
    const told = this.#told.get(connection);
    this.#told.delete(connection);
    if (told === undefined || principal?.kind !== 'staff' || connection.isOver) return;
    const out: OutFrame[] = told.cursor === cursor ? [] : [cursorFrame(cursor)];
    if (told.stateChanges !== this.#target.audiences.stateChanges) {
      const { badge, users } = this.#target.stateFor(principal);
      out.push(badgeFrame(badge), presenceFrame(users));
    }
    if (out.length > 0) this.#host.write(connection, encodeFor(transport.kind, out));
  }

  #advance(connection: Connection): void {
    const { state } = connection;
    const { recent } = this.#target;
    const cursor = this.#target.cursor();
    if (cursor === null || state.kind !== 'catching_up') return;
    if (!this.#catching.has(connection)) return;
    let from = placeOf(state);
    if (from === null || from > cursor) return;
    // Further behind than the stored frames: it reads pages.
    if (from < cursor && recent.after(from, 0) === null) return;
    if (state.cursor === null && !this.#announce(connection, from, null)) return;
    while (from < cursor && this.#catching.hasRoom(connection)) {
      const missed: readonly LiveFrame[] = recent.after(from, PAGE_QUEUE_LIMIT) ?? [];
      from = missed.at(-1)?.feedSeq ?? cursor;
      this.#write(connection, missed, from, false);
      // A poll is answered with one page.
      if (connection.transport.kind === 'poll' && connection.transport.queuedBytes > 0) break;
    }
    if (connection.transport.kind === 'poll') this.#finishPoll(connection, from < cursor);
    else if (this.#catching.joinIfLevel(connection, cursor)) this.#tellRest(connection, cursor);
  }

  #write(connection: Connection, frames: readonly LiveFrame[], end: number, paged: boolean): void {
    const out = this.#visibleFrames(connection, frames, paged);
    connection.reach(end);
    const last = out.at(-1);
    if (last === undefined) return;
    const told = this.#told.get(connection);
    if (told !== undefined && last.id !== null) told.cursor = Number(last.id);
    this.#host.write(connection, encodeFor(connection.transport.kind, out));
    this.#host.metrics.resumed(out.length);
  }

  #finishPoll(connection: Connection, hasMore: boolean): void {
    const { state } = connection;
    if (state.kind === 'catching_up' && state.cursor !== null) this.#host.finishPoll(connection, state.cursor, hasMore);
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
}

/** The number up to which it has everything; null if that is not known. */
function placeOf({ cursor, start }: CatchingUp): number | null {
  return cursor ?? (start.kind === 'after' ? start.cursor : null);
}
