import { createHash, randomUUID } from 'node:crypto';
import { mkdir, open, opendir, rename, rm, stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { ChatError } from '@chat-realtime/protocol';
import { IMAGE_HEAD_BYTES } from './image-size.ts';
import type { AttachmentStorage, StoredFile } from './storage.ts';

const PART = '.part';
/** On a small disk the minimum is this share of it. */
const FLOOR_SHARE = 0.1;
const ID_PATTERN = /^[A-Za-z0-9_-]{8,64}$/;

function errorCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

/** Names the error of a full disk; any other error stays as it is. */
function fullOr(error: unknown): unknown {
  const code = errorCode(error);
  if (code !== 'ENOSPC' && code !== 'EDQUOT') return error;
  return new ChatError('storage_full', 'no space left for attachments', { cause: error });
}

function toBuffer(chunk: unknown): Buffer {
  if (Buffer.isBuffer(chunk)) return chunk;
  if (chunk instanceof Uint8Array) return Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
  if (typeof chunk === 'string') return Buffer.from(chunk);
  throw new TypeError('an upload must be a stream of bytes');
}

async function entriesOf(folder: string): Promise<string[]> {
  try {
    const names: string[] = [];
    for await (const entry of await opendir(folder)) names.push(entry.name);
    return names;
  } catch (error) {
    if (errorCode(error) === 'ENOENT' || errorCode(error) === 'ENOTDIR') return [];
    throw error;
  }
}

export interface DiskSpace {
  readonly free: number;
  readonly floor: number;
}

/**
 * Files in `<folder>/<first two characters of the id>/<id>`, each written under a temporary name and renamed when
 * complete.
 */
export class DiskStorage implements AttachmentStorage {
  readonly #folder: string;
  readonly #minFreeBytes: number;
  /** Sizes announced by uploads in progress: two of them must not be promised the same space. */
  #expected = 0;

  /** `minFreeBytes`: space left free for the database and other programs; 0 = all may be used. */
  constructor(folder: string, minFreeBytes = 0) {
    this.#folder = folder;
    this.#minFreeBytes = minFreeBytes;
  }

  async write(id: string, content: Readable, maxBytes: number, expectedBytes = maxBytes): Promise<StoredFile> {
    const expected = Math.min(expectedBytes, maxBytes);
    await this.#promiseRoom(id, expected);
    try {
      return await this.#write(id, content, maxBytes);
    } finally {
      this.#expected -= expected;
    }
  }

  async removeLeftovers(before: Date): Promise<number> {
    let removed = 0;
    for (const folder of await entriesOf(this.#folder)) {
      for (const name of await entriesOf(join(this.#folder, folder))) {
        if (!name.endsWith(PART)) continue;
        const path = join(this.#folder, folder, name);
        // Already gone: its upload has ended.
        const found = await stat(path).catch(() => undefined);
        if (found === undefined || found.mtime >= before) continue;
        await rm(path, { force: true });
        removed += 1;
      }
    }
    return removed;
  }

  /** The free space on the disk, and the limit below which uploads are refused. */
  async space(): Promise<DiskSpace> {
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    return this.#spaceOf(this.#folder);
  }

  async #spaceOf(folder: string): Promise<DiskSpace> {
    const { bavail, blocks, bsize } = await statfs(folder);
    return { free: bavail * bsize, floor: Math.min(this.#minFreeBytes, blocks * bsize * FLOOR_SHARE) };
  }

  async #promiseRoom(id: string, bytes: number): Promise<void> {
    if (this.#minFreeBytes > 0) {
      const { free, floor } = await this.#spaceOf(await this.#folderOf(id));
      if (free - this.#expected - bytes < floor)
        throw new ChatError('storage_full', 'too little space is left for attachments');
    }
    this.#expected += bytes;
  }

  async #folderOf(id: string): Promise<string> {
    const folder = join(this.#path(id), '..');
    try {
      await mkdir(folder, { recursive: true, mode: 0o700 });
    } catch (error) {
      throw fullOr(error);
    }
    return folder;
  }

  async #write(id: string, content: Readable, maxBytes: number): Promise<StoredFile> {
    const target = this.#path(id);
    const partial = `${target}.${randomUUID()}${PART}`;
    try {
      await this.#folderOf(id);
      const stored = await this.#copy(content, partial, maxBytes);
      await rename(partial, target);
      return stored;
    } catch (error) {
      await rm(partial, { force: true });
      throw fullOr(error);
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
      // The row that names the file is committed durably afterwards, so the file must be durable too.
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
