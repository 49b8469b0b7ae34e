import { describe, expect, it } from 'vitest';
import { isFree, readInbound } from './inbound.ts';

describe('inbound frames', () => {
  it.each([
    ['{"type":"ping"}', { kind: 'ping' }],
    ['{"type":"ack","last_id":7}', { kind: 'customer_ack', lastId: 7 }],
    [
      '{"type":"ack","items":[{"session_id":3,"last_id":4}]}',
      { kind: 'staff_ack', items: [{ sessionId: 3, lastId: 4 }] },
    ],
    ['{"type":"typing","active":true}', { kind: 'typing', sessionId: null, active: true }],
    ['{"type":"typing","session_id":5,"active":false}', { kind: 'typing', sessionId: 5, active: false }],
    ['{"type":"viewing","session_id":null}', { kind: 'viewing', sessionId: null }],
    [
      '{"type":"auth","session_id":3,"token":"t","last_seq":8}',
      {
        kind: 'auth',
        credentials: {
          kind: 'customer',
          sessionId: 3,
          token: 't',
          start: { kind: 'after', cursor: 8 },
          replaces: undefined,
        },
      },
    ],
    [
      '{"type":"auth","access_token":"t","cursor":"9"}',
      {
        kind: 'auth',
        credentials: { kind: 'staff', token: 't', start: { kind: 'after', cursor: 9 }, replaces: undefined },
      },
    ],
  ])('are read: %s', (text, command) => {
    expect(readInbound(text)).toEqual(command);
  });

  it.each([
    ['{', 'malformed_request', null],
    ['[]', 'malformed_request', null],
    ['"ping"', 'malformed_request', null],
    ['['.repeat(40_000), 'malformed_request', null],
    ['{"type":"shout"}', 'validation_failed', null],
    ['{}', 'validation_failed', null],
    ['{"type":"ack"}', 'validation_failed', 'ack'],
    ['{"type":"ack","last_id":-1}', 'validation_failed', 'ack'],
    ['{"type":"typing"}', 'validation_failed', 'typing'],
    ['{"type":"viewing"}', 'validation_failed', 'viewing'],
    ['{"type":"auth"}', 'validation_failed', 'auth'],
  ])('[FRM8] are refused: %.20s', (text, code, of) => {
    expect(readInbound(text)).toMatchObject({ kind: 'bad', code, of });
  });

  it('that are acks and pings are counted separately, including invalid ones', () => {
    const texts = ['{"type":"ping"}', '{"type":"ack","last_id":1}', '{"type":"ack"}', '{"type":"typing"}', '{'];
    expect(texts.map((text) => isFree(readInbound(text)))).toEqual([true, true, true, false, false]);
  });
});
