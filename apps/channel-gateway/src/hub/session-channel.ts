import type { CatchupSession, CustomerState } from '@chat-realtime/protocol';
import { sessionChannel } from '@chat-realtime/protocol';
import { Audience, type AudienceHost } from './audience.ts';
import { type Connection, type CustomerCatchingUp, isAnnounced, LIVE } from './connection.ts';
import { encodeFor, jsonFrame, type OutFrame } from './encoding.ts';
import {
  committedAt,
  countField,
  ephemeralKey,
  liveFrameOf,
  type LiveFrame,
  messageIdOf,
  textField,
} from './live-frame.ts';
import type { DeliveryPath, HubMetrics } from './metrics.ts';
import type { HubTrace } from './ports.ts';
import { Sequencer } from './sequencer.ts';
import { noteWritten, written } from './written.ts';

/** Frames kept while one before them is missing; more are dropped and read again. */
const HELD_MAX = 100;
/** So often in a row a head before the cursor is no accident. */
const HEADS_BEHIND = 2;
/** The next page is read when less is queued on the socket. */
export const PAGE_QUEUE_LIMIT = 65_536;

type ChannelState =
  | { readonly kind: 'subscribing' }
  /** Nothing published is missed any more; the head is not known yet. */
  | { readonly kind: 'reading' }
  | { readonly kind: 'live' };

export interface SessionChannelHost extends AudienceHost {
  readonly metrics: HubMetrics;
  readonly trace: HubTrace;
  /** The channel has something to ask. */
  wantCatchup(channel: SessionChannel): void;
  /** A frame is missing: ask for it if it is still missing a little later. */
  watchGap(channel: SessionChannel): void;
  /** Sends `channel.ready`, with a reset after it where the start cursor is no good; false if the connection was refused. */
  announce(connection: Connection, start: CustomerCatchingUp, channel: SessionChannel, page: CatchupSession): boolean;
  wentLive(connection: Connection): void;
  finishPoll(connection: Connection, lastSeq: number, hasMore: boolean): void;
  write(connection: Connection, bytes: Buffer): void;
}

/**
 * One session with connections here. Its live connections share `cursor`, the highest seq given to all of them without a
 * hole, so a message costs one comparison and one write per connection. A connection that is behind has its own cursor
 * and joins when it has reached the shared one.
 */
export class SessionChannel {
  readonly id: number;
  readonly name: string;
  readonly live: Audience;
  readonly catching: Connection[] = [];
  state: ChannelState = { kind: 'subscribing' };
  /** Whether the fan-out confirmed; false while it is away: then the head check alone moves this channel. */
  subscribed = false;
  readonly #sequence = new Sequencer<LiveFrame>(HELD_MAX);
  /** Highest seq known to exist. */
  head = -1;
  lastMessageId = 0;
  marks: CustomerState | null = null;
  assignedUserId: string | null = null;
  /** When the last connection left; such a channel is kept a little, for reloads and the next poll. */
  emptySince = 0;
  /** The last head check or page, on the monotonic clock. */
  verifiedAt = 0;
  gapDue = false;
  /** The cursor when chat-service was last asked; its head cannot be smaller unless the database is another one. */
  #cursorAsked = -1;
  /** How often chat-service was asked about this session. Calls follow each other, so an answer belongs to the last. */
  #timesAsked = 0;
  #headsBehind = 0;
  #askLargest = false;
  readonly #host: SessionChannelHost;

  constructor(id: number, host: SessionChannelHost) {
    this.id = id;
    this.name = sessionChannel(id);
    this.live = new Audience(host);
    this.#host = host;
  }

  get timesAsked(): number {
    return this.#timesAsked;
  }

  get size(): number {
    return this.live.members.length + this.catching.length;
  }

  get heldCount(): number {
    return this.#sequence.heldCount;
  }

  get cursor(): number {
    return this.#sequence.cursor;
  }

  get behind(): boolean {
    return this.state.kind === 'live' && this.cursor < this.head;
  }

  *connections(): Generator<Connection> {
    yield* this.live.members;
    yield* this.catching;
  }

  attach(connection: Connection): void {
    this.emptySince = 0;
    this.catching.push(connection);
    if (this.state.kind !== 'subscribing') this.#host.wantCatchup(this);
  }

  detach(connection: Connection, now: number): void {
    if (!this.live.remove(connection)) {
      const index = this.catching.indexOf(connection);
      if (index >= 0) this.catching.splice(index, 1);
    }
    if (this.size === 0) this.emptySince = now;
  }

  asked(): void {
    this.#timesAsked += 1;
    if (this.state.kind === 'live') this.#cursorAsked = this.cursor;
  }

