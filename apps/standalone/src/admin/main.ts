/**
 * `npm run admin -- <command> [--json]`. The database is that of the services: `DATABASE_DIRECT_URL` or `DATABASE_URL`,
 * else the embedded one in `DATA_DIR`, whether the chat runs or not.
 */
import { createInterface } from 'node:readline';
import { AdminUsageError } from './command.ts';
import { runAdmin } from './run.ts';

async function readSecret(prompt: string): Promise<string> {
  if (process.stdin.isTTY) process.stderr.write(`${prompt}: `);
  const lines = createInterface({ input: process.stdin });
  for await (const line of lines) {
    lines.close();
    return line;
  }
  throw new AdminUsageError(`nothing on standard input: ${prompt}`);
}

process.exitCode = await runAdmin(process.argv.slice(2), {
  env: process.env,
  write: (text) => void process.stdout.write(text),
  writeError: (text) => void process.stderr.write(text),
  readSecret,
});
