import { randomBytes } from 'node:crypto';
import type { Readable } from 'node:stream';
import type { Database } from '@chat-realtime/database';
import { type Attachment, ChatError } from '@chat-realtime/protocol';
import { fieldError } from '../field-error.ts';
import { imageSize } from './image-size.ts';
import type { AttachmentLinks } from './links.ts';
import { SNIFF_BYTES, sniff } from './sniff.ts';
import type { AttachmentStorage } from './storage.ts';
import type { UploadPolicy } from './upload-policy.ts';
import { UnsentQuota } from './unsent-quota.ts';

export interface AttachmentsConfig {
  /** The current policy, read at the start of each upload. */
  readonly policy: () => Promise<UploadPolicy>;
  /** Bytes that a session, and an address, may have stored and not sent; 0 = no limit. */
  readonly unsentPerSession: number;
  readonly unsentPerAddress: number;
  /** A keyed hash: no address must be stored. */
  readonly hashAddress: (ip: string) => string;
}

export interface Upload {
  readonly sessionId: number;
  /** `client` or `staff:<user id>`: only they may send it. */
  readonly participant: string;
  readonly name: string;
  readonly content: Readable;
  /** Null if no limit applies: operators share the address of their office. */
  readonly clientIp: string | null;
  /** From the request, if it has one. */
  readonly declaredBytes: number | undefined;
}

export interface StoredAttachmentFile {
  readonly name: string;
  readonly mime: string;
  readonly size: number;
  readonly content: Readable;
}

export interface SentFile {
  readonly id: string;
  readonly name: string;
  /** Undefined when the bytes are gone. */
  readonly open: () => Promise<Readable | undefined>;
}

export interface RemovedFiles {
  readonly removed: number;
  /** One for each file that is still there. */
  readonly failures: readonly unknown[];
}

/** Uploads that were not sent within this time are deleted. */
const UNSENT_HOURS = 24;
const CLEANUP_BATCH = 100;

/** Attachments: accepted, identified by their content, and served by signed URL. */
export class Attachments {
  readonly #database: Database;
  readonly #storage: AttachmentStorage;
  readonly #links: AttachmentLinks;
  readonly #config: AttachmentsConfig;
  readonly #quota: UnsentQuota;

  constructor(database: Database, storage: AttachmentStorage, links: AttachmentLinks, config: AttachmentsConfig) {
    this.#database = database;
    this.#storage = storage;
    this.#links = links;
    this.#config = config;
    this.#quota = new UnsentQuota(database, config);
  }

  async upload(upload: Upload): Promise<Attachment> {
    const { enabled, maxBytes, types } = await this.#config.policy();
    if (!enabled) throw new ChatError('attachments_off', 'this chat takes no files');
    if (upload.declaredBytes !== undefined && upload.declaredBytes > maxBytes) {
      throw new ChatError('payload_too_large', `an attachment may have at most ${maxBytes} bytes`);
    }
    const id = randomBytes(16).toString('base64url');
    const expected = upload.declaredBytes ?? maxBytes;
    // Insert the row first: an upload in progress counts towards the quota, and no file exists without a row.
    const from = upload.clientIp === null ? null : this.#config.hashAddress(upload.clientIp);
    await this.#quota.reserve(id, { ...upload, from }, expected);
    try {
      const { size, head } = await this.#storage.write(id, upload.content, maxBytes, expected);
      if (size === 0) throw fieldError('body', 'must not be empty');
      const { detected, mime } = await sniff(head.subarray(0, SNIFF_BYTES), size <= SNIFF_BYTES);
      types.check(detected);
      const dimensions = imageSize(mime, head);
      const { width = null, height = null } = dimensions ?? {};
      await this.#database.kysely
        .updateTable('chat_attachment')
        .set({ mime, size, width, height })
        .where('id', '=', id)
        .execute();
      return { id, name: upload.name, mime, size, ...dimensions };
    } catch (error) {
      await this.#storage.remove(id);
      await this.#database.kysely.deleteFrom('chat_attachment').where('id', '=', id).execute();
      throw error;
    }
  }

