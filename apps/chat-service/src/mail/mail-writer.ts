import type { Database, MailTable } from '@chat-realtime/database';
import { languageOf, type Message } from '@chat-realtime/protocol';
import { publicAddress } from '@chat-realtime/service-kit';
import { type Selectable, sql } from 'kysely';
import type { SendMailOptions } from 'nodemailer';
import type { StorageContext } from '../storage/context.ts';
import { findSession } from '../storage/find-session.ts';
import { history } from '../messages/history.ts';
import type { SessionRecord } from '../storage/session-record.ts';
import type { Mailbox } from './config.ts';
import type { MailLinks } from './mail-links.ts';
import { alertLetter, type Letter, replyLetter, SHOWN_MESSAGES, transcriptLetter } from './mail-texts.ts';
import { OWN_MAIL_HEADER } from './read-mail.ts';
import type { ReplyAddress } from './reply-address.ts';
import type { Transcripts } from './transcript.ts';

export type MailRow = Selectable<MailTable>;

/** Mail servers accept 10 MB and more; a file in a mail is a third larger than the file itself. */
const TRANSCRIPT_MAX_BYTES = 5 * 1_048_576;
const PAGE = 100;
/** A mail covers what customers wrote between the replies up to this point; the rest is counted. */
const PAGES = 20;

export interface MailWriterParts {
  readonly database: Database;
  readonly context: StorageContext;
  readonly transcripts: Transcripts;
  readonly links: MailLinks;
  readonly addresses: ReplyAddress | undefined;
  readonly from: Mailbox;
  readonly publicUrl: string;
  /** Only pages of these origins are linked: visitors report their page themselves. */
  readonly allowedOrigins: () => Promise<readonly string[]>;
}

/** Writes a mail when it is sent, so that it is up to date. Null: there is nothing left to say. */
export class MailWriter {
  readonly #parts: MailWriterParts;

  constructor(parts: MailWriterParts) {
    this.#parts = parts;
  }

  async write(row: MailRow): Promise<SendMailOptions | null> {
    switch (row.kind) {
      case 'alert':
        return this.#envelope(
          row,
          alertLetter(languageOf(row.locale), row.reason, row.session_id, this.#url(consolePath(row.session_id))),
        );
      case 'transcript':
        return this.#transcript(row);
      case 'reply':
        return this.#reply(row);
    }
  }

  async #transcript(row: MailRow): Promise<SendMailOptions | null> {
    const id = row.session_id;
    if (id === null) return null;
    const content = await this.#parts.transcripts.open({ kind: 'customer', sessionId: id }, id, TRANSCRIPT_MAX_BYTES);
    const letter = transcriptLetter(languageOf(row.locale), id, this.#site);
    const attachments = [{ filename: `chat-${id}.txt`, content, contentType: 'text/plain; charset=utf-8' }];
    return { ...this.#envelope(row, letter), attachments };
  }

  async #reply(row: MailRow): Promise<SendMailOptions | null> {
    const { context, addresses, links } = this.#parts;
    const session = row.session_id === null ? null : await findSession(context, row.session_id);
    // The address has changed since: the old one must not get the messages.
    if (session === null || session.contact.email?.toLowerCase() !== row.address.toLowerCase()) return null;
    const [missed, count] = await Promise.all([this.#missed(row, session.id), this.#countMissed(row)]);
    const isEmpty = missed.every(({ body, attachments }) => body === '' && attachments.length === 0);
    if (count <= missed.length && isEmpty) return null;
    const unsubscribeUrl = this.#url(`/chat/mail/unsubscribe?sig=${links.unsubscribeToken(row.id)}`);
    const letter = replyLetter({
      language: languageOf(row.locale),
      site: this.#site,
      name: session.contact.name,
      messages: missed,
      count,
      link: await this.#link(session),
      canReply: addresses !== undefined,
      unsubscribeUrl,
    });
    const replyTo = addresses?.of(session);
    return {
      ...this.#envelope(row, letter),
      ...(replyTo === undefined ? {} : { replyTo, envelope: { from: replyTo, to: row.address } }),
      references: `<chat-${session.id}@${this.#domain}>`,
      headers: {
        ...ownHeaders(links.messageName(row.id)),
        'List-Unsubscribe': `<${unsubscribeUrl}>`,
        'List-Unsubscribe-Post': 'List-Unsubscribe=One-Click',
      },
    };
  }

  /** As many as a mail shows, oldest first. */
  async #missed(row: MailRow, sessionId: number): Promise<readonly Message[]> {
    const missed: Message[] = [];
    let afterId = row.after_id;
    for (let page = 0; page < PAGES && missed.length < SHOWN_MESSAGES; page += 1) {
      const read = await history(this.#parts.context, { kind: 'customer', sessionId }, sessionId, {
        afterId,
        limit: PAGE,
      });
      missed.push(...read.messages.filter(({ sender_type: who, id }) => who === 'operator' && id <= row.through_id));
      const last = read.messages.at(-1);
      if (!read.has_more || last === undefined || last.id >= row.through_id) break;
      afterId = last.id;
    }
    return missed.slice(0, SHOWN_MESSAGES);
  }

