import type { AcksRequest, CatchupRequest, CatchupResponse } from '@chat-realtime/protocol';

/** Where the truth is: chat-service, asked in its own process or over its internal HTTP calls. */
export interface ChatSource {
  catchup(request: CatchupRequest): Promise<CatchupResponse>;
  acks(request: AcksRequest): Promise<void>;
}

/** What is told of the way of an event. */
export interface HubTrace {
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

/** Of a thousand sockets that get one frame the first are named. */
export const CONNECTIONS_NOTED = 20;

export interface HubLogger {
  debug(details: object, message: string): void;
  info(details: object, message: string): void;
  warn(details: object, message: string): void;
  error(details: object, message: string): void;
}
