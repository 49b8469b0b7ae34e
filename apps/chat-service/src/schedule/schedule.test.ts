import { describe, expect, it } from 'vitest';
import { parseSchedule } from './parse.ts';

const at = (text: string) => new Date(text);
const moscow = parseSchedule('Europe/Moscow; mon-fri 09:00-18:00; sat 10:00-16:00; closed 2026-01-01');
const berlin = parseSchedule(
  '{"timezone":"Europe/Berlin","hours":{"sun":["02:30-05:00"],"mon":["09:00-13:00","14:00-18:00"]},"holidays":[]}',
);

describe('opening hours', () => {
  it('[CFG2] follow the local time of their time zone, excluding the end', () => {
    expect(moscow.isOpen(at('2026-03-02T06:00:00Z'))).toBe(true);
    expect(moscow.isOpen(at('2026-03-02T05:59:59Z'))).toBe(false);
    expect(moscow.isOpen(at('2026-03-02T15:00:00Z'))).toBe(false);
    expect(moscow.nextOpening(at('2026-03-02T15:00:00Z'))).toEqual(at('2026-03-03T06:00:00Z'));
  });

  it('[CFG2] reopen after the weekend and after a holiday', () => {
    expect(moscow.nextOpening(at('2026-03-07T14:00:00Z'))).toEqual(at('2026-03-09T06:00:00Z'));
    expect(moscow.isOpen(at('2026-01-01T09:00:00Z'))).toBe(false);
    expect(moscow.nextOpening(at('2025-12-31T16:00:00Z'))).toEqual(at('2026-01-02T06:00:00Z'));
  });

  it('[CFG2] keep 09:00 local over both changes of summer time', () => {
    // Berlin: UTC+1 until 2026-03-29 01:00Z, UTC+2 until 2026-10-25 01:00Z.
    expect(berlin.nextOpening(at('2026-03-23T18:00:00Z'))).toEqual(at('2026-03-29T01:00:00Z'));
    expect(berlin.nextOpening(at('2026-03-29T04:00:00Z'))).toEqual(at('2026-03-30T07:00:00Z'));
    expect(berlin.nextOpening(at('2026-10-25T05:00:00Z'))).toEqual(at('2026-10-26T08:00:00Z'));
  });

  it('[CFG2] begin at the jump when spring skips the opening minute', () => {
    expect(berlin.isOpen(at('2026-03-29T00:59:59Z'))).toBe(false);
    expect(berlin.isOpen(at('2026-03-29T01:00:00Z'))).toBe(true);
    expect(berlin.nextClosing(at('2026-03-29T01:00:00Z'))).toEqual(at('2026-03-29T03:00:00Z'));
  });

  it('[CFG2] begin at the first of two equal local times in autumn', () => {
    expect(berlin.nextOpening(at('2026-10-24T12:00:00Z'))).toEqual(at('2026-10-25T00:30:00Z'));
    expect(berlin.nextClosing(at('2026-10-25T00:30:00Z'))).toEqual(at('2026-10-25T04:00:00Z'));
  });

  it('[CFG2] may pass midnight, and adjacent shifts are one period', () => {
    const night = parseSchedule('Asia/Vladivostok; mon-fri 22:00-06:00; mon 06:00-08:00');
    // Tuesday 03:00 local is Monday's shift.
    expect(night.isOpen(at('2026-03-02T17:00:00Z'))).toBe(true);
    const always = parseSchedule('UTC; mon-sun 00:00-24:00');
    expect(always.isOpen(at('2026-03-01T00:00:00Z'))).toBe(true);
    expect(always.nextClosing(at('2026-03-01T00:00:00Z'))).toBeUndefined();
    expect(always.nextOpening(at('2026-03-01T00:00:00Z'))).toBeUndefined();
  });

  it.each([
    ['Mars/Olympus; mon 09:00-18:00', 'unknown time zone'],
    ['UTC; mon 9-18', 'must look like'],
    ['UTC; monday 09:00-18:00', 'no such day'],
    ['UTC; mon 09:00-25:00', 'no such time'],
    ['UTC; mon 09:00-09:00', 'without length'],
    ['UTC', 'no hours'],
    ['{"timezone":"UTC","hours":{"mo":[]}}', 'hours'],
    ['{"timezone":', 'not valid JSON'],
  ])('[CFG3] %s is refused, and the message says why', (text, message) => {
    expect(() => parseSchedule(text)).toThrow(message);
  });
});
