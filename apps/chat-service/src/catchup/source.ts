import type { ChatSource } from '@chat-realtime/protocol';
import { acks } from '../messages/marks.ts';
import type { StorageContext } from '../storage/context.ts';
import { catchup } from './catchup.ts';
import { EpochTracker } from './epoch-tracker.ts';

export function chatSource(context: StorageContext): ChatSource {
  const epochs = new EpochTracker(context);
  return {
    catchup: (request) => catchup(context, epochs, request),
    acks: (request) => acks(context, request),
  };
}
