import { ChatError, type Session } from '@chat-realtime/protocol';
import type { IdentityPrincipal, TokenVerifier } from '@chat-realtime/verifier';
import type { ChatOperations, SessionPatch, SessionRecord, StaffActor } from '../domain/index.ts';
import { renderSession } from '../domain/render.ts';
import type { ChannelCredentials } from '../tokens/channel-credentials.ts';

export interface IdentifyRequest {
  readonly identityToken: string;
  /** Channel token of an anonymous session that becomes his. */
  readonly token?: string | undefined;
  readonly sessionId?: number | undefined;
}

export interface IdentifyAnswer {
  readonly sessions: Session[];
  readonly session?: Session;
  readonly token?: string;
  readonly expires_at: string;
}

/** Revoking needs an actor; nobody's scope may hide a customer's own session from his logout. */
const LOGOUT_ACTOR: StaffActor = { kind: 'staff', userId: 'system', name: null, role: 'admin', scope: 'all' };

/** Customers that are signed in at the site: their chats follow them to any device. */
export class Identity {
  readonly #operations: ChatOperations;
  readonly #verifier: TokenVerifier;
  readonly #credentials: ChannelCredentials;

  constructor(operations: ChatOperations, verifier: TokenVerifier, credentials: ChannelCredentials) {
    this.#operations = operations;
    this.#verifier = verifier;
    this.#credentials = credentials;
  }

  async identify(request: IdentifyRequest): Promise<IdentifyAnswer> {
    const customer = await this.#customer(request.identityToken);
    const { sessionId, token } = request;
    if (sessionId !== undefined && token !== undefined) await this.#takeOver(customer, sessionId, token);
    for (const claimed of customer.sessions) {
      if (claimed !== sessionId) await this.#claim(customer, claimed);
    }
    const sessions = await this.#operations.findSessionsByCustomer(customer.customerId);
    for (const session of sessions) await this.#fillContact(customer, session);
    const current = this.#current(sessions, sessionId);
    const newestFirst = sessions.toSorted((a, b) => b.updatedAt.getTime() - a.updatedAt.getTime() || b.id - a.id);
    // Without a chat there is no token yet; what ends then is what he has shown.
    const expiresAt = new Date(customer.expiresAt * 1_000).toISOString();
    const answer = { sessions: newestFirst.map(renderSession), expires_at: expiresAt };
    return current === undefined
      ? answer
      : { ...answer, session: renderSession(current), ...this.#credentials.token(current) };
  }

  /** Ends what browsers still hold of his chats: the next person at this computer must not read them. */
  async logout(identityToken: string): Promise<void> {
    const customer = await this.#customer(identityToken);
    for (const session of await this.#operations.findSessionsByCustomer(customer.customerId)) {
      await this.#operations.revoke(LOGOUT_ACTOR, session.id);
    }
  }

  async #customer(identityToken: string): Promise<IdentityPrincipal> {
    const verdict = await this.#verifier.verifyIdentity(identityToken);
    if (!verdict.ok) throw new ChatError(verdict.code, 'the identity token is not accepted');
    return verdict.principal;
  }

  async #takeOver(customer: IdentityPrincipal, sessionId: number, token: string): Promise<void> {
    const verdict = this.#verifier.verifyCustomer(sessionId, token);
    if (!verdict.ok) throw new ChatError(verdict.code, 'the channel token does not fit the session');
    if ((await this.#operations.findSession(sessionId)) === null)
      throw new ChatError('bad_token', 'the channel token does not fit the session');
    await this.#operations.commit(sessionId, async (unit) => {
      const owner = unit.session.customerId;
      if (owner !== null && owner !== customer.customerId)
        throw new ChatError('forbidden', 'the session belongs to another customer');
      unit.patch({
        ...contactChanges(customer, unit.session),
        ...(owner === null ? { customer_id: customer.customerId } : {}),
      });
    });
  }

  /** The site vouches for chats from before. Taken ones stay where they are, unknown ones are no error. */
  async #claim(customer: IdentityPrincipal, sessionId: number): Promise<void> {
    const known = await this.#operations.findSession(sessionId);
    if (known === null || known.customerId !== null) return;
    await this.#operations.commit(sessionId, async (unit) => {
      // Looked up again under the lock: two customers may claim at once.
      if (unit.session.customerId === null)
        unit.patch({ ...contactChanges(customer, unit.session), customer_id: customer.customerId });
    });
  }

  async #fillContact(customer: IdentityPrincipal, session: SessionRecord): Promise<void> {
    if (Object.keys(contactChanges(customer, session)).length === 0) return;
    await this.#operations.commit(session.id, async (unit) => unit.patch(contactChanges(customer, unit.session)));
  }

  /** The session asked for, else his newest open one. */
  #current(sessions: readonly SessionRecord[], wanted: number | undefined): SessionRecord | undefined {
    if (wanted !== undefined) {
      const session = sessions.find(({ id }) => id === wanted);
      if (session === undefined) throw new ChatError('bad_token', 'the session is not of this customer');
      return session;
    }
    return sessions.toSorted((a, b) => b.id - a.id).find(({ status }) => status !== 'closed');
  }
}

/** What the site knows better than the session does. */
function contactChanges(customer: IdentityPrincipal, { contact }: SessionRecord): SessionPatch {
  const changes: SessionPatch = {};
  if (customer.name !== null && customer.name !== contact.name) changes.name = customer.name;
  if (customer.email !== null && customer.email !== contact.email) changes.email = customer.email;
  if (customer.phone !== null && customer.phone !== contact.phone) changes.phone = customer.phone;
  return changes;
}
