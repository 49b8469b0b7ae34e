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

/** What connections are told until the badge is known. */
const NO_BADGE: CountedBadge = { reason: 'badge', unassigned_unread: 0, mine_unread: {}, waiting_count: 0 };

export type BadgeVerdict = 'news' | 'known' | 'overtaken';

/**
 * The badge as chat-service counts it, from the live path or from a catch-up answer: whichever was counted at the larger
 * number of the feed.
 */
export class Badge implements CatchupParticipant {
  readonly #isNews: (badge: CountedBadge) => void;
  #value = NO_BADGE;

  /** `isNews`: called with each value of a catch-up answer that is another one than before. */
  constructor(isNews: (badge: CountedBadge) => void) {
    this.#isNews = isNews;
  }

  get value(): CountedBadge {
    return this.#value;
  }

  for(viewer: StaffViewer): BadgeData {
    return badgeFor(viewer, this.#value);
  }

  learn(badge: CountedBadge): BadgeVerdict {
    const { feed_seq: knownAt = 0, ...known } = this.#value;
    const { feed_seq: at = knownAt, ...counted } = badge;
    if (at < knownAt) return 'overtaken';
    this.#value = badge;
    return JSON.stringify(known) === JSON.stringify(counted) ? 'known' : 'news';
  }

  /** It comes with every page of the feed, without being asked for. */
  compose(): void {}

  apply(_request: CatchupRequest, { badge }: CatchupResponse): void {
    if (badge !== undefined && this.learn(badge) === 'news') this.#isNews(badge);
  }

  failed(): void {}

  databaseChanged(): void {
    this.#value = NO_BADGE;
  }
}

/** Null for what is no badge: the fan-out is shared, so its content is checked, not trusted. */
export function readBadge(data: unknown): CountedBadge | null {
  const parsed = countedBadgeSchema.safeParse(data);
  return parsed.success ? parsed.data : null;
}
