/** A calendar day of some time zone. */
export interface CalendarDay {
  readonly year: number;
  /** 1–12. */
  readonly month: number;
  readonly day: number;
}

/** Reads and writes the wall clock of one time zone, by the zone data of the runtime. */
export class ZonedClock {
  readonly timeZone: string;
  readonly #format: Intl.DateTimeFormat;

  /** @throws RangeError for a time zone the runtime does not know. */
  constructor(timeZone: string) {
    this.timeZone = timeZone;
    this.#format = new Intl.DateTimeFormat('en-US', {
      timeZone,
      calendar: 'iso8601',
      hourCycle: 'h23',
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
      hour: '2-digit',
      minute: '2-digit',
      second: '2-digit',
    });
  }

  day(at: Date): CalendarDay {
    const { year, month, day } = this.#fields(at.getTime());
    return { year, month, day };
  }

  /**
   * The moment at which the wall clock shows `minutes` after midnight of `day` (1440 = the next midnight).
   * A time that spring skips means the moment of the jump; of a time that autumn shows twice the first one counts.
   */
  instant(day: CalendarDay, minutes: number): Date {
    const wall = Date.UTC(day.year, day.month - 1, day.day, 0, minutes);
    // Offsets half a day to either side: the two candidates when the clock jumps in between.
    const before = this.#offset(wall - 43_200_000);
    const after = this.#offset(wall + 43_200_000);
    const early = wall - before;
    const late = wall - after;
    if (before === after || this.#offset(early) === before) return new Date(early);
    if (this.#offset(late) === after) return new Date(late);
    return new Date(this.#jumpBetween(late, early, before));
  }

  /** Inside a skipped hour: the first moment at which the old offset no longer holds. */
  #jumpBetween(low: number, high: number, oldOffset: number): number {
    let from = low;
    let to = high;
    while (to - from > 1_000) {
      const middle = from + Math.floor((to - from) / 2_000) * 1_000;
      if (middle === from) break;
      if (this.#offset(middle) === oldOffset) from = middle;
      else to = middle;
    }
    return to;
  }

  #offset(at: number): number {
    const f = this.#fields(at);
    return Date.UTC(f.year, f.month - 1, f.day, f.hour, f.minute, f.second) - Math.floor(at / 1_000) * 1_000;
  }

  #fields(at: number) {
    const values: Record<string, number> = {};
    for (const { type, value } of this.#format.formatToParts(at)) values[type] = Number(value);
    const { year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0 } = values;
    return { year, month, day, hour, minute, second };
  }
}

export function addDays(day: CalendarDay, count: number): CalendarDay {
  const date = new Date(Date.UTC(day.year, day.month - 1, day.day + count));
  return { year: date.getUTCFullYear(), month: date.getUTCMonth() + 1, day: date.getUTCDate() };
}

/** 0 = Monday … 6 = Sunday. */
export function weekday(day: CalendarDay): number {
  return (new Date(Date.UTC(day.year, day.month - 1, day.day)).getUTCDay() + 6) % 7;
}

/** `2026-01-31`. */
export function isoDay(day: CalendarDay): string {
  const two = (value: number) => String(value).padStart(2, '0');
  return `${String(day.year).padStart(4, '0')}-${two(day.month)}-${two(day.day)}`;
}
