import type { Backend } from '../api/backend.ts';
import type { IdentityResponse } from '../api/protocol.ts';
import { ChatClientError } from '../errors.ts';
import type { Credentials } from './credentials.ts';

/** Tells the server who the customer is; a chat begun anonymously on this device becomes his. */
export async function identify(
  backend: Backend,
  credentials: Credentials,
  identity_token: string,
  leaveSession: () => void,
): Promise<IdentityResponse> {
  const own = credentials.stored.id === null ? null : await credentials.access().catch(() => null);
  if (!own) return backend.identify({ identity_token });
  try {
    return await backend.identify({ identity_token, token: own.token, session_id: own.sessionId });
  } catch (error) {
    if (!(error instanceof ChatClientError) || (error.status !== 401 && error.status !== 403)) throw error;
    // The chat on this device is another person's: it must not stay in sight of this one.
    leaveSession();
    return backend.identify({ identity_token });
  }
}
