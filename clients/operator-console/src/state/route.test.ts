import { describe, expect, it } from 'vitest';
import { parseRoute, routeHash } from './route.ts';

describe('addresses of the console', () => {
  it('are read back as they were written', () => {
    for (const hash of ['#/inbox/mine/12', '#/inbox/closed', '#/callbacks', '#/alerts', '#/replies', '#/setup']) {
      expect(routeHash(parseRoute(hash))).toBe(hash);
    }
    expect(parseRoute('#/inbox/<script>/1e3')).toEqual({ page: 'inbox', view: 'unassigned', sessionId: null });
  });
});
