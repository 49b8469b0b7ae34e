import type { CatchupRequest, CatchupResponse, ChatSource, SharedSettings } from '@chat-realtime/protocol';
import type { OriginPolicy } from '@chat-realtime/service-kit';
import type { TokenVerifier } from '@chat-realtime/verifier';

/** As often as head checks while clients are connected, so there are no more calls than those. */
const ASK_MS = 10_000;

interface Edges {
  readonly origins: Pick<OriginPolicy, 'replace'>;
  readonly verifier: Pick<TokenVerifier, 'setChannelTokenTtl'>;
}

/**
 * Saved settings arrive with the catch-up calls that are made anyway. Without connections there are none, but the first
 * client must find current settings, so this makes its own calls then. If a call fails, the last known settings stay in
 * effect.
 */
export class SettingsFollower {
  readonly source: ChatSource;
  readonly #edges: Edges;
  readonly #now: () => number;
  #version = 0;
  #epoch: string | undefined;
  #answeredAt = Number.NEGATIVE_INFINITY;
  #timer: NodeJS.Timeout | undefined;

  constructor(source: ChatSource, edges: Edges, now: () => number = () => performance.now()) {
    this.#edges = edges;
    this.#now = now;
    this.source = {
      catchup: async (request: CatchupRequest): Promise<CatchupResponse> => {
        const answer = await source.catchup({ ...request, settings_version: this.#version });
        this.#take(answer);
        return answer;
      },
      acks: (request) => source.acks(request),
    };
  }

  start(): void {
    void this.ask();
    this.#timer = setInterval(() => void this.ask(), ASK_MS);
    this.#timer.unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** Unless another call has been made within the time. */
  async ask(): Promise<void> {
    if (this.#now() - this.#answeredAt < ASK_MS) return;
    // The callers that matter count and log their failures.
    await this.source.catchup({ sessions: [], limit: 1 }).catch(() => undefined);
  }

  #take({ settings, epoch }: CatchupResponse): void {
    this.#answeredAt = this.#now();
    // After a restore the version numbers belong to another history.
    const isOther = this.#epoch !== undefined && epoch !== this.#epoch;
    this.#epoch = epoch;
    if (settings !== undefined && (isOther || settings.version > this.#version)) this.#apply(settings);
    else if (isOther) this.#version = 0;
  }

  #apply({ version, origins, channel_token_seconds: seconds }: SharedSettings): void {
    this.#version = version;
    this.#edges.origins.replace(origins);
    this.#edges.verifier.setChannelTokenTtl(seconds);
  }
}
