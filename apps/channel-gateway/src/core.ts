import { CONTROL_CHANNEL } from '@chat-realtime/protocol';
import { Admission } from './connections/admission.ts';
import type { Connection, StartCursor } from './connections/connection.ts';
import { Deadlines } from './connections/deadlines.ts';
import { StaggeredDisconnect } from './connections/staggered-disconnect.ts';
import { jsonFrame } from './connections/encoding.ts';
import { FrameRate } from './connections/frame-rate.ts';
import { Handshake } from './connections/handshake.ts';
import { Polls } from './connections/polls.ts';
import { Registry } from './connections/registry.ts';
import { Commands } from './commands.ts';
import { controlListener } from './control.ts';
import type { CoreOptions } from './core-options.ts';
import { Edge } from './edge.ts';
import { AckBuffer } from './state/ack-buffer.ts';
import { Badge } from './state/badge.ts';
import { Presence } from './state/presence.ts';
import { Revocations } from './state/revocations.ts';
import { Acks } from './streams/acks.ts';
import { SLOW_CONSUMER_BYTES } from './streams/audience.ts';
import { FlushQueue } from './streams/flush-queue.ts';
import { SessionStreams } from './streams/session-streams.ts';
import { StaffStream } from './streams/staff-stream.ts';
import type { StreamHost } from './streams/stream-host.ts';
import { Typing } from './streams/typing.ts';
import { CatchupLoop } from './sync/catchup-loop.ts';
import { EpochGuard } from './sync/epoch-guard.ts';
import { FanoutLink } from './sync/fanout-link.ts';
import { HeadCheck } from './sync/head-check.ts';
import { LivePath } from './sync/live-path.ts';
import { Ticker } from './sync/ticker.ts';
import { Upkeep } from './upkeep.ts';

/**
 * Builds all parts of the gateway and connects their events. Each part is given what it may use, and none is given
 * this. Transports are given only `edge`. No framework and no socket reaches this far.
 */
export class GatewayCore {
  /** For the transports. */
  readonly edge: Edge;
  readonly registry: Registry;
  readonly admission: Admission;
  readonly disconnects: StaggeredDisconnect;
  readonly sessions: SessionStreams;
  readonly staff: StaffStream;
  readonly loop: CatchupLoop;
  readonly livePath: LivePath;
  readonly revocations: Revocations;
  readonly acks: AckBuffer;
  readonly epoch = new EpochGuard();
  readonly #options: CoreOptions;
  readonly #link: FanoutLink;
  readonly #badge: Badge;
  readonly #presence: Presence;
  readonly #deadlines: Deadlines;
  readonly #polls: Polls;
  readonly #headCheck: HeadCheck;
  readonly #ticker: Ticker;

