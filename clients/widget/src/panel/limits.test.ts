import { callbackRequestSchema, createSessionRequestSchema } from '@chat-realtime/protocol';
import { describe, expect, it } from 'vitest';
import { ANSWER_MAX, COMMENT_MAX, FIELD_MAX, MESSAGE_MAX } from './limits.ts';
import { isPhone } from './prechat.ts';

interface Schema {
  safeParse(value: unknown): { readonly success: boolean };
}
const ID = '6f9619ff-8b86-4011-b42d-00cf4fc964ff';
const a = (length: number): string => 'a'.repeat(length);
const email = (length: number): string => {
  const labels = `@${[60, 60, 60].map(a).join('.')}.example`;
  return a(length - labels.length) + labels;
};
const callback = { phone: '+79161234567', consent: true };

describe('a field of the widget has the limit of the server', () => {
  it.each<[string, number, Schema, (length: number) => unknown]>([
    ['message', MESSAGE_MAX, createSessionRequestSchema, (n) => ({ message: { body: a(n), client_message_id: ID } })],
    ['name', FIELD_MAX.name, createSessionRequestSchema, (n) => ({ name: a(n) })],
    ['email', FIELD_MAX.email, createSessionRequestSchema, (n) => ({ email: email(n) })],
    ['phone', FIELD_MAX.phone, createSessionRequestSchema, (n) => ({ phone: a(n) })],
    ['answer', ANSWER_MAX, createSessionRequestSchema, (n) => ({ answers: { one: a(n) } })],
    ['comment', COMMENT_MAX, callbackRequestSchema, (n) => ({ ...callback, comment: a(n) })],
    ['name of a callback', FIELD_MAX.name, callbackRequestSchema, (n) => ({ ...callback, name: a(n) })],
    ['phone of a callback', FIELD_MAX.phone, callbackRequestSchema, (n) => ({ ...callback, phone: a(n) })],
  ])('%s: %i', (_what, most, schema, of) => {
    expect(schema.safeParse(of(most)).success).toBe(true);
    expect(schema.safeParse(of(most + 1)).success).toBe(false);
  });

  it('refuses a phone number that the server refuses as too long', () => {
    const spread = (length: number): string => '7'.padEnd(length - 9, ' ') + '916123456';
    expect([FIELD_MAX.phone, FIELD_MAX.phone + 1].map((length) => isPhone(spread(length)))).toEqual([true, false]);
  });
});
