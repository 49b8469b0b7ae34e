import { createReadStream } from 'node:fs';
import { access } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { EventTracer } from '@chat-realtime/chat-service';
import { type Hop, hopSchema } from '@chat-realtime/protocol';
import { z } from 'zod';
import { type AdminCommand, type AdminContext, AdminRefusal, AdminUsageError } from '../command.ts';
import { HOPS_SOCKET } from '../../hops-socket.ts';

const USAGE = 'trace <session> <seq> [--logs <file of JSON lines, or - for standard input>]';

/** A line of the log at the level debug, by which a step outlives the memory of its process. */
const logLineSchema = z.looseObject({
  time: z.string(),
  service: z.string(),
  session_id: z.int(),
  seq: z.int(),
  message: z.literal('hop'),
});

async function fromLogs(path: string, sessionId: number, seq: number): Promise<Hop[]> {
  const input = path === '-' ? process.stdin : createReadStream(resolve(path));
  const found: Hop[] = [];
  for await (const line of createInterface({ input, crlfDelay: Infinity })) {
    // docker compose puts the container's name in front.
    const start = line.indexOf('{');
    if (start < 0 || !line.includes('"hop"')) continue;
    let record: unknown;
    try {
      record = JSON.parse(line.slice(start));
    } catch {
      // A line that only looks like JSON, as in a log that was cut off.
      continue;
    }
    const head = logLineSchema.safeParse(record);
    if (!head.success || head.data.session_id !== sessionId || head.data.seq !== seq) continue;
    const hop = hopSchema.safeParse({ ...head.data, at: head.data.time, where: `${head.data.service} (log)` });
    if (hop.success) found.push(hop.data);
  }
  return found;
}

/** Every process that may remember something: the ones that are named, else a chat in one process in DATA_DIR. */
async function peersOf(env: AdminContext['env']): Promise<string[]> {
  const named = (env['TRACE_PEERS'] ?? '')
    .split(',')
    .map((text) => text.trim())
    .filter(Boolean);
  if (named.length > 0) return named;
  const socket = join(resolve(env['DATA_DIR'] || './data'), HOPS_SOCKET);
  try {
    await access(socket);
    return [`unix:${socket}`];
  } catch {
    // No chat in one process runs here.
    return [];
  }
}

function lineOf({ hop, at, where, path, to, sockets, connections, or_before }: Hop, from: number): string {
  const after = Date.parse(at) - from;
  const details = [
    to,
    path,
    sockets === undefined ? undefined : `${sockets} socket${sockets === 1 ? '' : 's'}`,
    connections === undefined || connections.length === 0 ? undefined : `[${connections.join(', ')}]`,
    or_before === true ? 'then or before' : undefined,
  ].filter((text) => text !== undefined);
  return [`${at}`, `+${after} ms`.padStart(10), hop.padEnd(10), where.padEnd(24), details.join(' ')]
    .join('  ')
    .trimEnd();
}

export const trace: AdminCommand = {
  async run({ args, env, openDatabase, progress }) {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { logs: { type: 'string' } },
    });
    const [sessionId, seq] = positionals.map(Number);
    if (positionals.length !== 2 || !Number.isSafeInteger(sessionId) || !Number.isSafeInteger(seq))
      throw new AdminUsageError(USAGE);
    const peers = await peersOf(env);
    progress(
      peers.length === 0
        ? 'reading the database; no process is named (TRACE_PEERS), so what they remember is not asked'
        : `reading the database and asking ${peers.length} processes …`,
    );
    const tracer = new EventTracer(await openDatabase(), null, { addresses: peers, key: env['INTERNAL_API_KEY'] });
    const found = await tracer.read(sessionId ?? 0, { seq });
    const logged = values.logs === undefined ? [] : await fromLogs(values.logs, found.session_id, found.seq);
    const hops = [...found.hops, ...logged].sort((a, b) => Date.parse(a.at) - Date.parse(b.at));
    const [first] = hops;
    if (first === undefined) throw new AdminRefusal('nothing is known of this event');
    const lines = [
      `session ${found.session_id}, seq ${found.seq}: ${found.type}`,
      ...hops.map((hop) => lineOf(hop, Date.parse(first.at))),
      ...found.silent.map((peer) => `no answer from ${peer}: what it did is not shown`),
    ];
    return { result: { ...found, hops }, text: lines.join('\n') };
  },
};
