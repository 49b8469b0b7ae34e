import { describe, expect, it } from 'vitest';
import { CLOSE_CODES, reconnectPolicy } from './close-codes.ts';

describe('close codes', () => {
  it('[CLS1] mean reconnect for 4000–4499 and not for 4500–4999, known or not', () => {
    for (let code = 4000; code < 4500; code += 1)
      expect(['backoff', 'refresh_token'], String(code)).toContain(reconnectPolicy(code));
    for (let code = 4500; code < 5000; code += 1)
      expect(['never', 'poll_only'], String(code)).toContain(reconnectPolicy(code));
  });

  it.each([1001, 1005, 1006, 1011, 1013])('[CLS2] mean reconnect for %i', (code) =>
    expect(reconnectPolicy(code)).toBe('backoff'),
  );
  it('[CLS2] mean reconnect at once for 1012', () => expect(reconnectPolicy(1012)).toBe('now'));
  it.each([1000, 1002, 1003, 1007, 1008, 1009])('[CLS2] do not mean reconnect for %i', (code) => {
    expect(reconnectPolicy(code)).toBe('never');
  });

  it('[CLS2] do not mean reconnect for numbers outside every range', () => {
    for (const code of [0, 999, 1010, 1014, 1015, 2999, 3000, 3999, 5000, Number.NaN])
      expect(reconnectPolicy(code)).toBe('never');
  });

  it('[CLS7] have the numbers of the contract, each once', () => {
    const codes = Object.values(CLOSE_CODES).map((entry) => entry.code);
    expect(new Set(codes).size).toBe(codes.length);
    expect(codes).toEqual([
      1000, 1001, 1002, 1003, 1007, 1008, 1009, 1011, 1012, 1013, 4401, 4408, 4413, 4429, 4500, 4501, 4503, 4504, 4505,
      4529, 4530,
    ]);
    expect(CLOSE_CODES.token_expired.reconnect).toBe('refresh_token');
    expect(CLOSE_CODES.connection_limit.reconnect).toBe('poll_only');
  });

  it('[CLS3] have names short enough for the reason of a close frame', () => {
    for (const name of Object.keys(CLOSE_CODES)) expect(Buffer.byteLength(name)).toBeLessThanOrEqual(123);
  });
});
