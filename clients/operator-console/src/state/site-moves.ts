import type { SiteStaff } from '@chat-realtime/client/staff';

/** What operators can do besides answering, taking and closing. */
export interface Moves {
  readonly reopen: boolean;
  readonly release: boolean;
  readonly transfer: boolean;
  /** All chats at once. */
  readonly handOver: boolean;
  /** Contact data and callback requests. */
  readonly records: boolean;
  /** `/chat/alerts` is the chat's, and not a page of the site. */
  readonly alerts: boolean;
}

/**
 * Where a site keeps the chat, only what it has a path for: its ledger takes none of it. `isBelowPath`: the whole chat lies
 * under a path of its own, so that `/chat/` at the root is the site's.
 */
export function movesOf(site: SiteStaff | undefined, isBelowPath: boolean): Moves {
  const { paths = {}, request = {} } = site ?? {};
  const isOurs = site === undefined;
  return {
    reopen: isOurs || Boolean(paths.reopen),
    release: isOurs || Boolean(paths.unassign),
    transfer: isOurs || Boolean(request.user_id),
    handOver: isOurs,
    records: isOurs,
    alerts: isOurs || isBelowPath,
  };
}
