import type { Attachment, CreateSessionRequest, Message } from '../api/protocol.ts';
import type { SiteChat, SiteFields, SiteFileLimits, SitePaths } from '../api/site.ts';
import { ChatClientError } from '../errors.ts';
import { wallClock } from './wall-clock.ts';

type Fields = Readonly<Record<string, unknown>>;
const isObject = (value: unknown): value is Fields => typeof value === 'object' && value !== null;

export const SITE_PATHS: Readonly<SitePaths> = {
  create: '/chat/session',
  current: '',
  token: '/chat/{id}/channel-token',
  history: '/chat/{id}?since_id={since}',
  send: '/chat/{id}/message',
  callback: '/chat/{id}/callback',
  read: '',
  upload: '',
};

const FIELDS: Readonly<Required<Omit<SiteFields, 'message' | 'file' | 'request'>>> = {
  id: 'id',
  token: 'token',
  messages: 'messages',
  status: 'status',
  sent: '',
  uploaded: '',
};
const MESSAGE = {
  id: 'id',
  sender: 'sender',
  body: 'body',
  created_at: 'created_at',
  sender_id: 'sender_id',
  sender_name: 'sender_name',
  attachments: 'attachments',
} as const;
const FILE = { id: 'id', url: 'url', name: 'name', mime: 'mime', size: 'size' } as const;
const REQUEST = {
  name: 'name',
  contact: 'external_contact',
  initial_message: 'initial_message',
  body: 'body',
  client_message_id: 'client_message_id',
  attachments: 'attachments',
  file: 'file',
  phone: 'phone',
  comment: 'comment',
  // A site gets only what it has a name for.
  email: '',
  consent: '',
  preferred_at: '',
  read: 'last_id',
} as const;
const CLIENTS = new Set(['guest', 'client', 'customer', 'user', 'visitor']);

/** `data.items` in `{data: {items}}`; the empty path is the whole value. */
export function pick(value: unknown, path: string): unknown {
  for (const name of path ? path.split('.') : []) value = isObject(value) ? value[name] : undefined;
  return value;
}
export const textOf = (value: unknown): string | null =>
  typeof value === 'string' || typeof value === 'number' ? String(value) : null;

/** A number of the site, even if PHP made it a text. */
export function numberOf(value: unknown): number | null {
  const found = typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : value;
  return typeof found === 'number' && Number.isSafeInteger(found) && found > 0 ? found : null;
}

/**
 * Databases write `2026-01-31 12:00:00`, some pages unix seconds. Without a zone it is the time of the site's clock.
 */
export function timeOf(value: unknown, instant: (asIfUtc: number) => number): string {
  if (typeof value === 'number') return new Date(value * 1_000).toISOString();
  const written = textOf(value) ?? '';
  const isZoned = /:\d\d.*(Z|[+-]\d\d(:?\d\d)?)$/i.test(written);
  const zoned = isZoned ? written : `${written}Z`;
  const at = Date.parse(zoned.replace(' ', 'T').replace(/([+-]\d\d)$/, '$1:00'));
  return new Date(Number.isNaN(at) ? 0 : isZoned ? at : instant(at)).toISOString();
}

/** For a request that writes. It is read each time, since the site may change it. */
export function csrfHeader({ csrf }: Pick<SiteChat, 'csrf'>): Record<string, string> {
  const { document } = globalThis;
  if (!csrf || !document) return {};
  const { cookie, meta, header } = csrf;
  const metas = [...document.querySelectorAll('meta[name]')];
  const inPage = metas.find((one) => meta !== undefined && one.getAttribute('name') === meta)?.getAttribute('content');
  const start = `${cookie}=`;
  const kept = document.cookie.split('; ').find((one) => cookie !== undefined && one.startsWith(start));
  const found = inPage ?? (kept === undefined ? undefined : decoded(kept.slice(start.length)));
  return found ? { [header]: found } : {};
}
function decoded(value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}

const FILE_MAX_BYTES = 10 * 1024 * 1024;
const FILES_PER_MESSAGE = 5;

/** The site's rules for files, in the form of `GET /chat/config`; none if it has no upload path. */
export function fileLimits(path: string | undefined, files: SiteFileLimits = {}) {
  const { maxBytes = FILE_MAX_BYTES, maxPerMessage = FILES_PER_MESSAGE, mime = ['application/octet-stream'] } = files;
  return { max_bytes: maxBytes, max_per_message: path ? maxPerMessage : 0, mime: [...mime] };
}