  constructor(options: CoreOptions) {
    this.#options = options;
    const { clock, random, config, metrics, logger, leases, source, fanout, lastSeen, verifier } = options;
    const now = clock.now();
    const requestCatchup = (): void => this.loop.request();
    const databaseChanged = (): void => this.#databaseChanged();

    this.#link = new FanoutLink({ fanout, clock, logger });
    this.livePath = new LivePath(now, config.ticks);
    this.livePath.fanoutConnected(this.#link.connected);
    this.#headCheck = new HeadCheck({ seconds: config.headCheckSeconds, metrics, random, now });

    const rate = new FrameRate(config.framesPerSecond, config.framesBurst);
    this.registry = new Registry({
      clock,
      leases,
      metrics,
      logger,
      frameBurst: rate.burst,
      detach: (connection, at) => this.#detach(connection, at),
      left: ({ principal, viewing }, at) => {
        if (principal?.kind === 'staff') this.#presence.left(principal, viewing, at);
      },
    });
    const { registry } = this;
    const polls = new Polls({
      clock,
      registry,
      isDraining: () => this.disconnects.draining,
      headOf: (sessionId) => this.sessions.get(sessionId)?.head,
    });
    this.#polls = polls;
    this.disconnects = new StaggeredDisconnect({ clock, random, registry, polls, drainSeconds: config.drainSeconds });
    const { pingIntervalSeconds } = config;
    this.#deadlines = new Deadlines({ clock, random, registry, polls, metrics, pingIntervalSeconds });

    this.acks = new AckBuffer({ clock, source, lastSeen, metrics, logger });
    this.revocations = new Revocations({
      set: options.revocations,
      revoked: () => registry.closeAll('revoked', ({ principal }) => this.#isRevoked(principal)),
      requestCatchup,
    });
    this.#badge = new Badge({ push: (badge) => this.staff.pushBadge(badge) });
    this.#presence = new Presence({
      clock,
      gatewayId: config.gatewayId,
      heartbeatSeconds: config.heartbeatSeconds,
      isImpaired: () => this.livePath.impaired,
      changed: (users) => this.staff.presenceChanged(users),
      countChanged: (count) => this.#notifyCustomers(count),
      publish: (message) => void this.#link.publish(CONTROL_CHANNEL, message),
      requestCatchup,
    });

    const handshake = new Handshake({
      registry,
      polls,
      pingIntervalSeconds,
      isRevoked: (principal) => this.#isRevoked(principal),
      epoch: () => this.epoch.current ?? '',
      degraded: () => this.livePath.reason,
      operatorsOnline: (marks) => this.#presence.operatorsOnline(marks),
      staffState: (viewer) => this.staff.stateFor(viewer),
    });
    const host = this.#streamHost();
    this.sessions = new SessionStreams({
      host,
      link: this.#link,
      sendReady: (connection, page, marks) => handshake.customer(connection, page, marks),
      finishPoll: (connection, lastSeq, hasMore) => polls.finish(connection, { lastSeq, hasMore }),
      notFound: (connection) => registry.close(connection, 'session_not_found'),
      wentBack: (sessionId, connections) => {
        logger.warn({ session_id: sessionId }, 'a session was restored or replaced: its clients start over');
        this.disconnects.sendAway(connections);
      },
      headsChecked: () => this.#headCheck.finished(clock.now()),
      requestCatchup,
    });
    this.staff = new StaffStream({
      host: {
        ...host,
        sendReady: (connection, cursor, reset) => handshake.staff(connection, cursor, reset),
        finishPoll: (connection, cursor, hasMore) => void polls.finishStaff(connection, cursor, hasMore),
        requestCatchup,
      },
      link: this.#link,
      presence: this.#presence,
      badge: this.#badge,
      databaseChanged,
      ownersLearned: () => acks.ownersLearned(),
    });
    this.loop = new CatchupLoop({
      clock,
      random,
      source,
      epoch: this.epoch,
      participants: [this.revocations, this.#badge, this.#presence, this.staff, this.sessions],
      epochBegins: (epoch, changed) => this.acks.begin(epoch, changed),
      databaseChanged,
      metrics,
      logger,
    });

    this.admission = new Admission({
      registry,
      verifier,
      revocations: options.revocations,
      leases,
      limits: config,
      rollout: config.rollout,
      metrics,
      enter: (connection, start) => this.#enter(connection, start),
      renew: (connection, principal) => {
        // What a customer may see does not depend on their token.
        if (principal.kind === 'staff') this.staff.renew(connection, principal);
        else connection.admit(principal);
      },
      displacedElsewhere: (id) =>
        void this.#link.publish(CONTROL_CHANNEL, { type: 'control.displaced', data: { connection_id: id } }),
    });
    const { sessions, staff } = this;
    const { sight } = staff;
    const acks = new Acks({ sessions, staff, sight, buffer: this.acks });
    const typing = new Typing({ clock, sessions, sight, link: this.#link });
    const { admission } = this;
    const commands = new Commands({ clock, registry, admission, rate, acks, typing, sight, metrics });
    this.edge = new Edge({
      registry,
      admission,
      commands,
      acks,
      deadlines: this.#deadlines,
      disconnects: this.disconnects,
      metrics,
      maxConnections: config.maxConnections,
      isOverloaded: () => this.#ticker.overloaded,
    });
    const upkeep = new Upkeep({
      registry,
      deadlines: this.#deadlines,
      livePath: this.livePath,
      headCheck: this.#headCheck,
      loop: this.loop,
      presence: this.#presence,
      sessions,
      staff,
      logger,
    });
    this.#ticker = new Ticker({
      clock,
      logger,
      overloadLagMs: config.overloadLagMs,
      isBusy: () => registry.size > 0,
      each: (tick) => upkeep.each(tick),
      slow: (tick) => upkeep.slow(tick),
    });
  }

  /** Too busy to accept anybody new. */
  get overloaded(): boolean {
    return this.#ticker.overloaded;
  }

  /** Starts listening. A server that cannot be reached now is found later. */
  async start(): Promise<void> {
    const { clock } = this.#options;
    const { livePath, revocations, registry } = this;
    const parts = { clock, livePath, revocations, registry, presence: this.#presence, headCheck: this.#headCheck };
    const onControl = controlListener(parts);
    this.#ticker.start();
    this.#link.onState((state) => {
      this.livePath.fanoutConnected(state.kind !== 'disconnected');
      if (state.kind === 'disconnected') return;
      if (state.kind === 'resubscribed') this.#options.metrics.resubscribed();
      void this.#link.subscribe(CONTROL_CHANNEL, onControl);
      this.sessions.resubscribe();
      this.staff.resubscribe();
      this.#headCheck.hurry();
    });
    await this.#link.subscribe(CONTROL_CHANNEL, onControl);
  }

