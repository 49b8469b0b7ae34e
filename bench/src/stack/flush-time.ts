import { closeSync, fdatasyncSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { percentile } from '../report.ts';

const FLUSHES = 200;
const BLOCK = Buffer.alloc(8_192, 1);

/**
 * Median milliseconds that this machine's disk takes to keep one block, as at each commit (`fdatasync`, PostgreSQL's
 * default). Delays of whatever commits are read beside it.
 */
export function flushTime(): number {
  const path = join(tmpdir(), `chat-bench-flush-${process.pid}`);
  const file = openSync(path, 'w');
  try {
    const times: number[] = [];
    for (let flush = 0; flush < FLUSHES; flush += 1) {
      writeSync(file, BLOCK, 0, BLOCK.length, 0);
      const from = performance.now();
      fdatasyncSync(file);
      times.push(performance.now() - from);
    }
    return percentile(times, 0.5);
  } finally {
    closeSync(file);
    rmSync(path);
  }
}
