import type { CatchupRequest, CatchupResponse, Revocation } from '@chat-realtime/protocol';
import type { RevocationSet } from '@chat-realtime/verifier';
import { RecentIds } from '../recent-ids.ts';
import type { CatchupDraft, CatchupParticipant } from '../sync/catchup-draft.ts';

const REMEMBERED = 10_000;
/**
 * Ours become visible in the order of their ids. With a site's own source a smaller id may appear after a larger one.
 */
const OVERLAP = 50;

/** Identified by all fields: an id is used again after a restore. */
function keyOf({ id, kind, subject, not_after }: Revocation): string {
  return `${id} ${not_after} ${kind}:${subject}`;
}

export interface RevocationsOptions {
  /** Read by the verifier; filled here. */
  readonly set: RevocationSet;
  /** A new revocation became known. */
  readonly revoked: () => void;
  readonly requestCatchup: () => void;
}

/** Collects revocations from control messages and catch-up responses, in any order and any number of times. */
export class Revocations implements CatchupParticipant {
  readonly #options: RevocationsOptions;
  readonly #seen = new RecentIds<string>(REMEMBERED);
  #readUpTo = 0;
  #wanted = false;

  constructor(options: RevocationsOptions) {
    this.#options = options;
  }

  /** Up to this id all are known; a control message alone does not show what was lost before it. */
  get readUpTo(): number {
    return this.#readUpTo;
  }

  /** Returns how many were new. */
  learn(revocations: readonly Revocation[]): number {
    const fresh = revocations.filter((revocation) => !this.#seen.has(keyOf(revocation)));
    if (fresh.length === 0) return 0;
    for (const revocation of fresh) this.#seen.add(keyOf(revocation));
    this.#options.set.apply(fresh);
    this.#options.revoked();
    return fresh.length;
  }

  /** A message announced that the newest revocation has this id. */
  learnHead(id: number): void {
    if (id <= this.#readUpTo) return;
    this.#wanted = true;
    this.#options.requestCatchup();
  }

  /** Fetch with the next call, and make one just for that. */
  headCheckDue(): void {
    this.#wanted = true;
  }

  compose(draft: CatchupDraft): void {
    draft.askRevocations(Math.max(0, this.#readUpTo - OVERLAP), this.#wanted);
    this.#wanted = false;
  }

  apply(_request: CatchupRequest, { revocations, revocations_head: head }: CatchupResponse): void {
    if (revocations === undefined) return;
    const fresh = this.learn(revocations);
    const before = this.#readUpTo;
    const newest = revocations.reduce((most, { id }) => Math.max(most, id), head ?? 0);
    // Ids that end before ours have started again.
    this.#readUpTo = head === undefined ? Math.max(this.#readUpTo, newest) : newest;
    // There may be more after a full page. With one page per second and tick, revoked tokens would work too long after
    // a start.
    if (fresh <= OVERLAP || this.#readUpTo <= before) return;
    this.#wanted = true;
    this.#options.requestCatchup();
  }

  failed(): void {
    this.#wanted = true;
  }

  databaseChanged(): void {
    this.#readUpTo = 0;
    this.#wanted = true;
  }
}
