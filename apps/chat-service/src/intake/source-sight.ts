import type { Database } from '@chat-realtime/database';
import type { ChatLog } from '../ports.ts';
import type { ChatSettings } from '../config.ts';

export type SourceName = 'rabbitmq' | 'table';

/** How often a process reports that it reads a source. */
const SAID_EVERY_MS = 4_000;
/** After this long without a report, nothing that the site writes arrives. */
const LOST_AFTER_MS = 15_000;

/** In the table of places, whose `updated_at` says that somebody was here. */
const SAY = {
  name: 'intake-source-seen',
  text: `INSERT INTO table_source_place (name, place) VALUES ('seen:' || $1, '')
    ON CONFLICT (name) DO UPDATE SET updated_at = clock_timestamp()`,
} as const;
const SAID = {
  name: 'intake-source-said',
  text: `SELECT substr(p.name, 6) AS name, p.updated_at::text AS mark FROM table_source_place p WHERE starts_with(p.name, 'seen:')`,
} as const;

/** The sources that this ledger reads itself. */
export function sourcesOf(settings: ChatSettings, rabbitUrl: string | undefined): SourceName[] {
  if (settings.CHAT_ROLE !== 'ledger') return [];
  const { RABBITMQ_SOURCE, RABBITMQ_SOURCE_URL = rabbitUrl, TABLE_SOURCE } = settings;
  return [
    ...(RABBITMQ_SOURCE === undefined || RABBITMQ_SOURCE_URL === undefined ? [] : (['rabbitmq'] as const)),
    ...(TABLE_SOURCE === undefined ? [] : (['table'] as const)),
  ];
}

/** The process that reads a source says so; another one may be the relay that tells the gateways. */
export function sayRead(database: Database, source: SourceName, log: ChatLog): () => void {
  let saidAt = Number.NEGATIVE_INFINITY;
  let isSaying = false;
  return () => {
    if (isSaying || performance.now() - saidAt < SAID_EVERY_MS) return;
    isSaying = true;
    database
      .query(SAY, [source])
      .then(
        () => {
          saidAt = performance.now();
        },
        (error: unknown) =>
          log.warn({ source, error: String(error) }, 'could not record that the source is being read'),
      )
      .finally(() => {
        isSaying = false;
      });
  };
}

/**
 * Whether one of the sources is read by nobody. Its marks are opaque: how long one has stood is measured by the clock of
 * this process, which does not jump, and only while it looks.
 */
export class SourceWatch {
  readonly #sources: readonly SourceName[];
  readonly #read: () => Promise<ReadonlyMap<string, string>>;
  readonly #now: () => number;
  readonly #marks = new Map<SourceName, { mark: string | undefined; since: number }>();
  #checkedAt = Number.NEGATIVE_INFINITY;

  constructor(
    sources: readonly SourceName[],
    read: () => Promise<ReadonlyMap<string, string>>,
    now: () => number = () => performance.now(),
  ) {
    this.#sources = sources;
    this.#read = read;
    this.#now = now;
  }

  static of(database: Database, sources: readonly SourceName[]): SourceWatch {
    return new SourceWatch(sources, async () => {
      const rows = await database.query<{ name: string; mark: string }>(SAID, []);
      return new Map(rows.map(({ name, mark }) => [name, mark]));
    });
  }

  /** Called with every tick. */
  async lost(): Promise<boolean> {
    if (this.#sources.length === 0) return false;
    const marks = await this.#read();
    const now = this.#now();
    // A process that has not looked for a while, such as a relay that did not lead, knows nothing about that time.
    if (now - this.#checkedAt > LOST_AFTER_MS / 2) this.#marks.clear();
    this.#checkedAt = now;
    let lost = false;
    for (const source of this.#sources) {
      const mark = marks.get(source);
      const known = this.#marks.get(source);
      if (known === undefined || known.mark !== mark) this.#marks.set(source, { mark, since: now });
      else lost ||= now - known.since > LOST_AFTER_MS;
    }
    return lost;
  }
}
