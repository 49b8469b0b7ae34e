import { MAX_BAD_FRAMES } from '@chat-realtime/protocol';
import type { Principal } from '@chat-realtime/verifier';
import type { Clock } from './clock.ts';
import type { Admission } from './connections/admission.ts';
import type { Connection } from './connections/connection.ts';
import { jsonFrame } from './connections/encoding.ts';
import type { FrameRate } from './connections/frame-rate.ts';
import { type BadFrame, type Command, invalidFrame, isFree, readInbound } from './connections/inbound.ts';
import type { Registry } from './connections/registry.ts';
import type { CoreMetrics } from './core-metrics.ts';
import type { Acks } from './streams/acks.ts';
import type { StaffSight } from './streams/staff-sight.ts';
import type { Typing } from './streams/typing.ts';

const PONG = jsonFrame({ type: 'channel.pong' });

export interface CommandsOptions {
  readonly clock: Clock;
  readonly registry: Registry;
  readonly admission: Admission;
  readonly rate: FrameRate;
  readonly acks: Acks;
  readonly typing: Typing;
  readonly sight: Pick<StaffSight, 'view'>;
  readonly metrics: CoreMetrics;
}

/** Executes what clients send on a WebSocket, if they are allowed to. */
export class Commands {
  readonly #options: CommandsOptions;

  constructor(options: CommandsOptions) {
    this.#options = options;
  }

  /** A text frame from the client. Any fault in handling it ends only this connection. */
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
    // A client that is being disconnected uses ids of another database.
    if (principal === null || state.kind === 'leaving') return null;
    return command.kind === 'bad' ? command : this.#do(connection, principal, command);
  }

  #do(
    connection: Connection,
    principal: Principal,
    command: Exclude<Command, { kind: 'auth' | 'ping' }>,
  ): BadFrame | null {
    const { acks, typing, sight } = this.#options;
    switch (command.kind) {
      case 'customer_ack':
        if (principal.kind !== 'customer') return invalidFrame('staff acks have items');
        acks.customerOn(connection, principal, command.lastId);
        return null;
      case 'staff_ack':
        if (principal.kind !== 'staff') return invalidFrame('items are for staff');
        for (const { sessionId, lastId } of command.items) acks.staffOn(principal, sessionId, lastId);
        return null;
      case 'typing':
        return typing.pass(connection, principal, command.sessionId, command.active);
      case 'viewing':
        if (principal.kind !== 'staff') return invalidFrame('viewing is for staff');
        sight.view(connection, principal, command.sessionId);
        return null;
    }
  }
}
