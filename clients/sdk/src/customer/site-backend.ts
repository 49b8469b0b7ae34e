import type { Access, Backend } from '../api/backend.ts';
import type { Environment } from '../api/environment.ts';
import type { EventsResponse, Message, Session } from '../api/protocol.ts';
import type { SiteChat } from '../api/site.ts';
import { createEnvironment } from '../core/environment.ts';
import { call, type CallOptions, resolveBase } from '../core/http.ts';
import { ChatClientError } from '../errors.ts';
import { backendOver, standardRest } from './rest-calls.ts';
import { SITE_PATHS, siteReader } from './site-fields.ts';

/** Requests in a row that read what a chat holds; a site answers some hundred messages to each. */
const PAGES_MAX = 200;
const PAGE = 100;
const TOKEN_SECONDS = 86_400;

export interface SiteBackendOptions {
  readonly site: SiteChat;
  /** Of the chat with the channel; default: the page's own origin. */
  readonly baseUrl?: string;
  readonly environment?: Environment;
}

/** What is kept of the chat that is shown, so that older pages cost the site nothing. */
interface Known {
  readonly id: number;
  messages: Message[];
  status: string;
  /** Which text this device gave which message, so that a retry finds its own and not a second one of the same words. */
  readonly own: Map<number, string>;
}

/**
 * The customer's calls against a site's own REST. The site keeps no seq: the head and what was missed come from the
 * gateway, and every message is known by its id, whichever way it came.
 */
