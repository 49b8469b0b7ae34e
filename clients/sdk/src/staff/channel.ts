import type { ConnectionState, TransportName } from '../api/connection.ts';
import type { Environment } from '../api/environment.ts';
import type { BadgeData, StaffChannelState } from '../api/protocol.ts';
import type { BadgeCounters, PresenceUser } from '../api/staff.ts';
import { createJsonStorage } from '../core/json-storage.ts';
import { createSharedConnection, type SharedConnection } from '../tabs/shared-connection.ts';
import type { Frame, PollPage, ReadyData } from '../api/transport.ts';
import type { StaffTokenSource } from './token.ts';

export interface StaffChannelPort {
  readonly environment: Environment;
  readonly base: string;
  readonly transports: readonly TransportName[];
  /** Of storage keys; with `tabs` also of the lock and channel between tabs. */
  readonly prefix: string;
  readonly tabs: boolean;
  readonly token: StaffTokenSource;
  readonly restIntervalMs?: number;
  readonly restPoll: (cursor: string | null) => Promise<PollPage>;
  readonly cursor: () => string | null;
  /** Before `changed`. `cursor`: where the connection begins. `isAnotherDatabase`: than the one that answered the last time. */
  readonly ready: (cursor: string | null, isAnotherDatabase: boolean) => void;
  readonly frame: (frame: Frame) => void;
  readonly changed: () => void;
  readonly status: (state: ConnectionState) => void;
}

/** The staff channel's state beside its events, the same for the console and for a badge. */
export interface StaffChannel {
  readonly connection: SharedConnection;
  readonly state: ConnectionState;
  readonly userId: string | null;
  readonly epoch: string | null;
  readonly degraded: string | null;
  readonly badge: BadgeCounters | null;
  readonly users: readonly PresenceUser[];
}

export function createStaffChannel(port: StaffChannelPort): StaffChannel {
  const { environment, prefix, token } = port;
  let userId: string | null = null;
  let epoch: string | null = null;
  let degraded: string | null = null;
  let badge: BadgeData | null = null;
  let users: readonly PresenceUser[] = [];
  let state: ConnectionState = { status: 'idle' };
  let recalled: Promise<void> | null = null;

  /** Of two badges the one that was counted at the later event holds; one without a number, or with the same, is new. */
  const learnBadge = (next: BadgeData | undefined): void => {
    if (next && !(Number(next.feed_seq) < Number(badge?.feed_seq))) badge = next;
  };
  const ready = (data: ReadyData): void => {
    const given = data.state as Partial<StaffChannelState> | undefined;
    userId = data.user_id ?? userId ?? token.userId;
    const isAnother = epoch !== null && data.epoch !== undefined && data.epoch !== epoch;
    epoch = data.epoch ?? epoch;
    degraded = null;
    if (isAnother) badge = null;
    learnBadge(given?.badge);
    users = given?.users ?? users;
    port.ready(data.cursor ?? null, isAnother);
    port.changed();
  };
  const frame = (one: Frame): void => {
    if (one.type === 'chat.alert') learnBadge(one.data as BadgeData);
    else if (one.type === 'chat.presence') users = (one.data as { users: PresenceUser[] }).users;
    else if (one.type === 'channel.degraded') degraded = (one.data as { reason: string }).reason;
    else if (one.type === 'channel.restored') degraded = null;
    port.frame(one);
    port.changed();
  };
  const connection = createSharedConnection(
    environment,
    createJsonStorage(environment.storage, prefix),
    port.transports,
    {
      target: {
        base: port.base,
        cursorName: 'cursor',
        query: () => ({ type: 'staff' }),
        authFrame: (access_token) => ({ type: 'auth', access_token }),
        restPoll: (cursor) => port.restPoll(cursor === null ? null : String(cursor)),
        ...(port.restIntervalMs !== undefined && { restIntervalMs: port.restIntervalMs }),
      },
      async prepare() {
        recalled ??= connection.recall();
        await recalled;
        await token.get();
      },
      token: () => token.current,
      cursor: port.cursor,
      renewAt: () => token.renewAt,
      renew: token.renew,
      expire: token.expire,
      ready,
      frame,
      state(next) {
        // A token that is refused twice means that nobody is signed in here any more.
        state = next.status === 'stopped' && next.code === 4501 ? { ...next, reason: 'signed_out' } : next;
        port.status(state);
        port.changed();
      },
      summary: () => {
        const cursor = port.cursor();
        return {
          ...(cursor !== null && { cursor }),
          ...(epoch !== null && { epoch }),
          ...(userId !== null && { user_id: userId }),
          state: { ...(badge && { badge }), users: [...users] } satisfies Partial<StaffChannelState>,
        };
      },
      message: () => undefined,
    },
    port.tabs ? `${prefix}tabs` : null,
  );
  return {
    connection,
    get state() {
      return state;
    },
    get userId() {
      return userId ?? token.userId;
    },
    get epoch() {
      return epoch;
    },
    get degraded() {
      return degraded;
    },
    get badge() {
      const mine = badge?.mine_unread[userId ?? token.userId ?? ''] ?? 0;
      return (
        badge && {
          unassigned: badge.unassigned_unread,
          mine,
          unread: badge.unassigned_unread + mine,
          waiting: badge.waiting_count,
        }
      );
    },
    get users() {
      return users;
    },
  };
}
