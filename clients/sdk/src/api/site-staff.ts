import type { SiteCsrf, SiteFields, SiteFileLimits } from './site.ts';

/** What is done with a callback request. */
export type SiteCallStep = 'assigned' | 'calling' | 'done' | 'no_answer' | 'cancelled';

/** Callback requests that the site keeps: the console lists them, and offers each step that has a path. */
export interface SiteCallbacks {
  /** GET; those that are open at least, at most 1,000. */
  readonly list: string;
  /** POST for each step; `{callback}` is the number of the request, `{id}` that of its chat. `assigned`: whoever asks takes it. */
  readonly steps?: Readonly<Partial<Record<SiteCallStep, string>>>;
  /** The site's words → `new` and the steps. What is none of them is `new`. */
  readonly statuses?: Readonly<Record<string, string>>;
  /** Where the answer keeps the list (`items`; empty: the answer itself), and what the site calls its parts. */
  readonly fields?: Readonly<
    Partial<
      Record<
        | 'items'
        | 'id'
        | 'session_id'
        | 'status'
        | 'phone'
        | 'name'
        | 'comment'
        | 'preferred_at'
        | 'due_at'
        | 'assigned_user_id'
        | 'created_at',
        string
      >
    >
  >;
}

/**
 * What operators do, where a site keeps its own chat: an answer, an assignment and a closing go to the site's REST with its
 * cookie, and come back as events like everything else. Plain JSON. Default: `POST /chat/{id}/reply {body}`,
 * `POST /chat/{id}/assign`, `POST /chat/{id}/close`.
 */
export interface SiteStaff {
  /** Paths on the page's own origin; `{id}` is the number of the chat. */
  readonly paths?: Partial<Record<'reply' | 'assign' | 'close', string>> & {
    /** What has no path here cannot be done: opens a closed chat again, and gives one back to the queue. */
    readonly reopen?: string;
    readonly unassign?: string;
    /**
     * Where a file goes, as a form with the one field `request.file`, before the answer that carries it; the answer is the
     * file as `fields.file` reads it. Without it no files are sent.
     */
    readonly upload?: string;
    /** POST; saves what was changed of `request.name`, `request.phone` and `request.email`; an empty text takes one away. */
    readonly contact?: string;
  };
  readonly callbacks?: SiteCallbacks;
  /** What the site calls what it is sent. */
  readonly request?: Partial<
    Record<'body' | 'client_message_id' | 'attachments' | 'file', string> & {
      /** Of `assign`, and of a callback request that is taken: to whom. Only where the site reads it can a chat be given to a colleague. */
      user_id: string;
      /** Of contact data, as they are where nothing is said. What is empty here the site does not keep. */
      name: string;
      phone: string;
      email: string;
    }
  >;
  /** Where the answer of `reply` keeps the message (empty: the answer itself), and what the site calls its parts. */
  readonly fields?: Pick<Partial<SiteFields>, 'sent' | 'message' | 'uploaded' | 'file'>;
  /** What the site takes of files, where `paths.upload` says where to. */
  readonly files?: SiteFileLimits;
  /** Of times that the site writes without a zone, such as `Europe/Moscow`; default: UTC. */
  readonly timeZone?: string;
  /** Of every request. Asked each time where it is a function; `again`: the site has refused what it answered last. */
  readonly headers?: Readonly<Record<string, string>> | ((again: boolean) => Promise<Readonly<Record<string, string>>>);
  readonly csrf?: SiteCsrf;
}
