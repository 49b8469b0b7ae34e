import { randomBytes } from 'node:crypto';
import type { Readable } from 'node:stream';
import type { Database } from '@chat-realtime/database';
import { type Attachment, ChatError } from '@chat-realtime/protocol';
import { fieldError } from '../field-error.ts';
import { imageSize } from './image-size.ts';
import type { AttachmentLinks } from './links.ts';
import { SNIFF_BYTES, sniffMime } from './sniff.ts';
import type { AttachmentStorage } from './storage.ts';

export interface AttachmentsConfig {
  readonly maxBytes: number;
}

export interface Upload {
  readonly sessionId: number;
  /** `client` or `staff:<user id>`: only he may send it. */
  readonly participant: string;
  readonly name: string;
  readonly content: Readable;
  /** As the request says, if it does. */
  readonly declaredBytes: number | undefined;
}

export interface StoredAttachmentFile {
  readonly name: string;
  readonly mime: string;
  readonly size: number;
  readonly content: Readable;
}

/** Uploads that nobody sent within this time are thrown away. */
const UNSENT_HOURS = 24;
const CLEANUP_BATCH = 100;

/** Files of the chat: taken in, checked by their content, given out again by signed address. */
export class Attachments {
  readonly #database: Database;
  readonly #storage: AttachmentStorage;
  readonly #links: AttachmentLinks;
  readonly #config: AttachmentsConfig;

  constructor(database: Database, storage: AttachmentStorage, links: AttachmentLinks, config: AttachmentsConfig) {
    this.#database = database;
    this.#storage = storage;
    this.#links = links;
    this.#config = config;
  }

  async upload(upload: Upload): Promise<Attachment> {
    const { maxBytes } = this.#config;
    if (upload.declaredBytes !== undefined && upload.declaredBytes > maxBytes) {
      throw new ChatError('payload_too_large', `an attachment may have at most ${maxBytes} bytes`);
    }
    const id = randomBytes(16).toString('base64url');
    const { size, head } = await this.#storage.write(id, upload.content, maxBytes);
    try {
      if (size === 0) throw fieldError('body', 'must not be empty');
      const mime = sniffMime(head.subarray(0, SNIFF_BYTES), size <= SNIFF_BYTES);
      if (mime === undefined) throw new ChatError('unsupported_media_type', 'files of this type are not accepted');
      const dimensions = imageSize(mime, head);
      const { width = null, height = null } = dimensions ?? {};
      await this.#database.kysely
        .insertInto('chat_attachment')
        .values({
          id,
          session_id: upload.sessionId,
          uploaded_by: upload.participant,
          name: upload.name,
          mime,
          size,
          width,
          height,
          storage_key: id,
        })
        .execute();
      return { id, name: upload.name, mime, size, ...dimensions };
    } catch (error) {
      await this.#storage.remove(id);
      throw error;
    }
  }

  /** @throws ChatError 401 for a signature that is not of this file or has ended, 404 when the file is gone. */
  async open(id: string, signature: unknown): Promise<StoredAttachmentFile> {
    if (signature === undefined) throw new ChatError('missing_credentials', 'sig is missing');
    // Given twice it arrives as a list, which is no signature.
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
      .executeTakeFirst();
    const content = row === undefined ? undefined : await this.#storage.open(row.storage_key);
    if (row === undefined || content === undefined) throw new ChatError('not_found', 'no such attachment');
    return { name: row.name, mime: row.mime, size: row.size, content };
  }

  /** Removes uploads that were never sent; answers how many. The row goes first: a file without one cannot be read. */
  async removeUnsent(now: Date = new Date()): Promise<number> {
    const before = new Date(now.getTime() - UNSENT_HOURS * 3_600_000);
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
