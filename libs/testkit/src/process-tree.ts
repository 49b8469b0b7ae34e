import { readdirSync, readFileSync } from 'node:fs';
import { until } from './wait.ts';

interface ProcessRow {
  pid: number;
  ppid: number;
  pgrp: number;
  state: string;
}

function readProcesses(): ProcessRow[] {
  const rows: ProcessRow[] = [];
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    let stat: string;
    try {
      stat = readFileSync(`/proc/${entry}/stat`, 'utf8');
    } catch {
      // It ended between the listing and the look; then it is not part of any tree.
      continue;
    }
    // The command name is in parentheses and may itself contain spaces and parentheses.
    const [state = '', ppid = '0', pgrp = '0'] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    rows.push({ pid: Number(entry), ppid: Number(ppid), pgrp: Number(pgrp), state });
  }
  return rows;
}

/** The process, its descendants and its group: PostgreSQL's backends and Erlang's helpers each leave the group. */
export function processTree(root: number): number[] {
  const rows = readProcesses().filter((row) => row.state !== 'Z');
  const found = new Set<number>(rows.filter((row) => row.pid === root || row.pgrp === root).map((row) => row.pid));
  for (let grew = true; grew; ) {
    grew = false;
    for (const row of rows) {
      if (!found.has(row.pid) && found.has(row.ppid)) {
        found.add(row.pid);
        grew = true;
      }
    }
  }
  return [...found];
}

export function isAlive(pid: number): boolean {
  return readProcesses().some((row) => row.pid === pid && row.state !== 'Z');
}

export function sendSignal(pid: number, signal: NodeJS.Signals): boolean {
  try {
    process.kill(pid, signal);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ESRCH') return false;
    throw error;
  }
}

export function signalTree(root: number, signal: NodeJS.Signals): number[] {
  const pids = processTree(root);
  for (const pid of pids) sendSignal(pid, signal);
  return pids;
}

/** kill -9 of everything, waited for until the kernel has let go of each process (and so of its ports and memory). */
export async function killTree(root: number): Promise<void> {
  // The parent is stopped first, so that it can start no child between the listing and the kill.
  sendSignal(root, 'SIGSTOP');
  const pids = signalTree(root, 'SIGKILL');
  await until(() => pids.every((pid) => !isAlive(pid)), {
    timeoutMs: 10_000,
    everyMs: 10,
    what: `end of process ${root}`,
  });
}
