import { expect, it } from 'vitest';
import { createBadge } from './badge.ts';
import { createWorld } from './testing/index.ts';

const refusing = (status: number) => {
  const world = createWorld();
  const tab = world.tab();
  let asked = 0;
  const badge = createBadge({
    baseUrl: 'http://fake',
    environment: tab.environment,
    tabs: false,
    getToken: () => {
      asked += 1;
      return Promise.reject(Object.assign(new Error('refused'), { status }));
    },
  });
  return { world, tab, badge, asked: () => asked };
};

it.each([401, 403, 404])(
  'requests a token at most twice after the final answer %i, and again minutes later',
  async (status) => {
    const { world, asked } = refusing(status);
    await world.advance(150_000);
    expect(asked()).toBeLessThanOrEqual(2);
    const before = asked();
    await world.advance(300_000);
    expect(asked()).toBeGreaterThan(before);
  },
);

it('requests one again at once when a person returns to the page, who may have signed in', async () => {
  const { world, tab, asked } = refusing(401);
  await world.advance(30_000);
  const before = asked();
  tab.lifecycle('visible');
  await world.advance(1_000);
  expect(asked()).toBeGreaterThan(before);
});

it('keeps retrying after a temporary error', async () => {
  const { world, asked } = refusing(503);
  await world.advance(150_000);
  expect(asked()).toBeGreaterThan(5);
});
