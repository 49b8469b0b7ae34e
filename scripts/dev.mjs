// `npm run dev`: the chat with everything built again as it is saved. Services restart when their code changed, the
// widget and the shop want a reload of the page, and the console is served by Vite on a port of its own, with hot
// modules. `npm run dev -- --inspect` opens Node's inspector in the service process.
import { spawn } from 'node:child_process';
import { watch } from 'node:fs';
import { join } from 'node:path';
import { build } from './lib/build.mjs';
import { projectNode } from './lib/packages.mjs';
import { root } from './lib/root.mjs';

const SOURCES = ['libs', 'apps', 'clients'];
const CHAT = { host: '127.0.0.1', port: process.env.PORT ?? '8080' };
const CONSOLE_PORT = 5173;
const address = `http://${CHAT.host}:${CHAT.port}`;

let server;
function start() {
  const inspect = process.argv.includes('--inspect') ? ['--inspect'] : [];
  server = spawn(
    projectNode(),
    [...inspect, '--enable-source-maps', '--max-semi-space-size=16', 'apps/standalone/dist/main.js'],
    {
      cwd: root,
      stdio: 'inherit',
      env: { ...process.env, PORT: CHAT.port },
    },
  );
}
function stop() {
  const ended = server;
  if (ended.exitCode !== null || ended.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => {
    ended.once('exit', resolve);
    ended.kill('SIGTERM');
  });
}

/** Saved while a build runs: built again after it. */
const changed = new Set();
let building = false;
async function rebuild() {
  if (building) return;
  building = true;
  while (changed.size > 0) {
    const files = [...changed];
    changed.clear();
    try {
      await build();
      if (files.some((file) => !file.startsWith('clients/'))) {
        console.log(`dev: ${files[0]} changed, the services start again`);
        await stop();
        start();
      } else console.log(`dev: ${files[0]} changed, reload the page`);
    } catch (error) {
      // Said, and tried again with the next change: what runs goes on running.
      console.error((error.output ?? error.message).trim());
    }
  }
  building = false;
}

async function serveConsole() {
  const { createServer } = await import('vite');
  const proxy = Object.fromEntries(
    ['/auth', '/chat', '/channel', '/widget', '/operator/sign-in.json'].map((path) => [
      path,
      { target: address, ws: true },
    ]),
  );
  const vite = await createServer({
    configFile: join(root, 'clients/operator-console/vite.config.ts'),
    server: { port: CONSOLE_PORT, host: CHAT.host, proxy },
    logLevel: 'warn',
  });
  await vite.listen();
  const [local] = vite.resolvedUrls.local;
  console.log(`dev: the console with hot modules: ${local}`);
  return vite;
}

await build();
start();
const vite = await serveConsole();
let timer;
for (const folder of SOURCES)
  watch(join(root, folder), { recursive: true }, (_, name) => {
    if (name === null || !/\.(?:ts|tsx|css|sql|html)$/.test(name) || /\/(?:dist|node_modules)\//.test(name)) return;
    if (/\.test\.tsx?$/.test(name)) return;
    changed.add(join(folder, name));
    clearTimeout(timer);
    timer = setTimeout(rebuild, 100);
  });
// One Ctrl+C comes twice, from the terminal and from npm: not `once`, or the second would end this before the chat.
let ending = false;
for (const signal of ['SIGINT', 'SIGTERM'])
  process.on(signal, async () => {
    if (ending) return;
    ending = true;
    await Promise.all([stop(), vite.close()]);
    process.exit();
  });
