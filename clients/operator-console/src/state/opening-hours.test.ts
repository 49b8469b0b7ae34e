import { describe, expect, it } from 'vitest';
import { hoursOf, weekOf } from './opening-hours.ts';

describe('the fields of opening hours', () => {
  it('return what was saved, including midnight at the end of a day', () => {
    const hours = { mon: ['09:00-13:00', '14:00-18:00'], sat: ['10:00-24:00'] };
    const week = weekOf(hours);
    expect(week.sat).toEqual([{ from: '10:00', to: '00:00' }]);
    expect(week.sun).toEqual([]);
    expect(hoursOf(week)).toEqual(hours);
  });
});
