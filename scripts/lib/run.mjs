// Runs a program and shows that it is still at work. Plain Node 20, no dependencies: it runs before anything is installed.
import { spawn } from 'node:child_process';
import { root } from './root.mjs';

/** `quiet`: output is kept and shown only when the program fails; a line every ten seconds says that it still runs. */
export function run(command, args, { label, quiet = true, env = process.env, cwd = root } = {}) {
  return new Promise((resolve, reject) => {
    const started = Date.now();
    const child = spawn(command, args, { cwd, env, stdio: quiet ? ['ignore', 'pipe', 'pipe'] : 'inherit' });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk) => (output += chunk));
    const heartbeat = setInterval(() => {
      if (quiet) console.log(`  … ${label}, ${Math.round((Date.now() - started) / 1000)} s`);
    }, 10_000);
    child.once('error', (error) => {
      clearInterval(heartbeat);
      reject(new Error(`${command} could not be started: ${error.message}`));
    });
    child.once('close', (code, signal) => {
      clearInterval(heartbeat);
      if (code === 0) return resolve(output);
      const error = new Error(`${label ?? command} failed (${signal ?? `code ${code}`})`);
      reject(Object.assign(error, { output, code }));
    });
  });
}

export function seconds(since) {
  return `${((Date.now() - since) / 1000).toFixed(1)} s`;
}
