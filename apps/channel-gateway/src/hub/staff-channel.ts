import type { CatchupRequest, CatchupResponse, CatchupSession } from '@chat-realtime/protocol';
import { CATCHUP_MAX_LIMIT, CATCHUP_MAX_SESSIONS, staffEventType } from '@chat-realtime/protocol';
import type { Connection } from './connection.ts';
import {
  badgeOf,
  committedAt,
  ephemeralKey,
  liveFrameOf,
  type LiveFrame,
  messageIdOf,
  textField,
} from './live-frame.ts';
import type { DeliveryPath } from './metrics.ts';
import { RecentIds } from './recent-ids.ts';
import { SessionOwners } from './session-owners.ts';
import { StaffAudiences, type StaffChannelHost } from './staff-audiences.ts';
import { type FeedPage, type ResumeTarget, StaffResume } from './staff-resume.ts';
import { holdFrame, type StaffSession, StaffSessions } from './staff-sessions.ts';

/** Events sent live that the feed has not shown yet; beyond it nobody new may join until the feed has moved. */
const UNSETTLED_MAX = 20_000;
const FACTS_REMEMBERED = 20_000;

type StaffState =
  | { readonly kind: 'idle' }
  | { readonly kind: 'subscribing' }
  /** Subscribed, or the fan-out is away; the head of the feed is not known yet. */
  | { readonly kind: 'reading' }
  /** Every event at or before `watermark` has been sent to every live staff connection here. */
  | { readonly kind: 'running'; readonly watermark: string };

function keyOf(frame: LiveFrame): string {
  return frame.seq === null ? `f:${frame.feedId}` : `${frame.sessionId}:${frame.seq}`;
}

/**
 * The staff's view of all sessions, one per gateway. Live frames go out at once, in the order of their own session; the
 * order of commits, which alone makes a resume point, is known only to the feed. So the watermark is moved by feed reads
 * alone, and what was sent live beyond it is kept until the feed has shown it: whoever joins gets that too.
 */
export class StaffChannel implements ResumeTarget {
  readonly audiences: StaffAudiences;
  readonly resuming: StaffResume;
  readonly owners = new SessionOwners();
  readonly sessions = new StaffSessions();
  state: StaffState = { kind: 'idle' };
  subscribed = false;
  emptySince = 0;
  #unsettled = new Map<string, LiveFrame>();
  /** `#unsettled` overflowed: it no longer holds everything beyond the watermark. */
  #unsettledLost = false;
  readonly #facts = new RecentIds<number>(FACTS_REMEMBERED);
  /** The next call must read the feed from the watermark. */
  #feedWanted = false;
  /** Sessions with a hole that the feed did not fill. */
  readonly #gaps = new Set<StaffSession>();
  #servedChannelLast = false;
  readonly #host: StaffChannelHost;

  constructor(host: StaffChannelHost) {
    this.#host = host;
    this.audiences = new StaffAudiences(this.owners, host);
    this.resuming = new StaffResume(this, host);
  }

  get watermark(): string | null {
    return this.state.kind === 'running' ? this.state.watermark : null;
  }

  get beyondWatermark(): Iterable<LiveFrame> | null {
    return this.#unsettledLost ? null : this.#unsettled.values();
  }

