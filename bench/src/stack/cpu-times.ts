import { readdirSync, readFileSync } from 'node:fs';

/** Linux counts in hundredths of a second (USER_HZ). */
const TICK_MS = 10;

interface ProcessTimes {
  readonly parent: number;
  readonly ms: number;
}

function timesOf(pid: number): ProcessTimes | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The name, in brackets, may hold spaces.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return { parent: Number(fields[1]), ms: (Number(fields[11]) + Number(fields[12])) * TICK_MS };
  } catch {
    // It has ended since the folder was read.
    return null;
  }
}

/** Processor time, user and kernel, that each process has taken together with its children so far, ms. */
export function cpuTimes(roots: readonly { name: string; pid: number }[]): Map<string, number> {
  const all = new Map<number, ProcessTimes>();
  for (const entry of readdirSync('/proc')) {
    const times = /^\d+$/.test(entry) ? timesOf(Number(entry)) : null;
    if (times !== null) all.set(Number(entry), times);
  }
  const nameOf = new Map(roots.map(({ name, pid }) => [pid, name]));
  const sums = new Map<string, number>(roots.map(({ name }) => [name, 0]));
  for (const [pid, { ms }] of all) {
    for (let at: number | undefined = pid; at !== undefined && at > 1; at = all.get(at)?.parent) {
      const name = nameOf.get(at);
      if (name === undefined) continue;
      sums.set(name, (sums.get(name) ?? 0) + ms);
      break;
    }
  }
  return sums;
}
