import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { DEFAULT_NOTIFY_SETTINGS } from './settings.ts';
import { type AwayOperator, channelsFor, isWithin, NOTIFY_DELAYS } from './policy.ts';

const NOW = new Date('2026-11-29T20:30:00Z');
const settings = {
  ...DEFAULT_NOTIFY_SETTINGS,
  mail: ['waiting', 'callback_requested'] as const,
  email: 'a@shop.example',
};
const away: AwayOperator = {
  settings: { ...settings, mail: [...settings.mail] },
  connected: false,
  onDutyInTelegram: false,
  status: 'online',
  devices: 1,
  canMail: true,
};

describe('who is told', () => {
  it('[NTF2] by the first channel that reaches them, and by all where they ask for that', () => {
    expect(channelsFor('waiting', away, NOW)).toEqual(['push']);
    expect(channelsFor('waiting', { ...away, devices: 0 }, NOW)).toEqual(['mail']);
    expect(channelsFor('message', { ...away, devices: 0 }, NOW)).toEqual([]);
    expect(channelsFor('waiting', { ...away, devices: 0, canMail: false }, NOW)).toEqual([]);
    const everywhere = { ...away, settings: { ...away.settings, everywhere: true } };
    expect(channelsFor('waiting', everywhere, NOW)).toEqual(['push', 'mail']);
    expect(channelsFor('waiting', { ...everywhere, connected: true, onDutyInTelegram: true }, NOW)).toEqual([
      'push',
      'mail',
    ]);
  });

  it('[NTF2] not who has it before their eyes, and nobody who is off', () => {
    expect(channelsFor('waiting', { ...away, connected: true }, NOW)).toEqual([]);
    expect(channelsFor('message', { ...away, onDutyInTelegram: true }, NOW)).toEqual([]);
    expect(channelsFor('callback_requested', { ...away, onDutyInTelegram: true }, NOW)).toEqual([]);
    const everywhere = { ...away, settings: { ...away.settings, everywhere: true } };
    expect(channelsFor('waiting', { ...everywhere, status: 'off' }, NOW)).toEqual([]);
  });

  it('[NTF2] no device in quiet hours, over midnight as well, in the operator’s own time', () => {
    const quiet = { from: '22:00', to: '08:00', timezone: 'Europe/Moscow' };
    expect(channelsFor('waiting', { ...away, settings: { ...away.settings, quiet } }, NOW)).toEqual(['mail']);
    expect(channelsFor('message', { ...away, settings: { ...away.settings, quiet } }, NOW)).toEqual([]);
    expect(isWithin(quiet, new Date('2026-11-29T18:59:00Z'))).toBe(false);
    expect(isWithin(quiet, new Date('2026-11-29T19:00:00Z'))).toBe(true);
    expect(isWithin(quiet, new Date('2026-11-30T05:00:00Z'))).toBe(false);
    expect(isWithin({ ...quiet, from: '12:00', to: '13:00' }, new Date('2026-11-29T09:30:00Z'))).toBe(true);
    expect(isWithin({ ...quiet, from: '12:00', to: '12:00' }, new Date('2026-11-29T09:00:00Z'))).toBe(false);
  });
});

describe('the table of the guide', () => {
  const { messageSeconds, replyPushSeconds, replyMailAfterPushSeconds, replyMailGapSeconds } = NOTIFY_DELAYS;
  it.each([
    ['notifications.md', 's', 'h', 'minutes'],
    ['notifications.ru.md', 'с', 'ч', 'минут'],
  ])('says in %s what the code does', (name, second, hour, minutes) => {
    const guide = readFileSync(new URL(`../../../../docs/guides/${name}`, import.meta.url), 'utf8');
    const rows = guide.split('\n').filter((line) => line.startsWith('| ') && line.split(' | ').length === 5);
    const [, , replyPush, replyMail, , messagePush] = rows.map((row) => row.slice(2, -2).split(' | '));
    expect(replyPush?.[3]).toBe(`${replyPushSeconds} ${second}`);
    expect(replyMail?.[3]).toContain(`${replyMailAfterPushSeconds / 3_600} ${hour}`);
    expect(replyMail?.[4]).toContain(`${replyMailGapSeconds / 60} ${minutes}`);
    expect(messagePush?.[3]).toBe(`${messageSeconds} ${second}`);
  });
});
