import { ChatError, type Session } from '@chat-realtime/protocol';
import type { IdentityPrincipal, TokenVerifier } from '@chat-realtime/verifier';
import type { StorageContext } from '../storage/context.ts';
import { findSessionsByCustomer, findSession } from '../storage/find-session.ts';
import { revokeCustomer } from '../tokens/revocations.ts';
import { changeSession } from '../storage/unit-of-work.ts';
import type { SessionPatch, SessionUnit } from '../storage/unit.ts';
import type { SessionRecord } from '../storage/session-record.ts';
import { renderSession } from '../storage/render.ts';
import { type ChannelCredentials, requireUnrevoked } from '../tokens/channel-credentials.ts';

export interface IdentifyRequest {
  readonly identityToken: string;
  /** Channel token of an anonymous session that becomes theirs. */
  readonly token?: string | undefined;
  readonly sessionId?: number | undefined;
}

export interface IdentifyAnswer {
  readonly sessions: Session[];
  readonly session?: Session;
  readonly token?: string;
  readonly expires_at: string;
}

/** Customers that are signed in at the site. Their chats follow them to any device. */
export class Identity {
  readonly #context: StorageContext;
  readonly #verifier: TokenVerifier;
  readonly #credentials: ChannelCredentials;

  constructor(context: StorageContext, verifier: TokenVerifier, credentials: ChannelCredentials) {
    this.#context = context;
    this.#verifier = verifier;
    this.#credentials = credentials;
  }

  async identify(request: IdentifyRequest): Promise<IdentifyAnswer> {
    const customer = await this.#customer(request.identityToken);
    const { sessionId, token } = request;
    // Checks that may refuse come first: nothing of a refused request may remain.
    if (sessionId !== undefined) await this.#open(customer, sessionId, token);
    for (const claimed of customer.sessions) {
      if (claimed !== sessionId) await this.#claim(customer, claimed);
    }
    const asOf = this.#credentials.now();
    const sessions = await findSessionsByCustomer(this.#context, customer.customerId);
    for (const session of sessions) await this.#fillContact(customer, session);
    const current = await this.#current(customer, sessions, sessionId);
    const newestFirst = sessions.toSorted((a, b) => b.updatedAt.getTime() - a.updatedAt.getTime() || b.id - a.id);
    // Without a chat there is no token yet; then the identity token's expiry is returned.
    const expiresAt = new Date(customer.expiresAt * 1_000).toISOString();
    const answer = { sessions: newestFirst.map(renderSession), expires_at: expiresAt };
    return current === undefined
      ? answer
      : { ...answer, session: renderSession(current), ...this.#credentials.token(current, asOf) };
  }

  /** Revokes what browsers still store of their chats: the next person at this computer must not read them. */
  async logout(identityToken: string): Promise<void> {
    const customer = await this.#customer(identityToken);
    await revokeCustomer(this.#context, customer.customerId);
  }

  async #customer(identityToken: string): Promise<IdentityPrincipal> {
    const verdict = await this.#verifier.verifyIdentity(identityToken);
    if (!verdict.ok) throw new ChatError(verdict.code, 'the identity token is not accepted');
    return verdict.principal;
  }

  /** The session that was asked for: theirs already, or one that becomes theirs by its token or by the site's word. */
  async #open(customer: IdentityPrincipal, sessionId: number, token: string | undefined): Promise<void> {
    const verdict = token === undefined ? null : this.#verifier.verifyCustomer(sessionId, token);
    if (verdict !== null && !verdict.ok)
      throw new ChatError(verdict.code, 'the channel token does not fit the session');
    const notTheirs = (): ChatError => new ChatError('bad_token', 'the session is not of this customer');
    if ((await findSession(this.#context, sessionId)) === null) throw notTheirs();
    await changeSession(this.#context, sessionId, async (unit) => {
      const owner = unit.session.customerId;
      if (owner !== customer.customerId) {
        if (verdict !== null) {
          requireUnrevoked(verdict.principal, unit.session);
          if (owner !== null) throw new ChatError('forbidden', 'the session belongs to another customer');
        } else if (owner !== null || !customer.sessions.includes(sessionId)) throw notTheirs();
      }
      giveTo(customer, unit);
    });
  }

  /**
   * The site vouches for earlier chats. Those of another customer stay where they are; unknown ones are not an error.
   */
  async #claim(customer: IdentityPrincipal, sessionId: number): Promise<void> {
    const known = await findSession(this.#context, sessionId);
    if (known === null || known.customerId !== null) return;
    await changeSession(this.#context, sessionId, async (unit) => {
      // Read again under the lock: two customers may claim at once.
      if (unit.session.customerId === null) giveTo(customer, unit);
    });
  }

  async #fillContact(customer: IdentityPrincipal, session: SessionRecord): Promise<void> {
    if (Object.keys(contactChanges(customer, session)).length === 0) return;
    await changeSession(this.#context, session.id, async (unit) => unit.patch(contactChanges(customer, unit.session)));
  }

  /** The session asked for, else their newest open one. */
  async #current(
    customer: IdentityPrincipal,
    sessions: readonly SessionRecord[],
    wanted: number | undefined,
  ): Promise<SessionRecord | undefined> {
    if (wanted !== undefined) {
      // One that rested for long is not in the list of the newest.
      const session = sessions.find(({ id }) => id === wanted) ?? (await findSession(this.#context, wanted));
      if (session?.customerId !== customer.customerId)
        throw new ChatError('bad_token', 'the session is not of this customer');
      return session;
    }
    return sessions.toSorted((a, b) => b.id - a.id).find(({ status }) => status !== 'closed');
  }
}

function giveTo(customer: IdentityPrincipal, unit: SessionUnit): void {
  const changes = contactChanges(customer, unit.session);
  if (unit.session.customerId !== customer.customerId) changes.customer_id = customer.customerId;
  if (Object.keys(changes).length > 0) unit.patch(changes);
}

/** The site's data about its customer take precedence. Erased data stay erased until they write again. */
function contactChanges(customer: IdentityPrincipal, { contact, isContactErased }: SessionRecord): SessionPatch {
  const changes: SessionPatch = {};
  if (isContactErased) return changes;
  if (customer.name !== null && customer.name !== contact.name) changes.name = customer.name;
  if (customer.email !== null && customer.email !== contact.email) changes.email = customer.email;
  if (customer.phone !== null && customer.phone !== contact.phone) changes.phone = customer.phone;
  return changes;
}
