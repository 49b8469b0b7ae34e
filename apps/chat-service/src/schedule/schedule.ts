import type { OpeningHours } from '@chat-realtime/protocol';
import { ZonedClock, addDays, isoDay, weekday } from './zoned-time.ts';

/** Minutes after midnight; `to` above 1440 reaches into the next day. */
export interface Shift {
  readonly from: number;
  readonly to: number;
}

export interface ScheduleDefinition {
  readonly timeZone: string;
  /** Monday first. */
  readonly week: readonly (readonly Shift[])[];
  /** `2026-01-01`: closed all day. */
  readonly holidays: ReadonlySet<string>;
}

/** Opening hours further away than this do not exist: the schedule has none. */
const HORIZON_DAYS = 400;

interface OpenSpan {
  readonly opens: number;
  readonly closes: number;
}

/** When people answer, in the wall clock of one place, summer time included. */
export class Schedule {
  readonly clock: ZonedClock;
  /** As it was written. */
  readonly hours: OpeningHours;
  readonly #definition: ScheduleDefinition;

  constructor(definition: ScheduleDefinition, hours: OpeningHours) {
    this.#definition = definition;
    this.hours = hours;
    this.clock = new ZonedClock(definition.timeZone);
  }

  isOpen(at: Date): boolean {
    return this.#spanAt(at.getTime()) !== undefined;
  }

  /** The next moment at which it opens after being closed; undefined when it never does. */
  nextOpening(at: Date): Date | undefined {
    const time = this.nextClosing(at)?.getTime() ?? at.getTime();
    if (this.#spanAt(time) !== undefined) return undefined;
    const start = this.clock.day(new Date(time));
    for (let ahead = -1; ahead <= HORIZON_DAYS; ahead += 1) {
      const openings = this.#spans(ahead, start)
        .map((span) => span.opens)
        .filter((opens) => opens > time);
      if (openings.length > 0) return new Date(Math.min(...openings));
    }
    return undefined;
  }

  /** When the present opening ends; undefined when closed, or open without end. Shifts that touch are one opening. */
  nextClosing(at: Date): Date | undefined {
    let span = this.#spanAt(at.getTime());
    if (span === undefined) return undefined;
    const limit = at.getTime() + HORIZON_DAYS * 86_400_000;
    while (span.closes < limit) {
      const next = this.#spanAt(span.closes);
      if (next === undefined) return new Date(span.closes);
      span = next;
    }
    return undefined;
  }

  #spanAt(time: number): OpenSpan | undefined {
    const today = this.clock.day(new Date(time));
    // Yesterday's night shift may still run.
    const spans = [...this.#spans(-1, today), ...this.#spans(0, today)];
    return spans.filter((span) => span.opens <= time && time < span.closes).sort((a, b) => b.closes - a.closes)[0];
  }

  #spans(ahead: number, start: { year: number; month: number; day: number }): OpenSpan[] {
    const day = addDays(start, ahead);
    if (this.#definition.holidays.has(isoDay(day))) return [];
    return (this.#definition.week[weekday(day)] ?? []).map((shift) => ({
      opens: this.clock.instant(day, shift.from).getTime(),
      closes: this.clock.instant(day, shift.to).getTime(),
    }));
  }
}
