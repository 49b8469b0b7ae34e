import type { Access, Backend } from '../api/backend.ts';
import type { IssuedToken } from '../api/connection.ts';
import type { Environment } from '../api/environment.ts';
import type { JsonStorage } from '../core/json-storage.ts';
import { renewAfterMs } from '../core/renewal.ts';
import { asError, ChatClientError } from '../errors.ts';

export const SESSION_KEY = 'session';

/** What a device keeps of a chat. Written only after the visitor acted. */
export interface StoredSession {
  readonly id: number | null;
  readonly token: string | null;
  /** By this device's clock, which need not be the server's. */
  readonly renew_at: number;
  readonly resume_key: string | null;
  /** Belongs to a customer whom the site had signed in. The next person at this device must not see it. */
  readonly customer?: boolean;
}
const NOTHING: StoredSession = { id: null, token: null, renew_at: 0, resume_key: null };

export interface Credentials {
  readonly stored: StoredSession;
  /**
   * The server takes no proof of this device for the session any more: it was revoked, or is a signed-in customer's.
   */
  readonly ended: boolean;
  readonly load: () => Promise<StoredSession>;
  /** Another session, or another token of this one. */
  readonly keep: (
    change: Partial<Pick<StoredSession, 'id' | 'resume_key' | 'customer'>> & { issued?: IssuedToken },
  ) => void;
  /** The server refused the token. */
  readonly expire: () => void;
  readonly forget: () => void;
  readonly access: () => Promise<Access>;
  readonly renew: () => Promise<void>;
  /** Runs a call, and once more with a new token where the first was refused. */
  readonly run: <T>(call: (access: Access) => Promise<T>) => Promise<T>;
}

/** Lives as long as the server meant it to, counted from now: a device's clock may be hours off. */
function renewalTime({ token, expires_at }: IssuedToken, now: number): number {
  const created = Number(token.split('.')[1]) * 1_000 || now;
  return now + renewAfterMs(Date.parse(expires_at) - created);
}

export function createCredentials(
  environment: Environment,
  storage: JsonStorage,
  backend: Backend,
  identity: () => Promise<string> | null,
  mayShow: (customers: boolean) => boolean,
): Credentials {
  let stored = NOTHING;
  let renewing: Promise<void> | null = null;
  let forgetting: Promise<void> | null = null;
  let ended = false;

  const keep: Credentials['keep'] = ({ issued, ...change }) => {
    const fresh = issued && { token: issued.token, renew_at: renewalTime(issued, environment.wallNow()) };
    stored = { ...stored, ...change, ...fresh };
    if (issued?.token) ended = false;
    storage.set(SESSION_KEY, stored);
  };
  /** The identity of the site comes first. If it does not count (yet), the chat may still belong to the guest. */
  const proven = async (sessionId: number, identityToken: string, resumeKey: string | null): Promise<IssuedToken> => {
    try {
      return await backend.getToken({
        sessionId,
        ...(identityToken ? { identityToken } : { resumeKey: resumeKey ?? '' }),
      });
    } catch (error) {
      if (asError(error).status !== 401) throw error;
      if (identityToken && resumeKey) return proven(sessionId, '', resumeKey);
      ended = true;
      throw error;
    }
  };
  const issue = async (): Promise<void> => {
    const { id: sessionId, resume_key: resumeKey } = stored;
    if (sessionId === null) throw new ChatClientError('no_session');
    const asked = identity();
    const identityToken = (await asked) ?? '';
    if (!identityToken && !resumeKey) {
      // Nothing else can vouch for this session: it was opened by a mail link whose token has expired, or the site
      // names nobody and has signed the customer out.
      ended = true;
      throw new ChatClientError('bad_token');
    }
    const issued = await proven(sessionId, identityToken, resumeKey);
    if (stored.id === sessionId) keep({ issued });
  };
  const renew = (): Promise<void> =>
    (renewing ??= issue().finally(() => {
      renewing = null;
    }));
  const access = async (): Promise<Access> => {
    if (!stored.token || environment.wallNow() >= stored.renew_at) await renew();
    const { id, token } = stored;
    if (id === null || !token) throw new ChatClientError('no_session');
    return { sessionId: id, token };
  };
  return {
    get stored() {
      return stored;
    },
    get ended() {
      return ended;
    },
    async load() {
      await forgetting;
      const kept = { ...NOTHING, ...(await storage.get<StoredSession>(SESSION_KEY)) };
      // Left where it is: a page that identifies finds it, and a visitor who writes here starts another chat.
      stored = mayShow(kept.customer === true) ? kept : NOTHING;
      return stored;
    },
    keep,
    expire: () => keep({ issued: { token: '', expires_at: '' } }),
    forget() {
      const { id } = stored;
      stored = NOTHING;
      ended = false;
      // Another tab may have begun the next chat already.
      forgetting = storage.get<StoredSession>(SESSION_KEY).then((kept) => {
        if (kept?.id === id) storage.remove(SESSION_KEY);
      });
    },
    access,
    renew,
    async run(call) {
      const had = await access();
      try {
        return await call(had);
      } catch (error) {
        if (asError(error).status !== 401) throw error;
        // Another call may have renewed it in the meantime.
        if (stored.token === had.token) await renew();
        return call(await access());
      }
    },
  };
}
