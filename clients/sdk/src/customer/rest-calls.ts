import type { Access, Backend } from '../api/backend.ts';
import type { IssuedToken } from '../api/connection.ts';
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
import { call, type CallOptions } from '../core/http.ts';

export const SESSION = '/chat/session/{id}';

/** How a call of the contract gets to a server. */
export interface Rest {
  readonly environment: Environment;
  readonly address: (path: string, sessionId: number | '') => string;
  readonly send: <T>(method: string, path: string, sessionId: number | '', options: CallOptions) => Promise<T>;
}

/** REST of Chat Realtime as it is. */
export function standardRest(environment: Environment, base: string): Rest {
  const address: Rest['address'] = (path, sessionId) => base + path.replace('{id}', String(sessionId));
  return {
    environment,
    address,
    send: (method, path, sessionId, options) => call(environment, method, address(path, sessionId), options),
  };
}

export function backendOver({ environment, address, send }: Rest): Backend {
  const get = <T>(path: string, { sessionId, token }: Access, query: CallOptions['query'] = {}): Promise<T> =>
    send<T>('GET', path, sessionId, { token, query });
  const post = <T>(path: string, access: Access | null, json: unknown): Promise<T> =>
    send<T>('POST', path, access?.sessionId ?? '', { token: access?.token ?? '', json });

  return {
    config: () => send<ConfigResponse>('GET', '/chat/config', '', {}),
    createSession: (request) => post<CreateSessionResponse>('/chat/session', null, request),
    getToken: ({ sessionId, resumeKey, identityToken = '' }) =>
      send<IssuedToken>('GET', `${SESSION}/channel-token`, sessionId, {
        token: identityToken,
        headers: resumeKey ? { 'x-resume-key': resumeKey } : {},
      }),
    session: (access) => get<Session>(SESSION, access),
    history: (access, { beforeId, limit }) =>
      get<MessagesResponse>(`${SESSION}/messages`, access, { before_id: beforeId, limit }),
    poll: (access, { afterSeq, limit }) =>
      get<EventsResponse>(`${SESSION}/events`, access, { after_seq: afterSeq, limit }),
    send: async (access, message) => (await post<{ message: Message }>(`${SESSION}/messages`, access, message)).message,
    markRead: (access, lastId) => post(`${SESSION}/read`, access, { last_id: lastId }),
    reportPage: (access, pageUrl) => post(`${SESSION}/page`, access, { page_url: pageUrl }),
    requestCallback: async (access, request) =>
      (await post<{ callback: CallbackData }>('/chat/callback', access, request)).callback,
    async upload({ sessionId, token }, file, given) {
      const { upload } = await import('../core/upload.ts');
      return upload(environment, address(`${SESSION}/attachments`, sessionId), token, file, given);
    },
    identify: (request) => post<IdentityResponse>('/chat/identity', null, request),
    identityLogout: (identity_token) => post('/chat/identity/logout', null, { identity_token }),
  };
}
