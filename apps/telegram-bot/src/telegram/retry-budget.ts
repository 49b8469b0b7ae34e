/** How long and how often one message or file is retried while Telegram responds to everything else. */
const LASTS_MS = 300_000;
const TRIES = 5;
const PAUSE_MAX_SECONDS = 60;
/** An item that is no longer queued is not requested again, and ends nothing here. */
const FORGET_MS = 3_600_000;

export interface PatienceParts {
  /** Whether Telegram answers this bot at all: where it answers nothing, no text is at fault. */
  readonly isThere: () => boolean;
  readonly now?: () => number;
  readonly lastsMs?: number;
  readonly tries?: number;
}

interface Ailing {
  readonly since: number;
  tries: number;
}

/**
 * Whether the failing item itself is to blame: its whole chat is blocked behind it. Counted in this process only, on
 * the monotonic clock; after a restart the item is retried for as long again.
 */
export class RetryBudget {
  readonly #parts: PatienceParts;
  readonly #now: () => number;
  readonly #ailing = new Map<number | string, Ailing>();

  constructor(parts: PatienceParts) {
    this.#parts = parts;
    this.#now = parts.now ?? (() => performance.now());
  }

  /** It has failed once more. True: it has been tried for long enough, and each further time is one too many. */
  isOver(key: number | string): boolean {
    const now = this.#now();
    if (!this.#parts.isThere()) {
      this.#ailing.delete(key);
      return false;
    }
    let ailing = this.#ailing.get(key);
    if (ailing === undefined) {
      for (const [old, { since }] of this.#ailing) if (now - since > FORGET_MS) this.#ailing.delete(old);
      ailing = { since: now, tries: 0 };
      this.#ailing.set(key, ailing);
    }
    ailing.tries += 1;
    const { tries = TRIES, lastsMs = LASTS_MS } = this.#parts;
    return ailing.tries >= tries && now - ailing.since >= lastsMs;
  }

  /** Until the next try of it: longer each time. */
  pauseSeconds(key: number | string): number {
    return Math.min(2 ** (this.#ailing.get(key)?.tries ?? 0), PAUSE_MAX_SECONDS);
  }

  /** It was sent, or is dropped. */
  end(key: number | string): void {
    this.#ailing.delete(key);
  }
}
