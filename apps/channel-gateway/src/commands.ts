import { MAX_BAD_FRAMES, sessionChannel, STAFF_CHANNEL } from '@chat-realtime/protocol';
import type { CustomerPrincipal, Principal, StaffPrincipal } from '@chat-realtime/verifier';
import type { Clock } from './clock.ts';
import type { Admission } from './connections/admission.ts';
import type { Connection } from './connections/connection.ts';
import { jsonFrame } from './connections/encoding.ts';
import type { FrameRate } from './connections/frame-rate.ts';
import { type BadFrame, type Command, invalidFrame, isFree, readInbound } from './connections/inbound.ts';
import type { Registry } from './connections/registry.ts';
import type { CoreMetrics } from './core-metrics.ts';
import type { AckBuffer } from './state/ack-buffer.ts';
import type { Presence } from './state/presence.ts';
import type { SessionStreams } from './streams/session-streams.ts';
import type { StaffStream } from './streams/staff-stream.ts';
import type { FanoutLink } from './sync/fanout-link.ts';

/** The same typing state again within this time says nothing new: receivers keep it for 6 s. */
const TYPING_REPEAT_MS = 1_000;
const PONG = jsonFrame({ type: 'channel.pong' });

export interface CommandsOptions {
  readonly clock: Clock;
  readonly registry: Registry;
  readonly admission: Admission;
  readonly rate: FrameRate;
  readonly sessions: SessionStreams;
  readonly staff: StaffStream;
  readonly presence: Presence;
  readonly acks: AckBuffer;
  readonly link: FanoutLink;
  readonly metrics: CoreMetrics;
}

/** Does what clients say on a WebSocket, if they may. */
export class Commands {
  readonly #options: CommandsOptions;

  constructor(options: CommandsOptions) {
    this.#options = options;
  }

  /** A text frame from the client. Any fault in handling it ends this connection alone. */
  receive(connection: Connection, text: string): void {
    this.#options.registry.guard(connection, () => this.#receive(connection, text));
  }

  /** The peer sent a protocol ping; true if it may be answered. */
  pinged(connection: Connection): boolean {
    const { rate, clock } = this.#options;
    if (rate.takeFree(connection, clock.now())) return true;
    this.#flooded(connection);
    return false;
  }