  /** The entry of a frame's session; one that stirred only before the watermark has its base asked for when it stirs again. */
  sessionFor(frame: LiveFrame): StaffSession | undefined {
    return frame.sessionId === null ? undefined : (this.sessions.get(frame.sessionId) ?? this.#sessionOf(frame));
  }

  get size(): number {
    return this.audiences.size + this.resuming.connections.length;
  }

  get unsettledCount(): number {
    return this.#unsettled.size;
  }

  *connections(): Generator<Connection> {
    yield* this.audiences.connections();
    yield* this.resuming.connections;
  }

  attach(connection: Connection): void {
    this.emptySince = 0;
    this.resuming.add(connection);
    if (this.state.kind === 'subscribing') return;
    // Who begins at the head begins at a watermark that was read after he came.
    this.#feedWanted = true;
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
    this.sessions.clear();
    this.owners.clear();
    this.#unsettled.clear();
    this.#unsettledLost = false;
    this.#facts.clear();
    this.#gaps.clear();
  }

  /** The database is another one: whoever still waits for a first answer begins with its head. */
  restart(): void {
    const { state, subscribed } = this;
    this.reset();
    this.subscribed = subscribed;
    this.state = state.kind === 'running' ? { kind: 'reading' } : state;
  }

  /** Read the feed with the next call: the doorbell rang, or the head check is due. */
  wantFeed(): void {
    this.#feedWanted = true;
  }

  /** A frame from the fan-out. Before the watermark is known it need not be kept: the feed will show it. */
  receive(frame: LiveFrame): void {
    if (this.state.kind !== 'running') return;
    if (frame.seq === null && frame.feedId === null) {
      this.#receiveEphemeral(frame);
      return;
    }
    this.#host.ringFeed();
    if (frame.seq === null) {
      if (frame.feedId === null || this.#facts.has(frame.feedId)) return;
      this.#facts.add(frame.feedId);
      this.#sendLive(frame, this.#sessionOf(frame), 'live');
      return;
    }
    const session = this.#sessionOf(frame);
    if (session === undefined) return;
    if (session.last < 0 && frame.seq === 1) session.last = 0;
    this.#offer(session, frame.seq, frame);
  }

  /** Adds what the staff channel wants to the next call; `ask` adds a session after a seq, null = only its head. */
  compose(request: CatchupRequest, ask: (sessionId: number, after: number | null) => void): void {
    if (this.state.kind === 'idle' || this.state.kind === 'subscribing') return;
    for (const id of this.owners.wanted()) ask(id, null);
    if (this.state.kind === 'reading') {
      request.feed = { limit: 1 };
      return;
    }
    const { watermark } = this.state;
    const after = this.#feedStart(watermark);
    if (after !== null) request.feed = { after, limit: CATCHUP_MAX_LIMIT };
    const unknown = [...this.sessions.withoutBase()].slice(0, CATCHUP_MAX_SESSIONS).map((session) => session.id);
    if (unknown.length > 0) request.bases = { at: watermark, sessions: unknown };
    for (const session of this.#gaps) if (session.held !== null && session.last >= 0) ask(session.id, session.last);
  }

  apply(request: CatchupRequest, response: CatchupResponse): void {
    if (request.bases !== undefined) this.#applyBases(request.bases.sessions, response);
    this.#applyOwners(request, response);
    if (request.feed !== undefined && response.feed !== undefined)
      this.#applyFeed(request.feed.after ?? null, response.feed);
    if (this.#hasWants()) this.#host.requestCatchup();
  }

  /** The call failed: what it asked for is wanted again. */
  failed(request: CatchupRequest): void {
    if (request.feed?.after !== undefined && request.feed.after === this.watermark) this.#feedWanted = true;
  }

  /** Events of one session that the fan-out and the feed have not shown, as a customer sees them. */
  applySession(page: CatchupSession, after: number): void {
    const session = this.sessions.get(page.id);
    if (session === undefined || this.state.kind !== 'running') return;
    this.#gaps.delete(session);
    for (const [index, event] of page.events.entries()) {
      if (event.seq !== after + index + 1) break;
      const senderType = event.type === 'chat.message' ? event.data.sender_type : undefined;
      const subscribers = { session_id: page.id, assigned_user_id: page.assigned_user_id ?? null };
      const known = page.assigned_user_id === undefined ? {} : { subscribers };
      const frame = liveFrameOf({ ...event, type: staffEventType(event.type, senderType), ...known });
      if (frame !== null && session.last >= 0) this.#offer(session, event.seq, frame, true);
    }
    if (page.has_more && session.held !== null) this.#gaps.add(session);
    this.#drainHeld(session);
  }

  /** Whether somebody's sight waits for the answer of whose a session is. */
  get ownersWanted(): boolean {
    return this.owners.wanted().length > 0;
  }

  lastMessageIdOf(sessionId: number): number {
    return this.sessions.get(sessionId)?.lastMessageId ?? 0;
  }

  /** Asks for what is still missing a little after it was first missed; false when nothing is. */
  gapsDue(): boolean {
    if (this.#gaps.size === 0) return false;
    this.#feedWanted = true;
    this.#host.requestCatchup();
    return true;
  }

  #sessionOf(frame: LiveFrame): StaffSession | undefined {
    if (frame.sessionId === null) return undefined;
    return this.sessions.touch(frame.sessionId);
  }

  #offer(session: StaffSession, seq: number, frame: LiveFrame, repeated = false): void {
    if (session.last >= 0 && seq <= session.last) {
      if (!repeated) this.#host.metrics.duplicateDropped();
    } else if (session.last >= 0 && seq === session.last + 1) {
      session.last = seq;
      this.#sendLive(frame, session, repeated ? 'catchup' : 'live');
      this.#drainHeld(session);
    } else {
      holdFrame(session, seq, frame);
      if (session.last < 0) this.#host.requestCatchup();
      else {
        this.#gaps.add(session);
        this.#host.watchStaffGap();
      }
    }
  }

  #drainHeld(session: StaffSession): void {
    const { held } = session;
    if (held === null || session.last < 0) return;
    for (let frame = held.get(session.last + 1); frame !== undefined; frame = held.get(session.last + 1)) {
      session.last += 1;
      held.delete(session.last);
      this.#sendLive(frame, session, 'live');
    }
    for (const seq of held.keys()) if (seq <= session.last) held.delete(seq);
    if (held.size > 0) {
      this.#gaps.add(session);
      this.#host.watchStaffGap();
      return;
    }
    session.held = null;
    this.#gaps.delete(session);
  }

  #sendLive(frame: LiveFrame, session: StaffSession | undefined, path: DeliveryPath): void {
    if (this.#unsettled.size < UNSETTLED_MAX) this.#unsettled.set(keyOf(frame), frame);
    else this.#unsettledLost = true;
    this.#send(frame, session, path);
  }

  #send(frame: LiveFrame, session: StaffSession | undefined, path: DeliveryPath, paged = false): void {
    const messageId = messageIdOf(frame);
    if (session !== undefined && messageId > session.lastMessageId) session.lastMessageId = messageId;
    if (!paged && this.owners.learnFrom(frame)) this.#host.ownersChanged();
    this.audiences.push(frame, paged);
    if (this.ownersWanted) this.#host.requestCatchup();
    const at = committedAt(frame);
    if (at !== null && this.audiences.size > 0) this.#host.metrics.delivered(path, (Date.now() - at) / 1000);
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

  /** One feed position for one call: the channel's own and those of resuming connections take turns. */
  #feedStart(watermark: string): string | null {
    const start = this.resuming.wants(watermark);
    if (this.#feedWanted && (start === null || start === watermark || !this.#servedChannelLast)) {
      this.#servedChannelLast = true;
      this.#feedWanted = false;
      return watermark;
    }
    this.#servedChannelLast = false;
    return start;
  }

  #hasWants(): boolean {
    if (this.state.kind === 'reading') return this.size > 0;
    if (this.state.kind !== 'running') return false;
    const { watermark } = this.state;
    if (this.ownersWanted || this.#feedWanted || this.resuming.wants(watermark) !== null) return true;
    return !this.sessions.withoutBase().next().done;
  }

  #applyBases(asked: readonly number[], response: CatchupResponse): void {
    const bases = new Map((response.bases ?? []).map((base) => [base.id, base.seq]));
    for (const id of asked) {
      const session = this.sessions.get(id);
      if (session === undefined || session.last >= 0) continue;
      // A source without bases cannot say what came before: its order begins with what is here.
      const unknown = response.bases === undefined ? Math.min(...(session.held?.keys() ?? [1])) - 1 : 0;
      session.last = bases.get(id) ?? unknown;
      session.settled = session.last;
      this.#drainHeld(session);
    }
  }

