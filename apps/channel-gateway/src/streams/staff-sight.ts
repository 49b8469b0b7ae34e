import {
  type CatchupRequest,
  type CatchupResponse,
  presenceFor,
  type PresenceUser,
  type StaffViewer,
} from '@chat-realtime/protocol';
import type { StaffPrincipal } from '@chat-realtime/verifier';
import type { Connection } from '../connections/connection.ts';
import type { Presence } from '../state/presence.ts';
import type { SessionOwners } from './session-owners.ts';
import type { StaffAudiences } from './staff-audiences.ts';

export interface StaffSightOptions {
  readonly owners: SessionOwners;
  readonly presence: Presence;
  readonly audiences: StaffAudiences;
  /** All staff connections here. */
  readonly connections: () => Iterable<Connection>;
  readonly requestCatchup: () => void;
}

/**
 * Which sessions an operator with a narrow scope may refer to, and whom they see viewing them. An unknown assignee is
 * requested, and the answer is no until then.
 */
export class StaffSight {
  readonly #options: StaffSightOptions;

  constructor(options: StaffSightOptions) {
    this.#options = options;
  }

  ownerOf(sessionId: number): string | null | undefined {
    return this.#options.owners.of(sessionId);
  }

  /** Its assignee was unknown, and the answer is still to come. */
  asks(sessionId: number): boolean {
    return this.#options.owners.asks(sessionId);
  }

  mayName(viewer: StaffViewer, sessionId: number): boolean {
    if (this.#options.owners.sees(viewer, sessionId)) return true;
    this.askForOwners();
    return false;
  }

  /**
   * The session they are viewing. Others are informed once it is known that they may see it, and of none until then.
   */
  view(connection: Connection, principal: StaffPrincipal, sessionId: number | null): void {
    connection.viewing = sessionId;
    const isNamed = sessionId !== null && this.mayName(principal, sessionId);
    this.#options.presence.viewing(principal, isNamed ? sessionId : null);
  }

  usersFor(viewer: StaffViewer): readonly PresenceUser[] {
    const { presence, owners } = this.#options;
    const users = presenceFor(viewer, presence.users, (sessionId) => owners.ask(sessionId));
    this.askForOwners();
    return users;
  }

  /** A decision about visibility waits for the assignee of a session. */
  askForOwners(): void {
    const { owners, requestCatchup } = this.#options;
    if (owners.wanted().length > 0) requestCatchup();
  }

  /** Heads of sessions contain their assignees, requested or not. */
  learn(request: CatchupRequest, response: CatchupResponse): void {
    const { owners } = this.#options;
    let hasChanged = false;
    for (const { id, assigned_user_id: user, last_seq: seq } of response.sessions)
      if (user !== undefined && owners.learn(id, user, seq)) hasChanged = true;
    // A session that was requested but not returned does not exist, or the source does not report it.
    for (const { id } of request.sessions) owners.unknown(id);
    if (hasChanged) this.ownersChanged();
  }

  /** The assignee of a session has changed, and with it who may see who is viewing it. */
  ownersChanged(): void {
    const { owners, presence, audiences, connections } = this.#options;
    for (const { principal, viewing } of connections()) {
      if (principal?.kind !== 'staff' || principal.scope === 'all' || viewing === null) continue;
      presence.viewing(principal, owners.sees(principal, viewing) ? viewing : null);
    }
    if (presence.users.some(({ viewing }) => viewing !== undefined)) audiences.repeatPresence(presence.users);
  }
}
