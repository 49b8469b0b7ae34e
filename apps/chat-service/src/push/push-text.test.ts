import { describe, expect, it } from 'vitest';
import { pushPayload } from './push-text.ts';

const URL = '/operator/#/inbox/all/5';
const said = (more: object) =>
  JSON.parse(pushPayload({ kind: 'message', sessionId: 5, locale: 'ru', shown: null, url: URL, ...more }));

describe('what a push carries', () => {
  it('[PUSH8] says that there is a message, and where, without its text unless that is allowed', () => {
    expect(said({})).toEqual({ title: 'Новое сообщение от клиента', body: 'Чат 5', tag: 'message:5', url: URL });
    expect(said({ kind: 'reply', locale: 'en' }).body).toBe('');
    expect(said({ shown: { name: 'Ольга', body: 'Есть лампа?' } }).body).toBe('Ольга: Есть лампа?');
    expect(said({ shown: { name: null, body: 'Есть лампа?' } }).body).toBe('Есть лампа?');
    // Only files: there is no text to show.
    expect(said({ shown: { name: 'Ольга', body: '' } }).body).toBe('Чат 5');
  });

  it('[PUSH8] is cut between characters, to the size that a push service accepts', () => {
    const payload = pushPayload({
      ...{ kind: 'message', sessionId: 5, locale: 'ru', url: URL },
      shown: { name: '😀'.repeat(200), body: '😀'.repeat(2_000) },
    });
    expect(payload.isWellFormed()).toBe(true);
    expect(payload).not.toMatch(/\\ud[89a-f]/i);
    // 4,096 bytes including the encryption overhead (RFC 8291).
    expect(Buffer.byteLength(payload)).toBeLessThan(3_900);
  });
});
