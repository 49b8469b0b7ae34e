// Long because it is the host through which the parts beside it reach each other: every rule lives in its part, here is
// one short method for each thing a part may ask of the whole.
import {
  type BadgeData,
  badgeFor,
  type ChosenStatus,
  CLOSE_CODES,
  type CloseReason,
  CONTROL_CHANNEL,
  type ControlFrame,
  type CustomerState,
  type CatchupSession,
  type CountedBadge,
  presenceFor,
  type StaffViewer,
  type PresenceUser,
  type Revocation,
} from '@chat-realtime/protocol';
import { AckBuffer } from './ack-buffer.ts';
import { Admission } from './admission.ts';
import { Announcer } from './announcer.ts';
import { type Audience, SLOW_CONSUMER_BYTES } from './audience.ts';
import { CatchupRound } from './catchup-round.ts';
import { CatchupScheduler } from './catchup-scheduler.ts';
import { CLOSED, Connection, type CustomerCatchingUp, LEAVING, type StaffCatchingUp } from './connection.ts';
import type { Credentials } from './credentials.ts';
import { encodeFor, jsonFrame, type OutFrame } from './encoding.ts';
import { sendAway } from './drain.ts';
import { EpochGuard } from './epoch-guard.ts';
import { FlushQueue } from './flush-queue.ts';
import { FrameRate } from './frame-rate.ts';
import { GapWatch } from './gap-watch.ts';
import { HeadCheck } from './head-check.ts';
import type { HubOptions } from './hub-options.ts';
import { NO_BADGE } from './live-frame.ts';
import { LivePath } from './live-path.ts';
import { PresenceBoard } from './presence-board.ts';
import { RecentIds } from './recent-ids.ts';
import { SessionChannel, type SessionChannelHost } from './session-channel.ts';
import type { StaffChannelHost } from './staff-audiences.ts';
import { StaffChannel } from './staff-channel.ts';
import { quietly, Subscriptions } from './subscriptions.ts';
import { Sweeper } from './sweeper.ts';
import type { Transport } from './transport.ts';
import { UpFrames } from './up-frames.ts';

const AUTH_DEADLINE_MS = 5_000;
/** How long a closed connection's peer may take to answer before its socket is destroyed. */
const CLOSE_DEADLINE_MS = 5_000;
const REVOCATIONS_REMEMBERED = 10_000;

function revocationKey({ id, kind, subject, not_after }: Revocation): string {
  return `${id} ${not_after} ${kind}:${subject}`;
}

/**
 * All connections of this gateway and the channels they follow. WebSocket, SSE and poll differ in their transport alone:
 * authentication, order, limits, expiry and drain are decided here once. No framework reaches this far.
 */
export class Hub implements SessionChannelHost, StaffChannelHost {
  readonly options: HubOptions;
  readonly connections = new Map<string, Connection>();
  readonly channels = new Map<number, SessionChannel>();
  readonly staff: StaffChannel;
  readonly scheduler: CatchupScheduler;
  readonly round: CatchupRound;
  readonly presence: PresenceBoard;
  readonly livePath: LivePath;
  readonly headCheck: HeadCheck;
  readonly acks: AckBuffer;
  readonly rate: FrameRate;
  readonly backlog = new Set<Connection>();
  readonly sweeper: Sweeper;
  readonly announcer: Announcer;
  readonly subscriptions: Subscriptions;
  readonly #admission: Admission;
  readonly #upFrames: UpFrames;
  readonly #gaps: GapWatch;
  readonly #flushes: FlushQueue;
  #operatorsTold = 0;
  /** By all they say: an id comes again after a restore. */
  readonly #revocationsSeen = new RecentIds<string>(REVOCATIONS_REMEMBERED);
  badge: CountedBadge = NO_BADGE;
  /** Operators online as chat-service last said, for when the gateways do not hear each other. */
  sourceOperatorsOnline = 0;
  readonly epoch = new EpochGuard();
  draining = false;

  constructor(options: HubOptions) {
    this.options = options;
    const now = performance.now();
    const { config, metrics } = options;
    this.#flushes = new FlushQueue(options.failpoint);
    this.staff = new StaffChannel(this);
    this.round = new CatchupRound(this);
    this.scheduler = new CatchupScheduler(this.round, options);
    this.presence = new PresenceBoard(config.gatewayId);
    this.livePath = new LivePath(now, config.ticks);
    this.livePath.fanoutConnected(options.fanout.connected);
    this.headCheck = new HeadCheck(config.headCheckSeconds, metrics, now);
    this.acks = new AckBuffer(options);
    this.rate = new FrameRate(config.framesPerSecond, config.framesBurst);
    this.sweeper = new Sweeper(this);
    this.announcer = new Announcer(this);
    this.subscriptions = new Subscriptions(this);
    this.#admission = new Admission(this);
    this.#upFrames = new UpFrames(this, this.#admission);
    this.#gaps = new GapWatch(this);
  }

