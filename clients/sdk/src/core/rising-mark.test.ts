import { expect, it } from 'vitest';
import { createWorld } from '../testing/index.ts';
import { createRisingMark } from './rising-mark.ts';

/** A server that takes 500 ms to answer, and refuses while it `fails`. */
function markUnderTest() {
  const world = createWorld();
  const { environment } = world.tab();
  const began = environment.now();
  const server = { fails: true };
  const posts: [number, number][] = [];
  const mark = createRisingMark(environment, async (value) => {
    posts.push([value, environment.now() - began]);
    await new Promise<void>((resolve) => void environment.setTimer(resolve, 500));
    if (server.fails) throw new Error('503');
  });
  return { world, server, posts, mark };
}

it('[RD1] reports what rose during a report that failed', async () => {
  const { world, server, posts, mark } = markUnderTest();
  mark.raise(7);
  await world.advance(100);
  mark.raise(8);
  await world.advance(600);
  server.fails = false;
  await world.advance(10_000);
  expect(posts).toEqual([
    [7, 0],
    [8, 1_000],
  ]);
});

it('reports again after a failure if the connection returned before the report failed', async () => {
  const { world, server, posts, mark } = markUnderTest();
  mark.raise(7);
  await world.advance(100);
  mark.kick();
  await world.advance(600);
  server.fails = false;
  await world.advance(10_000);
  expect(posts).toEqual([
    [7, 0],
    [7, 1_000],
  ]);
});

it('asks a failing server once for each rise, and at most once a second', async () => {
  const { world, posts, mark } = markUnderTest();
  mark.raise(7);
  await world.advance(60_000);
  expect(posts).toEqual([[7, 0]]);
  for (let value = 8; value < 28; value += 1) {
    mark.raise(value);
    await world.advance(200);
  }
  expect(posts.length).toBeLessThanOrEqual(6);
  await world.advance(60_000);
  expect(posts.at(-1)?.[0]).toBe(27);
  expect(posts.length).toBeLessThanOrEqual(6);
});
