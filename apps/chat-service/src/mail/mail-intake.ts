import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import type { Database } from '@chat-realtime/database';
import {
  ATTACHMENTS_PER_MESSAGE,
  ChatError,
  languageOf,
  MAIL_MAX_BYTES,
  type MailIgnoredReason,
  type MailInboundResponse,
  MESSAGE_BODY_MAX_CODE_POINTS,
} from '@chat-realtime/protocol';
import { sql } from 'kysely';
import { sanitizeFileName } from '../attachments/file-name.ts';
import type { Attachments } from '../attachments/attachments.ts';
import { requireAllowed } from '../bans/require-not-banned.ts';
import type { ChatLog } from '../ports.ts';
import type { StorageContext } from '../storage/context.ts';
import { findSession } from '../storage/find-session.ts';
import { postMessage } from '../messages/messages.ts';
import { markRead } from '../messages/marks.ts';
import type { SessionRecord } from '../storage/session-record.ts';
import type { RequestRates } from '../http/rates.ts';
import { translated } from '../storage/errors.ts';
import type { Mailbox } from './config.ts';
import type { MailLinks } from './mail-links.ts';
import { oweReplies } from './mail-verdict.ts';
import { type MailFile, readMail, type ReceivedMail } from './read-mail.ts';
import type { ReplyAddress } from './reply-address.ts';

const FILES_MAX = 10;

export interface MailIntakeParts {
  readonly database: Database;
  readonly context: StorageContext;
  readonly attachments: Pick<Attachments, 'upload'>;
  readonly rates: Pick<RequestRates, 'message'>;
  readonly links: Pick<MailLinks, 'mailNamed'>;
  /** Undefined if our mails cannot be answered. */
  readonly addresses: ReplyAddress | undefined;
  readonly from: Mailbox | undefined;
  readonly log: ChatLog;
  readonly taken: (outcome: string) => void;
}

/** What the source of a mail knows about it besides its text. */
export interface MailDelivery {
  /** The recipient given to the mail server. */
  readonly recipients?: readonly string[];
  /** The provider's own id of the mail: it was accepted before if either id is known. */
  readonly providerId?: string;
  /** The mail is too large, and these bytes are its beginning: its text is used, and no file. */
  readonly isBeginning?: boolean;
  /** Throws if the caller may not deliver this mail. `key`: of the mail, as {@link ReceivedMail.key}. */
  readonly admit?: (key: string) => Promise<void>;
}

/** Inbound mail: the reply of a customer becomes one message, however often and by whichever route it arrives. */
export class MailIntake {
  readonly #parts: MailIntakeParts;

  constructor(parts: MailIntakeParts) {
    this.#parts = parts;
  }

  /** @throws ChatError if it cannot be accepted now and must be delivered again */
  async take(raw: Buffer, delivery: MailDelivery = {}): Promise<MailInboundResponse> {
    const read = await readMail(raw, delivery.recipients).catch((error: unknown) => {
      throw new ChatError('validation_failed', 'the request is well-formed but not valid', {
        cause: error,
        details: { fields: [{ path: 'body', message: 'must be a mail' }] },
      });
    });
    const isBeginning = delivery.isBeginning === true;
    const mail: Letter = isBeginning ? { ...read, files: [], isBeginning } : { ...read, isBeginning };
    await delivery.admit?.(mail.key);
    const answer = await this.#once(mail, keysOf(mail, delivery.providerId));
    this.#parts.taken(answer.outcome === 'ignored' ? answer.reason : answer.outcome);
    return answer;
  }

