import { createTransport } from 'nodemailer';

/** Headers that say whose a mail is and whether a program wrote it; the rest of a parsed mail is of no use here. */
const KEPT_HEADERS =
  /^(?:message-id|date|from|to|cc|subject|delivered-to|x-original-to|x-forwarded-to|envelope-to|x-envelope-to|auto-submitted|precedence|x-autoreply|x-autorespond|x-auto-reply|x-failed-recipients|list-[a-z-]+|return-path|x-chat-realtime)$/;
const HEADERS_MAX = 200;
const HEADER_MAX = 4_000;

export interface LetterHeader {
  readonly name: string;
  readonly value: string;
}

export interface LetterFile {
  readonly name: string;
  readonly contentType: string;
  readonly content: Buffer;
  /** Shown within the HTML by this name. */
  readonly contentId: string | undefined;
}

export interface LetterParts {
  /** As they stood in the mail; the first 200 are read. */
  readonly headers: readonly LetterHeader[];
  /** Used where the mail had no `Message-ID`: the same for the same mail. */
  readonly fallbackId: string;
  readonly text: string | undefined;
  readonly html: string | undefined;
  readonly files: readonly LetterFile[];
}

const composer = createTransport({ streamTransport: true, buffer: true, newline: 'windows' });

/**
 * Reassembles a mail that a provider has parsed, so that the same reader handles every mail. The provider's headers
 * about its form are made anew; those showing that a program wrote it are kept.
 */
export async function composeLetter({ headers, fallbackId, text, html, files }: LetterParts): Promise<Buffer> {
  const kept = new Map<string, string>();
  let isReport = false;
  for (const { name, value } of headers.slice(0, HEADERS_MAX)) {
    const key = name.toLowerCase();
    if (key === 'content-type' && /^\s*multipart\/report\b/i.test(value)) isReport = true;
    if (KEPT_HEADERS.test(key) && !kept.has(key))
      kept.set(key, value.replaceAll(/[\r\n\0]+/g, ' ').slice(0, HEADER_MAX));
  }
  const take = (key: string): string | undefined => {
    const value = kept.get(key);
    kept.delete(key);
    return value;
  };
  const messageId = take('message-id') ?? `<${fallbackId}>`;
  const [from, to, cc, subject] = ['from', 'to', 'cc', 'subject'].map(take);
  // Its parts came without their frame, which is what says that it is a report.
  if (isReport && !kept.has('auto-submitted')) kept.set('auto-submitted', 'auto-generated');
  kept.delete('date');
  const { message } = await composer.sendMail({
    messageId,
    from: from ?? '',
    to: to ?? '',
    cc: cc ?? '',
    subject: subject ?? '',
    ...(text === undefined ? {} : { text }),
    ...(html === undefined ? {} : { html }),
    headers: [...kept].map(([key, value]) => ({ key, value })),
    attachments: files.map(({ name, contentType, content, contentId }) => ({
      filename: name,
      contentType,
      content,
      ...(contentId === undefined ? {} : { cid: contentId, contentDisposition: 'inline' as const }),
    })),
    envelope: { from: '', to: ['nobody@mail.invalid'] },
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  if (!Buffer.isBuffer(message)) throw new Error('a letter is a buffer');
  return message;
}
