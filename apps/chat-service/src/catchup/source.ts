import type { AcksRequest, CatchupRequest, CatchupResponse } from '@chat-realtime/protocol';
import { acks } from '../messages/marks.ts';
import type { StorageContext } from '../storage/context.ts';
import { catchup } from './catchup.ts';
import { EpochTracker } from './epoch-tracker.ts';

/** What a gateway asks, over HTTP or in the same process. */
export interface ChatSource {
  catchup(request: CatchupRequest): Promise<CatchupResponse>;
  acks(request: AcksRequest): Promise<void>;
}

export function chatSource(context: StorageContext): ChatSource {
  const epochs = new EpochTracker(context);
  return {
    catchup: (request) => catchup(context, epochs, request),
    acks: (request) => acks(context, request),
  };
}
