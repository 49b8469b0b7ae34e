import { open, realpath } from 'node:fs/promises';
import { sep } from 'node:path';
import type { Readable } from 'node:stream';
import { TelegramFailure } from './failures.ts';

/** A file that somebody sent. */
export interface DownloadedFile {
  readonly content: Readable;
  readonly size: number | undefined;
  /** Why it ended before its end, where it did. */
  readonly broke?: () => TelegramFailure | undefined;
}

/**
 * A Bot API server started with `--local` returns the path of a file on its own disk. It keeps the files of each bot in
 * a folder named after the token: nothing outside that folder is opened, whatever such a server answers.
 */
export async function openLocalFile(path: string, token: string): Promise<DownloadedFile> {
  try {
    const real = await realpath(path);
    if (!real.split(sep).includes(token)) throw new TelegramFailure('refused', 'file: not in the folder of this bot');
    const file = await open(real, 'r');
    const { size } = await file.stat();
    return { content: file.createReadStream(), size };
  } catch (error) {
    if (error instanceof TelegramFailure) throw error;
    // Its text has the path, and the path the token.
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
    throw new TelegramFailure('refused', `file: cannot be read from the disk of the Bot API server (${code})`);
  }
}
