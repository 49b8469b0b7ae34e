import type { Readable } from 'node:stream';

export interface StoredFile {
  readonly size: number;
  /** The first bytes, enough to tell type and dimensions. */
  readonly head: Buffer;
  /** Lower-case hex SHA-256 of the content. */
  readonly sha256: string;
}

/** Where the bytes of attachments lie. Ids are made by the caller and hold only `[A-Za-z0-9_-]`. */
export interface AttachmentStorage {
  /**
   * Streams a file in; nothing of it stays when the promise rejects.
   * @throws ChatError `payload_too_large` past `maxBytes`, `storage_full` when there is no room.
   */
  write(id: string, content: Readable, maxBytes: number): Promise<StoredFile>;
  /** Undefined when there is no such file. */
  open(id: string): Promise<Readable | undefined>;
  /** No error when it is already gone. */
  remove(id: string): Promise<void>;
}
