/**
 * A site's own chat over its own REST: the site has the messages and the history; the channel only delivers new ones at
 * once. Plain JSON, so that an attribute of a script tag can hold it. Every part has a default, for a site that answers
 * `POST /chat/session`, `POST /chat/{id}/message`, `GET /chat/{id}?since_id=` and `GET /chat/{id}/channel-token`.
 */
export interface SiteChat {
  /** Address of the site; default: the page's own origin. Its cookies go along, and are what signs the visitor in. */
  readonly baseUrl?: string;
  readonly paths?: Partial<SitePaths>;
  readonly fields?: Partial<SiteFields>;
  /**
   * Whose message it is, by the value in the site's field of the sender. Default: guest, client, customer, user,
   * visitor; system; everything else is an operator.
   */
  readonly senders?: Readonly<Record<string, 'client' | 'operator' | 'system'>>;
  /** The site's statuses → `new`, `active`, `closed`. */
  readonly statuses?: Readonly<Record<string, string>>;
  /**
   * The source of the history: the site's REST, or the ledger beside it (`LEDGER_CUSTOMER_READS=true` there), which
   * costs the site no request. New messages go to the site either way.
   */
  readonly history?: 'site' | 'ledger';
  /** Of times that the site writes without a zone, such as `Europe/Moscow`; default: UTC. */
  readonly timeZone?: string;
  /** The site's rules for files, if `paths.upload` is set: a file that breaks them is refused before it is sent. */
  readonly files?: SiteFileLimits;
  /** Of every request that writes, such as `X-CSRF-Token`. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly csrf?: SiteCsrf;
  /** Number of an existing chat, or the key of localStorage where the site's own page stored it. */
  readonly session?: number | string;
}

/**
 * A token against forged requests: the site keeps it in a cookie which scripts may read (Laravel: `XSRF-TOKEN`), or in
 * a `<meta>` of the page (Yii2, Rails: `csrf-token`), and wants it in a header of what writes.
 */
export interface SiteCsrf {
  readonly cookie?: string;
  readonly meta?: string;
  readonly header: string;
}

export interface SiteFileLimits {
  /** Default: 10 MB. */
  readonly maxBytes?: number;
  /** Default: 5. */
  readonly maxPerMessage?: number;
  /** Such as `image/*` and `application/pdf`; default: all. */
  readonly mime?: readonly string[];
}

/** `{id}` is the number of the chat, `{since}` the id of the last message that is known. */
export interface SitePaths {
  create: string;
  /**
   * The visitor's existing chat: the same answer as for `create`, or 404. It is queried before a chat is started.
   * Without it a start whose answer was lost is not repeated automatically, since that could make a second chat.
   */
  current: string;
  token: string;
  history: string;
  send: string;
  /** The path of callback requests; the empty text: there is none, and the widget offers none. */
  callback: string;
  /** The path of read marks; without it the site gets none. */
  read: string;
  /**
   * The upload path for a file, as a form with the one field `fields.request.file`, before the message that contains
   * it; the answer is the file as `fields.file` reads it. Without it the widget sends no files.
   */
  upload: string;
}

/**
 * Where the site's answers have a value (`data.items` in `{data: {items}}`), and the site's names for request fields.
 */
export interface SiteFields {
  /** In the answer of `create`. */
  id: string;
  /** In the answer of `token`. */
  token: string;
  /** In the answer of `history`: the list, ascending; the empty text is the answer itself. */
  messages: string;
  status: string;
  /** In each message; also in the answer of `send`, when `sent` says where. */
  message: Partial<
    Record<'id' | 'sender' | 'body' | 'created_at' | 'sender_id' | 'sender_name' | 'attachments', string>
  >;
  /** In each file of the list `message.attachments`. The address is a path of the site, or http(s). */
  file: Partial<Record<'id' | 'url' | 'name' | 'mime' | 'size', string>>;
  /** Where the answer of `send` keeps the message; the empty text is the answer itself. */
  sent: string;
  /** Where the answer of `upload` keeps the file; the empty text is the answer itself. */
  uploaded: string;
  /**
   * For requests; an empty `initial_message`: the site accepts none, and the first message is sent like every other.
   * `attachments` is the list of the files' ids, `file` the field of the form. `contact` is the phone number, else the
   * e-mail; `email`, `consent` (the version that was agreed to) and `preferred_at` (the time of a call, as ISO 8601 in
   * UTC) are sent if they have a name here.
   */
  request: Partial<
    Record<
      | 'name'
      | 'contact'
      | 'initial_message'
      | 'body'
      | 'client_message_id'
      | 'attachments'
      | 'file'
      | 'phone'
      | 'comment'
      | 'email'
      | 'consent'
      | 'preferred_at'
      | 'read',
      string
    >
  >;
}
