import {
  type BadgeData,
  badgeFor,
  type CatchupRequest,
  type CatchupResponse,
  type CountedBadge,
  countedBadgeSchema,
  type StaffViewer,
} from '@chat-realtime/protocol';
import type { CatchupParticipant } from '../sync/catchup-draft.ts';

/** Sent to connections until the badge is known. */
const NO_BADGE: CountedBadge = { reason: 'badge', unassigned_unread: 0, mine_unread: {}, waiting_count: 0 };

export interface BadgeOptions {
  readonly push: (badge: CountedBadge) => void;
}

/**
 * The badge as chat-service counts it, from the live path or from a catch-up response: the one that was counted at the
 * larger feed number wins. Both arrive at one method, and what connections are sent leaves by one.
 */
export class Badge implements CatchupParticipant {
  readonly #options: BadgeOptions;
  #value = NO_BADGE;

  constructor(options: BadgeOptions) {
    this.#options = options;
  }

  for(viewer: StaffViewer): BadgeData {
    return badgeFor(viewer, this.#value);
  }

  /** Anything that is not a badge is ignored: neither the fan-out nor a site's response is trusted. */
  receive(data: unknown): void {
    const { data: badge } = countedBadgeSchema.safeParse(data);
    if (badge === undefined) return;
    const known = this.#value;
    const { feed_seq: knownAt = 0 } = known;
    if ((badge.feed_seq ?? knownAt) < knownAt) return;
    this.#value = badge;
    if (!countsTheSame(known, badge)) this.#options.push(badge);
  }

  /** It comes with every page of the feed, without a separate request. */
  compose(): void {}

  apply(_request: CatchupRequest, { badge }: CatchupResponse): void {
    if (badge !== undefined) this.receive(badge);
  }

  failed(): void {}

  databaseChanged(): void {
    this.#value = NO_BADGE;
  }
}

function countsTheSame(a: CountedBadge, b: CountedBadge): boolean {
  return (
    a.unassigned_unread === b.unassigned_unread &&
    a.waiting_count === b.waiting_count &&
    a.waiting?.unassigned === b.waiting?.unassigned &&
    sameNumbers(a.mine_unread, b.mine_unread) &&
    sameNumbers(a.waiting?.mine ?? {}, b.waiting?.mine ?? {})
  );
}

function sameNumbers(a: Readonly<Record<string, number>>, b: Readonly<Record<string, number>>): boolean {
  const names = Object.keys(a);
  return names.length === Object.keys(b).length && names.every((name) => a[name] === b[name]);
}
