import type { Mailgun } from './mailgun.ts';
import type { Postmark } from './postmark.ts';
import type { Ses } from './ses.ts';

/** The webhooks of mail providers, one intake behind all of them. */
export interface MailProviders {
  readonly mailgun: Mailgun;
  readonly postmark: Postmark;
  readonly ses: Ses;
}
