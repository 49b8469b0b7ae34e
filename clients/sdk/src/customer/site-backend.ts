import type { Access, Backend } from '../api/backend.ts';
import type { Environment } from '../api/environment.ts';
import type { CreateSessionRequest, EventsResponse, Message, Session } from '../api/protocol.ts';
import type { SiteChat } from '../api/site.ts';
import { createEnvironment } from '../core/environment.ts';
import { call, type CallOptions, resolveBase } from '../core/http.ts';
import { ChatClientError } from '../errors.ts';
import { BEGINNING, createOwnRows } from '../sync/own-rows.ts';
import { backendOver, standardRest } from './rest-calls.ts';
import {
  consentOf,
  csrfHeader,
  fileLimits,
  filesAlone,
  refusedFile,
  SITE_PATHS,
  siteReader,
  worded,
} from './site-fields.ts';
import { siteTransports } from './site-transports.ts';

/** Consecutive requests that read a chat's history; a site returns some hundred messages to each. */
const PAGES_MAX = 200;
const PAGE = 100;
const TOKEN_SECONDS = 86_400;
/**
 * A row may become visible this much later than one with a larger id; this many rows are read again for that reason.
 */
const LATE_MS = 30_000;
const LATE_ROWS = 20;

/** A backend that polls the site for news itself. */
export interface SiteBackend extends Backend {
  /** Messages of the site that the page has not received yet. */
  readonly news: (access: Access, newestId: number) => Promise<Message[]>;
}

export interface SiteBackendOptions {
  readonly site: SiteChat;
  /** Origin of the chat with the channel; default: the page's own origin. */
  readonly baseUrl?: string;
  readonly environment?: Environment;
}

/** What is cached of the shown chat, so that older pages cost the site nothing. */
interface Known {
  readonly id: number;
  messages: Message[];
  status: string;
  /**
   * Rows that the page has not received yet. A search for its own text reads further, and gives the page only that one.
   */
  readonly undelivered: Set<number>;
  /** Recent rows, in the order in which they arrived: an earlier one may still come. */
  readonly recent: { readonly id: number; readonly at: number }[];
  /** Earlier rows than this are no longer waited for. */
  settled: number;
}

/** Not a real event number: larger than any in a new chat, so that its contents are read. */
const SEQ_OF_OLDER = 3;

function noChat(error: unknown): null {
  if (error instanceof ChatClientError && error.status === 404) return null;
  throw error;
}

/**
 * The customer's calls against a site's own REST. The site has no seq: the head and missed events come from the
 * gateway, and every message is identified by its id, whichever way it came.
 */
