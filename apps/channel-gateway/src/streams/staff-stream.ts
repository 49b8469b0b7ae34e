import type { FanoutListener } from '@chat-realtime/messaging';
import {
  CATCHUP_MAX_LIMIT,
  type CatchupRequest,
  type CatchupResponse,
  type CountedBadge,
  feedSeqOf,
  type FeedOwners,
  HELD_FRAMES_MAX,
  type PresenceUser,
  STAFF_CHANNEL,
  type StaffViewer,
} from '@chat-realtime/protocol';
import type { StaffPrincipal } from '@chat-realtime/verifier';
import type { Connection, StartCursor } from '../connections/connection.ts';
import type { DeliveryPath } from '../core-metrics.ts';
import type { CatchupDraft, CatchupParticipant } from '../sync/catchup-draft.ts';
import { Gap, GapTimer } from '../sync/gap-timer.ts';
import { type FeedReader, FeedTurns } from './feed-turns.ts';
import {
  committedAt,
  ephemeralKey,
  isDurable,
  type LiveFrame,
  liveFrameOf,
  messageIdOf,
  parseLiveFrame,
  textField,
} from './live-frame.ts';
import { NewestMessages } from './newest-messages.ts';
import { RecentFrames } from './recent-frames.ts';
import { Sequencer } from './sequencer.ts';
import { SessionOwners } from './session-owners.ts';
import { StaffAudiences } from './staff-audiences.ts';
import type { StaffState, StaffStreamHost, StaffStreamOptions } from './staff-host.ts';
import { type FeedPage, StaffResume } from './staff-resume.ts';
import { StaffSight } from './staff-sight.ts';
import { noteWritten } from './delivery-trace.ts';

/** The stream is kept this long after its last connection, for a console that is reloaded. */
const LINGER_MS = 10_000;

type StreamState =
  | { readonly kind: 'idle' }
  | { readonly kind: 'subscribing' }
  /** Subscribed, or the fan-out is away; the head of the feed is not known yet. */
  | { readonly kind: 'reading' }
  | { readonly kind: 'running' };

/**
 * The staff's view of all sessions, one per gateway: one dense sequence, handled like a session's. Its live connections
 * share the cursor. One that is behind reads its own pages, or the latest frames, until it has reached it.
 */
export class StaffStream implements CatchupParticipant {
  readonly #owners = new SessionOwners();
  readonly #recent = new RecentFrames();
  readonly #audiences: StaffAudiences;
  readonly sight: StaffSight;
  readonly #resuming: StaffResume;
  #state: StreamState = { kind: 'idle' };
  #subscribed = false;
  #emptySince = 0;
  readonly #sequence = new Sequencer<LiveFrame>(HELD_FRAMES_MAX);
  readonly #turns = new FeedTurns();
  /** The next call must read the feed from the shared cursor: something is missing, or the head check is due. */
  #feedWanted = false;
  /** The shared cursor as requested, while that call is in flight. */
  #ownRead: number | null = null;
  readonly #newestMessages = new NewestMessages();
  readonly #gapTimer: GapTimer;
  readonly #gap = new Gap();
  readonly #host: StaffStreamHost;
  readonly #options: StaffStreamOptions;

  constructor(options: StaffStreamOptions) {
    this.#options = options;
    const { host } = options;
    this.#host = host;
    this.#audiences = new StaffAudiences(this.#owners, host);
    this.sight = new StaffSight({
      owners: this.#owners,
      presence: options.presence,
      audiences: this.#audiences,
      connections: () => this.connections(),
      requestCatchup: () => host.requestCatchup(),
    });
    const target = {
      cursor: () => this.cursor,
      audiences: this.#audiences,
      owners: this.#owners,
      recent: this.#recent,
      stateFor: (viewer: StaffViewer) => this.stateFor(viewer),
      sent: (frame: LiveFrame) => this.#sent(frame),
    };
    this.#resuming = new StaffResume(target, host);
    this.#gapTimer = new GapTimer(host.clock, () => this.#askForGap());
  }

  /** Every event at or before it has been sent to every live staff connection here; null while that is not known. */
  get cursor(): number | null {
    return this.#state.kind === 'running' ? this.#sequence.cursor : null;
  }

  get heldCount(): number {
    return this.#sequence.heldCount;
  }

  get size(): number {
    return this.#audiences.size + this.#resuming.connections.length;
  }

  *connections(): Generator<Connection> {
    yield* this.#audiences.connections();
    yield* this.#resuming.connections;
  }

