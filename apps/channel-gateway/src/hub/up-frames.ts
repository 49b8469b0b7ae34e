import {
  ackFrameSchema,
  customerAuthFrameSchema,
  MAX_BAD_FRAMES,
  sessionChannel,
  STAFF_CHANNEL,
  staffAuthFrameSchema,
  typingFrameSchema,
  viewingFrameSchema,
} from '@chat-realtime/protocol';
import type { CustomerPrincipal, StaffPrincipal } from '@chat-realtime/verifier';
import type { Admission } from './admission.ts';
import { type Connection, isAnnounced, type StartCursor } from './connection.ts';
import { type Credentials, feedStart } from './credentials.ts';
import { jsonFrame } from './encoding.ts';
import type { Hub } from './hub.ts';

/** The same typing state again within this time says nothing new: receivers keep it for 6 s. */
const TYPING_REPEAT_MS = 1_000;
const PONG = jsonFrame({ type: 'channel.pong' });

type BadFrame = { readonly code: 'malformed_request' | 'validation_failed'; readonly message: string };

/** What clients send up a WebSocket. */
export class UpFrames {
  readonly #hub: Hub;
  readonly #admission: Admission;

  constructor(hub: Hub, admission: Admission) {
    this.#hub = hub;
    this.#admission = admission;
  }

  handle(connection: Connection, text: string): void {
    if (connection.state.kind === 'closing' || connection.state.kind === 'closed') return;
    void this.#hub.options.failpoint('gw.internalError');
    const frame = parseObject(text);
    const type = frame?.['type'];
    const now = performance.now();
    const free = type === 'ack' || type === 'ping';
    if (free ? !this.#hub.rate.takeFree(connection, now) : !this.#hub.rate.take(connection, now)) {
      this.#tooMany(connection, free);
      return;
    }
    const bad =
      frame === null
        ? { code: 'malformed_request' as const, message: 'not a JSON object' }
        : this.#dispatch(connection, type, frame);
    if (bad !== null) this.#reject(connection, bad);
  }

