import { ChatError, MAIL_MAX_BYTES } from '@chat-realtime/protocol';
import type { ImapFlow } from 'imapflow';
import type { ChatLog } from '../ports.ts';
import { DeferredMails } from './deferred-mails.ts';
import type { MailIntake } from './mail-intake.ts';

/** Mails per poll. The rest is read with the next one. */
const BATCH = 50;
/** Of a mail that is too large: its headers, and the text if it comes before the files. */
const BEGINNING_BYTES = 262_144;
const CONNECT_MS = 15_000;
const SOCKET_MS = 60_000;

export interface MailboxReaderParts {
  /** `imaps://user:password@host:port/INBOX` */
  readonly url: string;
  readonly intake: Pick<MailIntake, 'take'>;
  readonly log: ChatLog;
}

/**
 * Polls a mailbox. A mail is marked as seen once it was processed, so that a process that dies leaves it for the next.
 */
export class MailboxReader {
  readonly #parts: MailboxReaderParts;
  readonly #later = new DeferredMails();

  constructor(parts: MailboxReaderParts) {
    this.#parts = parts;
  }

  async poll(): Promise<void> {
    const url = new URL(this.#parts.url);
    const imap = await import('imapflow');
    const client = new imap.ImapFlow({
      host: url.hostname.replaceAll(/^\[|\]$/g, ''),
      port: url.port === '' ? (url.protocol === 'imaps:' ? 993 : 143) : Number(url.port),
      secure: url.protocol === 'imaps:',
      auth: { user: decodeURIComponent(url.username), pass: decodeURIComponent(url.password) },
      logger: false,
      connectionTimeout: CONNECT_MS,
      socketTimeout: SOCKET_MS,
    });
    // An error after the answer is also told by the call under way.
    client.on('error', () => undefined);
    await client.connect();
    try {
      const folder = decodeURIComponent(url.pathname.slice(1));
      const lock = await client.getMailboxLock(folder === '' ? 'INBOX' : folder);
      try {
        await this.#read(client);
      } finally {
        lock.release();
      }
    } finally {
      await client.logout().catch(() => client.close());
    }
  }

  async #read(client: ImapFlow): Promise<void> {
    const found = await client.search({ seen: false }, { uid: true });
    const unseen = found === false ? [] : (found ?? []);
    for (const uid of this.#later.due(unseen, performance.now()).slice(0, BATCH)) {
      const sized = await client.fetchOne(String(uid), { size: true }, { uid: true });
      if (sized === false) continue;
      const isBeginning = (sized.size ?? 0) > MAIL_MAX_BYTES;
      if (isBeginning) this.#parts.log.info({ uid, bytes: sized.size }, 'a mail is too large for the chat');
      const source = isBeginning ? { start: 0, maxLength: BEGINNING_BYTES } : true;
      const mail = await client.fetchOne(String(uid), { source }, { uid: true });
      if (mail === false || mail.source === undefined) continue;
      if (!(await this.#take(uid, mail.source, isBeginning))) continue;
      await client.messageFlagsAdd(String(uid), ['\\Seen'], { uid: true });
    }
  }

  /** False: it stays unseen and is accepted later. */
  async #take(uid: number, source: Buffer, isBeginning: boolean): Promise<boolean> {
    try {
      await this.#parts.intake.take(source, { isBeginning });
      return true;
    } catch (error) {
      const isForGood = error instanceof ChatError && error.status < 500 && error.code !== 'rate_limited';
      if (!isForGood) this.#later.put(uid, error, performance.now());
      this.#parts.log.warn(
        { uid, error: error instanceof Error ? error.message : String(error), again: !isForGood },
        'a mail was not taken',
      );
      return isForGood;
    }
  }
}