  async stop(): Promise<void> {
    this.#ticker.stop();
    this.loop.stop();
    this.sessions.stop();
    this.staff.stop();
    this.registry.closeAll('service_restart');
    await this.acks.stop();
  }

  #streamHost(): StreamHost {
    const { clock, metrics, trace } = this.#options;
    const flushes = new FlushQueue(clock);
    const { registry } = this;
    return {
      clock,
      metrics,
      trace,
      scheduleFlush: (audience) => flushes.schedule(audience),
      noteBacklog: (connection) => registry.noteBacklog(connection),
      shed: (connection) => registry.shed(connection),
      write: (connection, bytes) => registry.write(connection, bytes),
      completePoll: (connection) => this.#polls.complete(connection),
      wentLive: (connection) => {
        if (connection.transport.kind === 'poll') this.#polls.wentLive(connection);
        // Messages sent while it caught up count from now on.
        else if (connection.transport.queuedBytes > SLOW_CONSUMER_BYTES) registry.shed(connection);
      },
    };
  }

  #enter(connection: Connection, start: StartCursor): void {
    const { principal } = connection;
    this.#deadlines.begin(connection);
    if (principal?.kind === 'customer') {
      this.sessions.enter(connection, principal.sessionId, start);
    } else if (principal?.kind === 'staff') {
      this.#presence.joined(principal);
      this.staff.enter(connection, start);
    }
  }

  #detach(connection: Connection, now: number): void {
    const { principal } = connection;
    if (principal?.kind === 'customer') this.sessions.detach(connection, principal.sessionId, now);
    else if (principal?.kind === 'staff') this.staff.detach(connection, now);
  }

  #isRevoked(principal: Connection['principal']): boolean {
    return principal !== null && this.#options.revocations.isRevoked(principal);
  }

  #notifyCustomers(operatorsOnline: number): void {
    const data = { operators_online: operatorsOnline };
    this.sessions.pushEphemeral(
      'chat.presence',
      jsonFrame({ type: 'chat.presence', session_id: null, seq: null, data }),
    );
  }

  /** Cursors became invalid. Clients reconnect, each at its own time, and take a snapshot. */
  #databaseChanged(): void {
    this.#options.logger.warn({}, 'the database was restored or replaced: all clients start over');
    this.disconnects.sendAway(this.registry);
    this.loop.databaseChanged();
  }
}