  enter(connection: Connection, start: StartCursor): void {
    this.#emptySince = 0;
    if (this.#state.kind === 'idle') {
      this.#state = { kind: 'subscribing' };
      void this.#follow();
    }
    connection.catchUp(start);
    this.#resuming.add(connection);
    if (this.#state.kind === 'subscribing') return;
    this.#resuming.advance();
    // A connection that starts at the head uses one that was read after it came.
    if (this.#resuming.waitsForHead) this.#feedWanted = true;
    this.#host.requestCatchup();
  }

  detach(connection: Connection, now: number): void {
    if (!this.#audiences.remove(connection)) this.#resuming.remove(connection);
    if (this.size === 0) this.#emptySince = now;
  }

  /** It presents a new token, with which it may see more or less. */
  renew(connection: Connection, principal: StaffPrincipal): void {
    const scopeBefore = connection.principal?.kind === 'staff' ? connection.principal.scope : null;
    const regroup = principal.scope !== scopeBefore && connection.isLive;
    if (regroup) {
      this.#audiences.flush();
      this.#audiences.remove(connection);
    }
    connection.admit(principal);
    if (regroup) this.#audiences.add(connection);
  }

  /** The fan-out is back: if the stream could not be subscribed before, it is now. */
  resubscribe(): void {
    const { kind } = this.#state;
    if (!this.#subscribed && kind !== 'idle' && kind !== 'subscribing') void this.#follow();
  }

  /** Once a second at most, however many events are not for them. */
  tellCursor(): void {
    const { cursor } = this;
    if (cursor !== null) this.#audiences.tellCursor(cursor);
  }

  /** No connection has been here for a while. */
  releaseIdle(now: number): void {
    const isIdle = this.size === 0 && this.#state.kind !== 'idle' && now - this.#emptySince > LINGER_MS;
    if (isIdle) this.#release();
  }

  stop(): void {
    this.#gapTimer.stop();
  }

  /** The state sent with the first frame. */
  stateFor(viewer: StaffViewer): StaffState {
    return { badge: this.#options.badge.for(viewer), users: this.sight.usersFor(viewer) };
  }

  pushBadge(badge: CountedBadge): void {
    this.#audiences.pushBadge(badge);
  }

  presenceChanged(users: readonly PresenceUser[]): void {
    this.#audiences.pushPresence(users);
    this.sight.askForOwners();
  }

  /** Read the feed with the next call, if anybody is here. */
  headCheckDue(): void {
    if (this.size > 0) this.#feedWanted = true;
  }

  /** A frame from the fan-out: may come late, twice, out of order or never. */
  receive(frame: LiveFrame | null): void {
    if (frame === null) return;
    if (this.#state.kind === 'reading' && frame.feedSeq !== null) this.#sequence.hold(frame.feedSeq, frame);
    if (this.#state.kind !== 'running') return;
    if (!isDurable(frame)) {
      this.#receiveEphemeral(frame);
      return;
    }
    // One without a number comes from a relay of version 0.1: its successor numbers it and publishes it again.
    if (frame.feedSeq === null) return;
    if (this.#offer(frame.feedSeq, frame, 'live', false)) this.#resuming.advance();
  }

  compose(draft: CatchupDraft): void {
    if (this.#state.kind === 'idle' || this.#state.kind === 'subscribing') return;
    for (const id of this.#owners.wanted()) draft.askHead(id);
    if (this.#state.kind === 'reading') {
      draft.askFeed({ limit: 1 });
      return;
    }
    const after = this.#turns.next(this.#readers());
    if (after === null) return;
    draft.askFeed({ after: String(after), limit: CATCHUP_MAX_LIMIT });
    if (after !== this.#sequence.cursor) return;
    this.#ownRead = after;
    this.#feedWanted = false;
  }

  apply(request: CatchupRequest, response: CatchupResponse): void {
    this.sight.learn(request, response);
    this.#options.ownersLearned();
    const ownRead = this.#ownRead;
    this.#ownRead = null;
    if (request.feed !== undefined && response.feed !== undefined)
      this.#applyFeed(request.feed.after ?? null, response.feed, ownRead);
    if (this.#hasWants()) this.#host.requestCatchup();
  }

  /** The call failed: what it requested is wanted again. */
  failed(request: CatchupRequest): void {
    if (request.feed !== undefined && this.#ownRead !== null) this.#feedWanted = true;
    this.#ownRead = null;
  }

  /** The database is another one: connections that still wait for a first answer start with its head. */
  databaseChanged(): void {
    if (this.size === 0 && this.#state.kind !== 'idle') this.#release();
    else this.#forget();
    if (this.#state.kind === 'running') this.#state = { kind: 'reading' };
  }

  lastMessageIdOf(sessionId: number): number {
    return this.#newestMessages.of(sessionId);
  }

  /** It went through this gateway, so staff may acknowledge it. */
  #sent(frame: LiveFrame): void {
    if (frame.sessionId !== null) this.#newestMessages.note(frame.sessionId, messageIdOf(frame));
  }

  async #follow(): Promise<void> {
    await this.#options.link.follow(STAFF_CHANNEL, this.#onFrame, (subscribed) => {
      this.#subscribed = subscribed;
      if (this.#state.kind === 'subscribing') this.#state = { kind: 'reading' };
      // Published between the read and now: received by nobody.
      this.#feedWanted = true;
      this.#host.requestCatchup();
    });
  }

  readonly #onFrame: FanoutListener = (payload) => this.receive(parseLiveFrame(payload));

  #release(): void {
    this.#state = { kind: 'idle' };
    this.#subscribed = false;
    this.#forget();
    void this.#options.link.unsubscribe(STAFF_CHANNEL, this.#onFrame);
  }

  #forget(): void {
    this.#owners.clear();
    this.#newestMessages.clear();
    this.#sequence.restart(-1);
    this.#recent.restart(Number.POSITIVE_INFINITY);
    this.#ownRead = null;
    this.#gap.close();
  }

  /** Still missing a little after it was first missed. */
  #askForGap(): void {
    if (this.#sequence.heldCount === 0) return;
    if (this.#gap.confirm()) this.#host.metrics.gapDetected();
    this.#feedWanted = true;
    this.#host.requestCatchup();
  }

  /** True if something was passed on. `paged`: from the page that was learned last. */
  #offer(feedSeq: number, frame: LiveFrame, path: DeliveryPath, paged: boolean): boolean {
    switch (this.#sequence.accept(feedSeq, frame)) {
      case 'known':
        if (!paged) this.#host.metrics.duplicateDropped();
        return false;
      case 'early':
        this.#gap.noticed();
        this.#gapTimer.start(this.#gap.waitMs);
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
    if (this.#sequence.heldCount === 0) this.#gap.close();
    else this.#gapTimer.start(this.#gap.waitMs);
  }

  #send(feedSeq: number, frame: LiveFrame, path: DeliveryPath, paged: boolean): void {
    this.#sent(frame);
    if (!paged && this.#owners.learnFrom(frame)) this.sight.ownersChanged();
    this.#recent.push(feedSeq, frame);
    this.#audiences.push(feedSeq, frame, paged);
    this.sight.askForOwners();
    const at = committedAt(frame);
    const { size } = this.#audiences;
    if (at !== null && size > 0) this.#host.metrics.delivered(path, (this.#host.clock.wall() - at) / 1_000);
    if (size > 0) noteWritten(this.#host.trace, frame, at, path, 'staff', size, this.#audiences.connections());
  }

  #receiveEphemeral(frame: LiveFrame): void {
    if (frame.type === 'chat.alert') {
      this.#options.badge.receive(frame.data);
      return;
    }
    if (frame.type === 'chat.presence') return; // Each gateway tells its own staff, from the union of all gateways.
    const author =
      frame.type === 'chat.typing' && textField(frame, 'by') === 'staff' ? textField(frame, 'user_id') : null;
    this.#audiences.pushEphemeral(ephemeralKey(frame), frame, author);
    if (frame.type === 'chat.read') this.#resuming.passMark(frame);
    this.sight.askForOwners();
  }

  #readers(): FeedReader[] {
    const readers = this.#resuming.readers();
    return this.#feedWanted ? [...readers, { key: this, after: this.#sequence.cursor }] : readers;
  }

  #hasWants(): boolean {
    if (this.#state.kind === 'reading') return this.size > 0;
    if (this.#state.kind !== 'running') return false;
    return this.#owners.wanted().length > 0 || this.#readers().length > 0;
  }

  #applyFeed(after: string | null, feed: FeedPage & { owners?: FeedOwners | undefined }, ownRead: number | null): void {
    if (this.#owners.learnPage(feed.owners)) this.sight.ownersChanged();
    const end = feedSeqOf(feed.cursor) ?? 0;
    const from = after === null ? null : (feedSeqOf(after) ?? null);
    const frames = feed.events.map((event) => liveFrameOf(event)).filter((frame) => frame !== null);
    if (this.#state.kind === 'reading') {
      this.#state = { kind: 'running' };
      this.#recent.restart(end);
      this.#sequence.skipTo(end);
      this.#sendFollowing();
    } else if (this.#state.kind !== 'running') {
      return;
    } else if (feed.reset !== undefined) {
      if (from !== null && from === ownRead) {
        this.#options.databaseChanged();
        return;
      }
    } else if (from !== null) {
      const isEmpty = from === ownRead && from === this.#sequence.cursor && end === from;
      // chat-service has nothing of what is missing: it is asked later and, in the end, no more.
      if (isEmpty && this.#sequence.heldCount > 0 && !this.#gap.unfilled()) this.#sequence.dropHeld();
      this.#advance(from, frames, end);
      if (from === ownRead && feed.has_more) this.#feedWanted = true;
    }
    const atHead = feed.reset === undefined && !feed.has_more && this.#sequence.cursor >= end;
    this.#resuming.serve({ after: from, end, feed, frames, atHead });
    this.#resuming.advance();
  }

  /** A page is complete: a number between its ends that it does not contain is no longer an event. */
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
