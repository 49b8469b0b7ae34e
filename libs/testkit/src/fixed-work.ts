import { spawn } from 'node:child_process';
import { join } from 'node:path';

/**
 * Work like that of a start, in a separate Node process: many functions that are compiled and run a few times, text
 * that is parsed, files that are written to the disk. The time of a start is given as a multiple of it, since both are
 * measured on the same machine in the same minute.
 */
function script(folder: string): string {
  return `
    const { closeSync, fsyncSync, openSync, writeSync } = require('node:fs');
    const { createHash } = require('node:crypto');
    const part = (index) => 'function part' + index + '(seen) { const { a, ...rest } = { a: seen.size, index: ' + index +
      ', list: [1, 2, 3].map((one) => one * ' + index + ') }; seen.set(a, JSON.stringify(rest)); return seen.get(a).length; }';
    const seen = new Map();
    let sum = 0;
    for (let round = 0; round < 60; round += 1) {
      const source = Array.from({ length: 400 }, (_, index) => part(round * 400 + index)).join('\\n');
      const calls = Array.from({ length: 400 }, (_, index) => 'part' + (round * 400 + index) + '(seen)').join(' + ');
      sum += new Function('seen', source + '; return ' + calls)(seen);
      sum += createHash('sha256').update(JSON.stringify([...seen])).digest()[0];
    }
    const file = openSync(${JSON.stringify(join(folder, 'reference'))}, 'w');
    for (let write = 0; write < 20; write += 1) { writeSync(file, 'x'.repeat(8192)); fsyncSync(file); }
    closeSync(file);
    process.exitCode = sum > 0 ? 0 : 1;
  `;
}

/** Milliseconds that the work takes, with a file in `folder`. */
export async function fixedWork(folder: string): Promise<number> {
  const from = performance.now();
  const child = spawn(process.execPath, ['-e', script(folder)], { stdio: 'inherit' });
  const code = await new Promise((resolve) => child.once('close', resolve));
  if (code !== 0) throw new Error(`the fixed work ended with ${String(code)}`);
  return performance.now() - from;
}
