import { Audience, type AudienceHost } from './audience.ts';
import type { Connection, StaffCatchingUp } from './connection.ts';
import type { OutFrame } from './encoding.ts';
import type { LiveFrame } from './live-frame.ts';
import type { HubMetrics } from './metrics.ts';
import { visibleToAssigned } from './staff-scope.ts';
import type { StaffSession } from './staff-sessions.ts';

export interface StaffChannelHost extends AudienceHost {
  readonly metrics: HubMetrics;
  requestCatchup(): void;
  /** A live event came: the watermark should follow soon. */
  ringFeed(): void;
  /** The feed does not know the watermark any more. */
  databaseChanged(): void;
  /** A frame is missing: ask if it is still missing a little later. */
  watchStaffGap(): void;
  /** False: it says what is known, nobody need be told. */
  badgeSeen(frame: LiveFrame): boolean;
  /** Sends `channel.ready` from `cursor`, then a reset if there is a reason; false if the connection was refused. */
  announceStaff(
    connection: Connection,
    state: StaffCatchingUp,
    cursor: string,
    reset: 'cursor_ahead' | 'cursor_unknown' | null,
  ): boolean;
  /** True if the poll was answered. */
  finishStaffPoll(connection: Connection, cursor: string, hasMore: boolean): boolean;
  wentLive(connection: Connection): void;
  write(connection: Connection, bytes: Buffer): void;
}

/**
 * Live staff connections: those who see everything share one audience; those with scope `assigned` have one per user, so
 * that whose session it is is decided once for a user and not once for each of his connections.
 */
export class StaffAudiences {
  readonly #all: Audience;
  readonly #byUser = new Map<string, Audience>();
  readonly #host: AudienceHost;

  constructor(host: AudienceHost) {
    this.#host = host;
    this.#all = new Audience(host);
  }

  get size(): number {
    let size = this.#all.members.length;
    for (const audience of this.#byUser.values()) size += audience.members.length;
    return size;
  }

  *connections(): Generator<Connection> {
    yield* this.#all.members;
    for (const audience of this.#byUser.values()) yield* audience.members;
  }

  add(connection: Connection): void {
    const { principal } = connection;
    if (principal?.kind !== 'staff') throw new Error('only staff connections join the staff channel');
    if (principal.scope === 'all') {
      this.#all.add(connection);
      return;
    }
    let audience = this.#byUser.get(principal.userId);
    if (audience === undefined) {
      audience = new Audience(this.#host);
      this.#byUser.set(principal.userId, audience);
    }
    audience.add(connection);
  }

  remove(connection: Connection): boolean {
    if (this.#all.remove(connection)) return true;
    for (const [userId, audience] of this.#byUser) {
      if (!audience.remove(connection)) continue;
      if (audience.members.length === 0) this.#byUser.delete(userId);
      return true;
    }
    return false;
  }

  push(frame: LiveFrame, session: StaffSession | undefined): void {
    const out: OutFrame = { payload: frame.payload, id: null };
    this.#all.push(out);
    for (const [userId, audience] of this.#byUser) {
      if (visibleToAssigned(userId, frame, session)) audience.push(out);
    }
  }

  pushEphemeral(key: string, frame: LiveFrame, session: StaffSession | undefined, exceptUser: string | null): void {
    const out: OutFrame = { payload: frame.payload, id: null };
    this.#all.pushEphemeral(key, out, exceptUser);
    for (const [userId, audience] of this.#byUser) {
      if (visibleToAssigned(userId, frame, session)) audience.pushEphemeral(key, out, exceptUser);
    }
  }

  /** A frame about nobody's session, such as presence. */
  pushToAll(key: string, out: OutFrame): void {
    this.#all.pushEphemeral(key, out);
    for (const audience of this.#byUser.values()) audience.pushEphemeral(key, out);
  }

  /** The cursor has moved and no frame has told it yet. */
  get owesCursor(): boolean {
    if (this.#all.owesCursor) return true;
    for (const audience of this.#byUser.values()) if (audience.owesCursor) return true;
    return false;
  }

  setCursor(cursor: string): void {
    this.#all.setCursor(cursor);
    for (const audience of this.#byUser.values()) audience.setCursor(cursor);
  }

  flush(): void {
    this.#all.flush();
    for (const audience of this.#byUser.values()) audience.flush();
  }
}