/** A site has no code for it, and the person can do something: choose another file. */
export function refusedFile(error: unknown): never {
  if (error instanceof ChatClientError && error.status === 415)
    throw new ChatClientError('unsupported_media_type', error.message, { status: 415 });
  throw error;
}

/** The consent as one value: its version, or just a yes. */
export const consentOf = (consent: CreateSessionRequest['consent']): string | boolean | undefined =>
  typeof consent === 'object' && consent
    ? consent.accepted !== false && (consent.version || true)
    : (consent ?? undefined);

/** Identifies a message without text. */
export const filesAlone = (ids: readonly string[]): string => (ids.length > 0 ? `\u0000${ids.join('\u0000')}` : '');
export const worded = (row: Message): Message =>
  row.body ? row : { ...row, body: filesAlone(row.attachments.map(({ id }) => id)) };

/** Reads the site's answers and writes its requests. */
export function siteReader({ baseUrl = '', fields = {}, senders = {}, statuses = {}, timeZone = 'UTC' }: SiteChat) {
  const of = { ...FIELDS, ...fields };
  const parts = { ...MESSAGE, ...fields.message };
  const files = { ...FILE, ...fields.file };
  const names = { ...REQUEST, ...fields.request };
  const instant = wallClock(timeZone);

  const sender = (value: unknown): Message['sender_type'] => {
    const word = String(value);
    return senders[word] ?? (CLIENTS.has(word) ? 'client' : word === 'system' ? 'system' : 'operator');
  };
  /** No address if a browser could not open it; one of another scheme (`javascript:`) never becomes a link. */
  const file = (value: unknown): Attachment[] => {
    const address = textOf(pick(value, files.url)) ?? '';
    const isPath = /^\/(?![/\\])/.test(address);
    if (!isPath && !/^https?:\/\//i.test(address)) return [];
    const name = textOf(pick(value, files.name)) ?? address.split(/[?#]/)[0]?.split('/').at(-1) ?? '';
    return [
      {
        id: textOf(pick(value, files.id)) ?? address,
        name: name || 'file',
        mime: textOf(pick(value, files.mime)) ?? 'application/octet-stream',
        size: numberOf(pick(value, files.size)) ?? 0,
        url: isPath ? baseUrl.replace(/\/$/, '') + address : address,
      },
    ];
  };
  /** Null for a row without an id, or without both text and files: it cannot be shown as a message. */
  const message = (value: unknown): Message | null => {
    const id = numberOf(pick(value, parts.id));
    const listed = pick(value, parts.attachments);
    const attachments = (Array.isArray(listed) ? listed : []).flatMap(file);
    const body = textOf(pick(value, parts.body)) ?? (attachments.length > 0 ? '' : null);
    if (id === null || body === null) return null;
    return {
      id,
      sender_type: sender(pick(value, parts.sender)),
      sender_id: textOf(pick(value, parts.sender_id)),
      sender_name: textOf(pick(value, parts.sender_name)),
      body,
      attachments,
      created_at: timeOf(pick(value, parts.created_at), instant),
      client_message_id: textOf(pick(value, names.client_message_id)),
    };
  };
  return {
    /** Whether the request that starts a chat contains its first message. */
    beginsWithMessage: names.initial_message !== '',
    sessionId: (answer: unknown): number | null => numberOf(pick(answer, of.id)),
    token: (answer: unknown): string | null => textOf(pick(answer, of.token)),
    sent: (answer: unknown): Message | null => message(pick(answer, of.sent)),
    /** Null for a file without an id or an address: it could be neither sent nor shown. */
    uploaded(answer: unknown): Attachment | null {
      const found = pick(answer, of.uploaded);
      return textOf(pick(found, files.id)) === null ? null : (file(found)[0] ?? null);
    },
    fileField: names.file || 'file',
    status(answer: unknown): string {
      const found = textOf(pick(answer, of.status)) ?? 'new';
      return statuses[found] ?? found;
    },
    messages(answer: unknown): Message[] {
      const list = pick(answer, of.messages);
      return (Array.isArray(list) ? list : []).flatMap((one) => message(one) ?? []);
    },
    request: (values: Partial<Record<keyof typeof REQUEST, unknown>>): Record<string, unknown> =>
      Object.fromEntries(
        Object.entries(values)
          .filter(([, value]) => value !== undefined && value !== null && value !== '')
          .map(([name, value]) => [names[name as keyof typeof REQUEST], value] as const)
          .filter(([name]) => name !== ''),
      ),
  };
}
