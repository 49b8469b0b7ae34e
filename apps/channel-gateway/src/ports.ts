import type { TokenVerifier } from '@chat-realtime/verifier';

/** Who a token belongs to. */
export type Verifier = Pick<TokenVerifier, 'verifyCustomer' | 'verifyStaff' | 'verifyStreamLink'>;

/** The steps of an event that a trace records. */
export interface CoreTrace {
  /** Whether spans are collected. Checked once per frame, so that none is made in vain. */
  readonly exports: boolean;
  note(
    sessionId: number | null,
    seq: number | null,
    hop: {
      readonly hop: 'written';
      readonly path: 'live' | 'catchup' | 'resume';
      readonly to: 'customer' | 'staff';
      readonly sockets: number;
      /** At most `CONNECTIONS_NOTED`. */
      readonly connections: string[];
    },
  ): void;
  begin(
    name: string,
    event: { readonly session_id: number | null; readonly seq: number | null },
    parent: null,
    since: Date,
  ): { end(): void } | null;
}

/** Of a thousand sockets that get one frame, only the first are named. */
export const CONNECTIONS_NOTED = 20;

export interface CoreLogger {
  debug(details: object, message: string): void;
  info(details: object, message: string): void;
  warn(details: object, message: string): void;
  error(details: object, message: string): void;
}

/** For calls whose failure costs speed and never correctness: returns true on success. */
export async function quietly(logger: CoreLogger, what: string, call: Promise<void>): Promise<boolean> {
  try {
    await call;
    return true;
  } catch (error) {
    logger.debug({ err: error, call: what }, 'the fan-out or lease store did not answer');
    return false;
  }
}
