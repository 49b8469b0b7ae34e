import { spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort, startProcess, tempFolder } from '@chat-realtime/testkit';
import { type Figure, median, type Report } from '../report.ts';

const MAIN = fileURLToPath(new URL('../../../apps/standalone/dist/main.js', import.meta.url));
const GOAL_FIRST_MS = 6_000;
const GOAL_LATER_MS = 3_000;

/**
 * Work of the kind that a start does, in a Node process of its own: many functions that are compiled and run a few times,
 * text that is parsed, files that are brought to the disk. What a start takes is told in shares of it, since both are
 * measured on the same machine in the same minute.
 */
function referenceScript(folder: string): string {
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

async function reference(folder: string): Promise<number> {
  const from = performance.now();
  const child = spawn(process.execPath, ['-e', referenceScript(folder)], { stdio: 'inherit' });
  const code = await new Promise((resolve) => child.once('close', resolve));
  if (code !== 0) throw new Error(`the reference ended with ${String(code)}`);
  return performance.now() - from;
}

interface Starts {
  readonly firstMs: number;
  readonly laterMs: readonly number[];
  readonly referenceMs: readonly number[];
}

/** `npm start` on an empty folder and then `rounds` times on what it left, each beside the reference. */
async function measure(rounds: number): Promise<Starts> {
  const folder = tempFolder('start-time');
  const port = await freePort();
  const from = performance.now();
  const chat = await startProcess({
    name: 'standalone',
    args: [MAIN],
    env: { PORT: String(port), DATA_DIR: join(folder, 'data') },
    ready: /is running/,
    readyTimeoutMs: 90_000,
  });
  const firstMs = performance.now() - from;
  const laterMs: number[] = [];
  const referenceMs: number[] = [];
  try {
    for (let round = 0; round < rounds; round += 1) {
      await chat.stop();
      referenceMs.push(await reference(folder));
      const again = performance.now();
      await chat.start();
      laterMs.push(performance.now() - again);
    }
  } finally {
    await chat.kill();
    rmSync(folder, { recursive: true, force: true });
  }
  return { firstMs, laterMs, referenceMs };
}

export async function start(rounds: number): Promise<Report> {
  const raw = await measure(rounds);
  const seconds = (value: number): string => `${(value / 1_000).toFixed(2)} s`;
  const beside = `${seconds(median(raw.referenceMs))} fixed work`;
  const figures: Figure[] = [
    {
      what: 'npm start on an empty folder, once',
      measured: seconds(raw.firstMs),
      beside,
      goal: `≤ ${seconds(GOAL_FIRST_MS)}`,
      met: raw.firstMs <= GOAL_FIRST_MS,
    },
    {
      what: `npm start on what is there, median of ${rounds}`,
      measured: `${seconds(median(raw.laterMs))} (${(median(raw.laterMs) / median(raw.referenceMs)).toFixed(2)} ×)`,
      beside,
      goal: `≤ ${seconds(GOAL_LATER_MS)}`,
      met: median(raw.laterMs) <= GOAL_LATER_MS,
    },
  ];
  return { name: 'start', title: 'Start: from the command to a working chat', figures, raw };
}
