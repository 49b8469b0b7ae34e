import { createHash } from 'node:crypto';
import { runInNewContext } from 'node:vm';
import EmailReplyParser from 'email-reply-parser';
import { type AddressObject, type Attachment, type HeaderValue, type ParsedMail, simpleParser } from 'mailparser';

/** Of a text that was typed for a chat; what is longer is quoted, or no letter. Bounds what the patterns below may cost. */
const TEXT_MAX = 12_000;
const HTML_MAX = 400_000;
/** Stands on top of every mail of ours, so that whatever a mail program quotes begins with it. */
export const REPLY_LINES = {
  ru: '— Ответьте выше этой строки —',
  en: '— Reply above this line —',
} as const;
/** Said of itself by every mail of ours. */
export const OWN_MAIL_HEADER = 'X-Chat-Realtime';

export interface MailFile {
  readonly name: string | undefined;
  readonly content: Buffer;
}

export interface ReceivedMail {
  /** The same for the same mail, by whatever way it came. */
  readonly key: string;
  /** In lower case; empty where there is none. */
  readonly from: string;
  /** Everywhere it was sent to, in lower case. */
  readonly recipients: readonly string[];
  readonly kind: 'letter' | 'automatic' | 'own';
  /** Reported as not to be delivered, for good. */
  readonly isBounce: boolean;
  /** What was written, without what it answers and without a signature. */
  readonly text: string;
  readonly files: readonly MailFile[];
}

const OPTIONS = {
  maxHtmlLengthToParse: HTML_MAX,
  skipTextToHtml: true,
  skipImageLinks: true,
  checksumAlgo: false,
} as const;

/** Of a mail that has HTML alone: the parser makes text of it, within its bounds, where it is the whole mail. */
async function textOf(html: string | false | undefined): Promise<string> {
  if (html === false || html === undefined) return '';
  const head = 'Content-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n';
  const mail = await simpleParser(head + Buffer.from(html).toString('base64'), OPTIONS);
  return mail.text ?? '';
}

/**
 * A mail as far as it concerns the chat.
 * @param envelope whom the mail server was told it is for, where somebody knows
 * @throws Error for bytes that are no mail
 */
export async function readMail(raw: Buffer, envelope: readonly string[] = []): Promise<ReceivedMail> {
  const mail = await simpleParser(raw, { ...OPTIONS, keepDeliveryStatus: true });
  const id = mail.messageId?.trim() ?? '';
  return {
    key: createHash('sha256')
      .update(id === '' ? raw : id)
      .digest('base64url'),
    from: (mail.from?.value[0]?.address ?? '').toLowerCase(),
    recipients: [...new Set([...envelope.map((address) => address.trim().toLowerCase()), ...recipientsOf(mail)])],
    kind: kindOf(mail),
    isBounce: isBounce(mail),
    text: writtenText(mail.text ?? (await textOf(mail.html))),
    files: mail.attachments.filter(isSent).map(({ filename, content }) => ({ name: filename, content })),
  };
}

function headerText(mail: ParsedMail, name: string): string {
  const value: HeaderValue | undefined = mail.headers.get(name);
  if (typeof value === 'string') return value.trim();
  if (Array.isArray(value)) return value.filter((part) => typeof part === 'string').join(' ');
  return typeof value === 'object' && 'value' in value && typeof value.value === 'string' ? value.value : '';
}

/** Where several servers handed it on, each says to whom; an address in angle brackets or bare. */
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

function isBounce(mail: ParsedMail): boolean {
  if (headerText(mail, 'content-type').toLowerCase() !== 'multipart/report') return false;
  const status = mail.attachments.find(({ contentType }) => contentType === 'message/delivery-status');
  const text = status?.content.subarray(0, TEXT_MAX).toString('utf8') ?? '';
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

/** Pictures that a signature shows are not sent to anybody. */
function isSent({ related, contentDisposition, contentType }: Attachment): boolean {
  if (related === true || contentType === 'message/delivery-status') return false;
  return contentDisposition === 'attachment' || contentDisposition === 'inline' || contentDisposition === undefined;
}

const LIBRARY = new EmailReplyParser();
/** An honest mail takes a few milliseconds. */
const CUT_MS = 200;

/** Without the mail it answers, however a program quotes it, and without a signature. */
export function writtenText(whole: string): string {
  const text = whole.replaceAll('\r\n', '\n').slice(0, TEXT_MAX);
  return cutByLibrary(beforeReplyLine(text).replace(/\n{3,}/g, '\n\n')).trim();
}

/**
 * The patterns of the library take seconds to minutes over what a stranger may well write: it is given up after
 * {@link CUT_MS}, and quoted lines are left out by their mark alone.
 */
function cutByLibrary(text: string): string {
  try {
    const cut = (): string => LIBRARY.parseReply(text);
    return String(runInNewContext('cut()', { cut }, { timeout: CUT_MS }));
  } catch (error) {
    // It is an Error of the context it was thrown in, so no instance of ours.
    const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
    if (code !== 'ERR_SCRIPT_EXECUTION_TIMEOUT') throw error;
    const lines = text.split('\n').filter((line) => !line.startsWith('>'));
    return lines.join('\n');
  }
}

function beforeReplyLine(text: string): string {
  const lines = text.split('\n');
  const at = lines.findIndex((line) => Object.values(REPLY_LINES).some((mark) => line.includes(mark)));
  if (at < 0) return text;
  const kept = lines.slice(0, at);
  const isQuoted = (line: string): boolean => /^\s*(?:>.*)?$/.test(line);
  while (kept.length > 0 && isQuoted(kept.at(-1) ?? '')) kept.pop();
  // What a program writes above a quotation, in any language: it ends with a colon and names us or a time.
  if (/:\s*$/.test(kept.at(-1) ?? '')) {
    const last = kept.pop() ?? '';
    const previous = kept.at(-1) ?? '';
    if (!/[@<]/.test(previous) && !/\d{1,2}:\d{2}|\d{4}/.test(previous)) return kept.join('\n');
    if (!/\d{4}/.test(last)) kept.pop();
  }
  return kept.join('\n');
}
