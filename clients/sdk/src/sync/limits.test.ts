import { HELD_FRAMES_MAX, MESSAGE_BODY_MAX_CODE_POINTS, TYPING_TTL_MS } from '@chat-realtime/protocol';
import { expect, it } from 'vitest';
import { BODY_MAX } from './outbox.ts';
import { HELD_MAX } from './sequence.ts';
import { EXPIRES_MS } from './typing.ts';

it('the limits are those of the protocol, whose schemas stay out of the bundle', () => {
  expect([BODY_MAX, HELD_MAX, EXPIRES_MS]).toEqual([MESSAGE_BODY_MAX_CODE_POINTS, HELD_FRAMES_MAX, TYPING_TTL_MS]);
});
