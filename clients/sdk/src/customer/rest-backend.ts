import type { Backend, BackendPaths, RestBackendOptions } from '../api/backend.ts';
import type { Environment } from '../api/environment.ts';
import { createEnvironment } from '../core/environment.ts';
import { call, resolveBase } from '../core/http.ts';
import { backendOver, type Rest, SESSION } from './rest-calls.ts';

/** What the paths that may be mapped are called in Chat Realtime itself. */
const PATHS: Readonly<Record<keyof BackendPaths, string>> = {
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
  const { baseUrl, paths = {}, fields, fetch } = options;
  const base = resolveBase(baseUrl);
  const environment = options.environment ?? createEnvironment(fetch === undefined ? {} : { fetch });
  const mapped = new Map(
    Object.entries(PATHS).map(([name, path]) => [path, paths[name as keyof BackendPaths] ?? path] as const),
  );

  const address: Rest['address'] = (path, id) => {
    const filled = (mapped.get(path) ?? path).replace('{id}', String(id));
    return /^https?:/i.test(filled) ? filled : base + filled;
  };
  const send: Rest['send'] = async <T>(...[method, path, id, given]: Parameters<Rest['send']>): Promise<T> => {
    const url = address(path, id);
    const headers = { ...options.headers?.(), ...given.headers };
    if (!fields) return call<T>(environment, method, url, { ...given, headers });
    // Another chat-service's names are known only to sites that have one.
    const { translate, toForeign } = await import('./foreign-fields.ts');
    const renamed = {
      ...(isObject(given.json) && { json: toForeign(given.json, fields.request) }),
      ...(given.query && { query: toForeign(given.query, fields.request) }),
    };
    const answer = await call<unknown>(environment, method, url, { ...given, ...renamed, headers });
    return translate(answer, fields, path === SESSION) as T;
  };
  return backendOver({ environment, address, send });
}
