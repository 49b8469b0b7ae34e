import type { FanoutListener } from '@chat-realtime/messaging';
import { type ControlMessage, controlMessageSchema } from '@chat-realtime/protocol';
import type { Clock } from './clock.ts';
import type { Registry } from './connections/registry.ts';
import type { Presence } from './state/presence.ts';
import type { Revocations } from './state/revocations.ts';
import { parseLiveFrame } from './streams/live-frame.ts';
import type { HeadCheck } from './sync/head-check.ts';
import type { LivePath } from './sync/live-path.ts';

export interface ControlParts {
  readonly clock: Clock;
  readonly livePath: Pick<LivePath, 'ticked'>;
  readonly revocations: Pick<Revocations, 'learn' | 'learnHead'>;
  readonly presence: Pick<Presence, 'receive' | 'learnStatuses'>;
  readonly headCheck: Pick<HeadCheck, 'hurry'>;
  readonly registry: Pick<Registry, 'get' | 'close'>;
}

/** Passes each message of the control channel to its part. The channel is shared, so nothing in it is trusted. */
export function controlListener(parts: ControlParts): FanoutListener {
  return (payload) => {
    const frame = parseLiveFrame(payload);
    const parsed = controlMessageSchema.safeParse(frame === null ? null : { type: frame.type, data: frame.data });
    if (parsed.success) hand(parts, parsed.data);
  };
}

function hand({ clock, livePath, revocations, presence, headCheck, registry }: ControlParts, message: ControlMessage) {
  switch (message.type) {
    case 'control.tick':
      livePath.ticked(clock.now(), message.data.source_lost === true);
      revocations.learnHead(message.data.revocations_head);
      break;
    case 'control.revoked':
      revocations.learn([message.data]);
      break;
    case 'control.presence':
      presence.receive(message);
      break;
    case 'control.status':
      presence.learnStatuses([message.data]);
      break;
    case 'control.bans':
      headCheck.hurry();
      break;
    case 'control.displaced': {
      // Its slot went to a new connection, because it missed a pong or was replaced by its own client.
      const connection = registry.get(message.data.connection_id);
      if (connection !== undefined) registry.close(connection, 'timeout');
      break;
    }
  }
}
