import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { guardFolder } from './guard.ts';

/** A private folder that disappears with this process. */
export function tempFolder(name: string): string {
  const folder = mkdtempSync(join(tmpdir(), `chat-${name}-`));
  guardFolder(folder);
  return folder;
}