  async #once(mail: Letter, keys: readonly string[]): Promise<MailInboundResponse> {
    const known = await translated(() =>
      this.#parts.database.kysely.selectFrom('mail_received').select('key').where('key', 'in', keys).executeTakeFirst(),
    );
    if (known !== undefined) return { outcome: 'duplicate' };
    const session = await this.#sessionOf(mail);
    const answer = await this.#judge(mail, session);
    await translated(() =>
      this.#parts.database.kysely
        .insertInto('mail_received')
        .values(keys.map((key) => ({ key, outcome: answer.outcome, session_id: session?.id ?? null })))
        .onConflict((conflict) => conflict.doNothing())
        .execute(),
    );
    return answer;
  }

  /** The chat that the reply belongs to: that of the first valid address of ours. */
  async #sessionOf({ recipients }: ReceivedMail): Promise<SessionRecord | null> {
    const { addresses, context } = this.#parts;
    if (addresses === undefined) return null;
    for (const recipient of recipients) {
      const id = addresses.named(recipient);
      const session = id === undefined ? null : await findSession(context, id);
      if (session !== null && addresses.fits(recipient, session)) return session;
    }
    return null;
  }

  async #judge(mail: Letter, session: SessionRecord | null): Promise<MailInboundResponse> {
    const { from, addresses } = this.#parts;
    if (mail.undeliverable !== undefined) return this.#bounced(mail.undeliverable);
    if (session === null) return ignored('unknown_address');
    const isOurs = mail.from === from?.address.toLowerCase() || addresses?.named(mail.from) !== undefined;
    if (mail.kind === 'own' || isOurs) return ignored('loop');
    if (mail.kind === 'automatic') return ignored('automatic');
    if (mail.text === '' && mail.files.length === 0 && !mail.isBeginning) return ignored('empty');
    return this.#post(mail, session);
  }

  /** Only the recipient of a mail can name it, so nobody can stop mail to others. */
  async #bounced(names: readonly string[]): Promise<MailInboundResponse> {
    const ids = names.flatMap((name) => this.#parts.links.mailNamed(name) ?? []);
    if (ids.length === 0) return ignored('automatic');
    await translated(() =>
      sql`INSERT INTO mail_refusal (address, reason)
        SELECT DISTINCT address, 'bounced' FROM mail WHERE id = ANY (${ids}::bigint[]) AND sent_at IS NOT NULL
        -- Whoever wants no mail has said more than a mailbox that is not there.
        ON CONFLICT (address) DO UPDATE SET created_at = clock_timestamp() WHERE mail_refusal.reason = 'bounced'`.execute(
        this.#parts.database.kysely,
      ),
    );
    await translated(() => oweReplies(this.#parts.database, ids));
    return { outcome: 'bounce' };
  }

  async #post(mail: Letter, session: SessionRecord): Promise<MailInboundResponse> {
    const { rates } = this.#parts;
    const actor = { kind: 'customer', sessionId: session.id } as const;
    try {
      await rates.message(actor);
      const messageIds: number[] = [];
      const parts = mail.isBeginning ? [beginningOf(mail, session)] : partsOf(mail);
      for (const [index, part] of parts.entries()) {
        const id = clientMessageId(mail.key, index);
        messageIds.push(await this.#postOnce(session, id, part));
      }
      await this.#read(session.id);
      return { outcome: 'message', session_id: session.id, message_ids: messageIds };
    } catch (error) {
      if (error instanceof ChatError && error.code === 'banned') return ignored('banned');
      throw error;
    }
  }

  async #posted(sessionId: number, clientMessageIdText: string): Promise<number | undefined> {
    const row = await translated(() =>
      this.#parts.database.kysely
        .selectFrom('chat_event')
        .select('id')
        .where('session_id', '=', sessionId)
        .where('client_message_id', '=', clientMessageIdText)
        .where('sender_type', '=', 'client')
        .executeTakeFirst(),
    );
    return row?.id;
  }

  /** Does not repeat what a process that died after the post had stored, with new uploads of the same files. */
  async #postOnce(session: SessionRecord, clientMessageIdText: string, part: Part): Promise<number> {
    const { id: sessionId } = session;
    const known = await this.#posted(sessionId, clientMessageIdText);
    if (known !== undefined) return known;
    // Before its files are stored.
    await requireAllowed(this.#parts.database, sessionId, null);
    const { ids: attachments, refused } = await this.#upload(sessionId, part.files);
    const text = withRefused(part.body, [...refused, ...part.left], session);
    const body = text === '' && attachments.length === 0 ? '📎' : text;
    const post = { body, clientMessageId: clientMessageIdText, attachments };
    const posted = await postMessage(this.#parts.context, { kind: 'customer', sessionId }, sessionId, post);
    return posted.message.id;
  }

  async #upload(sessionId: number, files: readonly MailFile[]): Promise<{ ids: string[]; refused: string[] }> {
    const [ids, refused]: [string[], string[]] = [[], []];
    for (const { name: given, content } of files) {
      const name = sanitizeFileName(given ?? '');
      try {
        const file = await this.#parts.attachments.upload({
          sessionId,
          participant: 'client',
          name,
          content: Readable.from([content]),
          clientIp: null,
          declaredBytes: content.length,
        });
        ids.push(file.id);
      } catch (error) {
        // A refused file must not hold back the text; the message says that the file came. A full disk may stay full
        // for days.
        const isRefused = error instanceof ChatError && (error.status < 500 || error.code === 'storage_full');
        if (!isRefused) throw error;
        this.#parts.log.info({ session: sessionId, code: error.code }, 'a file of a mail was not accepted');
        refused.push(name);
      }
    }
    return { ids, refused };
  }

  /** A customer who answers a mail has read its contents. */
  async #read(sessionId: number): Promise<void> {
    const mark = await translated(() =>
      this.#parts.database.kysely
        .selectFrom('mail_mark')
        .select('mailed_id')
        .where('session_id', '=', sessionId)
        .executeTakeFirst(),
    );
    if (mark === undefined) return;
    await markRead(this.#parts.context, { kind: 'customer', sessionId }, sessionId, mark.mailed_id);
  }
}

