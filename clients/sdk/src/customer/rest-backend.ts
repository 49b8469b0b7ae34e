import type { Access, Backend, BackendFields, BackendPaths, FieldMap, RestBackendOptions } from '../api/backend.ts';
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
import { upload } from '../core/upload.ts';

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

type Fields = Record<string, unknown>;
const isObject = (value: unknown): value is Fields => typeof value === 'object' && value !== null;

/** `data.items` in `{data: {items}}`; the empty path is the whole. */
function pick(value: unknown, path: string): unknown {
  for (const name of path ? path.split('.') : []) value = isObject(value) ? value[name] : undefined;
  return value;
}

function fromForeign(value: unknown, map: FieldMap | undefined): unknown {
  if (!map || !isObject(value)) return value;
  const result: Fields = { ...value };
  for (const [name, path] of Object.entries(map)) result[name] = pick(value, path);
  return result;
}

function toForeign(value: Fields, map: FieldMap | undefined): Fields {
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [map?.[name] ?? name, field]));
}

/** Where parts of the contract occur in an answer. */
function translate(answer: unknown, fields: Partial<BackendFields>): unknown {
  const result = fromForeign(answer, fields.answer);
  if (!isObject(result)) return result;
  const each = (name: string, one: (value: unknown) => unknown): void => {
    const value = result[name];
    if (value !== undefined) result[name] = Array.isArray(value) ? value.map(one) : one(value);
  };
  const message = (value: unknown): unknown => fromForeign(value, fields.message);
  const session = (value: unknown): unknown => fromForeign(value, fields.session);
  each('session', session);
  each('sessions', session);
  each('message', message);
  each('messages', message);
  each('events', (event) =>
    isObject(event) && event['type'] === 'chat.message' ? { ...event, data: message(event['data']) } : event,
  );
  return result;
}

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
  const send = async <T>(method: string, url: string, given: CallOptions = {}): Promise<T> => {
    const answer = await call<unknown>(environment, method, url, {
      ...given,
      headers: { ...options.headers?.(), ...given.headers },
      ...(isObject(given.json) && { json: toForeign(given.json, fields?.request) }),
    });
    return (fields ? translate(answer, fields) : answer) as T;
  };
  const get = <T>(path: string, { sessionId, token }: Access, query: CallOptions['query'] = {}): Promise<T> =>
    send<T>('GET', address(path, sessionId), { token, query: toQuery(query) });
  const toQuery = (query: NonNullable<CallOptions['query']>): CallOptions['query'] =>
    fields?.request ? (toForeign(query, fields.request) as CallOptions['query']) : query;
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
    async session(access) {
      const answer = await get<Session>(paths.session, access);
      return fields ? (fromForeign(answer, fields.session) as Session) : answer;
    },
    history: (access, { beforeId, limit }) =>
      get<MessagesResponse>(paths.messages, access, { before_id: beforeId, limit }),
    poll: (access, { afterSeq, limit }) => get<EventsResponse>(paths.events, access, { after_seq: afterSeq, limit }),
    send: async (access, message) => (await post<{ message: Message }>(paths.messages, access, message)).message,
    markRead: (access, lastId) => post(paths.read, access, { last_id: lastId }),
    requestCallback: async (access, request) =>
      (await post<{ callback: CallbackData }>(paths.callback, access, request)).callback,
    upload: (access, file, given) =>
      upload(environment, address(paths.attachments, access.sessionId), access.token, file, given),
    identify: (request) => post<IdentityResponse>(paths.identity, null, request),
    identityLogout: (identityToken) => post(paths.identityLogout, null, { identity_token: identityToken }),
  };
}
