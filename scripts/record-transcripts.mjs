// Starts the standalone on a free port with an empty folder and records docs/protocol/transcripts/. Needs `npm run build`.
// Secrets are replaced by names. `node scripts/record-transcripts.mjs [name …]` records only these.
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { projectNode } from './lib/packages.mjs';
import { root } from './lib/root.mjs';
import { Http, Redactor, Transcript, until } from './transcripts/recorder.mjs';
import { SCENARIOS } from './transcripts/scenarios.mjs';

const START_MS = 60_000;

function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

/** Without a demo, whose chats would stand in every list. Answers the key of the link for the first administrator too. */
async function startStandalone(port, folder) {
  const env = {
    ...process.env,
    PORT: String(port),
    DATA_DIR: folder,
    DEMO: 'off',
    LOG_LEVEL: 'warn',
  };
  const child = spawn(projectNode(), [join(root, 'apps/standalone/dist/main.js')], {
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let said = '';
  child.stdout.setEncoding('utf8').on('data', (part) => (said += part));
  const deadline = Date.now() + START_MS;
  for (;;) {
    if (child.exitCode !== null) throw new Error(`standalone ended with ${child.exitCode}`);
    const key = /#invite=(\S+)/.exec(said)?.[1];
    if (key !== undefined && said.includes('Stop with')) return { child, key };
    if (Date.now() > deadline) throw new Error('standalone did not become ready');
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !(name in SCENARIOS));
if (unknown.length > 0)
  throw new Error(`unknown: ${unknown.join(', ')}; there are: ${Object.keys(SCENARIOS).join(', ')}`);

const folder = mkdtempSync(join(tmpdir(), 'chat-transcripts-'));
const port = await freePort();
const password = randomBytes(12).toString('base64url');
const { child, key } = await startStandalone(port, folder);
try {
  const http = new Http(`http://127.0.0.1:${port}`);
  const redactor = new Redactor();
  const account = { key, login: 'anna', name: 'Анна', password };
  await http.expect(200, 'POST', '/auth/invite/accept', { json: account });
  const login = await http.expect(200, 'POST', '/auth/login', { json: { login: 'anna', password } });
  redactor.secret(login.access_token, 'staff access token');
  const chat = { http, redactor, staff: { token: login.access_token }, stop: () => child.kill('SIGTERM') };
  const target = join(root, 'docs/protocol/transcripts');
  mkdirSync(target, { recursive: true });
  for (const [name, scenario] of Object.entries(SCENARIOS)) {
    if (wanted.length > 0 && !wanted.includes(name)) continue;
    const transcript = new Transcript(redactor);
    await scenario(chat, transcript);
    writeFileSync(join(target, `${name}.txt`), transcript.toString());
    console.log(`${name}.txt`);
  }
} finally {
  if (child.exitCode === null) child.kill('SIGTERM');
  await until(() => child.exitCode !== null || child.signalCode !== null, 'standalone to end');
  rmSync(folder, { recursive: true, force: true });
}