  async #countMissed(row: MailRow): Promise<number> {
    const { rows } = await sql<{ count: number }>`
      SELECT count(*)::int AS count FROM chat_event e WHERE e.session_id = ${row.session_id}::bigint AND e.type = 'chat.message'
         AND e.sender_type = 'operator' AND e.id > ${row.after_id}::bigint AND e.id <= ${row.through_id}::bigint`.execute(
      this.#parts.database.kysely,
    );
    return rows[0]?.count ?? 0;
  }

  /**
   * A signed-in customer's chat opens on the site through their identity; any other through the code behind the `#`.
   */
  async #link(session: SessionRecord): Promise<{ kind: 'chat' | 'site'; url: string }> {
    const page = await this.#page(session.pageUrl);
    if (session.customerId !== null) return { kind: 'site', url: page.href };
    page.hash = `chat-return=${await this.#parts.links.newCode(session.id)}`;
    return { kind: 'chat', url: page.href };
  }

  async #page(pageUrl: string | null): Promise<URL> {
    const own = new URL(this.#url('/'));
    if (pageUrl === null || !URL.canParse(pageUrl)) return own;
    const page = new URL(pageUrl);
    const isKnown = page.origin === own.origin || (await this.#parts.allowedOrigins()).includes(page.origin);
    return isKnown && /^https?:$/.test(page.protocol) ? page : own;
  }

  get #site(): string {
    const { name } = this.#parts.from;
    return name === '' ? new URL(this.#parts.publicUrl).host : name;
  }

  get #domain(): string {
    return this.#parts.from.address.split('@')[1] ?? 'localhost';
  }

  #url(path: string): string {
    return publicAddress(this.#parts.publicUrl, path);
  }

  /** The same id if a mail is sent again: a recipient who already has it can tell. */
  #envelope(row: MailRow, { subject, text, html }: Letter): SendMailOptions {
    return {
      from: this.#parts.from,
      to: row.address,
      subject,
      text,
      html,
      messageId: `<${this.#parts.links.messageName(row.id)}@${this.#domain}>`,
      headers: ownHeaders(this.#parts.links.messageName(row.id)),
      disableFileAccess: true,
      disableUrlAccess: true,
    };
  }
}

/** Like the console's own addresses. */
const consolePath = (sessionId: number | null): string =>
  sessionId === null ? '/operator/' : `/operator/#/inbox/all/${sessionId}`;

/** No autoresponder answers it, and our own reader recognises it. */
const ownHeaders = (name: string) => ({ 'Auto-Submitted': 'auto-generated', [OWN_MAIL_HEADER]: name });
