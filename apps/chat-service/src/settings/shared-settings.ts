import type { Rules, SharedSettings } from '@chat-realtime/protocol';
import type { OriginPolicy } from '@chat-realtime/service-kit';
import type { TokenVerifier } from '@chat-realtime/verifier';
import type { Saved, SavedSettings } from './saved-settings.ts';

/** Every replica follows within 5 s; the database is asked for all that was saved at once. */
const REFRESH_MS = 2_000;

/** What of the saved settings concerns the gateways and auth-service, too. */
export function sharedSettings({ rules, updatedAt }: Pick<Saved, 'rules' | 'updatedAt'>): SharedSettings {
  return {
    version: updatedAt?.getTime() ?? 0,
    origins: rules.origins ?? [],
    channel_token_seconds: rules.tokens?.channel_seconds ?? null,
  };
}

export interface SharedLog {
  warn(fields: object, message: string): void;
}

export interface Edges {
  readonly origins: Pick<OriginPolicy, 'replace'>;
  readonly verifier: Pick<TokenVerifier, 'setChannelTokenTtl'>;
}

/** Both follow their variable if it is set. */
export function applyShared({ origins, verifier }: Edges, settings: Omit<SharedSettings, 'version'>): void {
  origins.replace(settings.origins);
  verifier.setChannelTokenTtl(settings.channel_token_seconds);
}

/** Keeps the edges of this process at what was saved, so that no request has to ask the database. */
export class SharedSettingsRefresher {
  readonly #saved: Pick<SavedSettings, 'current'>;
  readonly #edges: Edges;
  readonly #log: SharedLog;
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;
  #isFailing = false;
  #version = -1;

  constructor(saved: Pick<SavedSettings, 'current'>, edges: Edges, log: SharedLog) {
    this.#saved = saved;
    this.#edges = edges;
    this.#log = log;
  }

  async start(): Promise<void> {
    await this.#refresh();
    this.#timer = setInterval(() => void this.#refresh(), REFRESH_MS);
    this.#timer.unref();
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    this.#timer = undefined;
    await this.#running;
  }

  /** Also at once by the process that saved. An earlier read must not undo it. */
  apply(rules: Rules, updatedAt: Date | null): void {
    const settings = sharedSettings({ rules, updatedAt });
    if (settings.version < this.#version) return;
    this.#version = settings.version;
    applyShared(this.#edges, settings);
  }

  #refresh(): Promise<void> {
    this.#running ??= this.#saved
      .current()
      .then(
        ({ rules, updatedAt }) => {
          this.apply(rules, updatedAt);
          this.#isFailing = false;
        },
        (error: unknown) => {
          if (!this.#isFailing) this.#log.warn({ err: error }, 'settings cannot be read; the known ones go on holding');
          this.#isFailing = true;
        },
      )
      .finally(() => {
        this.#running = undefined;
      });
    return this.#running;
  }
}
