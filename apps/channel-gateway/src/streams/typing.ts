import { sessionChannel, STAFF_CHANNEL } from '@chat-realtime/protocol';
import type { Principal } from '@chat-realtime/verifier';
import type { Clock } from '../clock.ts';
import type { Connection } from '../connections/connection.ts';
import { type BadFrame, invalidFrame } from '../connections/inbound.ts';
import type { FanoutLink } from '../sync/fanout-link.ts';
import type { SessionStreams } from './session-streams.ts';
import type { StaffSight } from './staff-sight.ts';

/** The same typing state again within this time says nothing new: receivers keep it for 6 s. */
const TYPING_REPEAT_MS = 1_000;

export interface TypingOptions {
  readonly clock: Clock;
  readonly sessions: Pick<SessionStreams, 'get'>;
  readonly sight: Pick<StaffSight, 'mayName' | 'ownerOf'>;
  readonly link: Pick<FanoutLink, 'publish'>;
}

/** Passes on that somebody types, to the session and to the staff. */
export class Typing {
  readonly #options: TypingOptions;

  constructor(options: TypingOptions) {
    this.#options = options;
  }

  /** `named`: the session that the frame names; a customer need not name theirs. */
  pass(connection: Connection, principal: Principal, named: number | null, active: boolean): BadFrame | null {
    const { sessions, sight, link } = this.#options;
    const sessionId = named ?? (principal.kind === 'customer' ? principal.sessionId : null);
    if (sessionId === null) return invalidFrame('typing of staff needs session_id');
    if (principal.kind === 'customer' && sessionId !== principal.sessionId)
      return invalidFrame('typing for another session');
    if (!connection.isReadySent || !this.#hasChanged(connection, active)) return null;
    if (principal.kind === 'staff' && !sight.mayName(principal, sessionId)) return null;
    if (principal.kind === 'customer' && sessions.get(sessionId)?.isBanned === true) return null;
    const typing = { type: 'chat.typing', session_id: sessionId, seq: null, data: typingData(principal, active) };
    void link.publish(sessionChannel(sessionId), typing);
    const assigned = this.#assigneeOf(sessionId);
    const subscribers =
      assigned === undefined ? {} : { subscribers: { session_id: sessionId, assigned_user_id: assigned } };
    void link.publish(STAFF_CHANNEL, { ...typing, ...subscribers });
    return null;
  }

  /** Both know it by way of chat-service: the stream of the session where its customer is here, else that of the staff. */
  #assigneeOf(sessionId: number): string | null | undefined {
    const { sessions, sight } = this.#options;
    const known = sessions.get(sessionId)?.assignedUserId;
    return known === undefined ? sight.ownerOf(sessionId) : known;
  }

  #hasChanged(connection: Connection, active: boolean): boolean {
    const now = this.#options.clock.now();
    const last = connection.lastTyping;
    const isSame = last > 0 === active;
    if (isSame && now - Math.abs(last) < TYPING_REPEAT_MS) return false;
    connection.lastTyping = active ? now : -now;
    return true;
  }
}

function typingData(principal: Principal, active: boolean): object {
  if (principal.kind === 'customer') return { by: 'client', active };
  const name = principal.name === null ? {} : { name: principal.name };
  return { by: 'staff', user_id: principal.userId, ...name, active };
}
