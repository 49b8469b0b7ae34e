import { request } from 'node:http';
import type { Database } from '@chat-realtime/database';
import { ChatError, type Hop, hopsResponseSchema, type TraceResponse } from '@chat-realtime/protocol';
import { HOPS_PATH, type HopJournal, renderHop } from '@chat-realtime/service-kit';
import { acksAndReads, EVENT, type EventRow, type MarkRow, MARKS } from './marks-of-event.ts';

/** A process that is busy or gone must not delay the answers of the others. */
const PEER_MS = 1_500;
const ANSWER_MAX_BYTES = 1_048_576;
const UNIX = 'unix:';

export interface TracePeers {
  /** `http://channel-gateway-1:8103`, or `unix:/path` for a chat in one process. */
  readonly addresses: readonly string[];
  /** INTERNAL_API_KEY. */
  readonly key: string | undefined;
}

/** One of both. */
export interface WhichEvent {
  readonly seq?: number | undefined;
  readonly message_id?: number | undefined;
}

/** Puts the way of one event together: from the database, from this process, and from the others. */
export class EventTracer {
  readonly #database: Pick<Database, 'query'>;
  readonly #journal: HopJournal | null;
  readonly #peers: TracePeers;

  /** `journal`: the steps this process remembers itself; null for one that takes no part. */
  constructor(database: Pick<Database, 'query'>, journal: HopJournal | null, peers: TracePeers) {
    this.#database = database;
    this.#journal = journal;
    this.#peers = peers;
  }

  /** @throws ChatError `not_found` when the session has no such event. */
  async read(sessionId: number, which: WhichEvent): Promise<TraceResponse> {
    const [event] = await this.#database.query<EventRow>(EVENT, [
      sessionId,
      which.seq ?? null,
      which.message_id ?? null,
    ]);
    if (event === undefined) throw new ChatError('not_found', 'the session has no such event');
    const { seq } = event;
    const marks =
      event.message_id === null ? [] : await this.#database.query<MarkRow>(MARKS, [sessionId, event.message_id]);
    const stored: Hop = { hop: 'stored', at: event.created_at.toISOString(), where: 'database' };
    const answers = await Promise.all(this.#peers.addresses.map((address) => this.#ask(address, sessionId, seq)));
    const hops = [
      stored,
      ...this.#own(sessionId, seq),
      ...answers.flatMap((answer) => answer ?? []),
      ...acksAndReads(marks),
    ];
    return {
      session_id: sessionId,
      seq,
      type: event.type,
      // Steps of one millisecond are in the order in which they must have happened.
      hops: hops
        .map((hop, index) => ({ hop, index, at: Date.parse(hop.at) }))
        .sort((a, b) => a.at - b.at || a.index - b.index)
        .map(({ hop }) => hop),
      silent: this.#peers.addresses.filter((_, index) => answers[index] === null),
    };
  }

  #own(sessionId: number, seq: number): Hop[] {
    return (this.#journal?.find(sessionId, seq) ?? []).map((entry) => renderHop(entry, 'this process'));
  }

  async #ask(address: string, sessionId: number, seq: number): Promise<Hop[] | null> {
    const path = `${HOPS_PATH}?session_id=${sessionId}&seq=${seq}`;
    try {
      return hopsResponseSchema.parse(JSON.parse(await get(address, path, this.#peers.key))).hops;
    } catch {
      // Down, busy or of another version: said as such, and no reason to keep the rest back.
      return null;
    }
  }
}

function get(address: string, path: string, key: string | undefined): Promise<string> {
  const place = address.startsWith(UNIX) ? { socketPath: address.slice(UNIX.length), path } : new URL(path, address);
  const headers = key === undefined ? {} : { authorization: `Bearer ${key}` };
  return new Promise((resolve, reject) => {
    const options = { headers, signal: AbortSignal.timeout(PEER_MS) };
    const asked = place instanceof URL ? request(place, options) : request({ ...place, ...options });
    asked.on('error', reject);
    asked.on('response', (response) => {
      const chunks: Buffer[] = [];
      let bytes = 0;
      response.on('error', reject);
      response.on('data', (chunk: Buffer) => {
        bytes += chunk.byteLength;
        if (bytes > ANSWER_MAX_BYTES) asked.destroy(new Error('the answer is too long'));
        else chunks.push(chunk);
      });
      response.on('end', () => {
        if (response.statusCode === 200) resolve(Buffer.concat(chunks).toString());
        else reject(new Error(`status ${response.statusCode}`));
      });
    });
    asked.end();
  });
}
