import type { CallbackStatus, SiteStaff } from '@chat-realtime/client/staff';

/** What operators can do besides answering, taking and closing. */
export interface Moves {
  readonly reopen: boolean;
  readonly release: boolean;
  readonly transfer: boolean;
  /** All chats at once. */
  readonly handOver: boolean;
  /** What was agreed to. */
  readonly records: boolean;
  /** Contact data that can be changed. */
  readonly contact: readonly ContactField[];
  /** Whether there is a list of callback requests. */
  readonly calls: boolean;
  /** The possible steps of a callback request; null: those of the protocol. */
  readonly callSteps: readonly CallbackStatus[] | null;
  /** `/chat/alerts` is the chat's, and not a page of the site. */
  readonly alerts: boolean;
}

export type ContactField = 'name' | 'phone' | 'email';

/** In the order in which they are offered. */
const CONTACT_FIELDS = ['name', 'phone', 'email'] as const;
const CALL_STEPS = ['calling', 'assigned', 'done', 'no_answer', 'cancelled'] as const;

/**
 * If a site keeps the chat, only actions with a path at the site: its ledger accepts none. `isBelowPath`: the whole
 * chat is served below a path, so that `/chat/` at the root is the site's.
 */
export function movesOf(site: SiteStaff | undefined, isBelowPath: boolean): Moves {
  const { paths = {}, request = {}, callbacks } = site ?? {};
  const isOurs = site === undefined;
  return {
    reopen: isOurs || Boolean(paths.reopen),
    release: isOurs || Boolean(paths.unassign),
    transfer: isOurs || Boolean(request.user_id),
    handOver: isOurs,
    records: isOurs,
    contact: CONTACT_FIELDS.filter((field) => isOurs || (paths.contact && request[field] !== '')),
    calls: isOurs || callbacks !== undefined,
    callSteps: isOurs ? null : CALL_STEPS.filter((step) => callbacks?.steps?.[step]),
    alerts: isOurs || isBelowPath,
  };
}
