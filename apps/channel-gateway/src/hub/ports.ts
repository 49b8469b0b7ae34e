import type { AcksRequest, CatchupRequest, CatchupResponse } from '@chat-realtime/protocol';

/** Where the truth is: chat-service, asked in its own process or over its internal HTTP calls. */
export interface ChatSource {
  catchup(request: CatchupRequest): Promise<CatchupResponse>;
  acks(request: AcksRequest): Promise<void>;
}

export interface HubLogger {
  debug(details: object, message: string): void;
  info(details: object, message: string): void;
  warn(details: object, message: string): void;
  error(details: object, message: string): void;
}
