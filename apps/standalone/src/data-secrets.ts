import { randomBytes } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

export const CHAT_TOKEN_SECRETS_FILE = 'chat-token-secrets';

/**
 * The secrets of channel tokens for a start without `CHAT_TOKEN_SECRETS`: made once and kept in the data folder, readable
 * by its owner alone, or every restart would end all customers' tokens.
 */
export async function loadChatTokenSecrets(dataDir: string): Promise<string> {
  const file = join(dataDir, CHAT_TOKEN_SECRETS_FILE);
  await mkdir(dataDir, { recursive: true });
  const kept = await readIfThere(file);
  if (kept !== undefined) return kept;
  const secrets = `k1:${randomBytes(32).toString('base64url')}`;
  const draft = `${file}.new`;
  await writeFile(draft, `${secrets}\n`, { mode: 0o600, flush: true });
  await rename(draft, file);
  return secrets;
}

async function readIfThere(file: string): Promise<string | undefined> {
  try {
    const text = (await readFile(file, 'utf8')).trim();
    return text === '' ? undefined : text;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}
