// Run by full-disk.long.test.ts inside a mount namespace of its own, on a small file system: main.js, its folder, a free port.
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

const [main, folder, port] = process.argv.slice(2);
const base = `http://127.0.0.1:${port}`;

async function start() {
  const env = { PATH: process.env.PATH, DATA_DIR: join(folder, 'data'), PORT: port, LOG_LEVEL: 'error' };
  const child = spawn(process.execPath, [main], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  let output = '';
  child.stdout.on('data', (part) => {
    output += part;
  });
  const deadline = Date.now() + 60_000;
  while (!output.includes('is running') && child.exitCode === null && Date.now() < deadline) await pause(50);
  return { running: output.includes('is running'), kill: () => (child.kill('SIGKILL'), ended) };
}

async function begin() {
  const body = JSON.stringify({ message: { body: 'x'.repeat(8_000), client_message_id: randomUUID() } });
  const headers = { 'content-type': 'application/json' };
  return (await fetch(`${base}/chat/session`, { method: 'POST', headers, body })).status;
}

async function fill() {
  const file = await open(join(folder, 'somebody-else'), 'a');
  const piece = Buffer.alloc(64 * 1024);
  try {
    for (;;) await file.appendFile(piece);
  } catch (error) {
    if (error.code !== 'ENOSPC') throw error;
  } finally {
    await file.close();
  }
}

const seen = { before: 0, full: 0, starts: [], ready: [], after: 0 };
let chat = await start();
seen.before = await begin();
await fill();
for (let tries = 0; tries < 20 && seen.full !== 507; tries += 1) seen.full = await begin();
// More than once: what lets it start must be there again for the next time.
for (let time = 0; time < 2; time += 1) {
  await chat.kill();
  chat = await start();
  seen.starts.push(chat.running);
  seen.ready.push((await fetch(`${base}/readyz`).catch(() => ({ status: 0 }))).status);
}
await rm(join(folder, 'somebody-else'));
for (let tries = 0; tries < 20 && seen.after !== 201; tries += 1) seen.after = await begin().catch(() => 0);
await chat.kill();
process.stdout.write(JSON.stringify(seen));
