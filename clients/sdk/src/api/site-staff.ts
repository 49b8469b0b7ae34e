import type { SiteCsrf, SiteFields, SiteFileLimits } from './site.ts';

/** The steps of a callback request. */
export type SiteCallStep = 'assigned' | 'calling' | 'done' | 'no_answer' | 'cancelled';

/** Callback requests that the site keeps: the console lists them, and offers each step that has a path. */
export interface SiteCallbacks {
  /** GET; those that are open at least, at most 1,000. */
  readonly list: string;
  /**
   * POST for each step; `{callback}` is the number of the request, `{id}` that of its chat. `assigned`: the caller
   * takes it.
   */
  readonly steps?: Readonly<Partial<Record<SiteCallStep, string>>>;
  /** The site's words → `new` and the steps. What is none of them is `new`. */
  readonly statuses?: Readonly<Record<string, string>>;
  /** Where the answer has the list (`items`; empty: the answer itself), and the site's names for its parts. */
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
 * Operators' actions if a site keeps its own chat: an answer, an assignment and a closing go to the site's REST with
 * its cookie, and come back as events like everything else. Plain JSON. Default: `POST /chat/{id}/reply {body}`, `POST
 * /chat/{id}/assign`, `POST /chat/{id}/close`.
 */
export interface SiteStaff {
  /** Paths on the page's own origin; `{id}` is the number of the chat. */
  readonly paths?: Partial<Record<'reply' | 'assign' | 'close', string>> & {
    /** An action without a path is not possible: reopening a closed chat, and returning one to the queue. */
    readonly reopen?: string;
    readonly unassign?: string;
    /**
     * The upload path for a file, as a form with the one field `request.file`, before the answer that contains it; the
     * answer is the file as `fields.file` reads it. Without it no files are sent.
     */
    readonly upload?: string;
    /**
     * POST; saves the changed ones of `request.name`, `request.phone` and `request.email`; an empty text removes one.
     */
    readonly contact?: string;
  };
  readonly callbacks?: SiteCallbacks;
  /** The site's names for the request fields. */
  readonly request?: Partial<
    Record<'body' | 'client_message_id' | 'attachments' | 'file', string> & {
      /**
       * For `assign`, and for a callback request that is taken: the assignee. A chat can be transferred to a colleague
       * only if the site reads it.
       */
      user_id: string;
      /** For contact data; the default is the same name. The site does not keep a field whose name is empty. */
      name: string;
      phone: string;
      email: string;
    }
  >;
  /** Where the answer of `reply` has the message (empty: the answer itself), and the site's names for its parts. */
  readonly fields?: Pick<Partial<SiteFields>, 'sent' | 'message' | 'uploaded' | 'file'>;
  /** The site's rules for files, if `paths.upload` is set. */
  readonly files?: SiteFileLimits;
  /** Of times that the site writes without a zone, such as `Europe/Moscow`; default: UTC. */
  readonly timeZone?: string;
  /** For every request. A function is called each time; `again`: the site has refused its last result. */
  readonly headers?: Readonly<Record<string, string>> | ((again: boolean) => Promise<Readonly<Record<string, string>>>);
  readonly csrf?: SiteCsrf;
}
