import type { SiteFields } from './site.ts';

/**
 * What operators do, where a site keeps its own chat: an answer, an assignment and a closing go to the site's REST with its
 * cookie, and come back as events like everything else. Plain JSON. Default: `POST /chat/{id}/reply {body}`,
 * `POST /chat/{id}/assign`, `POST /chat/{id}/close`.
 */
export interface SiteStaff {
  /** Paths on the page's own origin; `{id}` is the number of the chat. */
  readonly paths?: Partial<Record<'reply' | 'assign' | 'close', string>>;
  /** What the site calls what it is sent. */
  readonly request?: Partial<Record<'body' | 'client_message_id' | 'user_id', string>>;
  /** Where the answer of `reply` keeps the message (empty: the answer itself), and what the site calls its parts. */
  readonly fields?: Pick<Partial<SiteFields>, 'sent' | 'message'>;
  /** Of times that the site writes without a zone, such as `Europe/Moscow`; default: UTC. */
  readonly timeZone?: string;
  /** Of every request, such as `X-CSRF-Token`. */
  readonly headers?: Readonly<Record<string, string>>;
}
