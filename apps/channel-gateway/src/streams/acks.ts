import type { CustomerPrincipal, StaffPrincipal } from '@chat-realtime/verifier';
import type { Connection } from '../connections/connection.ts';
import type { AckBuffer } from '../state/ack-buffer.ts';
import type { SessionStreams } from './session-streams.ts';
import type { StaffSight } from './staff-sight.ts';
import type { StaffStream } from './staff-stream.ts';

export interface AcksOptions {
  readonly sessions: Pick<SessionStreams, 'get'>;
  readonly staff: Pick<StaffStream, 'lastMessageIdOf'>;
  readonly sight: Pick<StaffSight, 'mayName'>;
  readonly buffer: Pick<AckBuffer, 'record'>;
}

/**
 * Acks of clients. On a connection, a client cannot acknowledge more than was sent to it. An ack by POST is only
 * clamped by chat-service, to the newest message: the client's stream may run over another gateway, so what was sent
 * there is unknown here.
 */
export class Acks {
  readonly #options: AcksOptions;

  constructor(options: AcksOptions) {
    this.#options = options;
  }

  customerOn(connection: Connection, { sessionId }: CustomerPrincipal, lastId: number): void {
    this.customer(sessionId, Math.min(lastId, this.#sentTo(connection, sessionId)));
  }

  staffOn(principal: StaffPrincipal, sessionId: number, lastId: number): void {
    this.staff(principal, sessionId, Math.min(lastId, this.#options.staff.lastMessageIdOf(sessionId)));
  }

  customer(sessionId: number, lastId: number): void {
    if (lastId > 0) this.#options.buffer.record(sessionId, 'client', lastId);
  }

  /** Of a session that is theirs to see. */
  staff(principal: StaffPrincipal, sessionId: number, lastId: number): void {
    const { sight, buffer } = this.#options;
    if (lastId > 0 && sight.mayName(principal, sessionId))
      buffer.record(sessionId, `staff:${principal.userId}`, lastId);
  }

  /** The newest message that this very connection was sent. */
  #sentTo(connection: Connection, sessionId: number): number {
    if (!connection.isLive) return connection.sentMessageId;
    const newest = this.#options.sessions.get(sessionId)?.lastMessageId ?? 0;
    return newest > connection.messageFloor ? newest : connection.sentMessageId;
  }
}
