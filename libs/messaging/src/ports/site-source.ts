/** A message of a site's own broker, in the order of the queue. */
export interface SiteDelivery {
  readonly content: Buffer;
  /** AMQP `message_id`. */
  readonly messageId: string | undefined;
  readonly traceparent: string | undefined;
  readonly redelivered: boolean;
}

/** What became of one. Nothing is given back: a batch that cannot be decided on is kept and tried again. */
export type SiteVerdict = { readonly kind: 'taken' } | { readonly kind: 'refused'; readonly reason: string };

/** Decides on all of a batch. When it rejects, the same batch comes again a little later. */
export type SiteHandler = (batch: readonly SiteDelivery[]) => Promise<readonly SiteVerdict[]>;

export type SiteSourceState =
  /** No connection now, or no such exchange or queue: `reason` says which. */
  { readonly kind: 'waiting'; readonly reason: string } | { readonly kind: 'reading' } | { readonly kind: 'closed' };

/**
 * Events that someone else publishes. A message is acknowledged after the handler has responded. A rejected one is
 * stored as a dead letter first.
 */
export interface SiteSource {
  readonly state: SiteSourceState;
  /** What waits in the queue, as far as the broker last said; undefined while it is not there. */
  readonly waiting: number | undefined;
  /** Removes erased content from the refused messages. Rejects while there is no connection. */
  emptyDeadLetters(): Promise<void>;
  close(): Promise<void>;
}