  /** Heads of sessions say whose they are, asked for that or not. */
  #applyOwners(request: CatchupRequest, response: CatchupResponse): void {
    let isNews = false;
    for (const { id, assigned_user_id: user, last_seq: seq } of response.sessions)
      if (user !== undefined && this.owners.learn(id, user, seq)) isNews = true;
    // What was asked and not answered is no session, or its source does not say.
    for (const { id } of request.sessions) this.owners.unknown(id);
    if (isNews) this.#host.ownersChanged();
  }

  #applyFeed(after: string | null, feed: FeedPage): void {
    this.owners.learnPage(feed.owners);
    const frames = feed.events.map((event) => liveFrameOf(event)).filter((frame) => frame !== null);
    let atHead = false;
    if (this.state.kind === 'reading') {
      this.state = { kind: 'running', watermark: feed.cursor };
      atHead = true;
    } else if (this.state.kind === 'running' && after === this.state.watermark) {
      if (feed.reset !== undefined) {
        this.#host.databaseChanged();
        return;
      }
      this.#advance(frames, feed.cursor, feed.has_more);
      atHead = !feed.has_more;
    }
    this.resuming.serve({ after, feed, frames, atHead });
  }

  #advance(frames: readonly LiveFrame[], cursor: string, hasMore: boolean): void {
    for (const frame of frames) this.#settle(frame);
    if (this.#unsettled.size === 0) this.#unsettledLost = false;
    this.state = { kind: 'running', watermark: cursor };
    this.audiences.setCursor(cursor);
    if (hasMore) this.#feedWanted = true;
  }

  /** The feed has come to an event: send it unless it went out live, and drop it from what lies beyond the watermark. */
  #settle(frame: LiveFrame): void {
    this.#unsettled.delete(keyOf(frame));
    if (frame.seq === null) {
      if (frame.feedId === null || this.#facts.has(frame.feedId)) return;
      this.#facts.add(frame.feedId);
      this.#send(frame, this.#sessionOf(frame), 'catchup', true);
      return;
    }
    if (frame.sessionId === null) return;
    const session = this.sessions.touch(frame.sessionId);
    session.settled = frame.seq;
    // The feed is whole, so the first event it shows of a session follows the base directly.
    if (session.last < 0) session.last = frame.seq - 1;
    if (frame.seq <= session.last) return;
    this.#sessionOf(frame);
    session.last = frame.seq;
    this.#send(frame, session, 'catchup', true);
    this.#drainHeld(session);
  }
}
