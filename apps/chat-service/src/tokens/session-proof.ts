import { ChatError, resumeKeySchema } from '@chat-realtime/protocol';
import { secretsEqual } from '@chat-realtime/service-kit';
import type { TokenVerifier } from '@chat-realtime/verifier';
import type { StorageContext } from '../storage/context.ts';
import { findSession, findSessionByResumeKey } from '../storage/find-session.ts';
import type { SessionRecord } from '../storage/session-record.ts';

/** What a request may show to get a channel token for a chat that exists. */
export interface SessionProofHeaders {
  readonly resumeKey: string | undefined;
  readonly siteKey: string | undefined;
  /** Content of `Authorization: Bearer`: the owner's identity token. */
  readonly bearer: string | undefined;
}

export interface SessionProofConfig {
  /** `SITE_API_KEY`; without one nobody can vouch. */
  readonly siteKey: string | undefined;
}

/** Who may get a channel token: the holder of the resume key, the site's server, or the signed-in owner. */
export class SessionProof {
  readonly #context: StorageContext;
  readonly #verifier: TokenVerifier;
  readonly #siteKey: string | undefined;

  constructor(context: StorageContext, verifier: TokenVerifier, config: SessionProofConfig) {
    this.#context = context;
    this.#verifier = verifier;
    this.#siteKey = config.siteKey;
  }

  /**
   * The session, if the request proves a right to it. Only the site key is told that a session does not exist: all
   * others get the same refusal for a foreign and an absent one.
   */
  async check(sessionId: number | undefined, headers: SessionProofHeaders): Promise<SessionRecord> {
    if (headers.siteKey !== undefined) return this.#bySiteKey(sessionId, headers.siteKey);
    if (headers.resumeKey !== undefined) return this.#byResumeKey(sessionId, headers.resumeKey);
    if (headers.bearer !== undefined) return this.#byIdentity(sessionId, headers.bearer);
    throw new ChatError('missing_credentials', 'X-Resume-Key, X-Site-Key or an identity token is needed');
  }

  /** The site's own server speaks. @throws ChatError `bad_credentials` */
  requireSiteKey(key: string): void {
    if (this.#siteKey === undefined || !secretsEqual(key, this.#siteKey))
      throw new ChatError('bad_credentials', 'the site key is wrong');
  }

  async #bySiteKey(sessionId: number | undefined, key: string): Promise<SessionRecord> {
    this.requireSiteKey(key);
    const session = sessionId === undefined ? null : await findSession(this.#context, sessionId);
    if (session === null) throw new ChatError('session_not_found', 'no such session');
    return session;
  }

  async #byResumeKey(sessionId: number | undefined, key: string): Promise<SessionRecord> {
    // The stored hash is looked up by index: the timing of a comparison of hashes reveals nothing about the key.
    const session = resumeKeySchema.safeParse(key).success ? await findSessionByResumeKey(this.#context, key) : null;
    if (session === null || session.id !== sessionId || session.resumeKeyEnded)
      throw new ChatError('bad_credentials', 'the resume key does not fit this session, or has ended');
    return session;
  }

  async #byIdentity(sessionId: number | undefined, token: string): Promise<SessionRecord> {
    const verdict = await this.#verifier.verifyIdentity(token);
    if (!verdict.ok) throw new ChatError(verdict.code, 'the identity token is not accepted');
    const session = sessionId === undefined ? null : await findSession(this.#context, sessionId);
    if (session === null || session.customerId !== verdict.principal.customerId) {
      throw new ChatError('bad_token', 'the session is not of this customer');
    }
    return session;
  }
}