  get metrics(): HubOptions['metrics'] {
    return this.options.metrics;
  }

  get trace(): HubOptions['trace'] {
    return this.options.trace;
  }

  /** Starts listening; what is away now is found later. */
  async start(): Promise<void> {
    this.sweeper.start();
    await this.subscriptions.start();
  }

  // — connections ——————————————————————————————————————————————————————————————————————————————————

  open(transport: Transport): Connection {
    const now = performance.now();
    const connection = new Connection(transport, now, now + AUTH_DEADLINE_MS, this.rate.burst);
    this.connections.set(connection.id, connection);
    return connection;
  }

  authenticate(connection: Connection, credentials: Credentials): Promise<void> {
    return this.#admission.admit(connection, credentials);
  }

  /** A text frame from the client. Any fault in handling it ends this connection alone. */
  received(connection: Connection, text: string): void {
    this.guard(connection, () => this.#upFrames.handle(connection, text));
  }

  /** The peer sent a protocol ping; true if it may be answered. */
  pinged(connection: Connection): boolean {
    if (this.rate.takeFree(connection, performance.now())) return true;
    this.metrics.rateLimited('pings');
    this.close(connection, 'policy_violation');
    return false;
  }

  ponged(connection: Connection): void {
    if (connection.pingSentAt > 0) this.metrics.pingLatency((performance.now() - connection.pingSentAt) / 1_000);
    connection.pingSentAt = 0;
    if (connection.missedPongs > 0) void this.setStale(connection, false);
    connection.missedPongs = 0;
  }

  guard(connection: Connection, action: () => void): void {
    try {
      action();
    } catch (error) {
      this.failed(connection, error);
    }
  }

  failed(connection: Connection, error: unknown): void {
    this.options.logger.error({ err: error, connection_id: connection.id }, 'a connection failed');
    this.close(connection, 'internal_error');
  }

  close(connection: Connection, reason: CloseReason): void {
    const { state } = connection;
    if (state.kind === 'closing' || state.kind === 'closed') return;
    this.#detach(connection);
    connection.state = { kind: 'closing', deadline: performance.now() + CLOSE_DEADLINE_MS };
    this.metrics.disconnected(connection.transport.kind, CLOSE_CODES[reason].code);
    connection.transport.close(reason);
  }

  /** The transport has ended, whoever began it. */
  closed(connection: Connection, code: number): void {
    if (connection.state.kind === 'closed') return;
    if (connection.state.kind !== 'closing') {
      this.#detach(connection);
      this.metrics.disconnected(connection.transport.kind, code);
    }
    connection.state = CLOSED;
    this.connections.delete(connection.id);
  }

  shed(connection: Connection): void {
    this.metrics.slowConsumer();
    this.options.logger.info(
      { connection_id: connection.id, queued: connection.transport.queuedBytes },
      'slow consumer',
    );
    this.close(connection, 'slow_consumer');
  }

  write(connection: Connection, bytes: Buffer): void {
    if (connection.transport.write(bytes) > 0) this.noteBacklog(connection);
  }

  send(connection: Connection, frame: ControlFrame): void {
    this.sendFrame(connection, jsonFrame(frame));
  }

  sendFrame(connection: Connection, frame: OutFrame): void {
    if (connection.transport.kind === 'poll') return;
    this.write(connection, encodeFor(connection.transport.kind, [frame]));
  }

  noteBacklog(connection: Connection): void {
    if (connection.backlogged) return;
    connection.backlogged = true;
    connection.backlogMarkAt = performance.now();
    connection.backlogMarkBytes = connection.transport.enqueuedBytes;
    this.backlog.add(connection);
  }

  // — channels ————————————————————————————————————————————————————————————————————————————————————

  channelOf(sessionId: number): SessionChannel {
    let channel = this.channels.get(sessionId);
    if (channel === undefined) {
      channel = new SessionChannel(sessionId, this);
      this.channels.set(sessionId, channel);
      void this.subscriptions.session(channel);
    }
    return channel;
  }

  joinStaff(connection: Connection): void {
    if (this.staff.state.kind === 'idle') {
      this.staff.subscribing();
      void this.subscriptions.staff();
    }
    this.staff.attach(connection);
  }

  /** Channels that nobody has followed for a while. */
  release(channel: SessionChannel): void {
    this.channels.delete(channel.id);
    void this.subscriptions.releaseSession(channel);
  }

  releaseStaff(): void {
    this.staff.reset();
    void this.subscriptions.releaseStaff();
  }

  wantCatchup(channel: SessionChannel): void {
    this.round.want(channel);
    this.scheduler.request();
  }

  requestCatchup(): void {
    this.scheduler.request();
  }

  watchGap(channel: SessionChannel): void {
    this.#gaps.watch(channel);
  }

  watchStaffGap(): void {
    this.#gaps.watchStaff();
  }

  announce(connection: Connection, start: CustomerCatchingUp, channel: SessionChannel, page: CatchupSession): boolean {
    return this.announcer.customer(connection, start, channel, page);
  }

  announceStaff(
    connection: Connection,
    state: StaffCatchingUp,
    cursor: number,
    reset: 'cursor_ahead' | 'cursor_unknown' | null,
  ): boolean {
    return this.announcer.staff(connection, state, cursor, reset);
  }

  finishPoll(connection: Connection, lastSeq: number, hasMore: boolean): void {
    this.announcer.finishPoll(connection, { lastSeq, hasMore });
  }

  finishStaffPoll(connection: Connection, cursor: number, hasMore: boolean): boolean {
    return this.announcer.finishStaffPoll(connection, cursor, hasMore);
  }

  completePoll(connection: Connection): void {
    const { principal } = connection;
    const channel = principal?.kind === 'customer' ? this.channels.get(principal.sessionId) : undefined;
    if (channel !== undefined) this.finishPoll(connection, channel.head, false);
  }

  wentLive(connection: Connection): void {
    const { transport } = connection;
    if (transport.kind === 'poll' && (transport.waitMs === 0 || this.draining)) this.completePoll(connection);
    // What it was sent while catching up counts from now on.
    else if (transport.queuedBytes > SLOW_CONSUMER_BYTES) this.shed(connection);
  }

  /** The database is another one now: cursors mean nothing. Clients come back, each at its moment, and take a snapshot. */
  databaseChanged(): void {
    this.presence.forgetChosen();
    this.round.databaseChanged();
    this.badge = NO_BADGE;
    this.options.logger.warn({}, 'the database was restored or replaced: all clients begin anew');
    sendAway(this, this.connections.values());
    for (const channel of [...this.channels.values()]) {
      if (channel.size === 0) this.release(channel);
      else channel.restart();
    }
    if (this.staff.size === 0) this.releaseStaff();
    else this.staff.restart();
    this.scheduler.request();
  }

  /** A session's head went back, as after a restore of which the source says nothing. */
  sessionWentBack(channel: SessionChannel): void {
    this.options.logger.warn({ session_id: channel.id }, 'a session was restored or replaced: its clients begin anew');
    sendAway(this, [...channel.connections()]);
    channel.restart();
  }

  /** No frame of its channel reaches it any more; it stays open until its moment. */
  takeOut(connection: Connection): void {
    const now = performance.now();
    const { principal } = connection;
    if (principal?.kind === 'customer') this.channels.get(principal.sessionId)?.detach(connection, now);
    else if (principal?.kind === 'staff') this.staff.detach(connection, now);
    connection.state = LEAVING;
  }

  scheduleFlush(audience: Audience): void {
    this.#flushes.schedule(audience);
  }

  // — what others tell —————————————————————————————————————————————————————————————————————————————

  /** In any order and any number of times; only a catch-up answer says that nothing before it is missing. */
  revoke(revocations: readonly Revocation[]): void {
    const fresh = revocations.filter((revocation) => !this.#revocationsSeen.has(revocationKey(revocation)));
    if (fresh.length === 0) return;
    for (const revocation of fresh) this.#revocationsSeen.add(revocationKey(revocation));
    const { revocations: known } = this.options;
    known.apply(fresh);
    for (const connection of [...this.connections.values()]) {
      if (connection.principal !== null && known.isRevoked(connection.principal)) this.close(connection, 'revoked');
    }
  }

  operatorsOnline(marks: CustomerState): number {
    const { operatorsOnline } = this.presence;
    return this.livePath.impaired
      ? Math.max(operatorsOnline, marks.operators_online, this.sourceOperatorsOnline)
      : operatorsOnline;
  }

  /** What operators chose, as a control message or a catch-up answer has it. */
  learnStatuses(statuses: readonly ChosenStatus[]): void {
    if (this.presence.chosen(statuses)) this.refreshPresence(performance.now());
  }

  /** Looks whether people see another presence than before, and if so tells everybody. */
  refreshPresence(now: number): boolean {
    if (!this.presence.refresh(now)) return false;
    this.#tellPresence();
    this.round.wantPresence();
    this.scheduler.request();
    void this.publish(CONTROL_CHANNEL, this.presence.message());
    return true;
  }

  /** Presence has changed: the number to customers, the people to staff. */
  #tellPresence(): void {
    const { users, operatorsOnline } = this.presence;
    this.staff.audiences.pushPresence(users);
    if (this.staff.ownersWanted) this.scheduler.request();
    if (operatorsOnline === this.#operatorsTold) return;
    this.#operatorsTold = operatorsOnline;
    const frame = jsonFrame({
      type: 'chat.presence',
      session_id: null,
      seq: null,
      data: { operators_online: operatorsOnline },
    });
    for (const channel of this.channels.values()) channel.live.pushEphemeral('chat.presence', frame);
  }

  /**
   * The badge as chat-service counts it, from the live path or from a catch-up answer. A live one that is no news still
   * carries a cursor that nobody has been told: in a quiet hour no other frame would.
   */
  learnBadge(badge: CountedBadge, live = false): void {
    const { feed_seq: knownAt = 0, ...known } = this.badge;
    const { feed_seq: at = knownAt, ...counted } = badge;
    // Counted before what is known: it was overtaken on its way.
    if (at < knownAt) return;
    this.badge = badge;
    if (JSON.stringify(known) === JSON.stringify(counted) && !(live && this.staff.audiences.owesCursor)) return;
    this.staff.audiences.pushBadge(badge);
  }

  /** What a staff connection is told with its first frame. */
  staffState(viewer: StaffViewer): { badge: BadgeData; users: readonly PresenceUser[] } {
    const users = presenceFor(viewer, this.presence.users, (sessionId) => this.staff.owners.ask(sessionId));
    if (this.staff.ownersWanted) this.scheduler.request();
    return { badge: badgeFor(viewer, this.badge), users };
  }

  /** Whose a session is has changed: what narrow scopes may know of who looks at it may have, too. */
  ownersChanged(): void {
    for (const connection of this.staff.connections()) {
      const { principal, viewing } = connection;
      if (principal?.kind !== 'staff' || principal.scope === 'all' || viewing === null) continue;
      const seen = this.staff.owners.sees(principal, viewing);
      this.presence.viewing(principal, seen ? viewing : null);
    }
    if (this.presence.users.some(({ viewing }) => viewing !== undefined))
      this.staff.audiences.repeatPresence(this.presence.users);
  }

  /** A connection whose slot went to a newcomer, because it missed a pong or was replaced by its own client. */
  displaced(connectionId: string): void {
    const connection = this.connections.get(connectionId);
    if (connection !== undefined) this.close(connection, 'timeout');
  }

  publish(channel: string, message: object): Promise<boolean> {
    return this.subscriptions.publish(channel, message);
  }

  async setStale(connection: Connection, stale: boolean): Promise<void> {
    if (connection.leaseKey === null) return;
    await quietly(
      this.options.logger,
      'lease',
      this.options.leases.setStale(connection.leaseKey, connection.id, stale),
    );
  }

  async releaseLease(key: string, connectionId: string): Promise<void> {
    await quietly(this.options.logger, 'lease', this.options.leases.release(key, connectionId));
  }

  async stop(): Promise<void> {
    this.sweeper.stop();
    this.scheduler.stop();
    this.#gaps.stop();
    for (const connection of [...this.connections.values()]) this.close(connection, 'service_restart');
    await this.acks.stop();
  }

  #detach(connection: Connection): void {
    const now = performance.now();
    this.backlog.delete(connection);
    const { principal } = connection;
    if (principal?.kind === 'customer') this.channels.get(principal.sessionId)?.detach(connection, now);
    else if (principal?.kind === 'staff') {
      this.staff.detach(connection, now);
      this.presence.left(principal, connection, now);
    }
    if (connection.leaseKey !== null) void this.releaseLease(connection.leaseKey, connection.id);
    connection.leaseKey = null;
  }
}
