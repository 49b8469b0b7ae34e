import type { EventMapper } from './events.ts';
import type {
  DeadLetters,
  Intake,
  MessageRow,
  PlainEvent,
  SessionRow,
  SiteDatabase,
  SourceLog,
  SourceName,
} from './ports.ts';

/**
 * The limit of one call of the intake. A call is one transaction, which holds the locks of its chats and must end well
 * within the statement timeout, even on a busy machine.
 */
const MAX_EVENTS = 100;
const MAX_BYTES = 512 * 1024;

export interface Tally {
  accepted: number;
  duplicate: number;
  refused: number;
}

export interface DeliveryDeps {
  readonly intake: Intake;
  readonly deadLetters: DeadLetters;
  readonly log: SourceLog;
}

/** Hands events to the intake, in order, in calls of bounded size; what is refused is put aside with its reason. */
export class Delivery {
  readonly #deps: DeliveryDeps;

  constructor(deps: DeliveryDeps) {
    this.#deps = deps;
  }

  async take(events: readonly PlainEvent[], source: SourceName): Promise<Tally> {
    const tally: Tally = { accepted: 0, duplicate: 0, refused: 0 };
    for (const chunk of chunks(events)) {
      const taken = await this.#deps.intake.take(chunk, source);
      tally.accepted += taken.accepted;
      tally.duplicate += taken.duplicate;
      const reasons = new Map<number, string[]>();
      for (const { index, path, message } of taken.refused)
        reasons.set(index, [...(reasons.get(index) ?? []), `${path} ${message}`.trim()]);
      for (const [index, texts] of reasons) {
        const event = chunk[index];
        if (event === undefined) continue;
        tally.refused += 1;
        await this.#deps.deadLetters.put(event, texts.join('; '));
        this.#deps.log.warn(
          { type: event.type, session_id: event.session_id, reasons: texts },
          'the site has a row that the channel cannot carry; it is kept in table_source_refused',
        );
      }
    }
    return tally;
  }
}

function* chunks(events: readonly PlainEvent[]): Generator<PlainEvent[]> {
  let chunk: PlainEvent[] = [];
  let bytes = 0;
  for (const event of events) {
    const size = Buffer.byteLength(JSON.stringify(event));
    if (chunk.length > 0 && (chunk.length >= MAX_EVENTS || bytes + size > MAX_BYTES)) {
      yield chunk;
      chunk = [];
      bytes = 0;
    }
    chunk.push(event);
    bytes += size;
  }
  if (chunk.length > 0) yield chunk;
}

/** Rows as events, with the names of the operators in them. */
export async function eventsOf(
  site: SiteDatabase,
  mapper: EventMapper,
  sessions: readonly SessionRow[],
  messages: readonly MessageRow[],
): Promise<PlainEvent[]> {
  const names = await site.operatorNames(mapper.operatorsOf(sessions, messages));
  return [
    ...sessions.map((row) => mapper.created(row, names)),
    ...messages.flatMap((row) => mapper.message(row, names) ?? []),
  ];
}
