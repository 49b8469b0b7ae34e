import { slowest } from '@chat-realtime/testkit';
import { expect, it } from 'vitest';
import { maskText } from './redaction.ts';

it('masks the text of an error in time proportional to its length, whatever an outsider put into it', () => {
  const { ms, text } = slowest(100_000, maskText);
  expect(ms, text).toBeLessThan(20);
});
