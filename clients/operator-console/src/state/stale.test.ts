import { describe, expect, it } from 'vitest';
import { missedOf } from './stale.ts';

describe('a stopped send', () => {
  it('says which events were missed', () => {
    const event = { type: 'chat.message', session_id: 1, seq: 7, data: {} };
    expect(missedOf({ last_seq: 7, events: [event, 'x', null] }, 5)).toEqual({ lastSeq: 7, events: [event] });
  });

  it('needs no details', () => {
    expect(missedOf(undefined, 5)).toEqual({ lastSeq: 5, events: [] });
  });
});
