import { envInteger, envSecret, envUrl } from '@chat-realtime/service-kit';
import { z } from 'zod';

const ADDRESS = /^[^\s@<>"]{1,64}@[^\s@<>"]{1,189}$/;
/** `Shop <support@shop.example>`, or the address alone. */
const MAILBOX = /^(?:(?<name>[^<>\r\n]{0,200})<(?<inner>[^<>\s]+)>|(?<plain>[^<>\s]+))$/;
export const TAG = '{tag}';
/** The longest tag there is: of the largest session id. */
const TAG_LENGTH = 34;
const LOCAL_PART_MAX = 64;

export interface Mailbox {
  readonly name: string;
  readonly address: string;
}

function envMailbox() {
  return z.string().transform((text, context): Mailbox => {
    const groups = MAILBOX.exec(text.trim())?.groups;
    const address = groups?.['inner'] ?? groups?.['plain'] ?? '';
    if (ADDRESS.test(address)) return { name: (groups?.['name'] ?? '').trim().replaceAll(/^"|"$/g, ''), address };
    context.addIssue('must be an address such as Shop <support@shop.example>');
    return z.NEVER;
  });
}

/** `reply+{tag}@shop.example`: all such addresses must come to the mailbox that is read. */
function envReplyAddress() {
  return z
    .string()
    .trim()
    .refine(
      (text) => text.split(TAG).length === 2 && ADDRESS.test(text.replace(TAG, 'x')),
      `must be an address with ${TAG}`,
    )
    .refine(
      (text) => (text.split('@')[0] ?? '').replace(TAG, '').length + TAG_LENGTH <= LOCAL_PART_MAX,
      'is too long before the @',
    );
}

export const mailVariables = {
  SMTP_URL: envUrl(['smtp:', 'smtps:']).optional(),
  MAIL_FROM: envMailbox().optional(),
  /** Without it `MAIL_FROM` with `+{tag}`. */
  MAIL_REPLY_TO: envReplyAddress().optional(),
  /** `imaps://user:password@host/INBOX` */
  MAIL_INBOUND: envUrl(['imap:', 'imaps:']).optional(),
  /** Seconds between two looks at that mailbox. */
  MAIL_POLL_SECONDS: envInteger(15, { min: 1, max: 3_600 }),
  /** Signs what comes to `/chat/mail/inbound`. */
  MAIL_INBOUND_SECRET: envSecret(16).optional(),
  /** Where the chat is reached from outside: links in mails lead there. */
  PUBLIC_URL: envUrl().optional(),
};

interface MailVariables {
  readonly SMTP_URL?: unknown;
  readonly MAIL_FROM?: unknown;
  readonly PUBLIC_URL?: unknown;
  readonly MAIL_INBOUND?: unknown;
  readonly MAIL_INBOUND_SECRET?: unknown;
}

/** A mail has a sender, and its links lead somewhere; replies come to an address that was given by a mail. */
export function mailIsComplete(env: MailVariables): boolean {
  const sends = env.SMTP_URL !== undefined;
  const receives = env.MAIL_INBOUND !== undefined || env.MAIL_INBOUND_SECRET !== undefined;
  if (sends) return env.MAIL_FROM !== undefined && env.PUBLIC_URL !== undefined;
  return !receives || env.MAIL_FROM !== undefined;
}
export const MAIL_INCOMPLETE = {
  message: 'SMTP_URL needs MAIL_FROM and PUBLIC_URL; MAIL_INBOUND and MAIL_INBOUND_SECRET need MAIL_FROM',
  path: ['SMTP_URL'],
  when: () => true,
};

export interface MailConfig {
  readonly from: Mailbox;
  /** With `{tag}`; undefined: nobody reads replies. */
  readonly replyTo: string | undefined;
}

export function mailConfig(
  env: Partial<Record<'MAIL_INBOUND' | 'MAIL_INBOUND_SECRET' | 'MAIL_REPLY_TO', string | undefined>> & {
    readonly MAIL_FROM?: Mailbox | undefined;
  },
): MailConfig | undefined {
  const from = env.MAIL_FROM;
  if (from === undefined) return undefined;
  const isRead = env.MAIL_INBOUND !== undefined || env.MAIL_INBOUND_SECRET !== undefined;
  return { from, replyTo: isRead ? (env.MAIL_REPLY_TO ?? from.address.replace('@', `+${TAG}@`)) : undefined };
}
