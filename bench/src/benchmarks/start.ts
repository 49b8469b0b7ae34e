import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { fixedWork, freePort, startProcess, tempFolder } from '@chat-realtime/testkit';
import { type Figure, median, type Report } from '../report.ts';

const MAIN = fileURLToPath(new URL('../../../apps/standalone/dist/main.js', import.meta.url));
const GOAL_FIRST_MS = 6_000;
const GOAL_LATER_MS = 3_000;

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
      referenceMs.push(await fixedWork(folder));
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
