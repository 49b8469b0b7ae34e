import { describe, expect, it } from 'vitest';
import { isOfTheData } from './faults.ts';

const withCode = (code: string): Error => Object.assign(new Error('x'), { code });

describe('[TG21] the cause of a failed step', () => {
  it('is the data if the database refuses it, or the code cannot handle it', () => {
    for (const error of [withCode('22P02'), withCode('23514'), new TypeError('x'), new RangeError('x')])
      expect(isOfTheData(error)).toBe(true);
  });

  it('is not the data if the machine, the connection, another row or another version is at fault', () => {
    const ended = new TypeError('terminated', { cause: withCode('UND_ERR_SOCKET') });
    const others = ['53100', '57P01', '40P01', '23503', '23505', '08006', 'ECONNREFUSED'].map(withCode);
    for (const error of [...others, ended, new Error('x'), 'x', undefined]) expect(isOfTheData(error)).toBe(false);
  });
});
