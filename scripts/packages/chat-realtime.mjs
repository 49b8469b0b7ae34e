#!/usr/bin/env node
// `npx chat-realtime [start] [--empty|--reset]`, `npx chat-realtime admin …`. Runs on the system's Node from 20 on; the
// chat itself runs on the Node that comes with it, or on this one from 22 on. Data lies in ./data, or in DATA_DIR.
import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const require = createRequire(import.meta.url);

function ownNode() {
  try {
    const folder = dirname(require.resolve(`node-${process.platform}-${process.arch}/package.json`));
    return join(folder, 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
  } catch {
    // None for this system, or left out when it was installed.
    if (Number(process.versions.node.split('.')[0]) >= 22) return process.execPath;
    console.error(`chat-realtime needs Node 22 or later here; this is ${process.version}`);
    process.exit(1);
  }
}

const [command, ...rest] = process.argv.slice(2);
const isAdmin = command === 'admin';
const main = fileURLToPath(new URL(`apps/standalone/dist/${isAdmin ? 'admin/' : ''}main.js`, import.meta.url));
const args = isAdmin || command === 'start' ? rest : process.argv.slice(2);
// As `npm start` does it: Node would let short-lived objects take 100 MB before it collects them.
const child = spawn(ownNode(), ['--max-semi-space-size=16', main, ...args], { stdio: 'inherit' });
// Whoever ends this process alone means the chat. A terminal sends Ctrl+C to both: the chat takes the two as one.
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal));
child.once('error', (error) => {
  console.error(`chat-realtime: ${error.message}`);
  process.exitCode = 1;
});
child.once('exit', (code, signal) => {
  process.exitCode = code ?? (signal === 'SIGINT' ? 130 : 143);
});