export function siteBackend({ site, baseUrl, environment: given }: SiteBackendOptions): SiteBackend {
  const environment = given ?? createEnvironment();
  const channel = resolveBase(baseUrl);
  const standard = backendOver(standardRest(environment, channel));
  const web = {
    ...environment,
    // The site's cookie identifies the caller.
    fetch: ((input, init) => environment.fetch(input, { ...init, credentials: 'same-origin' })) satisfies typeof fetch,
  };
  const paths = { ...SITE_PATHS, ...site.paths };
  const base = resolveBase(site.baseUrl);
  const reader = siteReader(site);
  let known: Known | null = null;

  const to = (path: string, id: number | '', since = 0) => {
    const filled = path.replace('{id}', String(id)).replace('{since}', String(since));
    return { url: /^https?:/i.test(filled) ? filled : base + filled, headers: { accept: 'application/json' } };
  };
  const writing = (): Record<string, string> => ({ ...csrfHeader(site), ...site.headers });
  const ask = (method: string, path: string, id: number | '', since = 0, options: CallOptions = {}) => {
    const { url, headers } = to(path, id, since);
    return call<unknown>(web, method, url, {
      ...options,
      headers: { ...headers, ...(method === 'GET' ? {} : writing()) },
    });
  };
  const missed = ({ sessionId, token }: Access, last_seq?: number): Promise<EventsResponse> =>
    call(environment, 'GET', `${channel}/channel/poll`, { token, query: { session: sessionId, last_seq, wait: 0 } });

  const of = (id: number): Known => {
    if (known?.id !== id) known = { id, messages: [], status: 'new', undelivered: new Set(), recent: [], settled: 0 };
    return known;
  };
  /** Those of the rows that were unknown until now. They become known. */
  const learn = (chat: Known, read: readonly Message[]): Message[] => {
    const has = new Set(chat.messages.map(({ id }) => id));
    const news = read.filter(({ id }) => !has.has(id)).sort((a, b) => a.id - b.id);
    if (news.length === 0) return news;
    chat.messages = [...chat.messages, ...news].sort((a, b) => a.id - b.id);
    for (const { id } of news) chat.undelivered.add(id);
    return news;
  };
  /** The same from the ledger: backwards from the newest to the known ones. */
  const readLedger = async (chat: Known, access: Access): Promise<void> => {
    const newest = chat.messages.at(-1)?.id ?? 0;
    const read: Message[] = [];
    try {
      chat.status = (await standard.session(access)).status;
      let beforeId: number | undefined;
      for (let page = 0; page < PAGES_MAX; page += 1) {
        const { messages, has_more } = await standard.history(access, { ...(beforeId && { beforeId }), limit: PAGE });
        read.unshift(...messages);
        beforeId = messages[0]?.id;
        if (!has_more || beforeId === undefined || messages.some(({ id }) => id <= newest)) break;
      }
    } catch (error) {
      // The gateway learns of the chat from the site, and may not know it yet.
      noChat(error);
    }
    learn(chat, read);
  };
  /**
   * The id after which the site is queried. Two rows written at once become visible in any order, so the query moves
   * past a row only when it has been there for a while, or there are many newer ones.
   */
  const settledId = (chat: Known): number => {
    const now = environment.now();
    while ((chat.recent[0] && now - chat.recent[0].at >= LATE_MS) || chat.recent.length > LATE_ROWS)
      chat.settled = Math.max(chat.settled, chat.recent.shift()?.id ?? 0);
    return chat.settled;
  };
  /** Started here, and the site has not shown it yet. */
  const unseen = new Set<number>();
  /**
   * The site has no such chat: it is over. If the chat was started here and never shown, a path is wrong, and it must
   * not be started again.
   */
  const ended = (error: unknown, id: number): never => {
    if (noChat(error) === null && !unseen.has(id))
      throw new ChatClientError('session_not_found', undefined, { status: 404 });
    throw error;
  };
  const page = async (id: number, since: number): Promise<unknown> => {
    const answer = await ask('GET', paths.history, id, since).catch((error: unknown) => ended(error, id));
    unseen.delete(id);
    return answer;
  };
  /** A 404 of one path may come from a server without that path. The site's answer about the chat itself counts. */
  const exists = async (error: unknown, id: number): Promise<never> => {
    if (noChat(error) === null) await page(id, of(id).settled);
    throw error;
  };
  /** Unknown rows that the site has. */
  const read = async (id: number, token: string): Promise<void> => {
    const chat = of(id);
    if (site.history === 'ledger') return readLedger(chat, { sessionId: id, token });
    let since = settledId(chat);
    for (let pages = 0; pages < PAGES_MAX; pages += 1) {
      const answer = await page(id, since);
      chat.status = reader.status(answer);
      const found = reader.messages(answer);
      const newest = chat.messages.at(-1)?.id ?? 0;
      // Two concurrent reads may both return it.
      const news = learn(chat, found);
      for (const row of news) chat.recent.push({ id: row.id, at: environment.now() });
      const last = Math.max(since, ...found.map((row) => row.id));
      if (last === since || (news.length === 0 && last >= newest)) return;
      since = last;
    }
  };
  const rows = createOwnRows(environment, 'client');
  const named = (id: number, row: Message): Message => ({
    ...row,
    client_message_id: rows.name(id, worded(row)).client_message_id,
  });
  /** The answer of a write; undefined if it was 2xx without JSON. */
  const write = async (path: string, id: number | '', json: object): Promise<unknown> => {
    try {
      return await ask('POST', path, id, 0, { json });
    } catch (error) {
      if (error instanceof ChatClientError && error.code === 'invalid_response') return undefined;
      throw error;
    }
  };
  /** The site's own row for a sent text; the site may not show it yet. */
  const shown = async (id: number, token: string, key: string): Promise<Message | null> => {
    await read(id, token);
    const found = rows.find(key, id, of(id).messages.map(worded));
    return found && named(id, of(id).messages.find((row) => row.id === found.id) ?? found);
  };
  const issue = async (sessionId: number) => {
    const answer = await ask('GET', paths.token, sessionId).catch((error: unknown) => exists(error, sessionId));
    const token = reader.token(answer);
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
  const beginning = ({ resume_key }: CreateSessionRequest): string => `${BEGINNING}${resume_key ?? ''}`;
  /** The visitor's chat, or a new one; never two for one request. */
  const begin = async (request: CreateSessionRequest): Promise<number> => {
    const mark = beginning(request);
    const { body, client_message_id: key } = request.message ?? {};
    const note = await rows.recall(mark);
    // The chat was started, and a later step failed.
    if (note && note.session > 0) return note.session;
    const current = paths.current === '' ? null : await ask('GET', paths.current, '').then(reader.sessionId, noChat);
    if (current !== null) return current;
    if (note) {
      rows.drop(mark);
      throw new ChatClientError('unconfirmed');
    }
    if (globalThis.navigator?.onLine === false) throw new ChatClientError('network');
    const first = reader.beginsWithMessage ? key : undefined;
    rows.note(mark, { session: 0, after: 0, state: 'tried' });
    if (first !== undefined) rows.note(first, { session: 0, after: 0, state: 'tried' }, body);
    const json = reader.request({
      name: request.name,
      contact: request.phone ?? request.email,
      email: request.email,
      consent: consentOf(request.consent),
      initial_message: first === undefined ? undefined : body,
      client_message_id: first,
    });
    let answer: unknown;
    try {
      answer = await ask('POST', paths.create, '', 0, { json });
    } catch (error) {
      // Refused: then there is none. A proxy's answer for a site that did not respond in time proves nothing.
      if (error instanceof ChatClientError && (error.status === 503 || (error.status >= 400 && error.status < 500))) {
        rows.drop(mark);
        if (first !== undefined) rows.drop(first);
      }
      throw error;
    }
    const id = reader.sessionId(answer);
    if (id === null) throw new ChatClientError('invalid_response');
    unseen.add(id);
    rows.note(mark, { session: id, after: 0, state: 'taken' });
    if (first !== undefined) rows.note(first, { session: id, after: 0, state: 'taken' }, body);
    return id;
  };
  const news = async ({ sessionId, token }: Access, newestId: number): Promise<Message[]> => {
    await read(sessionId, token);
    const chat = of(sessionId);
    const found = chat.messages.filter(({ id }) => id > newestId || chat.undelivered.has(id));
    chat.undelivered.clear();
    return found.map((one) => named(sessionId, one));
  };
  const none = (): Promise<never> => Promise.reject(new ChatClientError('not_found'));

  return {
    async config() {
      const found = await standard.config();
      // Files and questions are the site's own matter; it has defined no questions here.
      const attachments = { ...found.attachments, ...fileLimits(paths.upload, site.files) };
      return { ...found, custom_fields: [], attachments };
    },
    async createSession(request) {
      const id = await begin(request);
      const access = await issue(id);
      rows.drop(beginning(request));
      const { client_message_id: key } = request.message ?? {};
      // It may be an existing chat, so its rows are read in any case. If that fails, the chat has still been started.
      const message = key === undefined ? null : await shown(id, access.token, key).catch(() => null);
      const isNew = of(id).messages.length <= (message ? 1 : 0);
      return {
        // From the beginning: messages that the channel repeats are recognised by their ids.
        session: sessionOf(id, isNew ? 0 : SEQ_OF_OLDER),
        ...access,
        resume_key: request.resume_key ?? '',
        ...(message && { message }),
      };
    },
    getToken: ({ sessionId }) => issue(sessionId),
    async session(access) {
      // The head first: what is written in the meantime comes as an event, and as a row of the site.
      const last_seq = await missed(access).then(
        (head) => head.last_seq,
        () => 0,
      );
      await read(access.sessionId, access.token);
      return sessionOf(access.sessionId, last_seq);
    },
    async history({ sessionId, token }, { beforeId = Number.POSITIVE_INFINITY, limit = PAGE }) {
      await read(sessionId, token);
      const chat = of(sessionId);
      const earlier = chat.messages.filter(({ id }) => id < beforeId);
      if (earlier.length === chat.messages.length) chat.undelivered.clear();
      return {
        messages: earlier.slice(-limit).map((one) => named(sessionId, one)),
        has_more: earlier.length > limit,
      };
    },
    poll: (access, { afterSeq }) => missed(access, afterSeq),
    news,
    lines: (transports, ask) => siteTransports(transports, () => ask(news)),
    own: named,
    async send({ sessionId, token }, { body, client_message_id: key, attachments = [] }) {
      const words = body || filesAlone(attachments);
      const note = await rows.recall(key, words);
      const found = note && (await shown(sessionId, token, key));
      if (found) return found;
      if (note?.state === 'taken') {
        if (!rows.isOverdue(note)) return null;
        rows.drop(key);
        throw new ChatClientError('unconfirmed');
      }
      if (!note && of(sessionId).messages.length === 0) await read(sessionId, token);
      const after = note?.after ?? of(sessionId).messages.at(-1)?.id ?? 0;
      rows.note(key, { session: sessionId, after, state: 'tried' }, words);
      const files = attachments.length === 0 ? undefined : attachments;
      const json = reader.request({ body, client_message_id: key, attachments: files });
      const answer = await write(paths.send, sessionId, json).catch((error: unknown) => exists(error, sessionId));
      rows.note(key, { session: sessionId, after, state: 'taken' }, words);
      const sent = reader.sent(answer);
      if (!sent || sent.id <= after) return shown(sessionId, token, key).catch(() => null);
      rows.settle(key, sent.id);
      return { ...sent, sender_type: 'client', client_message_id: key };
    },
    async markRead({ sessionId }, lastId) {
      if (paths.read) await ask('POST', paths.read, sessionId, 0, { json: reader.request({ read: lastId }) });
    },
    callsInChat: paths.callback !== '',
    async requestCallback(access, { phone, name, comment, preferred_at, consent }) {
      if (access === null || paths.callback === '') return none();
      const json = reader.request({ phone, name, comment, preferred_at, consent: consentOf(consent) });
      await write(paths.callback, access.sessionId, json);
      return { id: access.sessionId, status: 'new', preferred_at: preferred_at ?? null };
    },
    async upload({ sessionId }, file, given) {
      if (paths.upload === '') return none();
      const { uploadForm } = await import('../core/upload.ts');
      const { url, headers } = to(paths.upload, sessionId);
      const answer = await uploadForm(web, url, { ...headers, ...writing() }, reader.fileField, file, given).catch(
        refusedFile,
      );
      const attachment = reader.uploaded(answer);
      if (attachment === null) throw new ChatClientError('invalid_response');
      return attachment;
    },
    identify: none,
    identityLogout: () => Promise.resolve(),
  };
}
