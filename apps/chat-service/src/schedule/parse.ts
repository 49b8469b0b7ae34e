import { z } from 'zod';
import { Schedule, type Shift } from './schedule.ts';

const DAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;
type DayName = (typeof DAYS)[number];
const DAY_MINUTES = 1_440;

const RANGE = /^(\d{1,2}):(\d{2})\s*[-–]\s*(\d{1,2}):(\d{2})$/;

/** Why a `CHAT_SCHEDULE` cannot be used; the message is shown at start. */
export class ScheduleError extends Error {
  override readonly name = 'ScheduleError';
}

function minutes(hour: string, minute: string): number {
  const value = Number(hour) * 60 + Number(minute);
  if (Number(minute) > 59 || value > DAY_MINUTES) throw new ScheduleError(`no such time of day: ${hour}:${minute}`);
  return value;
}

function parseShift(text: string): Shift {
  const [, fromHour, fromMinute, toHour, toMinute] = RANGE.exec(text.trim()) ?? [];
  if (fromHour === undefined || fromMinute === undefined || toHour === undefined || toMinute === undefined) {
    throw new ScheduleError(`hours must look like 09:00-18:00, not "${text.trim()}"`);
  }
  const from = minutes(fromHour, fromMinute);
  const to = minutes(toHour, toMinute);
  if (from === to) throw new ScheduleError(`hours without length: "${text.trim()}"; all day is 00:00-24:00`);
  // 22:00-06:00 ends on the next day.
  return { from, to: to > from ? to : to + DAY_MINUTES };
}

const definitionSchema = z.strictObject({
  timezone: z.string().min(1),
  hours: z.partialRecord(z.enum(DAYS), z.array(z.string())),
  holidays: z.array(z.iso.date()).default([]),
});

/** @throws ScheduleError */
export function buildSchedule(
  timeZone: string,
  hours: Partial<Record<DayName, string[]>>,
  holidays: string[],
): Schedule {
  const week = DAYS.map((day) => (hours[day] ?? []).map(parseShift));
  try {
    return new Schedule({ timeZone, week, holidays: new Set(holidays) }, { timezone: timeZone, hours, holidays });
  } catch (error) {
    if (error instanceof RangeError) throw new ScheduleError(`unknown time zone "${timeZone}"`, { cause: error });
    throw error;
  }
}

function parseJson(text: string): Schedule {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new ScheduleError('not valid JSON', { cause: error });
  }
  const result = definitionSchema.safeParse(value);
  if (!result.success) {
    throw new ScheduleError(result.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('; '));
  }
  return buildSchedule(result.data.timezone, result.data.hours, result.data.holidays);
}

function dayIndex(name: string): number {
  const index = DAYS.findIndex((day) => day === name.toLowerCase());
  if (index < 0) throw new ScheduleError(`no such day: "${name}"; days are ${DAYS.join(', ')}`);
  return index;
}

/** `mon-fri`, `sat`, `sat,sun`, `fri-mon` (over the weekend). */
function parseDays(text: string): DayName[] {
  return text.split(',').flatMap((part) => {
    const [first = '', last = first] = part.split('-');
    const from = dayIndex(first);
    const count = ((dayIndex(last) - from + 7) % 7) + 1;
    return Array.from({ length: count }, (_, step) => DAYS[(from + step) % 7] ?? 'mon');
  });
}

function parseHoliday(text: string): string {
  const result = z.iso.date().safeParse(text.trim());
  if (!result.success) throw new ScheduleError(`no such date: "${text.trim()}"`);
  return result.data;
}

const HOLIDAYS_PART = /^(?:closed|holidays)\s+(.+)$/i;

function parseShort(text: string): Schedule {
  const [timeZone = '', ...parts] = text
    .split(';')
    .map((part) => part.trim())
    .filter((part) => part !== '');
  const hours: Partial<Record<DayName, string[]>> = {};
  const holidays: string[] = [];
  for (const part of parts) {
    const closed = HOLIDAYS_PART.exec(part)?.[1];
    if (closed !== undefined) {
      holidays.push(...closed.split(',').map(parseHoliday));
      continue;
    }
    const space = part.search(/\s/);
    if (space < 0) throw new ScheduleError(`"${part}" must look like mon-fri 09:00-18:00`);
    const ranges = part.slice(space + 1).split(',');
    for (const day of parseDays(part.slice(0, space))) hours[day] = [...(hours[day] ?? []), ...ranges];
  }
  if (Object.keys(hours).length === 0) throw new ScheduleError('no hours given');
  return buildSchedule(timeZone, hours, holidays);
}

/**
 * Reads `CHAT_SCHEDULE`: JSON `{"timezone","hours":{"mon":["09:00-18:00"]},"holidays":["2026-01-01"]}`, or the short form
 * `Europe/Moscow; mon-fri 09:00-18:00; sat 10:00-16:00; closed 2026-01-01`.
 * @throws ScheduleError
 */
export function parseSchedule(text: string): Schedule {
  const trimmed = text.trim();
  return trimmed.startsWith('{') ? parseJson(trimmed) : parseShort(trimmed);
}
