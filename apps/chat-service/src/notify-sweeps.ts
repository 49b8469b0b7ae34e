import type { Database } from '@chat-realtime/database';
import { sql } from 'kysely';
import type { Sweep } from './ports.ts';
import type { MailboxReader } from './mail/mailbox-reader.ts';
import type { MailSender } from './mail/mail-sender.ts';
import type { PushSender } from './push/push-sender.ts';
import { CustomerNotices } from './notify/customer-notices.ts';
import { OperatorNotices } from './notify/operator-notices.ts';

const DECIDE_EVERY_MS = 1_000;
const SEND_EVERY_MS = 500;
const CLEAN_EVERY_MS = 600_000;
const BOUNCED_DAYS = 180;
/** Longer than a cause can be found again, and than a mail is tried. */
const KEPT_DAYS = 30;

export interface NotifySweepParts {
  readonly database: Database;
  readonly operators: OperatorNotices;
  readonly push: PushSender;
  readonly mail: MailSender | undefined;
  readonly mailbox: MailboxReader | undefined;
  readonly mailboxSeconds: number;
  /** By the rules in force. */
  readonly replyUnseenSeconds: () => Promise<number>;
}

/** The sweeps of the notices: decide, send, read replies, and clean up. */
export function notifySweeps(parts: NotifySweepParts): Sweep[] {
  const { database, operators, push, mail, mailbox } = parts;
  const canMail = mail !== undefined;
  const customers = new CustomerNotices(database, canMail);
  const sweeps: Sweep[] = [
    { name: 'notices_operators', everyMs: DECIDE_EVERY_MS, run: () => operators.run() },
    {
      name: 'notices_customers',
      everyMs: DECIDE_EVERY_MS,
      run: async () => customers.run(await parts.replyUnseenSeconds()),
    },
    { name: 'push', everyMs: SEND_EVERY_MS, run: () => push.startDue() },
    { name: 'notices_kept', everyMs: CLEAN_EVERY_MS, run: () => forgetOld(database) },
  ];
  if (mail !== undefined) sweeps.push({ name: 'mail', everyMs: SEND_EVERY_MS, run: () => mail.startDue() });
  if (mailbox !== undefined)
    sweeps.push({ name: 'mailbox', everyMs: parts.mailboxSeconds * 1_000, run: () => mailbox.poll() });
  return sweeps;
}

async function forgetOld(database: Database): Promise<void> {
  const old = sql`now() - make_interval(days => ${KEPT_DAYS}::integer)`;
  const db = database.kysely;
  // A mailbox may be there again after half a year; one that is not says so at the next mail.
  await sql`DELETE FROM mail_refusal WHERE reason = 'bounced'
    AND created_at < now() - make_interval(days => ${BOUNCED_DAYS}::integer)`.execute(db);
  await sql`DELETE FROM notice WHERE decided_at < ${old}`.execute(db);
  await sql`DELETE FROM push_notice WHERE created_at < ${old}`.execute(db);
  await sql`DELETE FROM mail WHERE created_at < ${old} AND (sent_at IS NOT NULL OR failed_at IS NOT NULL)`.execute(db);
  await sql`DELETE FROM mail_token WHERE received_at < ${old}`.execute(db);
  await sql`DELETE FROM mail_received WHERE received_at < ${old}`.execute(db);
}
