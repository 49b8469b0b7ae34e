import { CLOSE_CODES, reconnectPolicy } from '@chat-realtime/protocol';
import { expect, it } from 'vitest';
import { closePolicy } from './close-policy.ts';

it('[CLS1] [CLS2] each close code is handled as the protocol says', () => {
  for (const { code, reconnect } of Object.values(CLOSE_CODES)) expect(closePolicy(code), String(code)).toBe(reconnect);
  for (let code = 1_000; code < 5_000; code += 1) expect(closePolicy(code), String(code)).toBe(reconnectPolicy(code));
});
