import type { BadgeData, CursorReset, PresenceUser } from '@chat-realtime/protocol';
import type { Connection } from '../connections/connection.ts';
import type { Badge } from '../state/badge.ts';
import type { Presence } from '../state/presence.ts';
import type { FanoutLink } from '../sync/fanout-link.ts';
import type { StreamHost } from './stream-host.ts';

/** What staff are shown beside events. */
export interface StaffState {
  readonly badge: BadgeData;
  readonly users: readonly PresenceUser[];
}

export interface StaffStreamHost extends StreamHost {
  /** Sends `channel.ready` from `cursor`, then a reset if there is a reason; false if nothing may follow. */
  sendReady(connection: Connection, cursor: number, reset: CursorReset | null): boolean;
  /** Answers a poll if its events are there. */
  finishPoll(connection: Connection, cursor: number, hasMore: boolean): void;
  requestCatchup(): void;
}

export interface StaffStreamOptions {
  readonly host: StaffStreamHost;
  readonly link: FanoutLink;
  readonly presence: Presence;
  readonly badge: Badge;
  /** The feed does not know the shared cursor any more. */
  readonly databaseChanged: () => void;
  /** chat-service has answered, perhaps with assignees of some sessions. */
  readonly ownersLearned: () => void;
}
