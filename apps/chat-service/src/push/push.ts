import type { PushKeyStore } from './push-keys.ts';
import type { PushSender } from './push-sender.ts';
import type { PushSubscriptions } from './subscriptions.ts';

/** Web Push as used by the REST routes. */
export interface Push {
  readonly keys: PushKeyStore;
  readonly subscriptions: PushSubscriptions;
  readonly sender: PushSender;
}
