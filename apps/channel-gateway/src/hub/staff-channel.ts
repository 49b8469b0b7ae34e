import {
  CATCHUP_MAX_LIMIT,
  type CatchupRequest,
  type CatchupResponse,
  feedSeqOf,
  type FeedOwners,
} from '@chat-realtime/protocol';
import type { Connection } from './connection.ts';
import { type FeedReader, FeedTurns } from './feed-turns.ts';
import {
  badgeOf,
  committedAt,
  ephemeralKey,
  isDurable,
  type LiveFrame,
  liveFrameOf,
  messageIdOf,
  textField,
} from './live-frame.ts';
import type { DeliveryPath } from './metrics.ts';
import { RecentFrames } from './recent-frames.ts';
import { Sequencer } from './sequencer.ts';
import { SessionOwners } from './session-owners.ts';
import { StaffAudiences, type StaffChannelHost } from './staff-audiences.ts';
import { type FeedPage, type ResumeTarget, StaffResume } from './staff-resume.ts';
import { noteWritten } from './written.ts';

/** Frames kept while one before them is missing; more are dropped and read again. */
const HELD_MAX = 100;
/** Sessions whose newest message is remembered, for acks of it. */
const SESSIONS_MAX = 20_000;

type StaffState =
  | { readonly kind: 'idle' }
  | { readonly kind: 'subscribing' }
  /** Subscribed, or the fan-out is away; the head of the feed is not known yet. */
  | { readonly kind: 'reading' }
  | { readonly kind: 'running' };

/**
 * The staff's view of all sessions, one per gateway: one dense sequence, kept as a session's is. Its live connections
 * share the cursor; one that is behind reads pages of its own, or what was sent last, until it has reached it.
 */
export class StaffChannel implements ResumeTarget {
  readonly owners = new SessionOwners();
  readonly recent = new RecentFrames();
  readonly audiences: StaffAudiences;
  readonly resuming: StaffResume;
  state: StaffState = { kind: 'idle' };
  subscribed = false;
  emptySince = 0;
  readonly #sequence = new Sequencer<LiveFrame>(HELD_MAX);
  readonly #turns = new FeedTurns();
  /** The next call must read the feed from the shared cursor: something is missing, or the head check is due. */
  #feedWanted = false;
  /** The shared cursor as it was asked for, while that question is under way. */
  #ownRead: number | null = null;
  readonly #newestMessages = new Map<number, number>();
  readonly #host: StaffChannelHost;

  constructor(host: StaffChannelHost) {
    this.#host = host;
    this.audiences = new StaffAudiences(this.owners, host);
    this.resuming = new StaffResume(this, host);
  }

  /** Every event at or before it has been sent to every live staff connection here; null while that is not known. */
  get cursor(): number | null {
    return this.state.kind === 'running' ? this.#sequence.cursor : null;
  }

  get heldCount(): number {
    return this.#sequence.heldCount;
  }

  get size(): number {
    return this.audiences.size + this.resuming.connections.length;
  }

  *connections(): Generator<Connection> {
    yield* this.audiences.connections();
    yield* this.resuming.connections;
  }

  attach(connection: Connection): void {
    this.emptySince = 0;
    this.resuming.add(connection);
    if (this.state.kind === 'subscribing') return;
    this.resuming.advance();
    // Who begins at the head begins at one that was read after they came.
    if (this.resuming.waitsForHead) this.#feedWanted = true;
    this.#host.requestCatchup();
  }

  detach(connection: Connection, now: number): void {
    if (!this.audiences.remove(connection)) this.resuming.remove(connection);
    if (this.size === 0) this.emptySince = now;
  }

  subscribing(): void {
    this.state = { kind: 'subscribing' };
  }

  subscriptionSettled(subscribed: boolean): void {
    this.subscribed = subscribed;
    if (this.state.kind === 'subscribing') this.state = { kind: 'reading' };
    this.#host.requestCatchup();
  }

  /** Nobody is left, or the database was restored: everything known is void. */
  reset(): void {
    this.state = { kind: 'idle' };
    this.subscribed = false;
    this.owners.clear();
    this.#newestMessages.clear();
    this.#sequence.restart(-1);
    this.recent.restart(Number.POSITIVE_INFINITY);
    this.#ownRead = null;
  }

