import { Readable } from 'node:stream';
import { type Database, recordAudit } from '@chat-realtime/database';
import { callbackStaff } from '../callbacks/callbacks.ts';
import type { ChatOperations, StaffActor } from '../domain/index.ts';
import { translated } from '../storage/errors.ts';

const PAGE = 500;

/** Everything about a chat and its customer as one JSON text, read and sent page by page however long the chat is. */
export class SessionExport {
  readonly #database: Database;
  readonly #operations: ChatOperations;

  constructor(database: Database, operations: ChatOperations) {
    this.#database = database;
    this.#operations = operations;
  }

  /** @throws ChatError before the first byte where there is no such session. */
  async open(actor: StaffActor, sessionId: number): Promise<Readable> {
    const session = await this.#operations.getSession(actor, sessionId);
    const row = await translated(() =>
      this.#database.kysely
        .selectFrom('chat_session as s')
        .leftJoin('chat_client_address as a', 'a.session_id', 's.id')
        .select(['s.consent', 's.created_at', 'a.address', 'a.seen_at'])
        .where('s.id', '=', sessionId)
        .executeTakeFirstOrThrow(),
    );
    const callbacks = await translated(() =>
      this.#database.kysely
        .selectFrom('chat_callback')
        .selectAll()
        .where('session_id', '=', sessionId)
        .orderBy('id')
        .execute(),
    );
    await translated(() =>
      this.#database.kysely
        .transaction()
        .execute((trx) => recordAudit(trx, { actor, action: 'session.exported', subject: `session:${sessionId}` })),
    );
    const consent = row.consent === null ? null : { given: row.consent, at: row.created_at.toISOString() };
    const address = row.address === null ? null : { address: row.address, seen_at: row.seen_at?.toISOString() ?? null };
    const head = {
      exported_at: new Date().toISOString(),
      session,
      consent,
      address,
      callbacks: callbacks.map(callbackStaff),
    };
    return Readable.from(this.#parts(actor, sessionId, head), { objectMode: false });
  }

  async *#parts(actor: StaffActor, sessionId: number, head: object): AsyncGenerator<string> {
    yield `${JSON.stringify(head).slice(0, -1)},"messages":[`;
    let before = '';
    for (let afterId = 0; ; ) {
      const page = await this.#operations.history(actor, sessionId, { afterId, limit: PAGE });
      for (const message of page.messages) {
        yield before + JSON.stringify(message);
        before = ',';
        afterId = message.id;
      }
      if (!page.has_more) break;
    }
    yield '],"notes":[';
    before = '';
    // The newest first, as they are read.
    for (let beforeId: number | undefined; ; ) {
      const page = await this.#operations.notes(actor, sessionId, { beforeId, limit: PAGE });
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
