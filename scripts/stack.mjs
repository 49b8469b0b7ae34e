// `npm run stack`: the distributed form on this machine, from installed servers, on private ports and folders.
// Everything it starts ends with it, however it ends. `--json` prints one line with all addresses, for programs.
import { createServer } from 'node:net';
import { startStack } from '@chat-realtime/testkit';
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
    onLine: showProblem,
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
  for (const { name, port, pid } of stack.parts())
    say(`  ${name.padEnd(20)} 127.0.0.1:${String(port).padEnd(6)} pid ${pid}`);
  say('\nAll data is temporary. Ctrl+C stops everything.');
}

main().catch((error) => {
  console.error(`stack: ${error.message}`);
  process.exit(1);
});
