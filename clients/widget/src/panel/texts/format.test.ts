import { describe, expect, it } from 'vitest';
import { en } from './en.ts';
import { formatDay, formatReopening, formatSize, unreadWords } from './format.ts';
import { ru } from './ru.ts';

const at = (day: number, hour: number) => new Date(2026, 2, day, hour);
const now = at(10, 22);

describe('times and sizes as people say them', () => {
  it('say when somebody is back', () => {
    expect(formatReopening(at(10, 23).toISOString(), 'ru', ru, now)).toBe('Мы вернёмся в\u00a023:00');
    expect(formatReopening(at(11, 9).toISOString(), 'ru', ru, now)).toMatch(/^Мы вернёмся завтра в\u00a00?9:00$/);
    expect(formatReopening(at(13, 9).toISOString(), 'ru', ru, now)).toMatch(/^Мы вернёмся 13 марта в\u00a00?9:00$/);
    expect(formatReopening(at(11, 9).toISOString(), 'en', en, now)).toMatch(/^We will be back tomorrow at 9:00\sAM$/);
  });

  it('name days', () => {
    expect(formatDay(at(10, 1).toISOString(), 'ru', ru, now)).toBe('Сегодня');
    expect(formatDay(at(9, 23).toISOString(), 'en', en, now)).toBe('Yesterday');
    expect(formatDay(at(3, 12).toISOString(), 'ru', ru, now)).toBe('3 марта');
    expect(formatDay(new Date(2025, 11, 31).toISOString(), 'ru', ru, now)).toContain('2025');
  });

  it('round sizes', () => {
    expect(formatSize(900, 'ru', ru)).toBe('900 Б');
    expect(formatSize(1_536, 'ru', ru)).toBe('1,5 КБ');
    expect(formatSize(10_485_760, 'en', en)).toBe('10 MB');
  });

  it.each([
    [0, ''],
    [1, '1 новое сообщение'],
    [2, '2 новых сообщения'],
    [5, '5 новых сообщений'],
    [11, '11 новых сообщений'],
    [21, '21 новое сообщение'],
  ])('count %i in Russian', (count, words) => {
    expect(unreadWords(count, 'ru')).toBe(words);
  });
});
