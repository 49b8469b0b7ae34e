import { constants, copyFile, mkdir, readdir, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';

const FOLDER = 'attachments';
const SHARD = 2;

/** The folder of uploads: `<id>` in a folder named by its first two characters. */
export function attachmentsFolder(env: Readonly<Record<string, string | undefined>>): string {
  return join(resolve(env['DATA_DIR'] || './data'), FOLDER);
}

export const attachmentsOf = (backup: string): string => join(backup, FOLDER);

async function sizeOf(path: string): Promise<number | null> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR')) return null;
    throw error;
  }
}

export interface CopiedFiles {
  copied: number;
  /** Were there already, of the same size: a file is never changed under its name. */
  kept: number;
  /** Named by the database and not on the disk. */
  missing: number;
}

export async function copyFiles(
  from: string,
  to: string,
  ids: readonly string[],
  progress: (line: string) => void,
): Promise<CopiedFiles> {
  const done: CopiedFiles = { copied: 0, kept: 0, missing: 0 };
  for (const id of ids) {
    const place = join(id.slice(0, SHARD), id);
    const size = await sizeOf(join(from, place));
    if (size === null) done.missing += 1;
    else if (size === (await sizeOf(join(to, place)))) done.kept += 1;
    else {
      await mkdir(dirname(join(to, place)), { recursive: true, mode: 0o700 });
      await copyFile(join(from, place), join(to, place), constants.COPYFILE_FICLONE);
      done.copied += 1;
      if (done.copied % 100 === 0) progress(`  ${done.copied} of ${ids.length} files`);
    }
  }
  return done;
}

/** Every file that lies in a backup. */
export async function filesIn(backup: string): Promise<string[]> {
  if ((await sizeOf(attachmentsOf(backup))) === null) return [];
  const entries = await readdir(attachmentsOf(backup), { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map(({ name }) => name);
}
