/** The broker or store cannot be reached now; the same call may succeed later. */
export class UnavailableError extends Error {
  readonly code = 'unavailable';
  constructor(service: 'rabbitmq' | 'redis', options?: ErrorOptions) {
    super(`${service} is not available`, options);
    this.name = 'UnavailableError';
  }
}

/** The server was reached and answered with an error, such as a full disk or memory: waiting for a connection won't help. */
export class RefusedError extends Error {
  readonly code = 'refused';
  /** Positions in the batch of the commands that were refused; all the others passed. */
  readonly refused: readonly number[];
  constructor(refused: readonly number[], options?: ErrorOptions) {
    super(`the server refused ${refused.length} command(s)`, options);
    this.name = 'RefusedError';
    this.refused = refused;
  }
}

/** A confirmation is missing: nacked, returned as unroutable, or not answered in time. */
export class UnconfirmedError extends Error {
  readonly code = 'unconfirmed';
  constructor(reason: string) {
    super(`publish not confirmed: ${reason}`);
    this.name = 'UnconfirmedError';
  }
}

/** No answer came in time; a confirm may still have been on its way. */
export class SilenceError extends UnconfirmedError {
  constructor() {
    super('no confirm in time');
    this.name = 'SilenceError';
  }
}

export function toError(value: unknown): Error {
  return value instanceof Error ? value : new Error(String(value));
}
