import type { Revocation, RevocationPage, RevocationPlace } from '@chat-realtime/protocol';
import { TOKEN_MAX_LIFETIME_SECONDS } from '@chat-realtime/protocol/tokens';
import type { Principal } from './principal.ts';

export interface RevocationView {
  isRevoked(principal: Principal): boolean;
}

/** For a verifier without revocations, such as the one of a tool. */
export const NO_REVOCATIONS: RevocationView = { isRevoked: () => false };

/** Applied entries between two clean-ups. */
const PRUNE_EVERY = 256;

/**
 * The revocations a service knows, filled from the `revocation` table or the control channel in any order, any number
 * of times. Entries whose last token has expired are removed.
 */
export class RevocationSet implements RevocationView {
  readonly #notAfter = new Map<string, number>();
  readonly #now: () => number;
  #place: RevocationPlace = { epoch: null, id: 0 };
  #sincePrune = 0;

  constructor(now: () => number = () => Math.floor(Date.now() / 1000)) {
    this.#now = now;
  }

  /**
   * The place up to which the table was read: the next read continues after it. A single message proves nothing about
   * earlier ones.
   */
  get place(): RevocationPlace {
    return this.#place;
  }

  get size(): number {
    return this.#notAfter.size;
  }

  /** The revocations after `place`, from the table. If the epoch has changed, the known ones stay in effect too. */
  applyPage(page: RevocationPage): void {
    this.apply(page.revocations);
    this.#place = { epoch: page.epoch, id: page.id };
  }

  /** Reads the table on from `place` to its end. */
  async readOn(read: (after: RevocationPlace) => Promise<RevocationPage>): Promise<void> {
    for (;;) {
      const page = await read(this.#place);
      this.applyPage(page);
      if (!page.hasMore) return;
    }
  }

  apply(revocations: readonly Revocation[]): void {
    for (const { kind, subject, not_after } of revocations) {
      const key = `${kind}:${subject}`;
      const known = this.#notAfter.get(key);
      if (known === undefined || known < not_after) this.#notAfter.set(key, not_after);
    }
    this.#sincePrune += revocations.length;
    if (this.#sincePrune >= PRUNE_EVERY) this.#prune();
  }

  isRevoked(principal: Principal): boolean {
    if (principal.kind === 'customer') {
      return this.#covers(`session:${principal.sessionId}`, principal.createdAt);
    }
    return (
      this.#covers(`staff:${principal.userId}`, principal.issuedAt) ||
      (principal.loginId !== null && this.#covers(`staff_login:${principal.loginId}`, principal.issuedAt))
    );
  }

  #covers(key: string, madeAt: number): boolean {
    const notAfter = this.#notAfter.get(key);
    return notAfter !== undefined && madeAt <= notAfter;
  }

  #prune(): void {
    this.#sincePrune = 0;
    const oldest = this.#now() - TOKEN_MAX_LIFETIME_SECONDS;
    for (const [key, notAfter] of this.#notAfter) {
      // A token made at `not_after` has expired by now, whatever its kind.
      if (notAfter < oldest) this.#notAfter.delete(key);
    }
  }
}
