import { createHash } from 'node:crypto';
import type { AddressObject, Attachment, HeaderValue, ParsedMail } from 'mailparser';
import { firstQuotation, writtenText } from './written-text.ts';

const HTML_MAX = 400_000;
const REPORT_MAX = 12_000;
/** A header that marks every mail of ours. */
export const OWN_MAIL_HEADER = 'X-Chat-Realtime';

export interface MailFile {
  readonly name: string | undefined;
  readonly content: Buffer;
}

export interface ReceivedMail {
  /** The same for the same mail, whichever way it came. */
  readonly key: string;
  /** In lower case; empty if there is none. */
  readonly from: string;
  /** All recipients, in lower case. */
  readonly recipients: readonly string[];
  readonly kind: 'letter' | 'automatic' | 'own';
  /** From a report that mails are permanently undeliverable: the local part of the Message-IDs it names. */
  readonly undeliverable: readonly string[] | undefined;
  /** The written text, without the quoted parts and without a signature. */
  readonly text: string;
  readonly files: readonly MailFile[];
}

const OPTIONS = {
  maxHtmlLengthToParse: HTML_MAX,
  skipTextToHtml: true,
  skipImageLinks: true,
  checksumAlgo: false,
} as const;

/** For a mail with only HTML: the parser converts it to text, within its limits, where it is the whole mail. */
async function textOf(html: string | false | undefined): Promise<string> {
  if (html === false || html === undefined) return '';
  const head = 'Content-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n';
  const { simpleParser } = await import('mailparser');
  const mail = await simpleParser(head + Buffer.from(html).toString('base64'), OPTIONS);
  return mail.text ?? '';
}

/**
 * The parts of a mail that concern the chat.
 * @param envelope the recipient given to the mail server, if known
 * @throws Error for bytes that are not a mail
 */
export async function readMail(raw: Buffer, envelope: readonly string[] = []): Promise<ReceivedMail> {
  // Loaded with the first mail: most chats never get one.
  const { simpleParser } = await import('mailparser');
  const mail = await simpleParser(raw, { ...OPTIONS, keepDeliveryStatus: true });
  const whole = mail.text ?? (await textOf(mail.html));
  const { text, isCut } = writtenText(whole);
  const files = mail.attachments.filter((file) => isSent(file, mail.html));
  const id = mail.messageId?.trim() ?? '';
  return {
    key: createHash('sha256')
      .update(id === '' ? raw : id)
      .digest('base64url'),
    from: (mail.from?.value[0]?.address ?? '').toLowerCase(),
    recipients: [...new Set([...envelope.map((address) => address.trim().toLowerCase()), ...recipientsOf(mail)])],
    kind: kindOf(mail),
    undeliverable: isBounce(mail) ? namesIn(raw) : undefined,
    text: withoutMarksOf(files, text),
    files: [
      ...files.map(({ filename, content }) => ({ name: filename, content })),
      // A longer text is attached in full as a file.
      ...(isCut ? [{ name: 'mail.txt', content: Buffer.from(whole) }] : []),
    ],
  };
}

function headerText(mail: ParsedMail, name: string): string {
  const value: HeaderValue | undefined = mail.headers.get(name);
  if (typeof value === 'string') return value.trim();
  if (Array.isArray(value)) return value.filter((part) => typeof part === 'string').join(' ');
  return typeof value === 'object' && 'value' in value && typeof value.value === 'string' ? value.value : '';
}

/** If several servers forwarded it, each adds the recipient; an address in angle brackets or bare. */
const ENVELOPE_HEADERS = ['x-original-to', 'x-forwarded-to', 'envelope-to', 'x-envelope-to'];

