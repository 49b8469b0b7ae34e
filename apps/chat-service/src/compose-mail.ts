import type { KeyObject } from 'node:crypto';
import type { Database } from '@chat-realtime/database';
import type { Metrics } from '@chat-realtime/service-kit';
import type { Attachments } from './attachments/attachments.ts';
import type { ChatSettings } from './config.ts';
import type { ChatLog } from './ports.ts';
import type { StorageContext } from './storage/context.ts';
import type { RequestRates } from './http/rates.ts';
import { mailConfig } from './mail/config.ts';
import type { Mail } from './mail/mail.ts';
import { MailBodies } from './mail/mail-bodies.ts';
import { MailIntake } from './mail/mail-intake.ts';
import { MailLinks } from './mail/mail-links.ts';
import { MailQueue } from './mail/mail-queue.ts';
import { storedMailTokens } from './mail/providers/mail-tokens.ts';
import { Mailgun } from './mail/providers/mailgun.ts';
import { Postmark } from './mail/providers/postmark.ts';
import { Ses } from './mail/providers/ses.ts';
import { ReplyAddress } from './mail/reply-address.ts';
import { Transcripts } from './mail/transcript.ts';

export interface MailParts {
  readonly database: Database;
  readonly context: StorageContext;
  readonly attachments: Attachments;
  readonly rates: RequestRates;
  readonly settings: ChatSettings;
  readonly secret: string | KeyObject;
  readonly timeZone: () => Promise<string>;
  readonly logger: ChatLog;
  readonly metrics: Metrics;
}

export function composeMail(parts: MailParts): Mail {
  const { database, context, attachments, rates, settings, secret, logger } = parts;
  const config = mailConfig(settings);
  const received = parts.metrics.counter({
    name: 'chat_mail_received_total',
    help: 'Inbound mails, by what became of them',
    labels: ['outcome'],
  });
  const addresses =
    config?.replyTo === undefined ? undefined : new ReplyAddress(settings.CHAT_TOKEN_SECRETS, config.replyTo);
  const links = new MailLinks(database, secret);
  const intake = new MailIntake({
    database,
    context,
    attachments,
    rates,
    links,
    addresses,
    from: config?.from,
    log: logger,
    taken: (outcome) => received.inc({ outcome }),
  });
  return {
    transcripts: new Transcripts(context, parts.timeZone),
    queue: new MailQueue(database, settings.SMTP_URL !== undefined),
    links,
    intake,
    bodies: new MailBodies(),
    providers: {
      mailgun: new Mailgun({
        signingKey: settings.MAIL_INBOUND_MAILGUN_KEY,
        intake,
        tokens: storedMailTokens(database),
        now: () => Math.floor(Date.now() / 1_000),
      }),
      postmark: new Postmark({ login: settings.MAIL_INBOUND_POSTMARK_LOGIN, intake }),
      ses: new Ses({ topicArn: settings.MAIL_INBOUND_SES_TOPIC, intake, log: logger, now: () => Date.now() }),
    },
    addresses,
    inboundSecret: settings.MAIL_INBOUND_SECRET,
  };
}
