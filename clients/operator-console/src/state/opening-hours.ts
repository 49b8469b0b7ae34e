export const WEEK = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;
export type Day = (typeof WEEK)[number];
export interface Span {
  readonly from: string;
  readonly to: string;
}
export type Week = Readonly<Record<Day, readonly Span[]>>;

const SPAN = /^(\d{2}:\d{2})\s*-\s*(\d{2}:\d{2})$/;
export const NEW_SPAN: Span = { from: '09:00', to: '18:00' };

/** A browser's field for a time knows no 24:00: midnight at the end of a day is `00:00` there. */
const toField = (time: string): string => (time === '24:00' ? '00:00' : time);
const toWire = (time: string): string => (time === '00:00' ? '24:00' : time);

export function weekOf(hours: Readonly<Partial<Record<Day, readonly string[]>>>): Week {
  const spans = (day: Day): Span[] =>
    (hours[day] ?? []).flatMap((text) => {
      const [, from = '', to = ''] = SPAN.exec(text) ?? [];
      return from === '' ? [] : [{ from, to: toField(to) }];
    });
  return {
    mon: spans('mon'),
    tue: spans('tue'),
    wed: spans('wed'),
    thu: spans('thu'),
    fri: spans('fri'),
    sat: spans('sat'),
    sun: spans('sun'),
  };
}

/** A day without a span is left out: closed. */
export function hoursOf(week: Week): Partial<Record<Day, string[]>> {
  return Object.fromEntries(
    WEEK.filter((day) => week[day].length > 0).map((day) => [
      day,
      week[day].map(({ from, to }) => `${from}-${toWire(to)}`),
    ]),
  );
}
