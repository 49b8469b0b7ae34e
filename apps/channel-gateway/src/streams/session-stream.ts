import type { CatchupSession, CustomerState } from '@chat-realtime/protocol';
import { HELD_FRAMES_MAX, sessionChannel } from '@chat-realtime/protocol';
import { Audience } from './audience.ts';
import type { Connection, StartCursor } from '../connections/connection.ts';
import { encodeFor, jsonFrame, type OutFrame } from '../connections/encoding.ts';
import type { DeliveryPath } from '../core-metrics.ts';
import { committedAt, ephemeralKey, followingFrames, type LiveFrame, messageIdOf, textField } from './live-frame.ts';
import { cursorOf, Joining, type Pacing } from './joining.ts';
import { ReadMarks } from './read-marks.ts';
import { Gap } from '../sync/gap-timer.ts';
import { Sequencer } from './sequencer.ts';
import type { StreamHost } from './stream-host.ts';
import { noteWritten, written } from './delivery-trace.ts';

/** A head before the cursor this many times in a row is no coincidence. */
const HEADS_BEHIND = 2;
/** A stream read this recently need not be read again for a poll that is level with it. */
const FRESH_MS = 15_000;

type StreamState =
  | { readonly kind: 'subscribing' }
  /** No publication is missed any more; the head is not known yet. */
  | { readonly kind: 'reading' }
  | { readonly kind: 'live' };

export interface SessionStreamHost extends StreamHost {
  /** The stream wants a catch-up call. */
  wantCatchup(stream: SessionStream): void;
  /** A frame is missing: fetch it if it is still missing a little later. */
  scheduleGapCheck(stream: SessionStream, ms: number): void;
  /** Sends `channel.ready`, followed by a reset if the start cursor is not valid; false if nothing may follow. */
  sendReady(connection: Connection, page: CatchupSession, marks: CustomerState | null): boolean;
  finishPoll(connection: Connection, lastSeq: number, hasMore: boolean): void;
}

/**
 * One session with connections here. Its live connections share `cursor`, the highest seq given to all of them without a
 * hole, so a message costs one comparison and one write per connection. A connection that is behind has its own cursor
 * and joins when it has reached the shared one.
 */
export class SessionStream implements Pacing {
  readonly id: number;
  readonly name: string;
  readonly live: Audience;
  /** The visitor, as last reported by chat-service. */
  isBanned = false;
  readonly #catching: Joining;
  #state: StreamState = { kind: 'subscribing' };
  /** Whether the fan-out confirmed; false while it is away: then the head check alone moves this stream. */
  #subscribed = false;
  readonly #sequence = new Sequencer<LiveFrame>(HELD_FRAMES_MAX);
  /** Highest seq known to exist. */
  #head = -1;
  #lastMessageId = 0;
  readonly #marks = new ReadMarks();
  /** Undefined until chat-service or an assignment has said it. */
  #assignedUserId: string | null | undefined;
  /** When the last connection left; such a stream is kept a little, for reloads and the next poll. */
  #emptySince = 0;
  /** The last head check or page, on the monotonic clock. */
  #verifiedAt = 0;
  readonly #gap = new Gap();
  /** The cursor when chat-service was last asked; its head cannot be smaller unless the database is another one. */
  #cursorAsked = -1;
  /** How often chat-service was asked about this session. Calls follow each other, so an answer belongs to the last. */
  #timesAsked = 0;
  #headsBehind = 0;
  /** Of the cursors that one page cannot serve together, whose was asked for last. */
  #turn: 'smallest' | 'largest' = 'largest';
  readonly #host: SessionStreamHost;

  constructor(id: number, host: SessionStreamHost) {
    this.id = id;
    this.name = sessionChannel(id);
    this.live = new Audience(host);
    this.#catching = new Joining(this.live, host, this);
    this.#host = host;
  }

  get size(): number {
    return this.live.members.length + this.#catching.connections.length;
  }

  get heldCount(): number {
    return this.#sequence.heldCount;
  }

  get head(): number {
    return this.#head;
  }

  get lastMessageId(): number {
    return this.#lastMessageId;
  }

