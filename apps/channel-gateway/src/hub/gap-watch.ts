import type { SessionChannel } from './session-channel.ts';

/** A frame that another has overtaken usually comes within this time. */
const GRACE_MS = 50;

interface GapHost {
  readonly metrics: { gapDetected(): void };
  readonly staff: { gapsDue(): boolean };
  wantCatchup(channel: SessionChannel): void;
}

/** Channels with a hole; one timer for all of them. */
export class GapWatch {
  readonly #host: GapHost;
  #channels = new Set<SessionChannel>();
  #staff = false;
  #timer: NodeJS.Timeout | null = null;

  constructor(host: GapHost) {
    this.#host = host;
  }

  watch(channel: SessionChannel): void {
    this.#channels.add(channel);
    this.#arm();
  }

  watchStaff(): void {
    this.#staff = true;
    this.#arm();
  }

  stop(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  #arm(): void {
    this.#timer ??= setTimeout(() => this.#ask(), GRACE_MS);
  }

  #ask(): void {
    this.#timer = null;
    const channels = this.#channels;
    this.#channels = new Set();
    for (const channel of channels) {
      if (!channel.behind) continue;
      if (!channel.gapDue) this.#host.metrics.gapDetected();
      channel.gapDue = true;
      this.#host.wantCatchup(channel);
    }
    if (this.#staff && this.#host.staff.gapsDue()) this.#host.metrics.gapDetected();
    this.#staff = false;
  }
}