  /** @throws ChatError 401 for a signature of another file or an expired one, 404 when the file is gone. */
  async open(id: string, signature: unknown): Promise<StoredAttachmentFile> {
    if (signature === undefined) throw new ChatError('missing_credentials', 'sig is missing');
    // If it is given twice it arrives as a list, which is not a signature.
    const verdict = this.#links.verify(id, typeof signature === 'string' ? signature : '');
    if (!verdict.ok) {
      throw verdict.reason === 'expired'
        ? new ChatError('token_expired', 'the link has expired')
        : new ChatError('bad_token', 'the link is not valid');
    }
    const row = await this.#database.kysely
      .selectFrom('chat_attachment')
      .select(['name', 'mime', 'size', 'storage_key'])
      .where('id', '=', id)
      .where('erased_at', 'is', null)
      .executeTakeFirst();
    const content = row === undefined ? undefined : await this.#storage.open(row.storage_key);
    if (row === undefined || content === undefined) throw new ChatError('not_found', 'no such attachment');
    return { name: row.name, mime: row.mime, size: row.size, content };
  }

  /** Every file that was sent in a chat, in order. */
  async *sent(sessionId: number): AsyncGenerator<SentFile> {
    for (let after = ''; ; ) {
      const rows = await this.#database.kysely
        .selectFrom('chat_attachment')
        .select(['id', 'name', 'storage_key'])
        .where('session_id', '=', sessionId)
        .where('event_id', 'is not', null)
        .where('erased_at', 'is', null)
        .where('id', '>', after)
        .orderBy('id')
        .limit(CLEANUP_BATCH)
        .execute();
      for (const { id, name, storage_key } of rows) {
        after = id;
        yield { id, name, open: () => this.#storage.open(storage_key) };
      }
      if (rows.length < CLEANUP_BATCH) return;
    }
  }

  /** Deletes all uploads that were never sent or never completed. Returns the number of the former. */
  async removeUnsent(now: Date = new Date()): Promise<number> {
    const before = new Date(now.getTime() - UNSENT_HOURS * 3_600_000);
    let removed = 0;
    for (;;) {
      const count = await this.#removeBatch(before);
      removed += count;
      if (count < CLEANUP_BATCH) break;
    }
    await this.#storage.removeLeftovers(before);
    return removed;
  }

  /**
   * Removes the bytes of erased files. The row goes last: it finds what is left half done. A file that cannot be
   * removed keeps its row and blocks nothing. `sessionId`: of this chat only.
   */
  async removeErased(hasTime: () => boolean = () => true, sessionId?: number): Promise<RemovedFiles> {
    const failures: unknown[] = [];
    let removed = 0;
    for (let after = ''; ; ) {
      const rows = await this.#database.kysely
        .selectFrom('chat_attachment')
        .select(['id', 'storage_key'])
        .where('erased_at', 'is not', null)
        .where('id', '>', after)
        .$if(sessionId !== undefined, (query) => query.where('session_id', '=', sessionId ?? 0))
        .orderBy('id')
        .limit(CLEANUP_BATCH)
        .execute();
      const ids: string[] = [];
      for (const { id, storage_key } of rows) {
        after = id;
        try {
          await this.#storage.remove(storage_key);
          ids.push(id);
        } catch (error) {
          failures.push(error);
        }
      }
      if (ids.length > 0) await this.#database.kysely.deleteFrom('chat_attachment').where('id', 'in', ids).execute();
      removed += ids.length;
      if (rows.length < CLEANUP_BATCH || !hasTime()) return { removed, failures };
    }
  }

  /** Delete the row first: a file without one cannot be read. */
  async #removeBatch(before: Date): Promise<number> {
    const expired = this.#database.kysely
      .selectFrom('chat_attachment')
      .select('id')
      .where('event_id', 'is', null)
      .where('created_at', '<', before)
      .limit(CLEANUP_BATCH);
    const gone = await this.#database.kysely
      .deleteFrom('chat_attachment')
      .where('id', 'in', expired)
      .where('event_id', 'is', null)
      .returning('storage_key')
      .execute();
    for (const { storage_key } of gone) await this.#storage.remove(storage_key);
    return gone.length;
  }
}
