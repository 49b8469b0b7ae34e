import { fileURLToPath } from 'node:url';
import { type AppProcess, startProcess } from '@chat-realtime/testkit';

export const root = fileURLToPath(new URL('../..', import.meta.url));

/** What `npm run stack -- --json` prints when all its parts run. */
export interface StackReport {
  url: string;
  password: string;
  logins: string[];
  addresses: { auth: string; chat: string; dispatcher: string; gateways: string[] };
  redis: { admin: string };
  parts: { name: string; port: number; pid: number; running: boolean }[];
}

/** Runs `npm run stack`, as the child of `wrap` where that is given (a program and its arguments, which start it). */
export async function startStackCommand(wrap: string[] = []): Promise<{ command: AppProcess; report: StackReport }> {
  const [program = process.execPath, ...first] = wrap;
  const args = wrap.length === 0 ? ['scripts/stack.mjs', '--json'] : first;
  const command = await startProcess({
    name: 'npm run stack',
    command: program,
    args,
    cwd: root,
    env: { OPERATOR_PASSWORD: 'a password of my own' },
    ready: /^\{"url"/,
    readyTimeoutMs: 90_000,
  });
  const line = command.output().match(/^\{"url".*$/m)?.[0] ?? '';
  return { command, report: JSON.parse(line) as StackReport };
}
