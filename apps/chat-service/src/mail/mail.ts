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
  /** Shared by everything that brings mail, so that its bounds hold over all of it. */
  readonly bodies: MailBodies;
  readonly providers: MailProviders;
  /** Undefined if replies are not read. */
  readonly addresses: ReplyAddress | undefined;
  /** Of who may bring us mail by HTTP; undefined: nobody. */
  readonly inboundSecret: string | undefined;
}
