import type { AuthUser, LoginResponse } from '../api/protocol.ts';
import type { TabChannel } from '../api/environment.ts';
import type { StaffAuth, StaffAuthOptions, StaffAuthState, StaffToken } from '../api/staff.ts';
import { createEnvironment } from '../core/environment.ts';
import { call, resolveBase } from '../core/http.ts';
import { createJsonStorage, storagePrefix } from '../core/json-storage.ts';
import { renewAfterMs } from '../core/renewal.ts';
import { createStore } from '../core/store.ts';
import { asError, ChatClientError } from '../errors.ts';
import { exclusively } from '../tabs/exclusively.ts';
import { userOf } from './claims.ts';

const KEY = 'login';
/** Two of them end well before the server stops repeating a lost answer. */
const REFRESH_TIMEOUT_MS = 8_000;

interface SignIn {
  readonly access_token: string;
  readonly refresh_token: string;
  readonly user: AuthUser;
  /** By this device's clock. */
  readonly renew_at: number;
}

/** Sign-in of operators: with login and password here, or through the site's own sign-in at `tokenUrl`. */
export function createStaffAuth(options: StaffAuthOptions = {}): StaffAuth {
  const environment = createEnvironment(options.environment);
  const base = resolveBase(options.baseUrl);
  const prefix = storagePrefix(`staff:${options.namespace ?? 'default'}`);
  const storage = createJsonStorage(environment.storage, prefix);
  let state: StaffAuthState = { status: 'unknown' };
  const store = createStore<StaffAuthState>(() => state);

  /** Signing in or out in one tab takes effect in all of them at once. */
  let tabs: TabChannel | null = null;
  try {
    tabs = environment.openTabChannel?.(`${prefix}login`) ?? null;
  } catch {
    // An opaque origin: each tab notices it by its token.
  }
  const changed = (): void => tabs?.postMessage('changed');
  const become = (user: AuthUser | null): void => {
    state = user ? { status: 'signed_in', user } : { status: 'signed_out' };
    store.touch();
  };
  const post = <T>(path: string, json: unknown, token: string | null = null, timeoutMs?: number): Promise<T> =>
    call<T>(environment, 'POST', base + path, { json, token, ...(timeoutMs !== undefined && { timeoutMs }) });
  const keep = (answer: LoginResponse): SignIn => {
    const { access_token, refresh_token, user, expires_in } = answer;
    const renew_at = environment.wallNow() + renewAfterMs(expires_in * 1_000);
    const kept = { access_token, refresh_token, user, renew_at };
    storage.set(KEY, kept);
    become(user);
    return kept;
  };
  /** One at a time over all tabs: the others use what the first one stored. */
  const alone = <T>(run: () => Promise<T>): Promise<T> => exclusively(environment.locks, `${prefix}refresh`, run);
  const signedOut = (): never => {
    become(null);
    throw new ChatClientError('missing_credentials', 'nobody is signed in');
  };
  const refresh = async (refused: string | null): Promise<StaffToken> => {
    const kept = await storage.get<SignIn>(KEY);
    if (!kept) return signedOut();
    // Another tab has done it in the meantime.
    if (kept.access_token !== refused && environment.wallNow() < kept.renew_at) return { token: kept.access_token };
    const { refresh_token } = kept;
    const ask = (): Promise<LoginResponse> => post('/auth/refresh', { refresh_token }, null, REFRESH_TIMEOUT_MS);
    try {
      // The answer may have been lost: if requested again at once, the server gives the same one. Half a minute later
      // the token would count as stolen.
      const answer = await ask().catch((error: unknown) => {
        if (asError(error).retryable) return ask();
        throw error;
      });
      return { token: keep(answer).access_token };
    } catch (error) {
      if (asError(error).status !== 401) throw error;
      // Without locks another tab may have been quicker; what it stored is newer than what was refused.
      const newer = await storage.get<SignIn>(KEY);
      if (newer && newer.refresh_token !== refresh_token) return { token: newer.access_token };
      storage.remove(KEY);
      changed();
      return signedOut();
    }
  };
  const fromSite = async (url: string): Promise<StaffToken> => {
    // The site's own cookie session answers this one, also on another host of the site.
    const response = await environment
      .fetch(url, { credentials: 'include', cache: 'no-store' })
      .catch((cause: unknown) => {
        throw new ChatClientError('network', undefined, { cause });
      });
    if (response.status === 401 || response.status === 403) return signedOut();
    if (!response.ok) throw new ChatClientError('unavailable', undefined, { status: response.status });
    // A site that redirects everybody who is not signed in to its login page does so here too: a page, and no token.
    if (response.redirected && !response.headers.get('content-type')?.includes('json')) return signedOut();
    const { access_token: token, ...rest } = (await response.json()) as Omit<StaffToken, 'token'> & {
      access_token: string;
    };
    // Another auth-service has no /auth/me: the token itself says who it is for.
    if (state.status !== 'signed_in' || state.user.id !== userOf(token)?.id) become(userOf(token));
    return { ...rest, token };
  };

  let last: string | null = null;
  const auth: StaffAuth = {
    getState: store.getState,
    subscribe: store.subscribe,
    async login(login, password, code) {
      const shown = { login, password, ...(code !== undefined && { code }) };
      const { user } = keep(await post<LoginResponse>('/auth/login', shown));
      changed();
      return user;
    },
    async loginByProvider() {
      // The ticket is in a cookie of the chat's own origin, which no page can read.
      const response = await environment
        .fetch(`${base}/auth/oidc/token`, { method: 'POST', credentials: 'same-origin', cache: 'no-store' })
        .catch((cause: unknown) => {
          throw new ChatClientError('network', undefined, { cause });
        });
      const { status } = response;
      if (!response.ok)
        throw new ChatClientError(status === 401 ? 'bad_credentials' : 'unavailable', undefined, { status });
      const { user } = keep((await response.json()) as LoginResponse);
      changed();
      return user;
    },
    async logout() {
      const kept = await storage.get<SignIn>(KEY);
      storage.remove(KEY);
      become(null);
      changed();
      if (!kept) return;
      const { access_token, refresh_token } = kept;
      await post('/auth/logout', { refresh_token }, access_token).catch(() => undefined);
    },
    async getToken({ force }) {
      if (options.tokenUrl !== undefined) return fromSite(options.tokenUrl);
      const kept = await storage.get<SignIn>(KEY);
      if (!kept) return signedOut();
      if (state.status !== 'signed_in') become(kept.user);
      const usable = environment.wallNow() < kept.renew_at && !(force && kept.access_token === last);
      const answer = usable ? { token: kept.access_token } : await alone(() => refresh(force ? last : null));
      last = answer.token;
      return answer;
    },
  };
  const recall = async (): Promise<void> => {
    if (options.tokenUrl !== undefined) return;
    const user = (await storage.get<SignIn>(KEY))?.user ?? null;
    const shown = state.status === 'signed_in' ? state.user.id : null;
    if (state.status === 'unknown' || shown !== (user?.id ?? null)) become(user);
  };
  if (tabs) tabs.onmessage = () => void recall();
  void recall();
  return auth;
}
