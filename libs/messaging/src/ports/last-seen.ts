export interface LastSeenEntry {
  readonly sessionId: number;
  /** `client` or `staff:<user id>`. */
  readonly participant: string;
  /** Id of the last message acknowledged. */
  readonly lastId: number;
  /** Unix milliseconds. */
  readonly at: number;
}

/** Delivery marks beside the database: a copy that may be lost, never one that may go backwards. */
export interface LastSeen {
  /**
   * The marks are of this database from now on; those of another are forgotten, since ids there mean other messages.
   * `changed`: the caller itself recorded marks of another one, perhaps after a fellow had forgotten them.
   */
  begin(epoch: string, changed: boolean): Promise<void>;
  /** The larger id wins; the key's TTL is refreshed. */
  record(entries: readonly LastSeenEntry[]): Promise<void>;
  read(sessionId: number): Promise<readonly LastSeenEntry[]>;
  /** Gives a TTL to keys that have none; answers how many. */
  sweep(): Promise<number>;
  close(): Promise<void>;
}
