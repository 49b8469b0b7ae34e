import type { Fanout } from '@chat-realtime/messaging';
import {
  type AcksRequest,
  type CatchupRequest,
  type CatchupResponse,
  type ChatSource,
  type ChosenStatus,
  CONTROL_CHANNEL,
  type CountedBadge,
  type CustomerState,
  type FeedOwners,
  type Revocation,
  sessionChannel,
  type SessionEvent,
  STAFF_CHANNEL,
  type StaffEvent,
  staffEventType,
} from '@chat-realtime/protocol';
import { type Clock, pause, SYSTEM_CLOCK, type Timer } from '../clock.ts';

export interface FakeSession {
  readonly id: number;
  readonly events: SessionEvent[];
  assignedUserId: string | null;
  state: CustomerState;
}

/** What the live path does with one publication: how often it arrives, and how much later. */
export type LivePathFault = () => { readonly copies: number; readonly delayMs: number };

/** The real one's limits for one answer. */
const REVOCATIONS_PAGE = 1_000;
const HEALTHY: LivePathFault = () => ({ copies: 1, delayMs: 0 });

/**
 * A chat-service in memory that keeps the promises of the real one: dense sequences, a feed in commit order, and a live
 * path that may lose, repeat and reorder as told.
 */
export class FakeChatService implements ChatSource {
  readonly sessions = new Map<number, FakeSession>();
  readonly acked: AcksRequest['acks'] = [];
  /** Called with each acknowledgement that arrived. */
  onAck: ((ack: AcksRequest['acks'][number]) => void) | null = null;
  readonly requests: CatchupRequest[] = [];
  readonly revocations: Revocation[] = [];
  readonly banned = new Set<number>();
  /** The chosen statuses, sent only with catch-up answers, as when the control message was lost. */
  readonly statuses: ChosenStatus[] = [];
  epoch = 'epoch-1';
  badge: CountedBadge = { reason: 'badge', unassigned_unread: 0, mine_unread: {}, waiting_count: 0 };
  fault: LivePathFault = HEALTHY;
  /** Milliseconds every call takes; a number below 0 makes it fail. */
  latencyMs = 0;
  /** Milliseconds an answer is in flight; it is then older than later events. */
  answerDelayMs = 0;
  /** Every event at its number less one. */
  readonly #feed: StaffEvent[] = [];
  #nextId = 1;
  #ticker: Timer | null = null;
  readonly #fanout: Fanout;
  readonly #clock: Clock;

  constructor(fanout: Fanout, clock: Clock = SYSTEM_CLOCK) {
    this.#fanout = fanout;
    this.#clock = clock;
  }

  healthy(): void {
    this.fault = HEALTHY;
  }

  startTicks(everyMs = 1_000): void {
    const tick = (): void => {
      const head = this.revocations.at(-1)?.id ?? 0;
      void this.#publish(CONTROL_CHANNEL, { type: 'control.tick', data: { revocations_head: head } });
    };
    const again = (): void => {
      this.#ticker = this.#clock.after(everyMs, again);
      tick();
    };
    again();
  }

  stop(): void {
    this.#ticker?.cancel();
    this.#ticker = null;
  }

  createSession(id: number): void {
    const state: CustomerState = {
      client: { delivered_id: 0, read_id: 0 },
      staff: { delivered_id: 0, read_id: 0 },
      operators_online: 0,
    };
    this.sessions.set(id, { id, events: [], assignedUserId: null, state });
    const session = {
      id,
      status: 'new',
      created_at: this.#now(),
      assigned_user_id: null,
      last_seq: 1,
      version: 1,
      callback_pending: false,
    };
    this.append(id, (seq) => ({ type: 'chat.session.created', session_id: id, seq, data: { session } }));
  }

  post(id: number, body: string, sender: 'client' | 'operator' = 'operator'): SessionEvent {
    return this.append(id, (seq, eventId) => ({
      type: 'chat.message',
      session_id: id,
      seq,
      data: {
        id: eventId,
        sender_type: sender,
        body,
        attachments: [],
        created_at: this.#now(),
        client_message_id: null,
      },
    }));
  }

