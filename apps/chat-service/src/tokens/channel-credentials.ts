import { ChatError } from '@chat-realtime/protocol';
import {
  type KeyRing,
  signChannelToken,
  signStreamLink,
  STREAM_LINK_DEFAULT_SECONDS,
  TOKEN_MAX_LIFETIME_SECONDS,
} from '@chat-realtime/protocol/tokens';
import type { Principal } from '@chat-realtime/verifier';

/** The session data needed to issue a credential that its last revocation does not cover. */
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
  readonly #tokenSeconds: () => number;
  readonly #now: () => number;
  readonly #prefix: string;

  /** `now` in unix seconds; `prefix` is the path below which the chat is reached from outside. */
  constructor(
    ring: KeyRing,
    tokenSeconds: () => number,
    now: () => number = () => Math.floor(Date.now() / 1_000),
    prefix = '',
  ) {
    this.#ring = ring;
    this.#tokenSeconds = tokenSeconds;
    this.#now = now;
    this.#prefix = prefix;
  }

  /** Unix seconds; taken before the right to a credential is looked up, it is the `asOf` of that credential. */
  now(): number {
    return this.#now();
  }

  /**
   * Dated to the moment before the right to it was looked up: a revocation that came after the look covers it, however
   * long the answer was on its way.
   */
  token(session: CredentialSubject, asOf: number): ChannelToken {
    const createdAt = firstValidSecond(session, asOf);
    return {
      token: signChannelToken(this.#ring, session.id, createdAt),
      expires_at: isoTime(createdAt + this.#tokenSeconds()),
    };
  }

  /**
   * A link says only when it ends, so a revocation has to refuse every link that can have been made before it. One made
   * within a day after a revocation therefore gets the longest life, which no earlier one can have.
   */
  streamLink(session: CredentialSubject, asOf: number, seconds: number = STREAM_LINK_DEFAULT_SECONDS): StreamLink {
    const wanted = asOf + seconds;
    const coveredUntil = session.revokedAt === null ? 0 : session.revokedAt + TOKEN_MAX_LIFETIME_SECONDS;
    const expiresAt = wanted > coveredUntil ? wanted : firstValidSecond(session, asOf) + TOKEN_MAX_LIFETIME_SECONDS;
    return {
      url: `${this.#prefix}/chat/${session.id}/stream?sig=${signStreamLink(this.#ring, session.id, expiresAt)}`,
      expires_at: isoTime(expiresAt),
    };
  }
}

function firstValidSecond({ revokedAt }: CredentialSubject, asOf: number): number {
  return revokedAt === null ? asOf : Math.max(asOf, revokedAt + 1);
}

/**
 * Checked before another credential is issued for this one: the verifier's revocations may be a second old, the row is
 * not. Otherwise a token that was just revoked would get a link that is younger than the revocation.
 */
export function requireUnrevoked(principal: Principal, session: CredentialSubject): void {
  if (principal.kind === 'customer' && session.revokedAt !== null && principal.createdAt <= session.revokedAt)
    throw new ChatError('token_revoked', 'the token was revoked');
}
