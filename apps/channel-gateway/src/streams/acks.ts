import type { CustomerPrincipal, StaffPrincipal } from '@chat-realtime/verifier';
import type { Connection } from '../connections/connection.ts';
import type { AckBuffer } from '../state/ack-buffer.ts';
import type { SessionStreams } from './session-streams.ts';
import type { StaffSight } from './staff-sight.ts';
import type { StaffStream } from './staff-stream.ts';

export interface AcksOptions {
  readonly sessions: Pick<SessionStreams, 'get'>;
  readonly staff: Pick<StaffStream, 'lastMessageIdOf'>;
  readonly sight: Pick<StaffSight, 'mayName' | 'ownerOf' | 'asks'>;
  readonly buffer: Pick<AckBuffer, 'record'>;
}

/** Acks that wait for the assignee of their session; further ones are dropped. */
const WAITING_MAX = 1_000;

interface StaffAck {
  readonly principal: StaffPrincipal;
  readonly sessionId: number;
  readonly lastId: number;
}

/**
 * Acks of clients. On a connection, a customer cannot acknowledge more than was sent to them, nor an operator more than
 * the staff here were sent. An ack by POST is only clamped by chat-service, to the newest message: the client's stream
 * may run over another gateway, so what was sent there is unknown here. The same holds for an operator's ack of a
 * session of which nothing was sent here: a console reads its history by REST.
 */
export class Acks {
  readonly #options: AcksOptions;
  readonly #waiting = new Map<string, StaffAck>();

  constructor(options: AcksOptions) {
    this.#options = options;
  }

  customerOn(connection: Connection, { sessionId }: CustomerPrincipal, lastId: number): void {
    this.customer(sessionId, Math.min(lastId, this.#sentTo(connection, sessionId)));
  }

  staffOn(principal: StaffPrincipal, sessionId: number, lastId: number): void {
    const sent = this.#options.staff.lastMessageIdOf(sessionId);
    this.staff(principal, sessionId, sent === 0 ? lastId : Math.min(lastId, sent));
  }

  customer(sessionId: number, lastId: number): void {
    if (lastId > 0) this.#options.buffer.record(sessionId, 'client', lastId);
  }

  /** For a session in the operator's scope. While that is not known yet, the ack waits for the answer. */
  staff(principal: StaffPrincipal, sessionId: number, lastId: number): void {
    const { sight, buffer } = this.#options;
    if (lastId <= 0) return;
    if (sight.mayName(principal, sessionId)) buffer.record(sessionId, `staff:${principal.userId}`, lastId);
    else if (sight.ownerOf(sessionId) === undefined) this.#wait({ principal, sessionId, lastId });
  }

  /** chat-service has reported the assignees of some sessions. */
  ownersLearned(): void {
    const { sight } = this.#options;
    for (const [key, { principal, sessionId, lastId }] of this.#waiting) {
      if (sight.asks(sessionId)) continue;
      this.#waiting.delete(key);
      if (sight.ownerOf(sessionId) !== undefined) this.staff(principal, sessionId, lastId);
    }
  }

  #wait(ack: StaffAck): void {
    const key = `${ack.sessionId} ${ack.principal.userId}`;
    const known = this.#waiting.get(key);
    if (known === undefined ? this.#waiting.size < WAITING_MAX : known.lastId < ack.lastId) this.#waiting.set(key, ack);
  }

  /** The newest message that was sent on this very connection. */
  #sentTo(connection: Connection, sessionId: number): number {
    if (!connection.isLive) return connection.sentMessageId;
    const newest = this.#options.sessions.get(sessionId)?.lastMessageId ?? 0;
    return newest > connection.messageFloor ? newest : connection.sentMessageId;
  }
}
