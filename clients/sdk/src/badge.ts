import type { Badge, BadgeOptions, BadgeState, SiteAlerts } from './api/staff.ts';
import type { Environment } from './api/environment.ts';
import type { AlertsResponse } from './api/protocol.ts';
import { createCountdown } from './core/countdown.ts';
import { createEnvironment } from './core/environment.ts';
import { call, resolveBase } from './core/http.ts';
import { storagePrefix } from './core/json-storage.ts';
import { createStore } from './core/store.ts';
import { createStaffChannel } from './staff/channel.ts';
import { createStaffToken } from './staff/token.ts';

export type { ConnectionState } from './api/connection.ts';
export type {
  Badge,
  BadgeCounters,
  BadgeOptions,
  BadgeState,
  SiteAlerts,
  StaffToken,
  StaffTokenProvider,
} from './api/staff.ts';
export { ChatClientError } from './errors.ts';

const POLL_MS = 15_000;
/** Delay after an answer that will not change by itself: nobody is signed in, or the address is wrong. */
const ASK_AGAIN_MS = 300_000;

type Counted = Pick<AlertsResponse, 'unassigned_unread' | 'mine_unread' | 'waiting_count'>;

async function askSite(environment: Environment, { url, unassigned, mine }: SiteAlerts): Promise<Counted> {
  const withCookie: typeof fetch = (input, init) => environment.fetch(input, { ...init, credentials: 'same-origin' });
  const answer = await call<unknown>({ ...environment, fetch: withCookie }, 'GET', url);
  const count = (path: string): number => {
    let value = answer;
    for (const name of path.split('.')) value = (value as Record<string, unknown> | undefined)?.[name];
    return Number(value) || 0;
  };
  const unassigned_unread = count(unassigned ?? 'unassigned');
  return { unassigned_unread, mine_unread: count(mine ?? 'mine'), waiting_count: unassigned_unread };
}

/**
 * The unread counters («Чаты») for any staff page: live over the staff channel, or by polling `GET /chat/alerts` if no
 * stream works.
 */
export function createBadge(options: BadgeOptions): Badge {
  const environment = createEnvironment(options.environment);
  const base = resolveBase(options.baseUrl);
  const token = createStaffToken(environment, options.getToken);
  const store = createStore<BadgeState>(() => ({ connection: channel.state, counters: channel.badge }));
  const channel = createStaffChannel({
    environment,
    base,
    token,
    transports: options.transports ?? ['websocket', 'sse', 'rest'],
    prefix: storagePrefix(`badge:${options.namespace ?? 'default'}`),
    tabs: options.tabs !== false,
    restIntervalMs: options.pollMs ?? POLL_MS,
    // REST has no events to follow, only the numbers themselves.
    async restPoll() {
      const asked = options.alerts
        ? askSite(environment, options.alerts)
        : call<Counted>(environment, 'GET', `${base}/chat/alerts`, { token: await token.get() });
      const { unassigned_unread, mine_unread: mine, waiting_count } = await asked;
      const mine_unread = { [channel.userId ?? '']: mine };
      // As the frame it stands for, so that tabs which follow this one get it too.
      const data = { reason: 'badge', unassigned_unread, waiting_count, mine_unread };
      return { events: [{ type: 'chat.alert', session_id: null, seq: null, data }], last_seq: null, has_more: false };
    },
    cursor: () => null,
    ready: () => undefined,
    frame: () => undefined,
    changed: () => changed(),
    status: () => undefined,
  });
  const again = createCountdown(environment);
  const connect = (): void => channel.connection.connect();
  let status = '';
  const changed = (): void => {
    const before = status;
    ({ status } = channel.state);
    if (status === 'stopped' && before !== 'stopped') again.set(ASK_AGAIN_MS, connect);
    store.touch();
  };
  // Someone who returns to the page may have signed in in the meantime.
  const release = environment.onLifecycle((event) => {
    if (event === 'visible' && status === 'stopped') connect();
  });
  connect();
  return {
    getState: store.getState,
    subscribe: store.subscribe,
    destroy() {
      release();
      again.clear();
      channel.connection.destroy();
      store.clear();
    },
  };
}
