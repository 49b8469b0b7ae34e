import type { MailBodies } from './mail-bodies.ts';
import type { MailIntake } from './mail-intake.ts';
import type { MailLinks } from './mail-links.ts';
import type { MailQueue } from './mail-queue.ts';
import type { MailProviders } from './providers/providers.ts';
import type { ReplyAddress } from './reply-address.ts';
import type { Transcripts } from './transcript.ts';

/** Mail as the REST side uses it. */
export interface Mail {
  readonly transcripts: Transcripts;
  readonly queue: MailQueue;
  readonly links: MailLinks;
  readonly intake: MailIntake;
  /** Shared by everything that delivers mail, so that its limits apply to all of it. */
  readonly bodies: MailBodies;
  readonly providers: MailProviders;
  /** Undefined if replies are not read. */
  readonly addresses: ReplyAddress | undefined;
  /** The credentials for delivering mail over HTTP; undefined: nobody may. */
  readonly inboundSecret: string | undefined;
}
