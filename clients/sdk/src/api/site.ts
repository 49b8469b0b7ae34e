/**
 * A site's own chat by its own REST: what is said, and what was said before, is the site's; the channel only brings it
 * at once. Plain JSON, so that an attribute of a script tag can hold it. Every part has a default, which is a site that
 * answers `POST /chat/session`, `POST /chat/{id}/message`, `GET /chat/{id}?since_id=` and `GET
 * /chat/{id}/channel-token`.
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
   * Where what was said before is read: the site's REST, or the ledger beside it (`LEDGER_CUSTOMER_READS=true` there),
   * which costs the site no request. What is written goes to the site either way.
   */
  readonly history?: 'site' | 'ledger';
  /** Of times that the site writes without a zone, such as `Europe/Moscow`; default: UTC. */
  readonly timeZone?: string;
  /**
   * What the site takes of files, where `paths.upload` says where to: a file beyond it is refused before it is sent.
   */
  readonly files?: SiteFileLimits;
  /** Of every request that writes, such as `X-CSRF-Token`. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly csrf?: SiteCsrf;
  /** Number of a chat that was begun before, or the key of localStorage where the site's own page kept it. */
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
   * Which chat the visitor has already: the same answer as of `create`, or 404. It is asked before a chat is begun.
   * Without it a beginning whose answer was lost is not tried again by itself, since that could be a second chat.
   */
  current: string;
  token: string;
  history: string;
  send: string;
  /** Where the wish to be called back goes; the empty text: there is none, and the widget offers none. */
  callback: string;
  /** Where a read mark goes; without it the site hears of none. */
  read: string;
  /**
   * Where a file goes, as a form with the one field `fields.request.file`, before the message that carries it; the
   * answer is the file as `fields.file` reads it. Without it the widget sends no files.
   */
  upload: string;
}

/** Where the site's answers keep a thing (`data.items` in `{data: {items}}`), and what it calls what it is sent. */
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
   * Of what is sent; an empty `initial_message`: the site takes none, and the first message is sent like every other.
   * `attachments` is the list of the files' ids, `file` the field of the form. `contact` is the phone number, else the
   * e-mail; `email`, `consent` (the version that was agreed to) and `preferred_at` (the time of a call, as ISO 8601 in UTC)
   * are sent where they have a name here.
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
