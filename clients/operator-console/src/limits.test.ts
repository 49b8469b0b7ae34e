import {
  customFieldsPatchSchema,
  loginRequestSchema,
  newBanSchema,
  newOperatorSchema,
  newQuickReplySchema,
  noteRequestSchema,
  operatorStatusSchema,
  postMessageRequestSchema,
  pushRenameRequestSchema,
  contactRequestSchema,
  settingsPatchSchema,
  shortcutSchema,
  staffScopeSchema,
  WIDGET_TEXT_NAMES,
} from '@chat-realtime/protocol';
import { describe, expect, it } from 'vitest';
import * as limits from './limits.ts';
import { TEXT_NAMES } from './names.ts';
import { SCOPES } from './state/administration.ts';
import { STATUSES } from './state/own-status.ts';

interface Schema {
  safeParse(value: unknown): { readonly success: boolean };
}
const takes = (schema: Schema, value: unknown): boolean => schema.safeParse(value).success;

const ID = '6f9619ff-8b86-4011-b42d-00cf4fc964ff';
const a = (length: number): string => 'a'.repeat(length);
const address = (length: number): string => `https://shop.example/${a(length - 21)}`;
const origin = (length: number): string => `https://${a(length - 16)}.example`;
const email = (length: number): string => {
  const labels = `@${[60, 60, 60].map(a).join('.')}.example`;
  return a(length - labels.length) + labels;
};
const many = <T>(length: number, one: (index: number) => T): T[] => Array.from({ length }, (_, index) => one(index));
const question = (index: number, more: object = {}): object => ({
  name: `f${index}`,
  kind: 'text',
  label: { en: 'a' },
  required: false,
  ...more,
});
const choice = (options: readonly object[]): object => question(0, { kind: 'choice', options });
const option = (index: number, label = 'a'): object => ({ value: `o${index}`, label: { en: label } });
const reply = { shortcut: 'a', title: 'a', text: 'a' };
const operator = { login: 'a', name: 'a', role: 'operator' };
const consent = { version: 'a', text: 'a' };

describe('a field of the console has the limit of the server', () => {
  it.each<[string, number, Schema, (length: number) => unknown]>([
    ['message', limits.MESSAGE_MAX, postMessageRequestSchema, (n) => ({ body: a(n), client_message_id: ID })],
    ['note', limits.MESSAGE_MAX, noteRequestSchema, (n) => ({ body: a(n) })],
    ['name', limits.PERSON_NAME_MAX, newOperatorSchema, (n) => ({ ...operator, name: a(n) })],
    ['name of a customer', limits.PERSON_NAME_MAX, contactRequestSchema, (n) => ({ name: a(n) })],
    ['login', limits.LOGIN_MAX, newOperatorSchema, (n) => ({ ...operator, login: a(n) })],
    ['password', limits.PASSWORD_MAX, loginRequestSchema, (n) => ({ login: 'a', password: a(n) })],
    ['email', limits.EMAIL_MAX, contactRequestSchema, (n) => ({ email: email(n) })],
    ['phone', limits.PHONE_MAX, contactRequestSchema, (n) => ({ phone: a(n) })],
    ['reason of a ban', limits.BAN_REASON_MAX, newBanSchema, (n) => ({ session_id: 1, by: 'session', reason: a(n) })],
    [
      'name of a device',
      limits.DEVICE_NAME_MAX,
      pushRenameRequestSchema,
      (n) => ({ endpoint: address(30), device: a(n) }),
    ],
    ['shortcut', limits.SHORTCUT_MAX, newQuickReplySchema, (n) => ({ ...reply, shortcut: a(n) })],
    ['title of a reply', limits.REPLY_TITLE_MAX, newQuickReplySchema, (n) => ({ ...reply, title: a(n) })],
    ['text of a reply', limits.REPLY_TEXT_MAX, newQuickReplySchema, (n) => ({ ...reply, text: a(n) })],
    ['text of the widget', limits.WIDGET_TEXT_MAX, settingsPatchSchema, (n) => ({ texts: { greeting: a(n) } })],
    ['version', limits.CONSENT_VERSION_MAX, settingsPatchSchema, (n) => ({ consent: { ...consent, version: a(n) } })],
    ['consent', limits.CONSENT_TEXT_MAX, settingsPatchSchema, (n) => ({ consent: { ...consent, text: a(n) } })],
    ['its page', limits.CONSENT_URL_MAX, settingsPatchSchema, (n) => ({ consent: { ...consent, url: address(n) } })],
    ['question', limits.QUESTION_MAX, customFieldsPatchSchema, (n) => [question(0, { label: { en: a(n) } })]],
    ['option', limits.OPTION_MAX, customFieldsPatchSchema, (n) => [choice([option(0, a(n))])]],
    ['options', limits.OPTIONS_MAX, customFieldsPatchSchema, (n) => [choice(many(n, (index) => option(index)))]],
    ['questions', limits.QUESTIONS_MAX, customFieldsPatchSchema, (n) => many(n, (index) => question(index))],
    ['origin', limits.ORIGIN_MAX, settingsPatchSchema, (n) => ({ origins: [origin(n)] })],
    ['origins', limits.ORIGINS_MAX, settingsPatchSchema, (n) => ({ origins: many(n, (i) => `https://a${i}.example`) })],
    ['webhook', limits.WEBHOOK_URL_MAX, settingsPatchSchema, (n) => ({ webhook: { urls: [address(n)] } })],
    [
      'webhooks',
      limits.WEBHOOKS_MAX,
      settingsPatchSchema,
      (n) => ({ webhook: { urls: many(n, (i) => address(30 + i)) } }),
    ],
  ])('%s: %i', (_what, most, schema, of) => {
    expect(takes(schema, of(most))).toBe(true);
    expect(takes(schema, of(most + 1))).toBe(false);
  });

  const numbers = Object.entries(limits.NUMBERS).flatMap(([part, fields]) =>
    Object.entries(fields).map(([name, range]) => [`${part}.${name}`, part, name, range] as const),
  );
  it.each(numbers)('%s', (_what, part, name, { min, max }) => {
    const takesNumber = (value: number): boolean => takes(settingsPatchSchema, { [part]: { [name]: value } });
    expect([min - 1, min, max, max + 1].map(takesNumber)).toEqual([false, true, true, false]);
  });

  it('a shortcut is recognised', () => {
    for (const text of ['hello', 'привет', 'a_b-1', '', 'two words', 'a/b', a(32), a(33)])
      expect([text, limits.SHORTCUT.test(text)]).toEqual([text, takes(shortcutSchema, text)]);
  });
});

it('the names are those of the protocol', () => {
  expect([...SCOPES].toSorted()).toEqual([...staffScopeSchema.options].toSorted());
  expect([...STATUSES].toSorted()).toEqual([...operatorStatusSchema.options].toSorted());
  expect([...TEXT_NAMES].toSorted()).toEqual([...WIDGET_TEXT_NAMES].toSorted());
});
