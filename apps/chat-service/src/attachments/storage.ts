import type { Readable } from 'node:stream';

export interface StoredFile {
  readonly size: number;
  /** The first bytes, enough to tell type and dimensions. */
  readonly head: Buffer;
  /** Lower-case hex SHA-256 of the content. */
  readonly sha256: string;
}

/** The storage of the attachments' bytes. Ids are made by the caller and contain only `[A-Za-z0-9_-]`. */
export interface AttachmentStorage {
  /**
   * Streams a file in; nothing of it stays when the promise rejects.
   * `expectedBytes`: as announced; room for so much must be there beside the floor of free space.
   * @throws ChatError `payload_too_large` past `maxBytes`, `storage_full` when there is no room.
   */
  write(id: string, content: Readable, maxBytes: number, expectedBytes?: number): Promise<StoredFile>;
  /** Undefined when there is no such file. */
  open(id: string): Promise<Readable | undefined>;
  /** No error when it is already gone. */
  remove(id: string): Promise<void>;
  /** Removes what a process that died left half written; answers how many files. */
  removeLeftovers(before: Date): Promise<number>;
}
