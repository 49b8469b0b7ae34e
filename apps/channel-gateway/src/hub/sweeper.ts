import { CONTROL_CHANNEL } from '@chat-realtime/protocol';
import { type Connection, isAnnounced } from './connection.ts';
import { jsonFrame } from './encoding.ts';
import type { Hub } from './hub.ts';
import type { TransportKind } from './transport.ts';

const SWEEP_MS = 200;
/** A timer this late means that the process stood still. */
const PAUSE_MS = 2_000;
const OVERLOAD_LAG_MS = 1_000;
/**
 * How long a lag counts after it was seen: short, since after the crash of another gateway its clients all come here at
 * once, and whoever is refused comes again anyway.
 */
const OVERLOAD_MEMORY_MS = 1_000;
const SSE_COMMENT_MS = 14_000;
/** How long a connection may wait for its first answer from chat-service. */
const READY_DEADLINE_MS = 15_000;
/** Once live, nothing may wait longer for a reader. */
const SLOW_CONSUMER_MS = 10_000;
const MAX_MISSED_PONGS = 2;
/** A channel is kept this long after its last connection, for reloads and the next poll. */
const CHANNEL_LINGER_MS = 10_000;

/**
 * The gateway's one clock: deadlines, pings, expiry, slow readers, head check, presence and the live path are all looked
 * after in one pass over plain fields, so that an idle connection owns no timer.
 */
export class Sweeper {
  readonly #hub: Hub;
  #timer: NodeJS.Timeout | null = null;
  #lastAt = performance.now();
  #lagSeenAt = Number.NEGATIVE_INFINITY;
  #nextHeartbeatAt = 0;
  #nextSlowPassAt = 0;

  constructor(hub: Hub) {
    this.#hub = hub;
  }

  start(): void {
    this.#lastAt = performance.now();
    this.#timer = setInterval(() => this.sweep(performance.now(), Date.now()), SWEEP_MS);
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }

  /** Too busy to take anybody new. */
  overloaded(now: number): boolean {
    return now - this.#lastAt - SWEEP_MS > OVERLOAD_LAG_MS || now - this.#lagSeenAt < OVERLOAD_MEMORY_MS;
  }

  pingIntervalMs(kind: TransportKind): number {
    return kind === 'sse' ? SSE_COMMENT_MS : this.#hub.options.config.pingIntervalSeconds * 1_000;
  }

  /** `wall` is for the expiry of tokens alone: a clock that is set must move no interval. */
  sweep(now: number, wall: number): void {
    const late = now - this.#lastAt - SWEEP_MS;
    this.#lastAt = now;
    // With nobody connected it was not load: a process that has just started stands still too, and must take clients.
    if (late > OVERLOAD_LAG_MS && this.#hub.connections.size > 0) {
      this.#lagSeenAt = now;
      this.#hub.options.logger.warn({ late_ms: late }, 'the event loop stood still: nobody new is taken for a moment');
    }
    const paused = late > PAUSE_MS;
    if (paused) {
      this.#hub.livePath.woke(now);
      this.#hub.headCheck.hurry();
    }
    for (const connection of this.#hub.connections.values()) this.#look(connection, { now, wall, paused });
    this.#lookAtBacklog(now);
    this.#lookAtLivePath(now);
    this.#checkHeads(now);
    if (now < this.#nextSlowPassAt) return;
    this.#nextSlowPassAt = now + 1_000;
    this.#heartbeat(now);
    this.#releaseIdle(now);
    if (this.#hub.round.repeatPresence()) this.#hub.scheduler.request();
  }

  #look(connection: Connection, { now, wall, paused }: { now: number; wall: number; paused: boolean }): void {
    const { state } = connection;
    if (state.kind === 'authenticating') {
      if (now >= state.deadline) this.#hub.close(connection, 'timeout');
      return;
    }
    if (state.kind === 'closing') {
      if (now >= state.deadline) connection.transport.destroy();
      return;
    }
    if (wall >= connection.expiresAt) this.#hub.close(connection, 'token_expired');
    else if (now >= connection.leaveAt) this.#hub.close(connection, 'service_restart');
    else if (state.kind === 'catching_up' && !isAnnounced(state) && now - connection.openedAt > READY_DEADLINE_MS) {
      this.#hub.close(connection, 'try_again_later');
    } else if (now >= connection.dueAt) this.#due(connection, now, paused);
  }

  #due(connection: Connection, now: number, paused: boolean): void {
    const { transport } = connection;
    if (transport.kind === 'poll') {
      this.#hub.announcer.pollExpired(connection);
      return;
    }
    connection.dueAt = now + this.pingIntervalMs(transport.kind);
    if (transport.kind === 'sse') {
      if (isAnnounced(connection.state)) transport.ping();
      return;
    }
    // After a pause the pongs may still lie unread in the sockets.
    if (connection.pingSentAt > 0 && !paused) {
      connection.missedPongs += 1;
      if (connection.missedPongs >= MAX_MISSED_PONGS) {
        this.#hub.close(connection, 'timeout');
        return;
      }
      void this.#hub.setStale(connection, true);
    }
    connection.pingSentAt = now;
    transport.ping();
  }

  /** Only connections whose last write did not leave at once are here. */
  #lookAtBacklog(now: number): void {
    for (const connection of this.#hub.backlog) {
      const { queuedBytes, enqueuedBytes } = connection.transport;
      if (queuedBytes === 0) {
        connection.backlogged = false;
        this.#hub.backlog.delete(connection);
      } else if (enqueuedBytes - queuedBytes >= connection.backlogMarkBytes || connection.state.kind !== 'live') {
        connection.backlogMarkAt = now;
        connection.backlogMarkBytes = enqueuedBytes;
      } else if (now - connection.backlogMarkAt > SLOW_CONSUMER_MS) {
        this.#hub.shed(connection);
      }
    }
  }

  #lookAtLivePath(now: number): void {
    const { livePath } = this.#hub;
    if (!livePath.refresh(now, this.#hub.scheduler.failingSince)) return;
    const { reason } = livePath;
    this.#hub.options.logger.warn(
      { reason },
      reason === null ? 'the live path is restored' : 'the live path is impaired',
    );
    const frame =
      reason === null ? { type: 'channel.restored', data: {} } : { type: 'channel.degraded', data: { reason } };
    const out = jsonFrame(frame);
    for (const connection of this.#hub.connections.values()) {
      if (isAnnounced(connection.state)) this.#hub.sendFrame(connection, out);
    }
  }

  #checkHeads(now: number): void {
    const { livePath, headCheck, staff, round, scheduler, channels, connections } = this.#hub;
    if (!headCheck.due(now, livePath.impaired) || connections.size === 0) return;
    round.wantHeads(channels.values());
    if (staff.size > 0) staff.wantFeed();
    scheduler.request();
  }

  #heartbeat(now: number): void {
    const { presence } = this.#hub;
    const told = this.#hub.refreshPresence(now);
    if (!told && (now < this.#nextHeartbeatAt || !presence.hasLocal)) return;
    this.#nextHeartbeatAt = now + this.#hub.options.config.heartbeatSeconds * 1_000;
    if (!told) void this.#hub.publish(CONTROL_CHANNEL, presence.message());
  }

  #releaseIdle(now: number): void {
    for (const channel of this.#hub.channels.values()) {
      if (channel.size === 0 && now - channel.emptySince > CHANNEL_LINGER_MS) this.#hub.release(channel);
    }
    const { staff } = this.#hub;
    if (staff.size === 0 && staff.state.kind !== 'idle' && now - staff.emptySince > CHANNEL_LINGER_MS)
      this.#hub.releaseStaff();
  }
}