  #tooMany(connection: Connection, free: boolean): void {
    this.#hub.metrics.rateLimited(free ? 'pings' : 'frames');
    if (free) {
      this.#hub.close(connection, 'policy_violation');
      return;
    }
    this.#hub.send(connection, { type: 'error', data: { code: 'rate_limited', message: 'too many frames' } });
    this.#hub.close(connection, 'rate_limited');
  }

  #reject(connection: Connection, { code, message }: BadFrame): void {
    connection.badFrames += 1;
    this.#hub.send(connection, { type: 'error', data: { code, message } });
    if (connection.badFrames >= MAX_BAD_FRAMES) this.#hub.close(connection, 'bad_frame');
  }

  #dispatch(connection: Connection, type: unknown, frame: object): BadFrame | null {
    if (type === 'auth') return this.#auth(connection, frame);
    const { principal } = connection;
    // While the token is being checked, a client that does not wait for the answer is not punished.
    const verifying = connection.state.kind === 'authenticating' && connection.state.verifying;
    if (principal === null && !verifying) return invalid('the first frame must be auth');
    if (type === 'ping') {
      this.#hub.sendFrame(connection, PONG);
      return null;
    }
    // Who is being sent away speaks of ids of another database.
    if (principal === null || connection.state.kind === 'leaving') return null;
    switch (type) {
      case 'ack':
        return this.#ack(connection, principal, frame);
      case 'typing':
        return this.#typing(connection, principal, frame);
      case 'viewing':
        return principal.kind === 'staff'
          ? this.#viewing(connection, principal, frame)
          : invalid('viewing is for staff');
      default:
        return invalid('unknown type');
    }
  }

  #auth(connection: Connection, frame: object): BadFrame | null {
    const credentials = readAuthFrame(frame);
    if (credentials === null) return invalid('auth needs session_id and token, or access_token');
    if (connection.state.kind === 'authenticating') void this.#admission.admit(connection, credentials);
    else void this.#admission.refresh(connection, credentials);
    return null;
  }

  #ack(connection: Connection, principal: CustomerPrincipal | StaffPrincipal, frame: object): BadFrame | null {
    const parsed = ackFrameSchema.safeParse(frame);
    if (!parsed.success) return invalid('ack needs last_id, or items for staff');
    if ('items' in parsed.data) {
      if (principal.kind !== 'staff') return invalid('items are for staff');
      for (const { session_id: sessionId, last_id: lastId } of parsed.data.items) {
        const clamped = Math.min(lastId, this.#hub.staff.lastMessageIdOf(sessionId));
        if (clamped > 0 && this.#mayName(principal, sessionId))
          this.#hub.acks.record(sessionId, `staff:${principal.userId}`, clamped);
      }
      return null;
    }
    if (principal.kind !== 'customer') return invalid('staff acks have items');
    const clamped = Math.min(parsed.data.last_id, this.#sentTo(connection, principal.sessionId));
    if (clamped > 0) this.#hub.acks.record(principal.sessionId, 'client', clamped);
    return null;
  }

  /** The newest message that this very connection was sent. */
  #sentTo(connection: Connection, sessionId: number): number {
    if (connection.state.kind !== 'live') return connection.sentMessageId;
    const newest = this.#hub.channels.get(sessionId)?.lastMessageId ?? 0;
    return newest > connection.messageFloor ? newest : connection.sentMessageId;
  }

  #typing(connection: Connection, principal: CustomerPrincipal | StaffPrincipal, frame: object): BadFrame | null {
    const parsed = typingFrameSchema.safeParse(frame);
    if (!parsed.success) return invalid('typing needs active');
    const { active } = parsed.data;
    const sessionId = parsed.data.session_id ?? (principal.kind === 'customer' ? principal.sessionId : null);
    if (sessionId === null) return invalid('typing of staff needs session_id');
    if (principal.kind === 'customer' && sessionId !== principal.sessionId)
      return invalid('typing for another session');
    if (!isAnnounced(connection.state) || !this.#typingIsNews(connection, active)) return null;
    if (principal.kind === 'staff' && !this.#mayName(principal, sessionId)) return null;
    const data =
      principal.kind === 'customer'
        ? { by: 'client', active }
        : {
            by: 'staff',
            user_id: principal.userId,
            ...(principal.name === null ? {} : { name: principal.name }),
            active,
          };
    const assigned = this.#hub.channels.get(sessionId)?.assignedUserId ?? this.#hub.staff.owners.of(sessionId);
    const typing = { type: 'chat.typing', session_id: sessionId, seq: null, data };
    void this.#hub.publish(sessionChannel(sessionId), typing);
    const subscribers =
      assigned === undefined ? {} : { subscribers: { session_id: sessionId, assigned_user_id: assigned } };
    void this.#hub.publish(STAFF_CHANNEL, { ...typing, ...subscribers });
    return null;
  }

  #mayName(principal: StaffPrincipal, sessionId: number): boolean {
    const { owners } = this.#hub.staff;
    if (owners.sees(principal, sessionId)) return true;
    if (owners.of(sessionId) === undefined) this.#hub.requestCatchup();
    return false;
  }

  #typingIsNews(connection: Connection, active: boolean): boolean {
    const now = performance.now();
    const last = connection.lastTyping;
    const same = last > 0 === active;
    if (same && now - Math.abs(last) < TYPING_REPEAT_MS) return false;
    connection.lastTyping = active ? now : -now;
    return true;
  }

  #viewing(connection: Connection, principal: StaffPrincipal, frame: object): BadFrame | null {
    const parsed = viewingFrameSchema.safeParse(frame);
    if (!parsed.success) return invalid('viewing needs session_id');
    const { session_id: sessionId } = parsed.data;
    connection.viewing = sessionId;
    // Where it is not known yet whose the session is, it is shown as soon as the answer has come.
    if (sessionId === null || this.#mayName(principal, sessionId)) this.#hub.presence.viewing(principal, sessionId);
    return null;
  }
}

function invalid(message: string): BadFrame {
  return { code: 'validation_failed', message };
}

function parseObject(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : null;
  } catch (error) {
    // Nesting deep enough to exhaust the parser's stack is as malformed as a syntax error.
    if (error instanceof SyntaxError || error instanceof RangeError) return null;
    throw error;
  }
}

function readAuthFrame(frame: object): Credentials | null {
  const customer = customerAuthFrameSchema.safeParse(frame);
  if (customer.success) {
    const { session_id: sessionId, token, last_seq: lastSeq, replaces } = customer.data;
    const start: StartCursor<number> = lastSeq === undefined ? { kind: 'head' } : { kind: 'after', cursor: lastSeq };
    return { kind: 'customer', sessionId, token, start, replaces };
  }
  const staff = staffAuthFrameSchema.safeParse(frame);
  if (!staff.success) return null;
  const { access_token: token, cursor, replaces } = staff.data;
  return { kind: 'staff', token, start: feedStart(cursor), replaces };
}
