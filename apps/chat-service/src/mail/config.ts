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
  /** Signs requests to `/chat/mail/inbound`. */
  MAIL_INBOUND_SECRET: envSecret(16).optional(),
  /** Mailgun's HTTP webhook signing key: `/chat/mail/inbound/mailgun` */
  MAIL_INBOUND_MAILGUN_KEY: envSecret(16).optional(),
  /** `user:password` of the address that Postmark was given: `/chat/mail/inbound/postmark` */
  MAIL_INBOUND_POSTMARK_LOGIN: envSecret(16)
    .refine((text) => /^[^:\s]+:\S{8,}$/.test(text), 'must be user:password, the password of at least 8 characters')
    .optional(),
  /** The SNS topic that Amazon SES publishes mail to: `/chat/mail/inbound/ses` */
  MAIL_INBOUND_SES_TOPIC: z
    .string()
    .trim()
    .regex(
      /^arn:aws:sns:[a-z]{2}(?:-[a-z]+)+-\d:\d{12}:[A-Za-z0-9_-]{1,256}$/,
      'must be arn:aws:sns:<region>:<account>:<name>',
    )
    .optional(),
  /** Where the chat is reached from outside: links in mails lead there. */
  PUBLIC_URL: envUrl().optional(),
};

const INBOUND = [
  'MAIL_INBOUND',
  'MAIL_INBOUND_SECRET',
  'MAIL_INBOUND_MAILGUN_KEY',
  'MAIL_INBOUND_POSTMARK_LOGIN',
  'MAIL_INBOUND_SES_TOPIC',
] as const;
type Inbound = (typeof INBOUND)[number];

interface MailVariables extends Partial<Record<Inbound, unknown>> {
  readonly SMTP_URL?: unknown;
  readonly MAIL_FROM?: unknown;
  readonly PUBLIC_URL?: unknown;
}

/** Whether somebody brings us the mail that customers answer with. */
function isMailRead(env: Partial<Record<Inbound, unknown>>): boolean {
  return INBOUND.some((name) => env[name] !== undefined);
}

/** A mail has a sender, and its links lead somewhere; replies come to an address that was given by a mail. */
export function mailIsComplete(env: MailVariables): boolean {
  const sends = env.SMTP_URL !== undefined;
  const receives = isMailRead(env);
  if (sends) return env.MAIL_FROM !== undefined && env.PUBLIC_URL !== undefined;
  return !receives || env.MAIL_FROM !== undefined;
}
export const MAIL_INCOMPLETE = {
  message: 'SMTP_URL needs MAIL_FROM and PUBLIC_URL; MAIL_INBOUND and MAIL_INBOUND_* need MAIL_FROM',
  path: ['SMTP_URL'],
  when: () => true,
};

export interface MailConfig {
  readonly from: Mailbox;
  /** With `{tag}`; undefined: nobody reads replies. */
  readonly replyTo: string | undefined;
}

export function mailConfig(
  env: Partial<Record<Inbound | 'MAIL_REPLY_TO', string | undefined>> & {
    readonly MAIL_FROM?: Mailbox | undefined;
  },
): MailConfig | undefined {
  const from = env.MAIL_FROM;
  if (from === undefined) return undefined;
  return { from, replyTo: isMailRead(env) ? (env.MAIL_REPLY_TO ?? from.address.replace('@', `+${TAG}@`)) : undefined };
}
