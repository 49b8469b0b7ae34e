import { RecentIds } from '../recent-ids.ts';

const LEFT_REMEMBERED = 16;
/** An epoch that was left counts again if no other was received for this long. */
const RETURN_MS = 60_000;

export type EpochVerdict = 'same' | 'changed' | 'left';

/**
 * The database that the cursors of this gateway belong to. Each change is accepted once: behind a load balancer, an
 * instance of chat-service that still uses the old server would otherwise disconnect everyone with every second
 * response.
 */
export class EpochGuard {
  #current: string | null = null;
  #reportedAt = 0;
  readonly #left = new RecentIds<string>(LEFT_REMEMBERED);

  get current(): string | null {
    return this.#current;
  }

  judge(epoch: string, now: number): EpochVerdict {
    const known = this.#current;
    if (known !== null && known !== epoch && this.#left.has(epoch) && now - this.#reportedAt < RETURN_MS) return 'left';
    this.#reportedAt = now;
    this.#current = epoch;
    if (known === null || known === epoch) return 'same';
    this.#left.add(known);
    return 'changed';
  }
}
