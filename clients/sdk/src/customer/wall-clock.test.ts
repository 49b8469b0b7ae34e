import { expect, it, vi } from 'vitest';
import { siteReader } from './site-fields.ts';
import { wallClock } from './wall-clock.ts';

const at = (timeZone: string, text: string): string =>
  new Date(wallClock(timeZone)(Date.parse(`${text}Z`))).toISOString();

it.each([
  ['Europe/Moscow', '2026-03-01T15:00:00', '2026-03-01T12:00:00.000Z'],
  ['Europe/Moscow', '2026-01-01T01:30:00.250', '2025-12-31T22:30:00.250Z'],
  ['America/New_York', '2026-07-01T20:00:00', '2026-07-02T00:00:00.000Z'],
  ['Asia/Kolkata', '2026-07-01T00:00:00', '2026-06-30T18:30:00.000Z'],
  // Around the changes of summer time, on either side and in the repeated hour.
  ['Europe/Berlin', '2026-03-29T01:59:59', '2026-03-29T00:59:59.000Z'],
  ['Europe/Berlin', '2026-03-29T03:00:00', '2026-03-29T01:00:00.000Z'],
  ['Europe/Berlin', '2026-10-25T01:30:00', '2026-10-24T23:30:00.000Z'],
  ['Europe/Berlin', '2026-10-25T03:00:00', '2026-10-25T02:00:00.000Z'],
  ['UTC', '2026-03-01T15:00:00', '2026-03-01T15:00:00.000Z'],
])('[BES31] a clock in %s that showed %s', (timeZone, text, instant) => {
  expect(at(timeZone, text)).toBe(instant);
});

it('[BES31] reads a site’s times in its time zone, unless they name an offset', () => {
  const created = (timeZone: string | undefined, created_at: unknown) =>
    siteReader({ ...(timeZone && { timeZone }) }).messages({
      messages: [{ id: 1, sender: 'client', body: 'x', created_at }],
    })[0]?.created_at;
  expect(created('Europe/Moscow', '2026-03-01 15:00:00')).toBe('2026-03-01T12:00:00.000Z');
  expect(created(undefined, '2026-03-01 15:00:00')).toBe('2026-03-01T15:00:00.000Z');
  expect(created('Europe/Moscow', '2026-03-01 15:00:00+00')).toBe('2026-03-01T15:00:00.000Z');
  expect(created('Europe/Moscow', '2026-03-01T15:00:00Z')).toBe('2026-03-01T15:00:00.000Z');
  expect(created('Europe/Moscow', 1_772_366_400)).toBe('2026-03-01T12:00:00.000Z');
});

it('[BES31] treats an invalid time zone as UTC, and logs it', () => {
  const said = vi.spyOn(console, 'error').mockImplementation(() => undefined);
  expect(at('Moscow time', '2026-03-01T15:00:00')).toBe('2026-03-01T15:00:00.000Z');
  expect(said).toHaveBeenCalledOnce();
  said.mockRestore();
});
