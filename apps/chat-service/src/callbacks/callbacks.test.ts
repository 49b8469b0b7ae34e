import { callbackStatusSchema } from '@chat-realtime/protocol';
import { describe, expect, it } from 'vitest';
import { parsePhone } from './phone.ts';
import { checkTransition } from './apply-patch.ts';

describe('phone numbers', () => {
  it.each([
    ['8 (999) 123-45-67', '+79991234567'],
    ['+7 999 123 45 67', '+79991234567'],
    ['9991234567', '+79991234567'],
    ['+44 20 7946 0958', '+442079460958'],
    ['+1 (212) 555-0100', '+12125550100'],
  ])('[CB2] %s is %s', (text, e164) => {
    expect(parsePhone(text, 'RU').e164).toBe(e164);
  });

  it('[CB2] the default country is a setting, and an extension is kept separately', () => {
    expect(parsePhone('030 901820', 'DE').e164).toBe('+4930901820');
    expect(parsePhone('8 (495) 123-45-67 доб. 12', 'RU')).toEqual({ e164: '+74951234567', extension: '12' });
  });

  it.each([
    '',
    'call me',
    '123',
    '+7',
    '+999 123 456 789',
    '89991234567890123',
    'tel: 8 999 123-45-67 or 8 999 123-45-68',
  ])('[CB2] %j is refused', (text) => {
    expect(() => parsePhone(text, 'RU')).toThrow(expect.objectContaining({ code: 'validation_failed' }));
  });
});

describe('states of a callback', () => {
  it('[CB5] allow these transitions and no others', () => {
    const steps: string[] = [];
    for (const from of callbackStatusSchema.options) {
      for (const to of callbackStatusSchema.options) {
        if (from === to) continue;
        try {
          checkTransition(from, to);
          steps.push(`${from}>${to}`);
        } catch (error) {
          expect(error).toMatchObject({ code: 'invalid_transition', details: { status: from } });
        }
      }
    }
    expect(steps).toEqual([
      'new>assigned',
      'new>calling',
      'new>cancelled',
      'assigned>calling',
      'assigned>cancelled',
      'calling>done',
      'calling>no_answer',
      'calling>cancelled',
      'no_answer>calling',
      'no_answer>cancelled',
    ]);
  });
});
