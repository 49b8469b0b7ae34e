import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { DEFAULT_NOTIFY_SETTINGS } from './settings.ts';
import { type AwayOperator, channelsFor, type Concern, isWithin, NOTIFY_DELAYS } from './policy.ts';

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
const nobodys = (event: Concern['event']): Concern => ({ event, isTheirs: false, isInTelegram: false });
const WAITING = nobodys('waiting');
const MESSAGE = nobodys('message');
const CALLBACK = nobodys('callback_requested');
const onDuty: AwayOperator = { ...away, onDutyInTelegram: true };

describe('who is notified', () => {
  it('[NTF2] an operator, by the first channel that reaches them, or by all if they chose that', () => {
    expect(channelsFor(WAITING, away, NOW)).toEqual(['push']);
    expect(channelsFor(WAITING, { ...away, devices: 0 }, NOW)).toEqual(['mail']);
    expect(channelsFor(MESSAGE, { ...away, devices: 0 }, NOW)).toEqual([]);
    expect(channelsFor(WAITING, { ...away, devices: 0, canMail: false }, NOW)).toEqual([]);
    const everywhere = { ...away, settings: { ...away.settings, everywhere: true } };
    expect(channelsFor(WAITING, everywhere, NOW)).toEqual(['push', 'mail']);
    expect(channelsFor(WAITING, { ...everywhere, connected: true, onDutyInTelegram: true }, NOW)).toEqual([
      'push',
      'mail',
    ]);
  });

  it('[NTF2] no operator who has the chat open, and none who is off', () => {
    expect(channelsFor(WAITING, { ...away, connected: true }, NOW)).toEqual([]);
    expect(channelsFor({ ...MESSAGE, isInTelegram: true }, onDuty, NOW)).toEqual([]);
    expect(channelsFor({ ...CALLBACK, isInTelegram: true }, onDuty, NOW)).toEqual([]);
    const everywhere = { ...away, settings: { ...away.settings, everywhere: true } };
    expect(channelsFor(WAITING, { ...everywhere, status: 'off' }, NOW)).toEqual([]);
  });

  it('[NTF5] an operator on duty in Telegram, of what came before their duty began', () => {
    for (const concern of [WAITING, MESSAGE, CALLBACK]) {
      expect(channelsFor(concern, onDuty, NOW)).toEqual(['push']);
      expect(channelsFor({ ...concern, isTheirs: true }, onDuty, NOW)).toEqual(['push']);
      expect(channelsFor({ ...concern, isInTelegram: true }, onDuty, NOW)).toEqual([]);
    }
  });

  it('[NTF5] an operator on duty in Telegram who is away, of unassigned chats, which they are not offered there', () => {
    const absent: AwayOperator = { ...onDuty, status: 'away' };
    for (const concern of [WAITING, MESSAGE, CALLBACK]) {
      expect(channelsFor({ ...concern, isInTelegram: true }, absent, NOW)).toEqual(['push']);
      expect(channelsFor({ ...concern, isInTelegram: true, isTheirs: true }, absent, NOW)).toEqual([]);
    }
  });

  it('[NTF2] no device in quiet hours, which may pass midnight, in the operator’s own time zone', () => {
    const quiet = { from: '22:00', to: '08:00', timezone: 'Europe/Moscow' };
    expect(channelsFor(WAITING, { ...away, settings: { ...away.settings, quiet } }, NOW)).toEqual(['mail']);
    expect(channelsFor(MESSAGE, { ...away, settings: { ...away.settings, quiet } }, NOW)).toEqual([]);
    expect(isWithin(quiet, new Date('2026-11-29T18:59:00Z'))).toBe(false);
    expect(isWithin(quiet, new Date('2026-11-29T19:00:00Z'))).toBe(true);
    expect(isWithin(quiet, new Date('2026-11-30T05:00:00Z'))).toBe(false);
    expect(isWithin({ ...quiet, from: '12:00', to: '13:00' }, new Date('2026-11-29T09:30:00Z'))).toBe(true);
    expect(isWithin({ ...quiet, from: '12:00', to: '12:00' }, new Date('2026-11-29T09:00:00Z'))).toBe(false);
  });
});

