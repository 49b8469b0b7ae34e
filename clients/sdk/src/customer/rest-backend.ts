import type { Access, Backend, BackendPaths, RestBackendOptions } from '../api/backend.ts';
import type { Environment } from '../api/environment.ts';
import type {
  CallbackData,
  ConfigResponse,
  CreateSessionResponse,
  EventsResponse,
  IdentityResponse,
  Message,
  MessagesResponse,
  Session,
} from '../api/protocol.ts';
import type { IssuedToken } from '../api/connection.ts';
import { createEnvironment } from '../core/environment.ts';
import { call, type CallOptions, resolveBase } from '../core/http.ts';

const SESSION = '/chat/session/{id}';
const PATHS: BackendPaths = {
  config: '/chat/config',
  createSession: '/chat/session',
  token: `${SESSION}/channel-token`,
  session: SESSION,
  messages: `${SESSION}/messages`,
  events: `${SESSION}/events`,
  read: `${SESSION}/read`,
  callback: '/chat/callback',
  attachments: `${SESSION}/attachments`,
  identity: '/chat/identity',
  identityLogout: '/chat/identity/logout',
};

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;

/** REST of Chat Realtime; with `paths` and `fields` that of another chat-service. */
export function restBackend(options: RestBackendOptions & { environment?: Environment } = {}): Backend {
  const base = resolveBase(options.baseUrl);
  const paths = { ...PATHS, ...options.paths };
  const fields = options.fields;
  const environment =
    options.environment ?? createEnvironment(options.fetch === undefined ? {} : { fetch: options.fetch });

  const address = (path: string, id: number | '' = ''): string => {
    const filled = path.replace('{id}', String(id));
    return /^https?:/i.test(filled) ? filled : base + filled;
  };
  const send = async <T>(method: string, url: string, given: CallOptions = {}, isSession = false): Promise<T> => {
    const headers = { ...options.headers?.(), ...given.headers };
    if (!fields) return call<T>(environment, method, url, { ...given, headers });
    // Another chat-service's names are known only to sites that have one.
    const { translate, toForeign } = await import('./foreign-fields.ts');
    const renamed = {
      ...(isObject(given.json) && { json: toForeign(given.json, fields.request) }),
      ...(given.query && { query: toForeign(given.query, fields.request) }),
    };
    return translate(
      await call<unknown>(environment, method, url, { ...given, ...renamed, headers }),
      fields,
      isSession,
    ) as T;
  };
  const get = <T>(path: string, { sessionId, token }: Access, query: CallOptions['query'] = {}): Promise<T> =>
    send<T>('GET', address(path, sessionId), { token, query }, path === paths.session);
  const post = <T>(path: string, access: Access | null, json: unknown): Promise<T> =>
    send<T>('POST', address(path, access?.sessionId), { token: access?.token ?? null, json });

  return {
    config: () => send<ConfigResponse>('GET', address(paths.config)),
    createSession: (request) => post<CreateSessionResponse>(paths.createSession, null, request),
    getToken: ({ sessionId, resumeKey, identityToken }) =>
      send<IssuedToken>('GET', address(paths.token, sessionId), {
        token: identityToken ?? null,
        headers: resumeKey ? { 'x-resume-key': resumeKey } : {},
      }),
    session: (access) => get<Session>(paths.session, access),
    history: (access, { beforeId, limit }) =>
      get<MessagesResponse>(paths.messages, access, { before_id: beforeId, limit }),
    poll: (access, { afterSeq, limit }) => get<EventsResponse>(paths.events, access, { after_seq: afterSeq, limit }),
    send: async (access, message) => (await post<{ message: Message }>(paths.messages, access, message)).message,
    markRead: (access, lastId) => post(paths.read, access, { last_id: lastId }),
    requestCallback: async (access, request) =>
      (await post<{ callback: CallbackData }>(paths.callback, access, request)).callback,
    async upload({ sessionId, token }, file, given) {
      const { upload } = await import('../core/upload.ts');
      return upload(environment, address(paths.attachments, sessionId), token, file, given);
    },
    identify: (request) => post<IdentityResponse>(paths.identity, null, request),
    identityLogout: (identityToken) => post(paths.identityLogout, null, { identity_token: identityToken }),
  };
}
