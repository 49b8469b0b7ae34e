import { describe, expect, it } from 'vitest';
import { handoverRequestSchema, operatorStatusRequestSchema } from './operator-status.ts';
import { newQuickReplySchema, quickReplyPatchSchema, shortcutKey } from './quick-replies.ts';
import { originCheckQuerySchema, settingsPatchSchema, WIDGET_TEXT_KEYS } from './settings.ts';

const accepts = (schema: { safeParse(value: unknown): { success: boolean } }, value: unknown) =>
  schema.safeParse(value).success;

describe('quick replies', () => {
  const good = { shortcut: 'hello', title: 'Greeting', text: 'Hello, {{name}}!' };

  it('[QR2] have shortcuts of letters and digits in any script', () => {
    for (const shortcut of ['a', 'Привет', '日本', 'no-reply_2', 'x'.repeat(32), '٣'])
      expect(newQuickReplySchema.parse({ ...good, shortcut }), shortcut).toEqual({ ...good, shortcut });
  });

  it('[QR2] keep the text as written', () => {
    const text = '  {{name}} <b>\n{{unknown}} ';
    expect(newQuickReplySchema.parse({ ...good, text }).text).toBe(text);
  });

  it('[QR4] may be changed in any part, or in none', () => {
    expect(quickReplyPatchSchema.parse({})).toEqual({});
  });

  it.each([
    ...['', ' ', 'a b', 'x'.repeat(33), '/hi', 'a.b', 'a\n', 'hi!', '😀', 5, null].map((shortcut) => ({ shortcut })),
    ...['', ' \n', 'x'.repeat(81), '\u0000', 5, null].map((title) => ({ title })),
    ...['', ' ', 'x'.repeat(4_001), 'a\u0000', '\ud800', {}].map((text) => ({ text })),
  ])('[QR2] [ERR4] are refused if invalid: %j', (bad) => {
    expect(accepts(newQuickReplySchema, { ...good, ...bad })).toBe(false);
    expect(accepts(quickReplyPatchSchema, bad)).toBe(false);
  });

  it('[QR3] compare shortcuts regardless of case and of how an accent is encoded', () => {
    expect(shortcutKey('ПРИВЕТ')).toBe(shortcutKey('привет'));
    expect(shortcutKey('Caf\u00e9')).toBe(shortcutKey('CAFE\u0301'));
    expect(shortcutKey('a')).not.toBe(shortcutKey('b'));
  });
});

describe('settings', () => {
  it('[SET2] may contain any part of look and texts, and null to clear', () => {
    const texts = Object.fromEntries(WIDGET_TEXT_KEYS.map((key) => [key, `text of ${key}`]));
    const theme = { accent: '#2F5d50', scheme: 'dark', title: 'Help' };
    for (const good of [{}, { theme: {} }, { theme, texts }, { theme: null, texts: null }, { texts: { title: 'x' } }])
      expect(settingsPatchSchema.parse(good)).toEqual(good);
  });

  it.each([
    { colour: '#fff' },
    { theme: { accent: '#fff' } },
    { theme: { accent: 'red' } },
    { theme: { accent: '#12345g' } },
    { theme: { accent: '#2f5d50;x:y' } },
    { theme: { scheme: 'blue' } },
    { theme: { title: ' ' } },
    { theme: { Accent: '#2f5d50' } },
    { theme: { accent: null } },
    { theme: [] },
    { texts: { hello: 'x' } },
    { texts: { 'title.de': 'x' } },
    { texts: { title: '' } },
    { texts: { title: 'x'.repeat(2_001) } },
    { texts: { title: 5 } },
    { texts: 'x' },
  ])('[SET3] are refused if invalid: %j', (bad) => expect(accepts(settingsPatchSchema, bad)).toBe(false));

  it('[SET6] contain origins as a browser sends them, and nothing else', () => {
    for (const good of ['https://shop.example', 'http://127.0.0.1:8080', 'https://xn--e1afmkfd.xn--p1ai'])
      expect(accepts(originCheckQuerySchema, { origin: good }), good).toBe(true);
    for (const bad of [
      undefined,
      '',
      'null',
      'shop.example',
      'https://shop.example/',
      'https://shop.example/x',
      'https://shop.example:443',
      'HTTPS://shop.example',
      'https://a@shop.example',
      'https://*.example/',
      'file://x',
      'javascript:1',
      `https://${'a'.repeat(300)}.example`,
      ['https://a.example', 'https://b.example'],
    ])
      expect(accepts(originCheckQuerySchema, { origin: bad }), String(bad)).toBe(false);
  });
});

describe('own status', () => {
  it('[OST1] is one of three', () => {
    for (const status of ['online', 'away', 'off']) expect(accepts(operatorStatusRequestSchema, { status })).toBe(true);
    for (const status of ['offline', '', 'ONLINE', null, undefined, 1, ['off']])
      expect(accepts(operatorStatusRequestSchema, { status }), String(status)).toBe(false);
  });

  it('[OST7] a handover names a colleague, or null for the queue', () => {
    for (const good of ['u1', null]) expect(accepts(handoverRequestSchema, { to_user_id: good })).toBe(true);
    for (const bad of [undefined, '', ' ', 5, 'x'.repeat(201), '\u0000'])
      expect(accepts(handoverRequestSchema, { to_user_id: bad }), String(bad)).toBe(false);
  });
});
