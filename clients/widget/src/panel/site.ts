import { type Backend, ChatClientError, type SiteChat, storedSessionKey } from '@chat-realtime/client';
import type { Settings } from '../bridge.ts';
import { laterFile } from './later-file.ts';

interface Page {
  querySelector(selectors: string): { getAttribute(name: string): string | null } | null;
}

/**
 * Null where the chat is ours. `data-site` of the loader's script, or `init({ site })`: the site keeps its own chat. An
 * empty attribute means the paths and names that `SiteChat` has by default.
 */
export function siteOf({ site }: Pick<Settings, 'site'>, page: Page = document): SiteChat | null {
  if (site !== undefined) return site;
  const text = page.querySelector('script[data-site]')?.getAttribute('data-site');
  if (text === null || text === undefined || text === 'off') return null;
  try {
    const read: unknown = text === '' || text === 'on' ? {} : JSON.parse(text);
    if (typeof read === 'object' && read !== null) return read;
  } catch (error) {
    // oxlint-disable-next-line no-console -- the person who puts the script into a page is the one this is for
    console.error('[chat-widget] data-site is no JSON', error);
  }
  return {};
}

/** The supported parts of a callback request: a site must have a path for them, and a name for the time. */
export interface Calls {
  readonly offered: boolean;
  readonly atTime: boolean;
}

export function callsOf(site: SiteChat | null): Calls {
  return {
    offered: site?.paths?.callback !== '',
    atTime: site === null || Boolean(site.fields?.request?.preferred_at),
  };
}

/** Takes over the chat that the site's own page has started: its server vouches for the visitor by the cookie. */
export function adoptSession(
  { session }: SiteChat,
  namespace: string,
  storage: Pick<Storage, 'getItem' | 'setItem'> = localStorage,
): void {
  try {
    const key = storedSessionKey(namespace);
    if (session === undefined || storage.getItem(key) !== null) return;
    const id = Number(typeof session === 'number' ? session : storage.getItem(session));
    if (!Number.isSafeInteger(id) || id <= 0) return;
    storage.setItem(key, JSON.stringify({ id, token: null, renew_at: 0, resume_key: 'site' }));
  } catch {
    // Storage is blocked: the chat starts again, as everything does there.
    return;
  }
}

export function backendOf(settings: Settings): Backend | undefined {
  const site = siteOf(settings);
  if (site === null) return undefined;
  adoptSession(site, settings.namespace);
  const { baseUrl } = settings;
  const load = laterFile(`${baseUrl}/widget/v1/site.js`);
  const backend = laterBackend(async () => {
    const { siteBackend } = (await load()) as typeof import('@chat-realtime/client/site');
    return siteBackend({ site, baseUrl });
  });
  return { ...backend, callsInChat: callsOf(site).offered };
}

/** A backend that is loaded at its first call: most sites have none of their own. A load that failed is tried anew. */
export function laterBackend(load: () => Promise<Backend>): Backend {
  let loaded: Backend | undefined;
  let loading: Promise<Backend> | undefined;
  const backend = async (): Promise<Backend> => {
    loading ??= load().catch((cause: unknown) => {
      loading = undefined;
      throw new ChatClientError('network', undefined, { cause });
    });
    loaded = await loading;
    return loaded;
  };
  return {
    config: async () => (await backend()).config(),
    createSession: async (request) => (await backend()).createSession(request),
    getToken: async (request) => (await backend()).getToken(request),
    session: async (access) => (await backend()).session(access),
    history: async (access, page) => (await backend()).history(access, page),
    poll: async (access, after) => (await backend()).poll(access, after),
    // A line is opened when the chat's head was read, which has loaded it.
    lines(transports, ask) {
      const line =
        (name: keyof typeof transports): (typeof transports)[typeof name] =>
        (...given) =>
          (loaded?.lines?.(transports, ask) ?? transports)[name](...given);
      return { websocket: line('websocket'), sse: line('sse'), poll: line('poll'), rest: line('rest') };
    },
    send: async (access, message) => (await backend()).send(access, message),
    // Nothing comes before a call has loaded it.
    own: (sessionId, message) => loaded?.own?.(sessionId, message) ?? message,
    markRead: async (access, lastId) => (await backend()).markRead(access, lastId),
    reportPage: async (access, pageUrl) => (await backend()).reportPage?.(access, pageUrl),
    requestCallback: async (access, request) => (await backend()).requestCallback(access, request),
    upload: async (access, file, options) => (await backend()).upload(access, file, options),
    identify: async (request) => (await backend()).identify(request),
    identityLogout: async (token) => (await backend()).identityLogout(token),
  };
}
