/**
 * The only entry of a site's events into the ledger, whichever source delivers them: HTTP, broker or tables.
 *
 * A source reads, calls `take`, and forgets what it read only after the response. Then every event is committed, was
 * already known, or is rejected for good. If `take` rejects (the database is away), nothing was decided, and the source
 * must deliver the same events again. Repeats cost nothing, so a source need not remember what it delivered.
 */
export interface EventIntake {
  /** In the order given; each event once, under the next seq of its session. At most 500 at a time, of about 4 MiB. */
  take(events: readonly IncomingEvent[], source: IntakeSource, given?: Given): Promise<IntakeResult>;
  /** All or nothing: throws `validation_failed` with the paths (`events.3.data.body`) when one is refused. */
  takeAll(events: readonly IncomingEvent[], source: IntakeSource): Promise<IntakeResult>;
  /** The numbers of sessions by the site's ids; made for those that are no positive integers when first asked for. */
  sessionNumbers(siteIds: readonly (number | string)[]): Promise<Map<string, number>>;
}

/**
 * `{type, session_id, data, subscribers?, message_id?, occurred_at?}` as it came, checked by the intake
 * (`plainEventSchema` and `PLAIN_EVENT_DATA` of the protocol). A source with a message id of its own (AMQP property,
 * trigger's UUID) puts it into `message_id`.
 */
export type IncomingEvent = unknown;

/** For metrics and logs only: an event known from one source is known from all. */
export type IntakeSource = 'http' | 'rabbitmq' | 'table' | 'backfill';

export interface Given {
  /** Places of those that the source gave before and that may have been stored then. */
  readonly again?: ReadonlySet<number>;
}

export interface RefusedEvent {
  /** Which one of those given. */
  readonly index: number;
  /** `data.body`; empty for the whole event. */
  readonly path: string;
  /** Describes the fault without quoting the content. */
  readonly message: string;
}

export interface IntakeResult {
  readonly accepted: number;
  readonly duplicate: number;
  readonly refused: readonly RefusedEvent[];
  /** Of the accepted and known events: the site's ids that are not positive integers, and their numbers. */
  readonly ids: { readonly sessions: ReadonlyMap<string, number>; readonly messages: ReadonlyMap<string, number> };
}