  #receive(connection: Connection, text: string): void {
    if (connection.isOver) return;
    const { rate, clock, registry, metrics } = this.#options;
    const command = readInbound(text);
    const now = clock.now();
    if (isFree(command)) {
      if (!rate.takeFree(connection, now)) {
        this.#flooded(connection);
        return;
      }
    } else if (!rate.take(connection, now)) {
      metrics.rateLimited('frames');
      registry.send(connection, { type: 'error', data: { code: 'rate_limited', message: 'too many frames' } });
      registry.close(connection, 'rate_limited');
      return;
    }
    const bad = this.#judge(connection, command);
    if (bad !== null) this.#reject(connection, bad);
  }

  #flooded(connection: Connection): void {
    this.#options.metrics.rateLimited('pings');
    this.#options.registry.close(connection, 'policy_violation');
  }

  #reject(connection: Connection, { code, message }: BadFrame): void {
    const { registry } = this.#options;
    connection.badFrames += 1;
    registry.send(connection, { type: 'error', data: { code, message } });
    if (connection.badFrames >= MAX_BAD_FRAMES) registry.close(connection, 'bad_frame');
  }

  #judge(connection: Connection, command: Command | BadFrame): BadFrame | null {
    const { registry, admission } = this.#options;
    if (command.kind === 'bad' && (command.code === 'malformed_request' || command.of === 'auth')) return command;
    const { state, principal } = connection;
    if (command.kind === 'auth') {
      if (state.kind === 'authenticating') void admission.admit(connection, command.credentials);
      else void admission.refresh(connection, command.credentials);
      return null;
    }
    // While the token is being checked, a client that does not wait for the answer is not punished.
    const isVerifying = state.kind === 'authenticating' && state.verifying;
    if (principal === null && !isVerifying) return invalidFrame('the first frame must be auth');
    if (command.kind === 'ping') {
      registry.sendFrame(connection, PONG);
      return null;
    }
    // Who is being sent away speaks of ids of another database.
    if (principal === null || state.kind === 'leaving') return null;
    return command.kind === 'bad' ? command : this.#do(connection, principal, command);
  }

  #do(
    connection: Connection,
    principal: Principal,
    command: Exclude<Command, { kind: 'auth' | 'ping' }>,
  ): BadFrame | null {
    switch (command.kind) {
      case 'customer_ack':
        if (principal.kind !== 'customer') return invalidFrame('staff acks have items');
        this.#ackCustomer(connection, principal, command.lastId);
        return null;
      case 'staff_ack':
        if (principal.kind !== 'staff') return invalidFrame('items are for staff');
        for (const { sessionId, lastId } of command.items)
          this.ackStaff(principal, sessionId, Math.min(lastId, this.#options.staff.lastMessageIdOf(sessionId)));
        return null;
      case 'typing':
        return this.#typing(connection, principal, command);
      case 'viewing':
        if (principal.kind !== 'staff') return invalidFrame('viewing is for staff');
        this.#viewing(connection, principal, command.sessionId);
        return null;
    }
  }

  /**
   * What an operator acknowledges of a session, if it is theirs to see. Over POST it is clamped by chat-service alone, to
   * the newest message there is: their stream may run over another gateway, so what they were sent is not known here.
   */
  ackStaff(principal: StaffPrincipal, sessionId: number, lastId: number): void {
    const { staff, acks } = this.#options;
    if (lastId > 0 && staff.mayName(principal, sessionId)) acks.record(sessionId, `staff:${principal.userId}`, lastId);
  }

  /** `lastId`: clamped by chat-service, since over which gateway it was sent is not known. */
  ackSession(sessionId: number, lastId: number): void {
    if (lastId > 0) this.#options.acks.record(sessionId, 'client', lastId);
  }

  #ackCustomer(connection: Connection, { sessionId }: CustomerPrincipal, lastId: number): void {
    this.ackSession(sessionId, Math.min(lastId, this.#sentTo(connection, sessionId)));
  }

  /** The newest message that this very connection was sent. */
  #sentTo(connection: Connection, sessionId: number): number {
    if (!connection.isLive) return connection.sentMessageId;
    const newest = this.#options.sessions.get(sessionId)?.lastMessageId ?? 0;
    return newest > connection.messageFloor ? newest : connection.sentMessageId;
  }

  #typing(
    connection: Connection,
    principal: Principal,
    { sessionId: named, active }: Extract<Command, { kind: 'typing' }>,
  ): BadFrame | null {
    const { sessions, staff, link } = this.#options;
    const sessionId = named ?? (principal.kind === 'customer' ? principal.sessionId : null);
    if (sessionId === null) return invalidFrame('typing of staff needs session_id');
    if (principal.kind === 'customer' && sessionId !== principal.sessionId)
      return invalidFrame('typing for another session');
    if (!connection.isAnnounced || !this.#typingIsNews(connection, active)) return null;
    if (principal.kind === 'staff' && !staff.mayName(principal, sessionId)) return null;
    if (principal.kind === 'customer' && sessions.get(sessionId)?.isBanned === true) return null;
    const typing = { type: 'chat.typing', session_id: sessionId, seq: null, data: typingData(principal, active) };
    void link.publish(sessionChannel(sessionId), typing);
    const assigned = sessions.get(sessionId)?.assignedUserId ?? staff.owners.of(sessionId);
    const subscribers =
      assigned === undefined ? {} : { subscribers: { session_id: sessionId, assigned_user_id: assigned } };
    void link.publish(STAFF_CHANNEL, { ...typing, ...subscribers });
    return null;
  }

  #typingIsNews(connection: Connection, active: boolean): boolean {
    const now = this.#options.clock.now();
    const last = connection.lastTyping;
    const isSame = last > 0 === active;
    if (isSame && now - Math.abs(last) < TYPING_REPEAT_MS) return false;
    connection.lastTyping = active ? now : -now;
    return true;
  }

  #viewing(connection: Connection, principal: StaffPrincipal, sessionId: number | null): void {
    const { staff, presence } = this.#options;
    connection.viewing = sessionId;
    // Where it is not known yet whose the session is, it is shown as soon as the answer has come.
    if (sessionId === null || staff.mayName(principal, sessionId)) presence.viewing(principal, sessionId);
  }
}

function typingData(principal: Principal, active: boolean): object {
  if (principal.kind === 'customer') return { by: 'client', active };
  const name = principal.name === null ? {} : { name: principal.name };
  return { by: 'staff', user_id: principal.userId, ...name, active };
}
