import type { Database } from '@chat-realtime/database';
import type { RulesResponse } from '@chat-realtime/protocol';
import type { Metrics } from '@chat-realtime/service-kit';
import type { ChatSettings } from './config.ts';
import type { ChatLog, Sweep } from './ports.ts';
import type { StorageContext } from './storage/context.ts';
import { mailConfig } from './mail/config.ts';
import type { Mail } from './mail/mail.ts';
import { MailSender } from './mail/mail-sender.ts';
import { MailWriter } from './mail/mail-writer.ts';
import { MailboxReader } from './mail/mailbox-reader.ts';
import { PushKeyStore } from './push/push-keys.ts';
import { PushSender } from './push/push-sender.ts';
import { PushTransport } from './push/push-transport.ts';
import type { Push } from './push/push.ts';
import { PushSubscriptions } from './push/subscriptions.ts';
import { OperatorNotices } from './notify/operator-notices.ts';
import { notifySweeps } from './notify-sweeps.ts';
import { NotifyChoices } from './notify/settings.ts';

export interface NotifyParts {
  readonly database: Database;
  readonly context: StorageContext;
  readonly settings: ChatSettings;
  readonly mail: Mail;
  readonly rules: () => Promise<RulesResponse['effective']>;
  readonly logger: ChatLog;
  readonly metrics: Metrics;
}

export interface Notifications {
  readonly push: Push;
  readonly notify: NotifyChoices;
  /** For the relay leader. */
  readonly sweeps: readonly Sweep[];
  /** Resolves when nothing is being sent; before the database is closed. */
  stop(): Promise<void>;
}

/** Mail and push for people who are not there. Next to a site with its own chat, the site notifies its customers. */
export function composeNotify(parts: NotifyParts): Notifications {
  const { database, settings, logger, metrics } = parts;
  const sender = mailSender(parts);
  const keys = new PushKeyStore(database);
  const contact = settings.MAIL_FROM === undefined ? undefined : `mailto:${settings.MAIL_FROM.address}`;
  const subject = contact ?? settings.PUBLIC_URL ?? 'mailto:chat@localhost';
  const sent = metrics.counter({
    name: 'chat_push_sends_total',
    help: 'Pushes sent to a device, by the result of the push service',
    labels: ['result'],
  });
  const twice = metrics.counter({
    name: 'chat_push_ambiguous_sends_total',
    help: 'Pushes sent again because the outcome of the first attempt was unknown',
  });
  const operators = new OperatorNotices(database, sender !== undefined);
  const push = new PushSender({
    database,
    keys,
    transport: new PushTransport(settings.PUSH_PRIVATE_HOSTS, subject),
    publicUrl: settings.PUBLIC_URL,
    showsText: settings.PUSH_SHOW_TEXT,
    log: logger,
    ended: (result) => sent.inc({ result }),
    ambiguous: () => twice.inc(),
    lost: (notice, trx) => operators.deviceLost(notice, trx),
  });
  const mailbox =
    settings.MAIL_INBOUND === undefined
      ? undefined
      : new MailboxReader({ url: settings.MAIL_INBOUND, intake: parts.mail.intake, log: logger });
  const sweeps = notifySweeps({
    database,
    operators,
    push,
    mail: sender,
    mailbox,
    mailboxSeconds: settings.MAIL_POLL_SECONDS,
    replyUnseenSeconds: async () => (await parts.rules()).alerts.reply_unseen_seconds,
  });
  return {
    push: { keys, subscriptions: new PushSubscriptions(database, settings.PUSH_PRIVATE_HOSTS), sender: push },
    notify: new NotifyChoices(database, sender !== undefined),
    sweeps: settings.CHAT_ROLE === 'ledger' ? [] : sweeps,
    stop: async () => {
      await Promise.all([push.stop(), sender?.stop()]);
    },
  };
}

function mailSender({ database, context, settings, mail, rules, logger, metrics }: NotifyParts) {
  const config = mailConfig(settings);
  const { SMTP_URL: smtpUrl, PUBLIC_URL: publicUrl } = settings;
  if (config === undefined || smtpUrl === undefined || publicUrl === undefined) return undefined;
  const sent = metrics.counter({
    name: 'chat_mail_sends_total',
    help: 'Mails given to the server, by result',
    labels: ['result'],
  });
  const twice = metrics.counter({
    name: 'chat_mail_ambiguous_sends_total',
    help: 'Mails sent again because the outcome of the first attempt was unknown',
  });
  const writer = new MailWriter({
    database,
    context,
    transcripts: mail.transcripts,
    links: mail.links,
    addresses: mail.addresses,
    from: config.from,
    publicUrl,
    allowedOrigins: async () => (await rules()).origins,
  });
  return new MailSender({
    database,
    writer,
    smtpUrl,
    log: logger,
    ended: (result) => sent.inc({ result }),
    ambiguous: () => twice.inc(),
  });
}