  /** The database is another one: whoever still waits for a first answer begins with its head. */
  restart(): void {
    const { state, subscribed } = this;
    this.reset();
    this.subscribed = subscribed;
    this.state = state.kind === 'running' ? { kind: 'reading' } : state;
  }

  /** Read the feed with the next call. */
  wantFeed(): void {
    this.#feedWanted = true;
  }

  /** A frame from the fan-out: may come late, twice, out of order or never. */
  receive(frame: LiveFrame): void {
    if (this.state.kind === 'reading' && frame.feedSeq !== null) this.#sequence.hold(frame.feedSeq, frame);
    if (this.state.kind !== 'running') return;
    if (!isDurable(frame)) {
      this.#receiveEphemeral(frame);
      return;
    }
    // One without a number comes from a relay of version 0.1: its successor gives it one and tells it again.
    if (frame.feedSeq === null) return;
    if (this.#offer(frame.feedSeq, frame, 'live', false)) this.resuming.advance();
  }

  /** Adds what the staff channel wants to the next call; `ask` adds a session, null = only its head. */
  compose(request: CatchupRequest, ask: (sessionId: number, after: number | null) => void): void {
    if (this.state.kind === 'idle' || this.state.kind === 'subscribing') return;
    for (const id of this.owners.wanted()) ask(id, null);
    if (this.state.kind === 'reading') {
      request.feed = { limit: 1 };
      return;
    }
    const after = this.#turns.next(this.#readers());
    if (after === null) return;
    request.feed = { after: String(after), limit: CATCHUP_MAX_LIMIT };
    if (after !== this.#sequence.cursor) return;
    this.#ownRead = after;
    this.#feedWanted = false;
  }

  apply(request: CatchupRequest, response: CatchupResponse): void {
    this.#learnOwners(request, response);
    const ownRead = this.#ownRead;
    this.#ownRead = null;
    if (request.feed !== undefined && response.feed !== undefined)
      this.#applyFeed(request.feed.after ?? null, response.feed, ownRead);
    if (this.#hasWants()) this.#host.requestCatchup();
  }

  /** The call failed: what it asked for is wanted again. */
  failed(request: CatchupRequest): void {
    if (request.feed !== undefined && this.#ownRead !== null) this.#feedWanted = true;
    this.#ownRead = null;
  }

  /** Whether somebody's sight waits for the answer of whose a session is. */
  get ownersWanted(): boolean {
    return this.owners.wanted().length > 0;
  }

  lastMessageIdOf(sessionId: number): number {
    return this.#newestMessages.get(sessionId) ?? 0;
  }

  /** It was sent to somebody here, so it may be acknowledged. */
  sent(frame: LiveFrame): void {
    const id = messageIdOf(frame);
    const { sessionId } = frame;
    if (id === 0 || sessionId === null || id <= this.lastMessageIdOf(sessionId)) return;
    this.#newestMessages.delete(sessionId);
    this.#newestMessages.set(sessionId, id);
    if (this.#newestMessages.size <= SESSIONS_MAX) return;
    const oldest = this.#newestMessages.keys().next().value;
    if (oldest !== undefined) this.#newestMessages.delete(oldest);
  }

  /** Asks for what is still missing a little after it was first missed; false when nothing is. */
  gapsDue(): boolean {
    if (this.#sequence.heldCount === 0) return false;
    this.#feedWanted = true;
    this.#host.requestCatchup();
    return true;
  }

  /** True if something was passed on. `paged`: from the page that was learned last. */
  #offer(feedSeq: number, frame: LiveFrame, path: DeliveryPath, paged: boolean): boolean {
    switch (this.#sequence.accept(feedSeq, frame)) {
      case 'known':
        if (!paged) this.#host.metrics.duplicateDropped();
        return false;
      case 'early':
        this.#host.watchStaffGap();
        return false;
      case 'next':
        this.#send(feedSeq, frame, path, paged);
        this.#sendFollowing();
        return true;
    }
  }

  #sendFollowing(): void {
    for (let held = this.#sequence.following(); held !== undefined; held = this.#sequence.following())
      this.#send(this.#sequence.cursor, held, 'live', false);
    if (this.#sequence.heldCount > 0) this.#host.watchStaffGap();
  }

  #send(feedSeq: number, frame: LiveFrame, path: DeliveryPath, paged: boolean): void {
    this.sent(frame);
    if (!paged && this.owners.learnFrom(frame)) this.#host.ownersChanged();
    this.recent.push(feedSeq, frame);
    this.audiences.push(feedSeq, frame, paged);
    if (this.ownersWanted) this.#host.requestCatchup();
    const at = committedAt(frame);
    const { size } = this.audiences;
    if (at !== null && size > 0) this.#host.metrics.delivered(path, (Date.now() - at) / 1000);
    if (size > 0) noteWritten(this.#host.trace, frame, path, 'staff', size, this.audiences.connections());
  }

  #receiveEphemeral(frame: LiveFrame): void {
    if (frame.type === 'chat.alert') {
      const badge = badgeOf(frame);
      if (badge !== null) this.#host.learnBadge(badge, true);
      return;
    }
    if (frame.type === 'chat.presence') return; // Each gateway tells its own staff, from the union of all gateways.
    const author =
      frame.type === 'chat.typing' && textField(frame, 'by') === 'staff' ? textField(frame, 'user_id') : null;
    this.audiences.pushEphemeral(ephemeralKey(frame), frame, author);
    if (this.ownersWanted) this.#host.requestCatchup();
  }

  #readers(): FeedReader[] {
    const readers = this.resuming.readers();
    return this.#feedWanted ? [...readers, { key: this, after: this.#sequence.cursor }] : readers;
  }

  #hasWants(): boolean {
    if (this.state.kind === 'reading') return this.size > 0;
    if (this.state.kind !== 'running') return false;
    return this.ownersWanted || this.#readers().length > 0;
  }

  /** Heads of sessions say whose they are, asked for that or not. */
  #learnOwners(request: CatchupRequest, response: CatchupResponse): void {
    let isNews = false;
    for (const { id, assigned_user_id: user, last_seq: seq } of response.sessions)
      if (user !== undefined && this.owners.learn(id, user, seq)) isNews = true;
    // What was asked and not answered is no session, or its source does not say.
    for (const { id } of request.sessions) this.owners.unknown(id);
    if (isNews) this.#host.ownersChanged();
  }

  #applyFeed(after: string | null, feed: FeedPage & { owners?: FeedOwners | undefined }, ownRead: number | null): void {
    this.owners.learnPage(feed.owners);
    const end = feedSeqOf(feed.cursor) ?? 0;
    const from = after === null ? null : (feedSeqOf(after) ?? null);
    const frames = feed.events.map((event) => liveFrameOf(event)).filter((frame) => frame !== null);
    if (this.state.kind === 'reading') {
      this.state = { kind: 'running' };
      this.recent.restart(end);
      this.#sequence.skipTo(end);
      this.#sendFollowing();
    } else if (this.state.kind !== 'running') {
      return;
    } else if (feed.reset !== undefined) {
      if (from !== null && from === ownRead) {
        this.#host.databaseChanged();
        return;
      }
    } else if (from !== null) {
      this.#advance(from, frames, end);
      if (from === ownRead && feed.has_more) this.#feedWanted = true;
    }
    const atHead = feed.reset === undefined && !feed.has_more && this.#sequence.cursor >= end;
    this.resuming.serve({ after: from, end, feed, frames, atHead });
    this.resuming.advance();
  }

  /** A page is whole: what it does not show between its ends is no event any more. */
  #advance(from: number, frames: readonly LiveFrame[], end: number): void {
    for (const frame of frames) {
      if (frame.feedSeq === null) continue;
      if (from <= this.#sequence.cursor) this.#sequence.skipTo(frame.feedSeq - 1);
      this.#offer(frame.feedSeq, frame, 'catchup', true);
    }
    if (from > this.#sequence.cursor) return;
    this.#sequence.skipTo(end);
    this.#sendFollowing();
  }
}
