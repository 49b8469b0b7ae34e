import { Readable } from 'node:stream';
import { type Database, recordAudit } from '@chat-realtime/database';
import { ChatError, type ExportQuery, type StaffSession } from '@chat-realtime/protocol';
import { sql } from 'kysely';
import type { Attachments } from '../attachments/attachments.ts';
import type { StorageContext } from '../storage/context.ts';
import { getSession } from '../sessions/sessions.ts';
import { history } from '../messages/history.ts';
import { notes } from '../notes/notes.ts';
import type { StaffActor } from '../actors.ts';
import { translated } from '../storage/errors.ts';
import { customerSessions } from './customer-sessions.ts';
import { customerOf } from './customer-scope.ts';
import { exportHead } from './export-head.ts';
import { ZIP_MAX_BYTES, ZIP_MAX_ENTRIES, type ZipEntry, zipOf } from './zip.ts';

const PAGE = 500;
/** Part of an archive's limit, reserved for the documents beside the files. */
const ROOM_FOR_TEXT = 256 * 1024 * 1024;

export interface Exported {
  readonly content: Readable;
  readonly type: string;
  readonly name: string;
}

/**
 * Everything about a chat and its customer, or about all chats of the customer who is signed in to it: one JSON text,
 * or an archive of it with the files. Read and sent page by page, file by file, however much it is.
 */
export class SessionExport {
  readonly #database: Database;
  readonly #context: StorageContext;
  readonly #attachments: Attachments;

  constructor(database: Database, context: StorageContext, attachments: Attachments) {
    this.#database = database;
    this.#context = context;
    this.#attachments = attachments;
  }

  /** @throws ChatError before the first byte if there is no such session, or more files than an archive can hold */
  async open(actor: StaffActor, sessionId: number, { format, scope }: ExportQuery): Promise<Exported> {
    const session = await getSession(this.#context, actor, sessionId);
    const customerId = scope === 'customer' ? customerOf(actor, session) : null;
    if (format === 'zip') await this.#requireRoom(sessionId, customerId);
    await this.#record(actor, sessionId, customerId);
    const name = customerId === null ? `chat-${sessionId}` : `customer-of-chat-${sessionId}`;
    const content =
      format === 'zip'
        ? zipOf(this.#entries(actor, sessionId, customerId))
        : customerId === null
          ? this.#document(actor, sessionId)
          : this.#customerDocument(actor, customerId);
    return {
      content: Readable.from(content, { objectMode: false }),
      type: format === 'zip' ? 'application/zip' : 'application/json; charset=utf-8',
      name: `${name}.${format}`,
    };
  }

  async #record(actor: StaffActor, sessionId: number, customerId: string | null): Promise<void> {
    const entry = { actor, action: 'session.exported' };
    await translated(() =>
      this.#database.kysely.transaction().execute(async (trx) => {
        if (customerId === null) return recordAudit(trx, { ...entry, subject: `session:${sessionId}` });
        for await (const id of customerSessions(trx, customerId))
          await recordAudit(trx, { ...entry, subject: `session:${id}`, details: { scope: 'customer' } });
      }),
    );
  }

  async #requireRoom(sessionId: number, customerId: string | null): Promise<void> {
    const { rows } = await translated(() =>
      sql<{ bytes: number; files: number }>`
        SELECT COALESCE(sum(a.size), 0)::bigint AS bytes, count(*) AS files
          FROM chat_attachment a JOIN chat_session s ON s.id = a.session_id
         WHERE a.erased_at IS NULL AND a.event_id IS NOT NULL
           AND ${customerId === null ? sql`s.id = ${sessionId}::bigint` : sql`s.customer_id = ${customerId}`}`.execute(
        this.#database.kysely,
      ),
    );
    const { bytes = 0, files = 0 } = rows[0] ?? {};
    if (bytes > ZIP_MAX_BYTES - ROOM_FOR_TEXT || files > ZIP_MAX_ENTRIES / 2)
      throw new ChatError(
        'payload_too_large',
        'more files than one archive holds: export the chats one by one, or JSON',
      );
  }

  async *#entries(actor: StaffActor, sessionId: number, customerId: string | null): AsyncGenerator<ZipEntry> {
    const missing: string[] = [];
    const chats = customerId === null ? [sessionId] : customerSessions(this.#database.kysely, customerId);
    for await (const id of chats) {
      const folder = customerId === null ? '' : `chat-${id}/`;
      yield { name: `${folder}chat.json`, content: this.#document(actor, id) };
      for await (const file of this.#attachments.sent(id)) {
        const name = `${folder}files/${file.id}-${file.name}`;
        const content = await file.open();
        if (content === undefined) missing.push(name);
        else yield { name, content };
      }
    }
    // Reported, not silently left out: the message names a file that does not exist.
    if (missing.length > 0) yield { name: 'missing.json', content: textOf(missing) };
  }

  async *#customerDocument(actor: StaffActor, customerId: string): AsyncGenerator<string> {
    const head = { exported_at: new Date().toISOString(), customer_id: customerId };
    yield `${JSON.stringify(head).slice(0, -1)},"sessions":[`;
    let before = '';
    for await (const id of customerSessions(this.#database.kysely, customerId)) {
      yield before;
      yield* this.#document(actor, id);
      before = ',';
    }
    yield ']}';
  }

  async *#document(actor: StaffActor, sessionId: number): AsyncGenerator<string> {
    const session = await getSession(this.#context, actor, sessionId);
    const head = await translated(() => exportHead(this.#database, session as StaffSession));
    yield `${JSON.stringify(head).slice(0, -1)},"messages":[`;
    let before = '';
    for (let afterId = 0; ; ) {
      const page = await history(this.#context, actor, sessionId, { afterId, limit: PAGE });
      for (const message of page.messages) {
        yield before + JSON.stringify(message);
        before = ',';
        afterId = message.id;
      }
      if (!page.has_more) break;
    }
    yield '],"notes":[';
    before = '';
    // Newest first, in the order of reading.
    for (let beforeId: number | undefined; ; ) {
      const page = await notes(this.#context, actor, sessionId, { beforeId, limit: PAGE });
      for (const note of page.notes.toReversed()) {
        yield before + JSON.stringify(note);
        before = ',';
        beforeId = note.id;
      }
      if (!page.has_more) break;
    }
    yield ']}';
  }
}

async function* textOf(value: unknown): AsyncGenerator<string> {
  yield JSON.stringify(value, null, 2);
}
