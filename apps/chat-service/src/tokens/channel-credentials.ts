import {
  type KeyRing,
  signChannelToken,
  signStreamLink,
  STREAM_LINK_DEFAULT_SECONDS,
  TOKEN_MAX_LIFETIME_SECONDS,
} from '@chat-realtime/protocol/tokens';

/** What must be known of a session to give out a credential that its last revocation does not cover. */
export interface CredentialSubject {
  readonly id: number;
  /** Tokens made at or before this unix second are refused. */
  readonly revokedAt: number | null;
}

export interface ChannelToken {
  readonly token: string;
  readonly expires_at: string;
}

export interface StreamLink {
  readonly url: string;
  readonly expires_at: string;
}

function isoTime(unixSeconds: number): string {
  return new Date(unixSeconds * 1_000).toISOString();
}

/** Makes the credentials of a customer's channel. */
export class ChannelCredentials {
  readonly #ring: KeyRing;
  readonly #tokenSeconds: number;
  readonly #now: () => number;

  /** `now` in unix seconds. */
  constructor(ring: KeyRing, tokenSeconds: number, now: () => number = () => Math.floor(Date.now() / 1_000)) {
    this.#ring = ring;
    this.#tokenSeconds = Math.min(tokenSeconds, TOKEN_MAX_LIFETIME_SECONDS);
    this.#now = now;
  }

  token(session: CredentialSubject): ChannelToken {
    const createdAt = this.#firstValidSecond(session);
    return {
      token: signChannelToken(this.#ring, session.id, createdAt),
      expires_at: isoTime(createdAt + this.#tokenSeconds),
    };
  }

  /**
   * A link says only when it ends, so a revocation has to refuse every link that can have been made before it. One made
   * within a day after a revocation therefore gets the longest life, which no earlier one can have.
   */
  streamLink(session: CredentialSubject, seconds: number = STREAM_LINK_DEFAULT_SECONDS): StreamLink {
    const wanted = this.#now() + seconds;
    const coveredUntil = session.revokedAt === null ? 0 : session.revokedAt + TOKEN_MAX_LIFETIME_SECONDS;
    const expiresAt = wanted > coveredUntil ? wanted : this.#firstValidSecond(session) + TOKEN_MAX_LIFETIME_SECONDS;
    return {
      url: `/chat/${session.id}/stream?sig=${signStreamLink(this.#ring, session.id, expiresAt)}`,
      expires_at: isoTime(expiresAt),
    };
  }

  #firstValidSecond({ revokedAt }: CredentialSubject): number {
    return revokedAt === null ? this.#now() : Math.max(this.#now(), revokedAt + 1);
  }
}
