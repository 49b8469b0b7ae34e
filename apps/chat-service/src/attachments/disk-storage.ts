import { createHash, randomUUID } from 'node:crypto';
import { mkdir, open, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { ChatError } from '@chat-realtime/protocol';
import { IMAGE_HEAD_BYTES } from './image-size.ts';
import type { AttachmentStorage, StoredFile } from './storage.ts';

const ID_PATTERN = /^[A-Za-z0-9_-]{8,64}$/;

function errorCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

function toBuffer(chunk: unknown): Buffer {
  if (Buffer.isBuffer(chunk)) return chunk;
  if (chunk instanceof Uint8Array) return Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
  if (typeof chunk === 'string') return Buffer.from(chunk);
  throw new TypeError('an upload must be a stream of bytes');
}

/** Files in `<folder>/<first two characters of the id>/<id>`, each written aside and renamed when whole. */
export class DiskStorage implements AttachmentStorage {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  async write(id: string, content: Readable, maxBytes: number): Promise<StoredFile> {
    const target = this.#path(id);
    const partial = `${target}.${randomUUID()}.part`;
    try {
      await mkdir(join(target, '..'), { recursive: true, mode: 0o700 });
      const stored = await this.#copy(content, partial, maxBytes);
      await rename(partial, target);
      return stored;
    } catch (error) {
      await rm(partial, { force: true });
      const code = errorCode(error);
      if (code === 'ENOSPC' || code === 'EDQUOT')
        throw new ChatError('storage_full', 'no space left for attachments', { cause: error });
      throw error;
    }
  }

  async #copy(content: Readable, path: string, maxBytes: number): Promise<StoredFile> {
    const file = await open(path, 'wx', 0o600);
    try {
      const hash = createHash('sha256');
      const head: Buffer[] = [];
      let headBytes = 0;
      let size = 0;
      // Stopping early must not destroy the request: its answer still has to go out on the same socket.
      for await (const part of content.iterator({ destroyOnReturn: false })) {
        const chunk = toBuffer(part);
        size += chunk.length;
        if (size > maxBytes)
          throw new ChatError('payload_too_large', `an attachment may have at most ${maxBytes} bytes`);
        if (headBytes < IMAGE_HEAD_BYTES) {
          // Copied: the stream may reuse its chunk.
          const piece = Buffer.from(chunk.subarray(0, IMAGE_HEAD_BYTES - headBytes));
          head.push(piece);
          headBytes += piece.length;
        }
        hash.update(chunk);
        await file.writeFile(chunk);
      }
      // The row that names the file is committed durably afterwards, so the file must not be the weaker of the two.
      await file.sync();
      return { size, head: Buffer.concat(head), sha256: hash.digest('hex') };
    } finally {
      await file.close();
    }
  }

  async open(id: string): Promise<Readable | undefined> {
    try {
      const file = await open(this.#path(id), 'r');
      return file.createReadStream();
    } catch (error) {
      if (errorCode(error) === 'ENOENT') return undefined;
      throw error;
    }
  }

  async remove(id: string): Promise<void> {
    await rm(this.#path(id), { force: true });
  }

  #path(id: string): string {
    if (!ID_PATTERN.test(id)) throw new ChatError('not_found', 'no such attachment');
    return join(this.#folder, id.slice(0, 2), id);
  }
}