  /** Once may be an answer from an instance that still asks the server of before. */
  judgeHead(lastSeq: number): 'good' | 'doubtful' | 'restored' {
    this.#headsBehind = this.state.kind === 'live' && lastSeq < this.#cursorAsked ? this.#headsBehind + 1 : 0;
    if (this.#headsBehind === 0) return 'good';
    return this.#headsBehind >= HEADS_BEHIND ? 'restored' : 'doubtful';
  }

  /** The database is another one: whoever is here has not been told anything yet and begins with its head. */
  restart(): void {
    if (this.state.kind === 'live') this.state = { kind: 'reading' };
    this.#sequence.restart(-1);
    this.head = -1;
    this.lastMessageId = 0;
    this.marks = null;
    this.assignedUserId = null;
    this.gapDue = false;
    this.#cursorAsked = -1;
    this.#headsBehind = 0;
    if (this.size > 0) this.#host.wantCatchup(this);
  }

  /** The fan-out answered: what was published before is read, what comes after is heard. */
  subscriptionSettled(subscribed: boolean): void {
    this.subscribed = subscribed;
    if (this.state.kind === 'subscribing') this.state = { kind: 'reading' };
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
    if (frame.seq > this.head) this.head = frame.seq;
    if (this.state.kind !== 'live') this.#sequence.hold(frame.seq, frame);
    else this.#offer(frame.seq, frame, 'live');
  }

  /**
   * What to ask: a cursor after which events are wanted, `head`, or nothing. Connections at different cursors share
   * pages; where one page cannot serve all, the smallest and the largest cursor take turns, so that a long resume
   * does not keep a gap waiting.
   */
  want(): number | 'head' | null {
    const { head, cursors } = this.#wants();
    const smallest = Math.min(...cursors);
    const largest = Math.max(...cursors);
    if (cursors.length === 0) return head ? 'head' : null;
    this.#askLargest = smallest !== largest && !this.#askLargest;
    return this.#askLargest ? smallest : largest;
  }

  #wants(): { head: boolean; cursors: number[] } {
    const cursors: number[] = [];
    if (this.state.kind === 'subscribing') return { head: false, cursors };
    let head = this.state.kind === 'reading';
    for (const connection of this.catching) {
      const { state } = connection;
      if (state.kind !== 'catching_up' || state.channel !== 'session') continue;
      if (state.cursor < 0) {
        if (state.start.kind === 'after') cursors.push(state.start.cursor);
        else head = true;
      } else if (state.cursor < this.cursor && this.#hasRoom(connection)) {
        cursors.push(state.cursor);
      }
    }
    if (this.gapDue && this.behind) cursors.push(this.cursor);
    return { head, cursors };
  }

  /** The socket paces the catch-up: a full one is looked at again when it has drained. */
  #hasRoom(connection: Connection): boolean {
    if (connection.transport.queuedBytes < PAGE_QUEUE_LIMIT) return true;
    if (!connection.awaitingDrain) {
      connection.awaitingDrain = true;
      connection.transport.whenDrained(() => this.#drained(connection));
    }
    return false;
  }

