import { randomFillSync } from 'node:crypto';
import { open, rm, stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';

export const RESERVE_FILE = 'reserve-for-a-full-disk';
const RESERVE_BYTES = 48 * 1024 * 1024;
const PIECE_BYTES = 1024 * 1024;

/**
 * Reserved disk space that can be released: a database that was killed on a full disk must write before it can start,
 * and without it nobody could read stored data or delete anything.
 */
export class DiskReserve {
  readonly #folder: string;
  readonly #bytes: number;
  #released = false;

  constructor(folder: string, bytes = RESERVE_BYTES) {
    this.#folder = folder;
    this.#bytes = bytes;
  }

  get #file(): string {
    return join(this.#folder, RESERVE_FILE);
  }

  /** Before the database opens. True when the disk is so full that the room had to be given back. */
  async release(): Promise<boolean> {
    if ((await this.#free()) >= this.#bytes || (await this.#held()) === 0) return false;
    await rm(this.#file, { force: true });
    this.#released = true;
    return true;
  }

  /** When it is open: reserves the space again, as far as possible, before anybody fills it. */
  async take(): Promise<void> {
    if ((await this.#held()) >= this.#bytes) return;
    if (!this.#released && (await this.#free()) < 2 * this.#bytes) return;
    const file = await open(this.#file, 'w', 0o600);
    try {
      // Not zeros, which some file systems store in no room at all.
      const piece = randomFillSync(Buffer.alloc(PIECE_BYTES));
      for (let written = 0; written < this.#bytes; written += piece.length) {
        if (!(await fits(file.appendFile(piece)))) break;
      }
    } finally {
      await file.close();
    }
  }

  async #held(): Promise<number> {
    try {
      return (await stat(this.#file)).size;
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return 0;
      throw error;
    }
  }

  async #free(): Promise<number> {
    const { bavail, bsize } = await statfs(this.#folder);
    return bavail * bsize;
  }
}

async function fits(writing: Promise<void>): Promise<boolean> {
  try {
    await writing;
    return true;
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'ENOSPC' || code === 'EDQUOT') return false;
    throw error;
  }
}
