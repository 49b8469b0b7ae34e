// `npm run stack`: the distributed form on this machine, from installed servers, on private ports and folders.
// Everything it starts ends with it, however it ends; a part that ends by itself is started again, as by its supervisor.
// `--json` prints one line with all addresses, for programs.
import { createWriteStream, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { startStack, tempFolder } from '@chat-realtime/testkit';
import { stackSettings } from './lib/stack-settings.mjs';

const json = process.argv.includes('--json');
const say = (line) => {
  if (!json) console.log(line);
};

function isFree(port) {
  return new Promise((resolve) => {
    const probe = createServer().once('error', () => resolve(false));
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)));
  });
}

async function publicPort() {
  if (process.env.PORT) return Number(process.env.PORT);
  for (let port = 8080; port < 8180; port += 1) if (await isFree(port)) return port;
  throw new Error('no free port between 8080 and 8179; set PORT');
}

const LOOK_EVERY_MS = 500;
const folder = tempFolder('stack');

/** Whole, one file for each service. */
const logs = new Map();
function keepLine(service, line) {
  const log = logs.get(service) ?? createWriteStream(join(folder, `${service}.log`), { flags: 'a' });
  logs.set(service, log);
  log.write(`${line}\n`);
  showProblem(service, line);
}

/** What the commands of the runbook ask for, to be read by another shell: no secret has to be typed. */
function writeSettings({ url, password, env, postgres, rabbit, addresses }) {
  const { INTERNAL_API_KEY } = env;
  const settings = {
    CHAT: url,
    OPERATOR_PASSWORD: password,
    DATABASE_URL: postgres.url,
    RABBITMQ_URL: rabbit.url,
    INTERNAL_API_KEY,
    TRACE_PEERS: [addresses.chat, addresses.dispatcher, ...addresses.gateways].join(),
    LOGS: folder,
  };
  const file = join(folder, 'settings.sh');
  const quoted = (value) => `'${value.replaceAll("'", "'\\''")}'`;
  const lines = Object.entries(settings).map(([name, value]) => `export ${name}=${quoted(value)}\n`);
  writeFileSync(file, lines.join(''), { mode: 0o600 });
  return file;
}

/** Starts again what has ended, until `stopping` says so. */
function supervise({ auth, chat, dispatcher, gateways, telegram, nginx, postgres, rabbit, redis }, stopping) {
  const parts = { nginx, postgres, rabbitmq: rabbit, redis };
  for (const app of [auth, chat, dispatcher, telegram, ...gateways]) if (app !== null) parts[app.name] = app;
  const starting = new Set();
  const look = async (name, part) => {
    if (part.running || starting.has(name) || stopping()) return;
    starting.add(name);
    say(`${name} has ended; starting it again`);
    await part.start().then(
      () => say(`${name} runs again: pid ${part.pid}`),
      (error) => say(`${name} did not start: ${error.message}`),
    );
    starting.delete(name);
  };
  setInterval(() => {
    for (const [name, part] of Object.entries(parts)) void look(name, part);
  }, LOOK_EVERY_MS);
}

/** Services log JSON; people want the lines that matter. */
function showProblem(service, line) {
  if (!line.startsWith('{')) return say(`[${service}] ${line}`);
  const { level, msg, err } = JSON.parse(line);
  if (level >= 50) say(`[${service}] ${msg}${err?.message ? `: ${err.message}` : ''}`);
}

async function main() {
  const from = Date.now();
  const env = await stackSettings(process.env);
  const gateways = Number(process.env.GATEWAYS ?? 2);
  const stack = await startStack({
    gateways,
    env,
    port: await publicPort(),
    // The services trust nginx, and nginx the proxy in front of it.
    outerProxies: (process.env.TRUSTED_PROXIES ?? '')
      .split(',')
      .map((entry) => entry.trim())
      .filter(Boolean),
    durable: true,
    onProgress: (line) => say(`  … ${line}`),
    onLine: keepLine,
  });

  let stopping = false;
  const stop = async (why) => {
    if (stopping) return;
    stopping = true;
    say(`\nStopping (${why}) …`);
    try {
      await stack.stop();
      say('Everything this started has ended.');
      process.exit(0);
    } catch (error) {
      console.error(`stack: ${error.message}`);
      process.exit(1);
    }
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => stop(signal));
  supervise(stack, () => stopping);
  const settings = writeSettings(stack);
  const parent = process.ppid;
  setInterval(() => {
    if (process.ppid !== parent) stop('its parent process ended');
  }, 500);

  if (json) {
    const { url, addresses, logins, password, redis } = stack;
    console.log(JSON.stringify({ url, addresses, logins, password, redis: redis.urls, parts: stack.parts() }));
    return;
  }
  say(`\nThe chat runs as ${stack.parts().length} processes, up after ${((Date.now() - from) / 1000).toFixed(1)} s:\n`);
  say(`  customer   ${stack.url}/`);
  say(`  operator   ${stack.url}/operator/   ${stack.logins.join(', ')} · password ${stack.password}\n`);
  say(`  ${'stack'.padEnd(20)} ${''.padEnd(16)} pid ${process.pid}`);
  for (const { name, port, pid } of stack.parts())
    say(`  ${name.padEnd(20)} 127.0.0.1:${String(port).padEnd(6)} pid ${pid}`);
  say('\nFor the commands of docs/infra/runbook.md in another shell; logs lie in the same folder:\n');
  say(`  . ${settings}`);
  say('\nAll data is temporary. Ctrl+C stops everything.');
}

main().catch((error) => {
  console.error(`stack: ${error.message}`);
  process.exit(1);
});