  /** The answer to `want`, or of a head check (`after` null: no events were asked for). */
  applyPage(page: CatchupSession, after: number | null, now: number): void {
    this.verifiedAt = now;
    if (page.last_seq > this.head) this.head = page.last_seq;
    if (page.assigned_user_id !== undefined) this.assignedUserId = page.assigned_user_id;
    if (this.state.kind !== 'live') {
      this.state = { kind: 'live' };
      this.#sequence.skipTo(page.last_seq);
    }
    const frames = after === null ? [] : contiguousFrames(page, after);
    for (const frame of frames) if (frame.seq !== null) this.#offer(frame.seq, frame, 'catchup', true);
    this.#drainHeld();
    if (!this.behind) this.gapDue = false;
    this.#repairMarks(page.state);
    for (const connection of [...this.catching]) this.#serve(connection, page, after, frames);
    if (this.behind) this.#host.watchGap(this);
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
        if (this.state.kind === 'live') this.#host.watchGap(this);
        break;
    }
  }

  #append(seq: number, frame: LiveFrame, path: DeliveryPath): void {
    if (seq > this.head) this.head = seq;
    const messageId = messageIdOf(frame);
    if (messageId > 0) {
      // A site's ids may come in another order than that of the numbers.
      this.lastMessageId = Math.max(this.lastMessageId, messageId);
      const author = frame.data['sender_type'] === 'client' ? 'client' : 'staff';
      const user = textField(frame, 'sender_id') ?? '';
      this.live.dropEphemeral(`chat.typing:${this.id}:${author}:${author === 'client' ? '' : user}`);
    } else if (frame.type === 'chat.session.assigned') {
      this.assignedUserId = textField(frame, 'assigned_user_id');
    }
    if (this.live.members.length > 0) {
      this.live.push({ payload: frame.payload, id: seq });
      const at = committedAt(frame);
      if (at !== null) this.#host.metrics.delivered(path, (Date.now() - at) / 1000);
      noteWritten(this.#host.trace, frame, path, 'customer', this.live.members.length, this.live.members);
    }
    if (this.catching.length > 0) {
      for (const connection of [...this.catching]) this.#joinIfLevel(connection);
      this.#host.wantCatchup(this);
    }
  }

  #drainHeld(): void {
    if (this.state.kind !== 'live') return;
    for (let frame = this.#sequence.following(); frame !== undefined; frame = this.#sequence.following())
      this.#append(this.cursor, frame, 'live');
  }

  #receiveEphemeral(frame: LiveFrame): void {
    const by = textField(frame, 'by');
    // A customer's typing is for the other side; his own tabs need not see it.
    if (frame.type === 'chat.typing' && by === 'client') return;
    if (frame.type === 'chat.read' && !this.#moveMark(frame, by)) return;
    const out = { payload: frame.payload, id: null };
    this.live.pushEphemeral(ephemeralKey(frame), out);
    if (frame.type === 'chat.read') this.#tellCatching(out);
  }

  /** Who was announced with older marks would never learn of newer ones: head checks compare with what the channel knows. */
  #tellCatching(frame: OutFrame): void {
    for (const connection of this.catching) {
      const { kind } = connection.transport;
      if (kind !== 'poll' && isAnnounced(connection.state)) this.#host.write(connection, encodeFor(kind, [frame]));
    }
  }

  /** Marks never go back; false when a late frame says nothing new. */
  #moveMark(frame: LiveFrame, by: string | null): boolean {
    const marks = this.marks;
    if (marks === null || (by !== 'client' && by !== 'staff')) return true;
    const delivered = Math.max(marks[by].delivered_id, countField(frame, 'delivered_id') ?? 0);
    const read = Math.max(marks[by].read_id, countField(frame, 'read_id') ?? 0);
    if (delivered === marks[by].delivered_id && read === marks[by].read_id) return false;
    this.marks = { ...marks, [by]: { delivered_id: delivered, read_id: read } };
    return true;
  }

  /** A read mark whose frame was lost is told by the next head check. */
  #repairMarks(state: CustomerState | undefined): void {
    if (state === undefined) return;
    const known = this.marks;
    this.marks = state;
    if (known === null) return;
    for (const by of ['client', 'staff'] as const) {
      const now = {
        delivered_id: Math.max(known[by].delivered_id, state[by].delivered_id),
        read_id: Math.max(known[by].read_id, state[by].read_id),
      };
      this.marks = { ...this.marks, [by]: now };
      if (now.delivered_id === known[by].delivered_id && now.read_id === known[by].read_id) continue;
      const frame = jsonFrame({ type: 'chat.read', session_id: this.id, seq: null, data: { by, ...now } });
      this.live.pushEphemeral(`chat.read:${this.id}:${by}:`, frame);
      this.#tellCatching(frame);
    }
  }

  #serve(connection: Connection, page: CatchupSession, after: number | null, frames: readonly LiveFrame[]): void {
    const { state } = connection;
    if (state.kind !== 'catching_up' || state.channel !== 'session') return;
    if (state.cursor < 0) {
      // Asked before it came: its cursor, which another gateway gave it, may be newer than this answer.
      if (state.askedBefore === this.#timesAsked) return;
      if (!this.#host.announce(connection, state, this, page)) return;
    }
    if (after === null || state.cursor < after) {
      this.#joinIfLevel(connection);
      return;
    }
    const out: OutFrame[] = [];
    for (const frame of frames) {
      if (frame.seq !== state.cursor + 1) continue;
      state.cursor = frame.seq;
      connection.sentMessageId = Math.max(connection.sentMessageId, messageIdOf(frame));
      out.push({ payload: frame.payload, id: frame.seq });
      this.#host.trace.note(this.id, frame.seq, written('resume', 'customer', 1, [connection]));
    }
    if (out.length > 0) {
      this.#host.write(connection, encodeFor(connection.transport.kind, out));
      this.#host.metrics.resumed(out.length);
      if (connection.transport.kind === 'poll') {
        this.#host.finishPoll(connection, this.head, state.cursor < this.head);
        return;
      }
    }
    this.#joinIfLevel(connection);
  }

  /** What is pending has reached a connection by its page: it joins only after the others have got it. */
  #joinIfLevel(connection: Connection): void {
    const { state } = connection;
    if (state.kind !== 'catching_up' || state.channel !== 'session' || state.cursor < 0) return;
    if (state.cursor !== this.cursor || !this.#hasRoom(connection)) return;
    this.live.flush();
    this.catching.splice(this.catching.indexOf(connection), 1);
    connection.messageFloor = this.lastMessageId;
    connection.state = LIVE;
    this.live.add(connection);
    this.#host.wentLive(connection);
  }

  #drained(connection: Connection): void {
    connection.awaitingDrain = false;
    if (!this.catching.includes(connection)) return;
    this.#joinIfLevel(connection);
    if (this.catching.includes(connection)) this.#host.wantCatchup(this);
  }
}

/** The part of a page that follows `after` without a hole; a source that answers otherwise is asked again. */
function contiguousFrames(page: CatchupSession, after: number): LiveFrame[] {
  const frames: LiveFrame[] = [];
  for (const event of page.events) {
    if (event.session_id !== page.id || event.seq !== after + frames.length + 1) break;
    const frame = liveFrameOf(event);
    if (frame === null) break;
    frames.push(frame);
  }
  return frames;
}
