import { expect, it } from 'vitest';
import { Pace } from './pace.ts';

it('polls often while the site writes, and rarely when it has been quiet for a while', () => {
  let now = 0;
  const pace = new Pace({ restMs: 200, busyMs: 25 }, () => now);
  expect(pace.pauseMs).toBe(200);
  pace.saw(1);
  expect(pace.pauseMs).toBe(25);
  now = 2_999;
  pace.saw(0);
  expect(pace.pauseMs).toBe(25);
  now = 3_000;
  expect(pace.pauseMs).toBe(200);
});
