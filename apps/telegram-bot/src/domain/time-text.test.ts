import { expect, it } from 'vitest';
import { timeText } from './time-text.ts';

it('a time is written in a time zone, which is named', () => {
  const at = '2026-01-31T21:05:00.000Z';
  expect(timeText(at, 'UTC')).toBe('2026-01-31 21:05 (UTC)');
  expect(timeText(at, 'Europe/Moscow')).toBe('2026-02-01 00:05 (UTC+3)');
  expect(timeText(at, 'Asia/Kolkata')).toBe('2026-02-01 02:35 (UTC+5:30)');
  // Another offset in summer.
  expect(timeText('2026-07-01T10:00:00.000Z', 'Europe/Berlin')).toBe('2026-07-01 12:00 (UTC+2)');
});
