// Loaded when a page is opened by the link of a mail; imports little, so that it stays a small file of its own.
import type { IssuedToken } from '../api/connection.ts';
import type { Environment } from '../api/environment.ts';
import type { Session } from '../api/protocol.ts';
import { call } from '../core/http.ts';
import type { JsonStorage } from '../core/json-storage.ts';
import { ChatClientError } from '../errors.ts';
import { type Credentials, SESSION_KEY, type StoredSession } from './credentials.ts';

export interface MailLinkPort {
  readonly environment: Environment;
  readonly base: string;
  readonly storage: JsonStorage;
  readonly credentials: Credentials;
  /** The site has signed the visitor in, or says that it will. */
  readonly signedIn: () => boolean;
  readonly found: (session: Session, isShown: boolean) => void;
}

/**
 * Uses the code up and stores its chat in place of a guest's own. A signed-in customer's chat opens by identity: it is
 * left where it is, and the code is not used.
 */
export async function openMailLink(port: MailLinkPort, code: string): Promise<Session> {
  const { environment, base, storage, credentials, signedIn, found } = port;
  const kept = await storage.get<StoredSession>(SESSION_KEY);
  if (signedIn() || kept?.customer === true) throw new ChatClientError('signed_in');
  const url = `${base}/chat/mail/return`;
  const answer = await call<{ session: Session } & IssuedToken>(environment, 'POST', url, { json: { code } });
  const { session, token, expires_at } = answer;
  const isShown = session.id === credentials.stored.id;
  // If this device started the chat itself it keeps the key, which outlives the token.
  const rest = isShown ? {} : { id: session.id, resume_key: null };
  credentials.keep({ ...rest, issued: { token, expires_at } });
  found(session, isShown);
  return session;
}