  assign(id: number, userId: string | null): SessionEvent {
    const session = this.#session(id);
    const previous = session.assignedUserId;
    session.assignedUserId = userId;
    return this.append(
      id,
      (seq) => ({
        type: 'chat.session.assigned',
        session_id: id,
        seq,
        data: { assigned_user_id: userId, by: 'system' },
      }),
      previous,
    );
  }

  note(id: number, body: string): StaffEvent {
    const feedId = this.#nextId++;
    const subscribers = { session_id: id, assigned_user_id: this.#session(id).assignedUserId };
    const data = {
      id: feedId,
      session_id: id,
      author_id: 'anna',
      author_name: 'Anna',
      body,
      created_at: this.#now(),
    };
    const event: StaffEvent = {
      type: 'chat.note',
      session_id: id,
      seq: null,
      feed_id: feedId,
      ...this.#nextPlace(),
      data,
      subscribers,
    };
    this.#feed.push(event);
    this.#live(STAFF_CHANNEL, event);
    return event;
  }

  revoke(kind: Revocation['kind'], subject: string, tell = true, notAfter?: number): void {
    const revocation: Revocation = {
      id: this.revocations.length + 1,
      kind,
      subject,
      not_after: notAfter ?? Math.floor(this.#clock.wall() / 1_000),
    };
    this.revocations.push(revocation);
    if (tell) void this.#publish(CONTROL_CHANNEL, { type: 'control.revoked', data: revocation });
  }

  /** A ban is made or lifted; `tell`: gateways are informed. */
  ban(id: number, banned = true, tell = true): void {
    if (banned) this.banned.add(id);
    else this.banned.delete(id);
    if (tell) void this.#publish(CONTROL_CHANNEL, { type: 'control.bans', data: {} });
  }

  head(id: number): number {
    return this.#session(id).events.length;
  }

  async catchup(request: CatchupRequest): Promise<CatchupResponse> {
    this.requests.push(request);
    await pause(this.#clock, Math.max(0, this.latencyMs));
    if (this.latencyMs < 0) throw new Error('chat-service is away');
    const sessions: CatchupResponse['sessions'] = [];
    for (const { id, after_seq: after } of request.sessions) {
      const session = this.sessions.get(id);
      if (session === undefined) continue;
      const rest = after === undefined ? [] : session.events.slice(after);
      const events = rest.slice(0, request.limit);
      const { assignedUserId: assigned_user_id, state } = session;
      sessions.push({
        id,
        last_seq: session.events.length,
        events,
        has_more: rest.length > events.length,
        state,
        assigned_user_id,
        banned: this.banned.has(id),
      });
    }
    const response: CatchupResponse = {
      sessions,
      all_sessions: true,
      epoch: this.epoch,
      operator_statuses: [...this.statuses],
    };
    if (request.feed !== undefined) {
      response.feed = this.feedPage(request.feed.after, request.feed.limit);
      response.badge = this.badge;
    }
    const known = request.revocations_after;
    if (known !== undefined)
      response.revocations = this.revocations.filter(({ id }) => id > known).slice(0, REVOCATIONS_PAGE);
    if (this.answerDelayMs > 0) await pause(this.#clock, this.answerDelayMs);
    return response;
  }

  async acks(request: AcksRequest): Promise<void> {
    await pause(this.#clock, Math.max(0, this.latencyMs));
    if (this.latencyMs < 0) throw new Error('chat-service is away');
    this.acked.push(...request.acks);
    if (this.onAck !== null) for (const ack of request.acks) this.onAck(ack);
  }

  /** The next event of a session, which the feed has too. */
  append(
    id: number,
    make: (seq: number, eventId: number) => SessionEvent,
    previous: string | null = null,
  ): SessionEvent {
    const session = this.#session(id);
    const eventId = this.#nextId++;
    const event = make(session.events.length + 1, eventId);
    session.events.push(event);
    const subscribers = { session_id: id, assigned_user_id: session.assignedUserId, previous_user_id: previous };
    const staff = { ...staffCopy(event, subscribers), ...this.#nextPlace() };
    this.#feed.push(staff);
    this.#live(sessionChannel(id), event);
    this.#live(STAFF_CHANNEL, staff);
    return event;
  }

  /** An ephemeral frame, which has no number. */
  ephemeral(id: number, frame: object): void {
    this.#live(sessionChannel(id), frame);
    this.#live(STAFF_CHANNEL, frame);
  }

  /**
   * As after a restore of the database to the moment at which this session had this many events: everything later is
   * gone, for all sessions, and the epoch has changed.
   */
  rewind(id: number, events: number, epoch: string): void {
    const first = this.#feed.findIndex(({ session_id, seq }) => session_id === id && seq === events + 1);
    const lost = first < 0 ? [] : this.#feed.splice(first);
    for (const { session_id: of, seq } of lost) {
      const session = of === null || seq === null ? undefined : this.sessions.get(of);
      if (session !== undefined && seq !== null) session.events.length = Math.min(session.events.length, seq - 1);
    }
    for (const session of this.sessions.values()) if (session.events.length === 0) this.sessions.delete(session.id);
    this.epoch = epoch;
  }

  feedPage(after: string | undefined, limit: number): NonNullable<CatchupResponse['feed']> {
    const head = this.#feed.length;
    const from = after === undefined ? head : Number(after);
    if (from > head) return { events: [], cursor: String(head), has_more: false, reset: 'cursor_ahead' };
    const events = this.#feed.slice(from, from + limit);
    const end = from + events.length;
    return { events, owners: this.#ownersOf(events), cursor: String(end), has_more: end < head };
  }

  #now(): string {
    return new Date(this.#clock.wall()).toISOString();
  }

  #session(id: number): FakeSession {
    const session = this.sessions.get(id);
    if (session === undefined) throw new Error(`no session ${id}`);
    return session;
  }

  #live(channel: string, event: object): void {
    const { copies, delayMs } = this.fault();
    for (let copy = 0; copy < copies; copy += 1) {
      if (delayMs === 0) void this.#publish(channel, event);
      else this.#clock.after(delayMs, () => void this.#publish(channel, event));
    }
  }

  async #publish(channel: string, message: object): Promise<void> {
    try {
      await this.#fanout.execute([{ kind: 'publish', channel, payload: JSON.stringify(message) }]);
    } catch (error) {
      // A broken live path loses what is published, and the gateway core must survive that.
      if (!(error instanceof Error)) throw error;
    }
  }

  get feedHead(): number {
    return this.#feed.length;
  }

  #nextPlace(): { feed_seq: number; cursor: string } {
    const feedSeq = this.#feed.length + 1;
    return { feed_seq: feedSeq, cursor: String(feedSeq) };
  }

  #ownersOf(page: readonly StaffEvent[]): FeedOwners {
    const ids = new Set(page.map((event) => event.session_id).filter((id) => id !== null));
    const sessions = [...ids].map((id) => this.#session(id));
    return {
      sessions: sessions.map(({ id, assignedUserId, events }) => ({
        id,
        assigned_user_id: assignedUserId,
        last_seq: events.length,
      })),
      callbacks: [],
    };
  }
}

function staffCopy(event: SessionEvent, subscribers: NonNullable<StaffEvent['subscribers']>): StaffEvent {
  if (event.type === 'chat.message') {
    const type =
      staffEventType(event.type, event.data.sender_type) === 'chat.message.client'
        ? 'chat.message.client'
        : 'chat.message';
    return { ...event, type, subscribers };
  }
  if (event.type === 'chat.session.created') {
    return { ...event, data: { ...event.data, contact: { name: 'Ivan', email: null, phone: null } }, subscribers };
  }
  return { ...event, subscribers };
}
