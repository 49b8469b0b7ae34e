import {
  type BadgeData,
  badgeFor,
  type ControlFrame,
  type CountedBadge,
  presenceFor,
  type PresenceUser,
  type StaffViewer,
} from '@chat-realtime/protocol';
import { Audience, type AudienceHost } from './audience.ts';
import type { Connection } from '../connections/connection.ts';
import { jsonFrame, type OutFrame } from '../connections/encoding.ts';
import type { LiveFrame } from './live-frame.ts';
import type { SessionOwners } from './session-owners.ts';

/** The connections of one user with one narrow scope. */
interface NarrowAudience {
  readonly viewer: StaffViewer;
  readonly audience: Audience;
  /** The cursor has passed over what is not theirs, and no frame has said so yet. */
  owesCursor: boolean;
}

const EVERYTHING: StaffViewer = { userId: '', scope: 'all' };

/** The resume point of who was sent nothing of the last events. */
export function cursorFrame(feedSeq: number): OutFrame {
  const cursor = String(feedSeq);
  return jsonFrame({ type: 'channel.cursor', cursor } satisfies ControlFrame, cursor);
}

export function badgeFrame(data: BadgeData): OutFrame {
  return jsonFrame({ type: 'chat.alert', session_id: null, seq: null, data });
}

export function presenceFrame(users: readonly PresenceUser[]): OutFrame {
  return jsonFrame({ type: 'chat.presence', session_id: null, seq: null, data: { users } });
}

/**
 * Live staff connections: those who see everything share one audience; those with a narrower scope have one per user, so
 * that what they may see is decided once for a user and not once for each of their connections.
 */
export class StaffAudiences {
  readonly #all: Audience;
  readonly #narrow = new Map<string, NarrowAudience>();
  readonly #owners: SessionOwners;
  readonly #host: AudienceHost;
  #stateChanges = 0;

  constructor(owners: SessionOwners, host: AudienceHost) {
    this.#owners = owners;
    this.#host = host;
    this.#all = new Audience(host);
  }

  /** How often badge or presence were pushed: who was announced at another count knows an older state. */
  get stateChanges(): number {
    return this.#stateChanges;
  }

  get size(): number {
    let size = this.#all.members.length;
    for (const { audience } of this.#narrow.values()) size += audience.members.length;
    return size;
  }

  *connections(): Generator<Connection> {
    yield* this.#all.members;
    for (const { audience } of this.#narrow.values()) yield* audience.members;
  }

  add(connection: Connection): void {
    const { principal } = connection;
    if (principal?.kind !== 'staff') throw new Error('only staff connections join the staff stream');
    const { userId, scope } = principal;
    if (scope === 'all') {
      this.#all.add(connection);
      return;
    }
    const key = `${scope} ${userId}`;
    let narrow = this.#narrow.get(key);
    if (narrow === undefined) {
      narrow = { viewer: { userId, scope }, audience: new Audience(this.#host), owesCursor: false };
      this.#narrow.set(key, narrow);
    }
    narrow.audience.add(connection);
  }

  remove(connection: Connection): boolean {
    if (this.#all.remove(connection)) return true;
    for (const [key, { audience }] of this.#narrow) {
      if (!audience.remove(connection)) continue;
      if (audience.members.length === 0) this.#narrow.delete(key);
      return true;
    }
    return false;
  }

  /** `paged`: it comes from the page that was learned last, not from the live path. */
  push(feedSeq: number, frame: LiveFrame, paged: boolean): void {
    const out: OutFrame = { payload: frame.payload, id: String(feedSeq) };
    this.#all.push(out);
    for (const narrow of this.#narrow.values()) {
      const { viewer, audience } = narrow;
      const isSeen = paged ? this.#owners.seesPaged(viewer, frame) : this.#owners.seesLive(viewer, frame);
      if (isSeen) audience.push(out);
      narrow.owesCursor = !isSeen;
    }
  }

  /** Says how far they are to those who were not shown the last events, or they would read them again after a quiet day. */
  tellCursor(cursor: number): void {
    for (const narrow of this.#narrow.values()) {
      if (narrow.owesCursor) narrow.audience.push(cursorFrame(cursor));
      narrow.owesCursor = false;
    }
  }

  pushEphemeral(key: string, frame: LiveFrame, exceptUser: string | null): void {
    const out: OutFrame = { payload: frame.payload, id: null };
    this.#all.pushEphemeral(key, out, exceptUser);
    for (const { viewer, audience } of this.#narrow.values()) {
      if (this.#owners.seesLive(viewer, frame)) audience.pushEphemeral(key, out, exceptUser);
    }
  }

  pushPresence(users: readonly PresenceUser[]): void {
    this.#pushPresence(EVERYTHING, this.#all, users);
    this.repeatPresence(users);
  }

  /** The assignee of a viewed session has changed, and with it who may see who is viewing it. */
  repeatPresence(users: readonly PresenceUser[]): void {
    this.#stateChanges += 1;
    for (const { viewer, audience } of this.#narrow.values()) this.#pushPresence(viewer, audience, users);
  }

  pushBadge(badge: CountedBadge): void {
    this.#stateChanges += 1;
    const push = (viewer: StaffViewer, audience: Audience): void =>
      audience.pushEphemeral('chat.alert', badgeFrame(badgeFor(viewer, badge)));
    push(EVERYTHING, this.#all);
    for (const { viewer, audience } of this.#narrow.values()) push(viewer, audience);
  }

  #pushPresence(viewer: StaffViewer, audience: Audience, users: readonly PresenceUser[]): void {
    const seen = presenceFor(viewer, users, (sessionId) => this.#owners.ask(sessionId));
    audience.pushEphemeral('chat.presence', presenceFrame(seen));
  }

  flush(): void {
    this.#all.flush();
    for (const { audience } of this.#narrow.values()) audience.flush();
  }
}
