// Loaded when a customer is signed in by the site; imports little, so that it stays a small file of its own.
import type { Backend } from '../api/backend.ts';
import type { IdentityResponse, Session } from '../api/protocol.ts';
import { asError } from '../errors.ts';
import type { Credentials } from './credentials.ts';

export interface IdentityPort {
  readonly backend: Backend;
  readonly credentials: Credentials;
  readonly leaveSession: () => void;
  /** The customer's own chat, if they have one: the one shown already, or another. */
  readonly found: (session: Session, isShown: boolean) => void;
}

async function tellServer(port: IdentityPort, identity_token: string): Promise<IdentityResponse> {
  const { backend, credentials, leaveSession } = port;
  const own = credentials.stored.id === null ? null : await credentials.access().catch(() => null);
  if (!own) return backend.identify({ identity_token });
  try {
    return await backend.identify({ identity_token, token: own.token, session_id: own.sessionId });
  } catch (error) {
    if (![401, 403].includes(asError(error).status)) throw error;
    // The chat on this device is another person's: it must not stay in sight of this one.
    leaveSession();
    return backend.identify({ identity_token });
  }
}

/** Identifies the customer to the server; a chat started anonymously on this device becomes theirs. */
export async function attach(port: IdentityPort, identityToken: string): Promise<Session | null> {
  const { credentials, found } = port;
  const { session, token, expires_at } = await tellServer(port, identityToken);
  if (!session || !token) return null;
  const isShown = session.id === credentials.stored.id;
  // From now on identity alone opens it.
  credentials.keep({ id: session.id, customer: true, issued: { token, expires_at }, resume_key: null });
  found(session, isShown);
  return session;
}
