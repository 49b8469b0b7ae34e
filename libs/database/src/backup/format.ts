import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { createGunzip } from 'node:zlib';
import { z } from 'zod';

/** The file of a backup in its folder: gzip over lines of JSON. */
export const BACKUP_FILE = 'database.ndjson.gz';
export const BACKUP_FORMAT = 'chat-realtime-backup';
const BACKUP_VERSION = 1;

/** What can be said about a backup in words: it cannot be made, or cannot be brought back. */
export class BackupError extends Error {
  override readonly name = 'BackupError';
  readonly code = 'backup';
}

export const headerSchema = z.object({
  format: z.literal(BACKUP_FORMAT),
  version: z.literal(BACKUP_VERSION),
  created_at: z.string(),
  epoch: z.string().nullable(),
  migrations: z.array(z.object({ name: z.string(), checksum: z.string() })),
});
export type BackupHeader = z.infer<typeof headerSchema>;

const columnSchema = z.object({ name: z.string(), type: z.string() });
const lineSchema = z.union([
  /** Rows of this table follow: arrays of texts, as PostgreSQL writes its types. */
  z.object({ table: z.string(), columns: z.array(columnSchema) }),
  z.object({ sequence: z.string(), last: z.string() }),
  z.object({ end: z.record(z.string(), z.int()) }),
]);
export type BackupLine =
  | { readonly kind: 'table'; readonly table: string; readonly columns: z.infer<typeof columnSchema>[] }
  | { readonly kind: 'row'; readonly text: string }
  | { readonly kind: 'sequence'; readonly name: string; readonly last: string }
  | { readonly kind: 'end'; readonly rows: Readonly<Record<string, number>> };

export function newHeader(epoch: string | null, migrations: BackupHeader['migrations']): BackupHeader {
  return { format: BACKUP_FORMAT, version: BACKUP_VERSION, created_at: new Date().toISOString(), epoch, migrations };
}

function parseLine(text: string): BackupLine {
  if (text.startsWith('[')) return { kind: 'row', text };
  const line = lineSchema.parse(JSON.parse(text));
  if ('table' in line) return { kind: 'table', ...line };
  if ('sequence' in line) return { kind: 'sequence', name: line.sequence, last: line.last };
  return { kind: 'end', rows: line.end };
}

/**
 * Reads a backup from its first to its last line, a line at a time in memory.
 * @throws BackupError when it is none, was damaged, or ends early.
 */
export async function* readBackup(path: string): AsyncGenerator<BackupHeader | BackupLine> {
  const unzipped = createReadStream(path)
    .on('error', (error) => unzipped.destroy(error))
    .pipe(createGunzip());
  let last: BackupLine | undefined;
  let first = true;
  try {
    for await (const text of createInterface({ input: unzipped, crlfDelay: Infinity })) {
      if (first) {
        first = false;
        yield headerSchema.parse(JSON.parse(text));
        continue;
      }
      last = parseLine(text);
      yield last;
    }
  } catch (error) {
    if (error instanceof BackupError) throw error;
    const why = error instanceof Error ? error.message.split('\n', 1)[0] : String(error);
    throw new BackupError(`${path} is no whole backup: ${why}`, { cause: error });
  }
  if (last?.kind !== 'end') throw new BackupError(`${path} ends before its last line: it is not whole`);
}
