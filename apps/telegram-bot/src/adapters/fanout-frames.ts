import type { Fanout } from '@chat-realtime/messaging';
import { STAFF_CHANNEL } from '@chat-realtime/protocol';
import type { StaffFrames } from '../ports.ts';

/** Live frames within one process, where no stream is kept. */
export function fanoutFrames(fanout: Fanout): StaffFrames {
  let stop: () => Promise<void> = async () => undefined;
  return {
    get connected() {
      return fanout.connected;
    },
    start: (listener, missed) => {
      const take = (payload: Buffer): void => {
        const text = payload.toString('utf8');
        // Typing, presence and the badge are frames too, and no events.
        if (text.includes('"feed_seq":')) void listener(text);
      };
      stop = () => fanout.unsubscribe(STAFF_CHANNEL, take);
      void fanout.subscribe(STAFF_CHANNEL, take).then(missed, missed);
    },
    stop: () => stop(),
  };
}
