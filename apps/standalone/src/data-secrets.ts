import { randomBytes } from 'node:crypto';
import { chmod, mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';

const secretsSchema = z.object({
  chat_token_secrets: z.string(),
  attachment_secret: z.string(),
  operator_password: z.string(),
});

/** What a first start makes up and every later start must find again: else all tokens and logins would die with a restart. */
export type DataSecrets = z.infer<typeof secretsSchema>;

const FILE_NAME = 'secrets.json';
/** Without letters and digits that look alike: a person types it from a terminal. */
const PASSWORD_ALPHABET = 'abcdefghjkmnpqrstuvwxyz23456789';
const PASSWORD_LENGTH = 12;

function generatePassword(): string {
  const limit = 256 - (256 % PASSWORD_ALPHABET.length);
  let password = '';
  while (password.length < PASSWORD_LENGTH) {
    const [byte] = randomBytes(1);
    if (byte !== undefined && byte < limit) password += PASSWORD_ALPHABET[byte % PASSWORD_ALPHABET.length];
  }
  return password;
}

function generateSecrets(): DataSecrets {
  return {
    chat_token_secrets: `k1:${randomBytes(32).toString('base64url')}`,
    attachment_secret: randomBytes(32).toString('base64url'),
    operator_password: generatePassword(),
  };
}

/** Reads the data folder's secrets, or makes and keeps them (readable by the owner alone). */
export async function loadDataSecrets(dataDir: string): Promise<DataSecrets> {
  const path = join(dataDir, FILE_NAME);
  await mkdir(dataDir, { recursive: true });
  try {
    return secretsSchema.parse(JSON.parse(await readFile(path, 'utf8')));
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) {
      throw new Error(`${path} cannot be read; restore it, or begin anew with --reset`, { cause: error });
    }
  }
  const secrets = generateSecrets();
  const draft = `${path}.new`;
  await writeFile(draft, `${JSON.stringify(secrets, null, 2)}\n`, { mode: 0o600, flush: true });
  await chmod(draft, 0o600);
  await rename(draft, path);
  return secrets;
}