function keysOf(mail: ReceivedMail, providerId: string | undefined): string[] {
  if (providerId === undefined) return [mail.key];
  return [mail.key, createHash('sha256').update(`provider\n${providerId}`).digest('base64url')];
}

function ignored(reason: MailIgnoredReason): MailInboundResponse {
  return { outcome: 'ignored', reason };
}

interface Letter extends ReceivedMail {
  readonly isBeginning: boolean;
}

interface Part {
  readonly body: string;
  readonly files: readonly MailFile[];
  /** Names of files for which there was no room. */
  readonly left: readonly string[];
}

const REFUSED = {
  ru: (name: string) => `[файл из письма не принят: ${name}]`,
  en: (name: string) => `[a file of the mail was not taken: ${name}]`,
} as const;
const REFUSED_NAME_MAX = 100;

const TOO_LARGE = {
  ru: (mb: number) => `[письмо больше ${mb} МБ: файлы из него не приняты]`,
  en: (mb: number) => `[the mail is larger than ${mb} MB: its files were not taken]`,
} as const;

/**
 * For a mail that is too large: a message in the chat, where customer and operator both read it. A reply by mail would
 * go to whoever was named as the sender, and a robot could answer it.
 */
function beginningOf({ text }: ReceivedMail, { locale }: SessionRecord): Part {
  const said = TOO_LARGE[languageOf(locale)](MAIL_MAX_BYTES / 1_048_576);
  const room = MESSAGE_BODY_MAX_CODE_POINTS - [...said].length - 1;
  const written = [...text.toWellFormed().replaceAll('\u0000', '')].slice(0, room).join('');
  return { body: written === '' ? said : `${written}\n${said}`, files: [], left: [] };
}

/** Adds what the operator would otherwise miss, as far as there is room. The customer's text has priority. */
function withRefused(body: string, refused: readonly string[], { locale }: SessionRecord): string {
  const say = REFUSED[languageOf(locale)];
  const parts = body === '' ? [] : [body];
  let length = [...body].length;
  for (const name of refused) {
    const line = say([...name].slice(0, REFUSED_NAME_MAX).join(''));
    length += [...line].length + 1;
    if (length > MESSAGE_BODY_MAX_CODE_POINTS) break;
    parts.push(line);
  }
  return parts.join('\n');
}

/** As many messages as the limits require: the first has the text. */
function partsOf({ text, files }: ReceivedMail): Part[] {
  const characters = [...text.toWellFormed().replaceAll('\u0000', '')];
  const parts: Part[] = [];
  for (let from = 0; from < characters.length; from += MESSAGE_BODY_MAX_CODE_POINTS)
    parts.push({ body: characters.slice(from, from + MESSAGE_BODY_MAX_CODE_POINTS).join(''), files: [], left: [] });
  const kept = files.slice(0, FILES_MAX);
  for (let from = 0; from < kept.length; from += ATTACHMENTS_PER_MESSAGE) {
    const few = kept.slice(from, from + ATTACHMENTS_PER_MESSAGE);
    const last = from === 0 ? parts.pop() : undefined;
    parts.push({ body: last?.body ?? '', files: few, left: [] });
  }
  const left = files.slice(FILES_MAX).map(({ name }) => sanitizeFileName(name ?? ''));
  const end = parts.pop();
  if (end !== undefined) parts.push({ ...end, left });
  return parts;
}

/** The same for the same mail, so that a repeat posts nothing. */
function clientMessageId(key: string, index: number): string {
  const hash = createHash('sha256').update(`mail\n${key}\n${index}`).digest('hex');
  return `${hash.slice(0, 8)}-${hash.slice(8, 12)}-8${hash.slice(13, 16)}-8${hash.slice(17, 20)}-${hash.slice(20, 32)}`;
}
