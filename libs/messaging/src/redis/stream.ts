import { STAFF_STREAM_FIELD, STAFF_STREAM_KEY } from '@chat-realtime/protocol';
import { ErrorReply } from '@redis/client';
import type { MessagingLogger } from '../logger.ts';
import { connectToKey, type RedisPlace } from './servers.ts';

export interface RedisStreamOptions extends RedisPlace {
  /** In front of the key. */
  readonly prefix?: string;
  readonly logger: MessagingLogger;
  readonly group: string;
  readonly consumer: string;
}

export interface StreamEntry {
  readonly id: string;
  readonly frame: string;
}

/** Reads the staff stream as a member of a consumer group. */
export interface RedisStreamReader {
  readonly connected: boolean;
  /**
   * Waits some seconds for entries. What this consumer was given before and did not ack comes first. `begun`: the group
   * was made anew, so whatever was in the stream before, or is no longer in it, was not read here.
   */
  read(): Promise<{ readonly entries: readonly StreamEntry[]; readonly begun: boolean }>;
  ack(ids: readonly string[]): Promise<void>;
  close(): void;
}

/** The link's watchdog pings on the same connection: a wait must be shorter than what it takes for a silent loss. */
const BLOCK_MS = 2_000;
const COUNT = 100;

export function connectRedisStream({
  prefix = '',
  logger,
  group,
  consumer,
  ...place
}: RedisStreamOptions): RedisStreamReader {
  const key = prefix + STAFF_STREAM_KEY;
  let isNewLink = true;
  const link = connectToKey(place, key, {
    name: 'chat-staff-stream',
    logger,
    onReady: () => {
      isNewLink = true;
    },
  });

  const begin = async (): Promise<void> => {
    // From the end on: what was before is read from the feed.
    await link.require().sendCommand(['XGROUP', 'CREATE', key, group, '$', 'MKSTREAM']);
  };

  const readFrom = async (id: string): Promise<StreamEntry[]> => {
    const wait = id === '>' ? ['BLOCK', String(BLOCK_MS)] : [];
    const answer: unknown = await link
      .require()
      .sendCommand(['XREADGROUP', 'GROUP', group, consumer, 'COUNT', String(COUNT), ...wait, 'STREAMS', key, id]);
    return entriesOf(answer);
  };

  return {
    get connected() {
      return link.client !== null;
    },
    read: async () => {
      // A new connection may be to a Redis that has lost some of what it had.
      const begun = isNewLink;
      try {
        if (isNewLink) {
          const open = await readFrom('0');
          isNewLink = false;
          if (open.length > 0) return { entries: open, begun };
          if (begun) return { entries: [], begun };
        }
        return { entries: await readFrom('>'), begun: false };
      } catch (error) {
        if (!(error instanceof ErrorReply) || !error.message.startsWith('NOGROUP')) throw error;
        await begin();
        isNewLink = false;
        return { entries: [], begun: true };
      }
    },
    ack: async (ids) => {
      if (ids.length > 0) await link.require().sendCommand(['XACK', key, group, ...ids]);
    },
    close: () => link.close(),
  };
}

function isList(value: unknown): value is readonly unknown[] {
  return Array.isArray(value);
}

/** Streams with their entries, each with its fields in turn. An entry that was trimmed away has no fields. */
function entriesOf(answer: unknown): StreamEntry[] {
  const entries: StreamEntry[] = [];
  for (const stream of streamsOf(answer)) {
    if (!isList(stream) || !isList(stream[1])) continue;
    for (const entry of stream[1]) {
      if (!isList(entry) || typeof entry[0] !== 'string') continue;
      const fields = isList(entry[1]) ? entry[1] : [];
      const at = fields.indexOf(STAFF_STREAM_FIELD);
      const frame = at < 0 ? undefined : fields[at + 1];
      entries.push({ id: entry[0], frame: typeof frame === 'string' ? frame : '' });
    }
  }
  return entries;
}

/** RESP2 answers a list of pairs, RESP3 a map. */
function streamsOf(answer: unknown): readonly unknown[] {
  if (isList(answer)) return answer;
  if (answer instanceof Map) return [...answer];
  return typeof answer === 'object' && answer !== null ? Object.entries(answer) : [];
}