  get assignedUserId(): string | null | undefined {
    return this.#assignedUserId;
  }

  get isLive(): boolean {
    return this.#state.kind === 'live';
  }

  /** Neither subscribed at the fan-out nor waiting for its answer: to be subscribed when it is back. */
  get needsSubscription(): boolean {
    return !this.#subscribed && this.#state.kind !== 'subscribing';
  }

  /** Fewer events were passed on here than exist. */
  get behind(): boolean {
    return this.isLive && this.#sequence.cursor < this.#head;
  }

  /** Whether nobody has followed it for so long; it is kept a little, for reloads and the next poll. */
  isIdle(now: number, lingerMs: number): boolean {
    return this.size === 0 && now - this.#emptySince > lingerMs;
  }

  *connections(): Generator<Connection> {
    yield* this.live.members;
    yield* this.#catching.connections;
  }

  /**
   * A poll that is level with an up-to-date stream joins it at once: nothing needs to be queried, so polling costs
   * chat-service nothing.
   */
  attach(connection: Connection, start: StartCursor): void {
    this.#emptySince = 0;
    if (this.#isLevel(connection, start)) {
      this.#catching.join(connection);
      return;
    }
    connection.catchUp(start, this.#timesAsked);
    this.#catching.connections.push(connection);
    if (this.#state.kind !== 'subscribing') this.#host.wantCatchup(this);
  }

  detach(connection: Connection, now: number): void {
    if (!this.live.remove(connection)) this.#catching.remove(connection);
    if (this.size === 0) this.#emptySince = now;
  }

  #isLevel({ transport }: Connection, start: StartCursor): boolean {
    if (transport.kind !== 'poll' || transport.waitMs === 0 || start.kind !== 'after') return false;
    if (start.cursor !== this.#sequence.cursor || !this.isLive || !this.#subscribed || this.behind) return false;
    return this.#host.clock.now() - this.#verifiedAt < FRESH_MS;
  }

  /** chat-service is being queried about it. */
  asked(): void {
    this.#timesAsked += 1;
    if (this.#state.kind === 'live') this.#cursorAsked = this.#sequence.cursor;
  }

  /** Whether the head shows events that the live path has not brought. */
  lags(lastSeq: number): boolean {
    return this.isLive && lastSeq > this.#sequence.cursor;
  }

  /** A single one may come from an instance that still uses the old server. */
  judgeHead(lastSeq: number): 'good' | 'doubtful' | 'restored' {
    this.#headsBehind = this.#state.kind === 'live' && lastSeq < this.#cursorAsked ? this.#headsBehind + 1 : 0;
    if (this.#headsBehind === 0) return 'good';
    return this.#headsBehind >= HEADS_BEHIND ? 'restored' : 'doubtful';
  }

  /** The database is another one: connections that have received nothing yet start with its head. */
  restart(): void {
    if (this.#state.kind === 'live') this.#state = { kind: 'reading' };
    this.#sequence.restart(-1);
    this.#head = -1;
    this.#lastMessageId = 0;
    this.#marks.forget();
    this.#assignedUserId = undefined;
    this.isBanned = false;
    this.#gap.close();
    this.#cursorAsked = -1;
    this.#headsBehind = 0;
    if (this.size > 0) this.#host.wantCatchup(this);
  }

  /** The fan-out answered: earlier publications are read, later ones are received. */
  subscriptionSettled(subscribed: boolean): void {
    this.#subscribed = subscribed;
    if (this.#state.kind === 'subscribing') this.#state = { kind: 'reading' };
    this.#host.wantCatchup(this);
  }

  /** A frame from the fan-out: may come late, twice, out of order or never. */
  receive(frame: LiveFrame): void {
    if (frame.sessionId !== this.id) {
      this.#host.metrics.foreignFrameDropped();
      return;
    }
    if (frame.seq === null) {
      this.#receiveEphemeral(frame);
      return;
    }
    if (frame.seq > this.#head) this.#head = frame.seq;
    if (this.#state.kind !== 'live') this.#sequence.hold(frame.seq, frame);
    else this.#offer(frame.seq, frame, 'live');
  }

  /**
   * What to request: a cursor after which events are wanted, `head`, or nothing. Connections at different cursors share
   * pages; if one page cannot serve all, the smallest and the largest cursor take turns, so that a long resume does not
   * delay the repair of a gap.
   */
  nextQuestion(): number | 'head' | null {
    const { head, cursors } = this.#wants();
    const smallest = Math.min(...cursors);
    const largest = Math.max(...cursors);
    if (cursors.length === 0) return head ? 'head' : null;
    this.#turn = this.#turn === 'largest' && smallest !== largest ? 'smallest' : 'largest';
    return this.#turn === 'smallest' ? smallest : largest;
  }

  /** Still behind a little later: the hole must be asked for. True the first time. */
  gapConfirmed(): boolean {
    return this.#gap.confirm();
  }

  #wants(): { head: boolean; cursors: number[] } {
    const cursors: number[] = [];
    if (this.#state.kind === 'subscribing') return { head: false, cursors };
    let head = this.#state.kind === 'reading';
    for (const connection of this.#catching.connections) {
      const { state } = connection;
      if (state.kind !== 'catching_up') continue;
      if (state.cursor === null) {
        if (state.start.kind === 'after') cursors.push(state.start.cursor);
        else head = true;
      } else if (state.cursor < this.#sequence.cursor && this.#catching.hasRoom(connection)) {
        cursors.push(state.cursor);
      }
    }
    if (this.#gap.isDue && this.behind) cursors.push(this.#sequence.cursor);
    return { head, cursors };
  }

  /** The answer to `want`, or to a head check (`after` null: no events were requested). */
  applyPage(page: CatchupSession, after: number | null): void {
    this.#verifiedAt = this.#host.clock.now();
    if (page.last_seq > this.#head) this.#head = page.last_seq;
    if (page.assigned_user_id !== undefined) this.#assignedUserId = page.assigned_user_id;
    if (page.banned !== undefined) this.isBanned = page.banned;
    if (this.#state.kind !== 'live') {
      this.#state = { kind: 'live' };
      this.#sequence.skipTo(page.last_seq);
    }
    const { cursor } = this.#sequence;
    const frames = after === null ? [] : followingFrames(page, after);
    for (const frame of frames) if (frame.seq !== null) this.#offer(frame.seq, frame, 'catchup', true);
    this.#drainHeld();
    const isUnfilled = after === cursor && this.#sequence.cursor === cursor && !page.has_more && this.behind;
    if (isUnfilled && !this.#gap.unfilled()) {
      this.#sequence.dropHeld();
      this.#head = page.last_seq;
    }
    if (!this.behind) this.#gap.close();
    this.#repairMarks(page.state);
    for (const connection of [...this.#catching.connections]) this.#serve(connection, page, after, frames);
    if (this.behind) this.#host.scheduleGapCheck(this, this.#gap.waitMs);
    const { head, cursors } = this.#wants();
    if (head || cursors.length > 0) this.#host.wantCatchup(this);
  }

  #offer(seq: number, frame: LiveFrame, path: DeliveryPath, quiet = false): void {
    switch (this.#sequence.accept(seq, frame)) {
      case 'known':
        if (!quiet) this.#host.metrics.duplicateDropped();
        break;
      case 'next':
        this.#append(seq, frame, path);
        this.#drainHeld();
        break;
      case 'early':
        this.#gap.noticed();
        if (this.#state.kind === 'live') this.#host.scheduleGapCheck(this, this.#gap.waitMs);
        break;
    }
  }

  #append(seq: number, frame: LiveFrame, path: DeliveryPath): void {
    if (seq > this.#head) this.#head = seq;
    const messageId = messageIdOf(frame);
    if (messageId > 0) {
      // A site's ids may come in another order than their numbers.
      this.#lastMessageId = Math.max(this.#lastMessageId, messageId);
      const author = frame.data['sender_type'] === 'client' ? 'client' : 'staff';
      const user = textField(frame, 'sender_id') ?? '';
      this.live.dropEphemeral(`chat.typing:${this.id}:${author}:${author === 'client' ? '' : user}`);
    } else if (frame.type === 'chat.session.assigned') {
      this.#assignedUserId = textField(frame, 'assigned_user_id');
    }
    if (this.live.members.length > 0) {
      this.live.push({ payload: frame.payload, id: seq });
      const at = committedAt(frame);
      if (at !== null) this.#host.metrics.delivered(path, (this.#host.clock.wall() - at) / 1_000);
      noteWritten(this.#host.trace, frame, at, path, 'customer', this.live.members.length, this.live.members);
    }
    if (this.#catching.connections.length > 0) {
      for (const connection of [...this.#catching.connections]) this.#joinIfLevel(connection);
      this.#host.wantCatchup(this);
    }
  }

  #drainHeld(): void {
    if (this.#state.kind !== 'live') return;
    for (let frame = this.#sequence.following(); frame !== undefined; frame = this.#sequence.following())
      this.#append(this.#sequence.cursor, frame, 'live');
  }

  #receiveEphemeral(frame: LiveFrame): void {
    const by = textField(frame, 'by');
    // A customer's typing is for the other side; their own tabs do not need it.
    if (frame.type === 'chat.typing' && by === 'client') return;
    if (frame.type === 'chat.read' && !this.#marks.move(frame, by)) return;
    const out = { payload: frame.payload, id: null };
    if (frame.type === 'chat.read') this.pushEphemeral(ephemeralKey(frame), out);
    else this.live.pushEphemeral(ephemeralKey(frame), out);
  }

  /**
   * To all who are here. Who was announced with an older state would never learn of a newer one: it is sent when it
   * changes, and head checks compare with what the stream knows.
   */
  pushEphemeral(key: string, frame: OutFrame): void {
    this.live.pushEphemeral(key, frame);
    for (const connection of this.#catching.connections) {
      const { kind } = connection.transport;
      if (kind !== 'poll' && connection.isReadySent) this.#host.write(connection, encodeFor(kind, [frame]));
    }
  }

  /** The next head check repairs a read mark whose frame was lost. */
  #repairMarks(state: CustomerState | undefined): void {
    if (state === undefined) return;
    for (const { by, mark } of this.#marks.learn(state)) {
      const frame = jsonFrame({ type: 'chat.read', session_id: this.id, seq: null, data: { by, ...mark } });
      this.pushEphemeral(`chat.read:${this.id}:${by}:`, frame);
    }
  }

  #serve(connection: Connection, page: CatchupSession, after: number | null, frames: readonly LiveFrame[]): void {
    const { state } = connection;
    if (state.kind !== 'catching_up') return;
    if (state.cursor === null) {
      // Asked before it came: its cursor, which another gateway gave it, may be newer than this answer.
      if (state.askedBefore === this.#timesAsked) return;
      if (!this.#host.sendReady(connection, page, this.#marks.known)) return;
    }
    this.#sendPage(connection, after, frames);
    if (!connection.isOver) this.#joinIfLevel(connection);
  }

  /** The part of the page after the connection's own cursor. A poll is answered with it. */
  #sendPage(connection: Connection, after: number | null, frames: readonly LiveFrame[]): void {
    let cursor = cursorOf(connection);
    if (after === null || cursor === null || cursor < after) return;
    const out: OutFrame[] = [];
    let messageId = 0;
    for (const frame of frames) {
      if (frame.seq !== cursor + 1) continue;
      cursor = frame.seq;
      messageId = Math.max(messageId, messageIdOf(frame));
      out.push({ payload: frame.payload, id: frame.seq });
      this.#host.trace.note(this.id, frame.seq, written('resume', 'customer', 1, [connection]));
    }
    if (out.length === 0) return;
    connection.reach(cursor, messageId);
    this.#host.write(connection, encodeFor(connection.transport.kind, out));
    this.#host.metrics.resumed(out.length);
    if (connection.transport.kind === 'poll') this.#host.finishPoll(connection, this.#head, cursor < this.#head);
  }

  #joinIfLevel(connection: Connection): void {
    this.#catching.joinIfLevel(connection, this.#sequence.cursor, this.#lastMessageId);
  }

  drained(connection: Connection): void {
    this.#joinIfLevel(connection);
    if (this.#catching.has(connection)) this.#host.wantCatchup(this);
  }
}
