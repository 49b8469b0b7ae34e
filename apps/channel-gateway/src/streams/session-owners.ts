import { type FeedOwners, seesEvent, seesSession, type StaffViewer } from '@chat-realtime/protocol';
import { countField, type LiveFrame, textField } from './live-frame.ts';

/** Sessions whose owner is remembered; beyond it those received longest ago are fetched again when needed. */
const SESSIONS_MAX = 20_000;
/** One call requests this many; the rest is requested with the next. */
const ASKED_AT_ONCE = 1_000;

interface Owner {
  readonly assignedUserId: string | null;
  /** The seq of the session at which this was true. */
  readonly seq: number;
}

/**
 * The current assignee of each session, from live frames and responses of chat-service, whichever is newer. This is the
 * only place where the gateway judges what an operator with a narrow scope may see.
 */
export class SessionOwners {
  readonly #owners = new Map<number, Owner>();
  readonly #asked = new Set<number>();
  /** The current assignees of the callbacks on the current page. */
  #pageCallbacks: ReadonlyMap<number, string | null> = new Map();

  of(sessionId: number): string | null | undefined {
    return this.#owners.get(sessionId)?.assignedUserId;
  }

  /** Returns true if the assignee changed. */
  learn(sessionId: number, assignedUserId: string | null, seq: number): boolean {
    const known = this.#owners.get(sessionId);
    if (known !== undefined && known.seq > seq) return false;
    this.#owners.delete(sessionId);
    this.#owners.set(sessionId, { assignedUserId, seq });
    this.#asked.delete(sessionId);
    if (this.#owners.size > SESSIONS_MAX) this.#forgetOldest();
    return known === undefined || known.assignedUserId !== assignedUserId;
  }

  learnFrom(frame: LiveFrame): boolean {
    if (frame.sessionId === null || frame.seq === null) return false;
    if (frame.subscribers !== null) return this.learn(frame.sessionId, frame.subscribers.assigned_user_id, frame.seq);
    if (frame.type !== 'chat.session.assigned') return false;
    return this.learn(frame.sessionId, textField(frame, 'assigned_user_id'), frame.seq);
  }

  /** Returns true if an assignee changed. */
  learnPage(owners: FeedOwners | undefined): boolean {
    let hasChanged = false;
    for (const { id, assigned_user_id: user, last_seq: seq } of owners?.sessions ?? [])
      if (this.learn(id, user, seq)) hasChanged = true;
    this.#pageCallbacks = new Map((owners?.callbacks ?? []).map(({ id, assigned_user_id: user }) => [id, user]));
    return hasChanged;
  }

  /** Sessions to request with the next call: a decision about visibility depends on their assignee. */
  wanted(): number[] {
    return [...this.#asked].slice(0, ASKED_AT_ONCE);
  }

  /** Requested, and chat-service did not return it: nobody with a narrow scope is shown it. */
  unknown(sessionId: number): void {
    this.#asked.delete(sessionId);
  }

  /** It is to be requested, or has been, and was not answered yet. */
  asks(sessionId: number): boolean {
    return this.#asked.has(sessionId);
  }

  /** The assignee, if known; otherwise it is requested. */
  ask(sessionId: number): string | null | undefined {
    const owner = this.of(sessionId);
    if (owner === undefined) this.#asked.add(sessionId);
    return owner;
  }

  /** A session that a client names. Until its assignee is known, only scope `all` may use it. */
  sees(viewer: StaffViewer, sessionId: number): boolean {
    if (viewer.scope === 'all') return true;
    const owner = this.ask(sessionId);
    return owner !== undefined && seesSession(viewer, owner);
  }

  /** A frame of the live path: it names its callback's assignee and, if nothing newer is known, its session's. */
  seesLive(viewer: StaffViewer, frame: LiveFrame): boolean {
    if (viewer.scope === 'all') return true;
    const { sessionId, subscribers } = frame;
    const known = sessionId === null ? null : this.#owners.get(sessionId);
    const session = known === undefined ? subscribers?.assigned_user_id : (known?.assignedUserId ?? null);
    if (session === undefined && sessionId !== null) this.#asked.add(sessionId);
    return seesEvent(viewer, frame, { session, callback: textField(frame, 'assigned_user_id') });
  }

  /** An event of the page that was learned last. If that page did not name its assignee, it is not shown. */
  seesPaged(viewer: StaffViewer, frame: LiveFrame): boolean {
    if (viewer.scope === 'all') return true;
    const session = frame.sessionId === null ? null : this.of(frame.sessionId);
    const callback = this.#pageCallbacks.get(countField(frame, 'id') ?? 0) ?? null;
    return seesEvent(viewer, frame, { session, callback });
  }

  clear(): void {
    this.#owners.clear();
    this.#asked.clear();
  }

  #forgetOldest(): void {
    const oldest = this.#owners.keys().next().value;
    if (oldest !== undefined) this.#owners.delete(oldest);
  }
}
