import { CLOSE_CODES, reconnectPolicy } from '@chat-realtime/protocol';
import { expect, it } from 'vitest';
import { closePolicy } from './close-policy.ts';

it('[CLS1] [CLS2] does after each close code what the protocol says', () => {
  for (const { code, reconnect } of Object.values(CLOSE_CODES)) expect(closePolicy(code), String(code)).toBe(reconnect);
  for (const code of [1006, 4000, 4499, 4500, 4999, 4402, 4600, 1002, 1008, 3000]) {
    expect(closePolicy(code), String(code)).toBe(reconnectPolicy(code));
  }
});