/** The reasons not to notify an operator, as the guides name them. */
const REASONS: Readonly<
  Record<string, { en: string; ru: string; state: Partial<AwayOperator>; inTelegram?: boolean }>
> = {
  console: { en: 'with an open console', ru: 'открыта консоль', state: { connected: true } },
  telegram: {
    en: 'if Telegram delivers it',
    ru: 'если ушло в Telegram',
    state: { onDutyInTelegram: true },
    inTelegram: true,
  },
  off: { en: '“Off work”', ru: '«Не работаю»', state: { status: 'off' } },
  quiet: {
    en: 'in quiet hours',
    ru: 'тихие часы',
    state: { settings: { ...away.settings, quiet: { from: '00:00', to: '23:59', timezone: 'UTC' } } },
  },
  device: { en: 'where a device has it', ru: 'извещено устройство', state: { devices: 1 } },
};
const EVENTS = {
  en: {
    "a customer's message that nobody has read": MESSAGE,
    'a customer waits': WAITING,
    'a callback was requested': CALLBACK,
  },
  ru: {
    'сообщение клиента, которого никто не прочёл': MESSAGE,
    'клиент ждёт': WAITING,
    'просят перезвонить': CALLBACK,
  },
} as const;

function rowsOf(name: string): string[][] {
  const guide = readFileSync(new URL(`../../../../docs/guides/${name}`, import.meta.url), 'utf8');
  const rows = guide.split('\n').filter((line) => line.startsWith('| ') && line.split(' | ').length === 5);
  return rows.map((row) => row.slice(2, -2).split(' | '));
}

describe('the table of the guide', () => {
  const { messageSeconds, replyPushSeconds, replyMailAfterPushSeconds, replyMailGapSeconds } = NOTIFY_DELAYS;
  it.each([
    ['notifications.md', 's', 'h', 'minutes'],
    ['notifications.ru.md', 'с', 'ч', 'минут'],
  ])('matches the code in %s', (name, second, hour, minutes) => {
    const [, , replyPush, replyMail, , messagePush] = rowsOf(name);
    expect(replyPush?.[3]).toBe(`${replyPushSeconds} ${second}`);
    expect(replyMail?.[3]).toContain(`${replyMailAfterPushSeconds / 3_600} ${hour}`);
    expect(replyMail?.[4]).toContain(`${replyMailGapSeconds / 60} ${minutes}`);
    expect(messagePush?.[3]).toBe(`${messageSeconds} ${second}`);
  });

  it.each([
    ['notifications.md', 'en', 'operator', 'mail, if they chose it'],
    ['notifications.ru.md', 'ru', 'оператор', 'почта, если выбрана'],
  ] as const)(
    '[NTF2] names in %s each channel of each event, and every reason not to notify an operator',
    (name, language, person, byMail) => {
      const said = rowsOf(name).flatMap(([who, event, channel, , not]) =>
        who === person && channel !== undefined && !channel.startsWith('Telegram')
          ? [`${event} | ${channel} | ${(not ?? '').split(', ').toSorted().join(', ')}`]
          : [],
      );
      const decided = Object.entries(EVENTS[language]).flatMap(([event, concern]) =>
        (['push', 'mail'] as const).flatMap((channel) => {
          const told: AwayOperator = { ...away, devices: channel === 'push' ? 1 : 0 };
          const goes = (state: Partial<AwayOperator>, isInTelegram = false): boolean =>
            channelsFor({ ...concern, isInTelegram }, { ...told, ...state }, NOW).includes(channel);
          if (!goes({})) return [];
          const not = Object.values(REASONS).flatMap((reason) =>
            goes(reason.state, reason.inTelegram) ? [] : [reason[language]],
          );
          return [`${event} | ${channel === 'push' ? 'Web Push' : byMail} | ${not.toSorted().join(', ')}`];
        }),
      );
      expect(said.toSorted()).toEqual(decided.toSorted());
    },
  );
});
