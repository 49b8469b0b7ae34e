import { expect, it } from 'vitest';
import { duration } from './duration.ts';

it('rounds a duration down to its largest unit', () => {
  expect(duration(59_999)).toEqual({ unit: 's', value: 59 });
  expect(duration(3_660_000)).toEqual({ unit: 'h', value: 1, minutes: 1 });
  expect(duration(200_000_000)).toEqual({ unit: 'd', value: 2 });
});
