import { setTimeout as sleep } from 'node:timers/promises';

export interface Broadcast {
  /** Turns of the loop that send before the CPU is counted: the other server has just had the core and its caches. */
  readonly leadIn: number;
  /** Turns of the loop that send and count. */
  readonly rounds: number;
  /** Messages in each turn. */
  readonly burst: number;
  readonly gapMs: number;
  /** Session whose connections get it; `staff` for the staff channel. */
  readonly to: number | 'staff';
  readonly bodyBytes: number;
}

/** Microseconds. */
export interface Cpu {
  readonly user: number;
  readonly system: number;
}

export interface Memory {
  readonly rss: number;
  readonly heap: number;
  readonly external: number;
}

/** What both kinds of server answer, so that one benchmark drives either. */
export interface ServerOffer {
  readonly [name: string]: (argument: never) => unknown;
  port(argument: null): number | Promise<number>;
  connections(argument: null): number;
  broadcast(argument: Broadcast): Promise<void>;
  /** Since the counted part of the last broadcast began. */
  cpuSince(argument: null): Cpu;
  memory(argument: null): Promise<Memory>;
}

let begun = process.cpuUsage();

export async function inRounds({ leadIn, rounds, gapMs }: Broadcast, send: () => void): Promise<void> {
  for (let round = 0; round < leadIn + rounds; round += 1) {
    if (round > 0) await sleep(gapMs);
    if (round === leadIn) begun = process.cpuUsage();
    send();
  }
}

export function cpuSince(): Cpu {
  return process.cpuUsage(begun);
}

export async function memoryAfterGc(): Promise<Memory> {
  if (globalThis.gc === undefined) throw new Error('started without --expose-gc');
  // Twice with a pause: finalizers of the first pass free what the second collects.
  for (let pass = 0; pass < 3; pass += 1) {
    globalThis.gc();
    await sleep(200);
  }
  const { rss, heapUsed, external } = process.memoryUsage();
  return { rss, heap: heapUsed, external };
}

/** The frame as chat-service publishes it; with a body of 60 bytes about 260 bytes long. */
export function messageFrame(sessionId: number, seq: number, bodyBytes: number): object {
  return {
    type: 'chat.message',
    session_id: sessionId,
    seq,
    data: {
      id: seq,
      sender_type: 'operator',
      sender_id: 'anna',
      // When it was sent, on the clock that all processes of one machine share.
      body: String(process.hrtime.bigint()).padEnd(bodyBytes, '.'),
      attachments: [],
      created_at: new Date().toISOString(),
      client_message_id: null,
    },
  };
}