export function siteBackend({ site, baseUrl, environment: given }: SiteBackendOptions): Backend {
  const environment = given ?? createEnvironment();
  const channel = resolveBase(baseUrl);
  const standard = backendOver(standardRest(environment, channel));
  const web = {
    ...environment,
    // The site's cookie says who is asking.
    fetch: ((input, init) => environment.fetch(input, { ...init, credentials: 'same-origin' })) satisfies typeof fetch,
  };
  const paths = { ...SITE_PATHS, ...site.paths };
  const base = resolveBase(site.baseUrl);
  const reader = siteReader(site);
  let known: Known | null = null;

  const ask = (method: string, path: string, id: number | '', since = 0, options: CallOptions = {}) => {
    const filled = path.replace('{id}', String(id)).replace('{since}', String(since));
    const url = /^https?:/i.test(filled) ? filled : base + filled;
    return call<unknown>(web, method, url, {
      ...options,
      headers: { accept: 'application/json', ...(method === 'GET' ? {} : site.headers) },
    });
  };
  const missed = ({ sessionId, token }: Access, last_seq?: number): Promise<EventsResponse> =>
    call(environment, 'GET', `${channel}/channel/poll`, { token, query: { session: sessionId, last_seq, wait: 0 } });

  const of = (id: number): Known => {
    if (known?.id !== id) known = { id, messages: [], status: 'new', own: new Map() };
    return known;
  };
  /** What the site has beyond what is known; told once to each caller, in order. */
  const read = async (id: number): Promise<Message[]> => {
    const chat = of(id);
    const found: Message[] = [];
    for (let page = 0; page < PAGES_MAX; page += 1) {
      const since = chat.messages.at(-1)?.id ?? 0;
      const answer = await ask('GET', paths.history, id, since);
      chat.status = reader.status(answer);
      // Two readings at once may both bring it.
      const newest = chat.messages.at(-1)?.id ?? 0;
      const news = reader
        .messages(answer)
        .filter((message) => message.id > newest)
        .sort((a, b) => a.id - b.id);
      chat.messages.push(...news);
      found.push(...news);
      if (news.length === 0) return found;
    }
    return found;
  };
  const named = (chat: Known, message: Message): Message => {
    const own = chat.own.get(message.id);
    return own === undefined ? message : { ...message, client_message_id: own };
  };
  /** The site's own word for a text that was sent; it may answer nothing of it, or its answer may have been lost. */
  const stored = async (id: number, body: string, key: string, after: number): Promise<Message | null> => {
    await read(id);
    const chat = of(id);
    const found = chat.messages.find(
      (one) => one.id > after && one.sender_type === 'client' && one.body === body && !chat.own.has(one.id),
    );
    if (!found) return null;
    chat.own.set(found.id, key);
    return { ...found, client_message_id: key };
  };
  /** Texts whose answer is not known yet, and the newest message before each. */
  const tried = new Map<string, number>();
  const issue = async (sessionId: number) => {
    const token = reader.token(await ask('GET', paths.token, sessionId));
    if (token === null) throw new ChatClientError('invalid_response');
    const created = Number(token.split('.')[1]);
    return { token, expires_at: new Date((created + TOKEN_SECONDS) * 1_000).toISOString() };
  };
  const sessionOf = (id: number, last_seq: number): Session => ({
    id,
    status: of(id).status,
    created_at: of(id).messages[0]?.created_at ?? new Date(0).toISOString(),
    assigned_user_id: null,
    last_seq,
    version: 0,
    callback_pending: false,
  });
  const none = (): Promise<never> => Promise.reject(new ChatClientError('not_found'));

  return {
    async config() {
      const found = await standard.config();
      // Files and questions are the site's own matter, and it was told of none here.
      return { ...found, custom_fields: [], attachments: { ...found.attachments, max_per_message: 0 } };
    },
    async createSession(request) {
      const json = reader.request({
        name: request.name,
        contact: request.phone ?? request.email,
        initial_message: request.message?.body,
        client_message_id: request.message?.client_message_id,
      });
      const id = reader.sessionId(await ask('POST', paths.create, '', 0, { json }));
      if (id === null) throw new ChatClientError('invalid_response');
      const { body, client_message_id: key } = request.message ?? {};
      const message = body === undefined || key === undefined ? null : await stored(id, body, key, 0);
      return {
        // From the beginning: what the channel brings again is known by its id.
        session: sessionOf(id, 0),
        ...(await issue(id)),
        resume_key: request.resume_key ?? '',
        ...(message && { message }),
      };
    },
    getToken: ({ sessionId }) => issue(sessionId),
    async session(access) {
      // The head first: what is written meanwhile comes as an event, and as a row of the site.
      const last_seq = await missed(access).then(
        (head) => head.last_seq,
        () => 0,
      );
      await read(access.sessionId);
      return sessionOf(access.sessionId, last_seq);
    },
    async history({ sessionId }, { beforeId = Number.POSITIVE_INFINITY, limit = PAGE }) {
      await read(sessionId);
      const earlier = of(sessionId).messages.filter(({ id }) => id < beforeId);
      return {
        messages: earlier.slice(-limit).map((one) => named(of(sessionId), one)),
        has_more: earlier.length > limit,
      };
    },
    poll: (access, { afterSeq }) => missed(access, afterSeq),
    async news({ sessionId }, afterId) {
      await read(sessionId);
      return of(sessionId)
        .messages.filter(({ id }) => id > afterId)
        .map((one) => named(of(sessionId), one));
    },
    async send({ sessionId }, { body, client_message_id }) {
      const before = tried.get(client_message_id);
      if (before !== undefined) {
        const found = await stored(sessionId, body, client_message_id, before);
        if (found) return found;
      } else tried.set(client_message_id, of(sessionId).messages.at(-1)?.id ?? 0);
      const json = reader.request({ body, client_message_id });
      const answered = reader.sent(await ask('POST', paths.send, sessionId, 0, { json }));
      const after = tried.get(client_message_id) ?? 0;
      if (answered) of(sessionId).own.set(answered.id, client_message_id);
      const message = answered
        ? { ...answered, sender_type: 'client' as const, client_message_id }
        : await stored(sessionId, body, client_message_id, after);
      if (!message) throw new ChatClientError('unavailable', undefined, { status: 503 });
      tried.delete(client_message_id);
      return message;
    },
    async markRead({ sessionId }, lastId) {
      if (paths.read) await ask('POST', paths.read, sessionId, 0, { json: reader.request({ read: lastId }) });
    },
    async requestCallback(access, { phone, name, comment }) {
      if (access === null) return none();
      await ask('POST', paths.callback, access.sessionId, 0, { json: reader.request({ phone, name, comment }) });
      return { id: access.sessionId, status: 'new', preferred_at: null };
    },
    upload: none,
    identify: none,
    identityLogout: () => Promise.resolve(),
  };
}