function recipientsOf(mail: ParsedMail): string[] {
  const found = new Set<string>();
  const add = (list: AddressObject | AddressObject[] | undefined): void => {
    for (const { value } of list === undefined ? [] : [list].flat())
      for (const entry of value)
        for (const { address } of entry.group ?? [entry]) if (address !== undefined) found.add(address.toLowerCase());
  };
  add(mail.to);
  add(mail.cc);
  const delivered = mail.headers.get('delivered-to');
  if (isAddresses(delivered)) add(delivered);
  for (const name of ENVELOPE_HEADERS)
    for (const [address] of headerText(mail, name).matchAll(/[^\s<>,;"]+@[^\s<>,;"]+/g))
      found.add(address.toLowerCase());
  return [...found];
}

function isAddresses(value: HeaderValue | undefined): value is AddressObject | AddressObject[] {
  const [first]: unknown[] = value === undefined ? [] : [value].flat();
  return typeof first === 'object' && first !== null && 'html' in first;
}

const ROBOTS = /^(?:mailer-daemon|postmaster|noreply|no-reply|do-not-reply|donotreply)@/;

/**
 * From our own mails. A report contains the mail, or its headers, as they were (RFC 3464). A relay may have given the
 * mail another Message-ID: our own header has the id too.
 */
function namesIn(raw: Buffer): string[] {
  const text = raw.subarray(0, HTML_MAX).toString('latin1');
  return [...new Set([...text.matchAll(/\b(chat-mail-\d{1,16}\.[0-9a-f]{32})\b/g)].map(([, name = '']) => name))].slice(
    0,
    10,
  );
}

function isBounce(mail: ParsedMail): boolean {
  if (headerText(mail, 'content-type').toLowerCase() !== 'multipart/report') return false;
  const status = mail.attachments.find(({ contentType }) => contentType === 'message/delivery-status');
  const text = status?.content.subarray(0, REPORT_MAX).toString('utf8') ?? '';
  return /^action:\s*failed\s*$/im.test(text) && /^status:\s*5\./im.test(text);
}

/** RFC 3834 and what programs did before it. */
function kindOf(mail: ParsedMail): ReceivedMail['kind'] {
  if (headerText(mail, OWN_MAIL_HEADER.toLowerCase()) !== '') return 'own';
  const submitted = headerText(mail, 'auto-submitted').toLowerCase();
  const isAutomatic =
    (submitted !== '' && submitted !== 'no') ||
    /^(?:bulk|junk|list|auto_reply)$/i.test(headerText(mail, 'precedence')) ||
    ['x-autoreply', 'x-autorespond', 'x-auto-reply', 'x-failed-recipients'].some((name) => mail.headers.has(name)) ||
    mail.headers.has('list') ||
    headerText(mail, 'content-type').toLowerCase() === 'multipart/report' ||
    /^<\s*>$/.test(returnPath(mail)) ||
    ROBOTS.test((mail.from?.value[0]?.address ?? '').toLowerCase());
  return isAutomatic ? 'automatic' : 'letter';
}

function returnPath(mail: ParsedMail): string {
  const line = mail.headerLines.find(({ key }) => key === 'return-path')?.line ?? '';
  return line.slice(line.indexOf(':') + 1).trim();
}

/** Pictures of a signature and of quoted parts are not passed on; one that was pasted into the mail is. */
function isSent(
  { related, contentDisposition, contentType, cid }: Attachment,
  html: string | false | undefined,
): boolean {
  if (contentType === 'message/delivery-status') return false;
  if (related === true) return typeof html === 'string' && cid !== undefined && isShownInLetter(html, cid);
  return contentDisposition === 'attachment' || contentDisposition === 'inline' || contentDisposition === undefined;
}

function isShownInLetter(html: string, cid: string): boolean {
  const at = html.slice(0, HTML_MAX).indexOf(`cid:${cid}`);
  return at >= 0 && at < firstQuotation(html.slice(0, HTML_MAX));
}

/** A mail program's placeholder for a picture is removed, since the picture itself is there. */
function withoutMarksOf(files: readonly Attachment[], text: string): string {
  if (!files.some(({ related }) => related === true)) return text;
  return text
    .replaceAll(/\[(?:cid|image): ?[^\]\n]{1,200}\]/g, '')
    .replaceAll(/\n{3,}/g, '\n\n')
    .trim();
}
