import { expect, it } from 'vitest';
import { begun } from '../../test/running.ts';
import { createStaffClient } from './client.ts';

it('[STF7] a console whose cursor was invalid resumes from where the connection began, if that is lost', async () => {
  const { world } = await begun();
  const { server } = world;
  const operator = createStaffClient({
    baseUrl: 'http://fake',
    tabs: false,
    environment: world.tab('console').environment,
    getToken: () => Promise.resolve(server.staffToken('anna')),
  });
  const resets: string[] = [];
  const events: (number | undefined)[] = [];
  operator.on('reset', ({ reason }) => resets.push(reason));
  operator.on('event', ({ feed_seq: number }) => events.push(number));
  operator.connect('9999');
  await world.advance(1_000);
  const head = server.feedHead;
  expect([resets, operator.getState().cursor]).toEqual([['cursor_ahead'], String(head)]);
  // Nothing that carries a cursor has arrived meanwhile.
  world.cutAll();
  server.answer(1, 'while nobody was connected');
  await world.advance(10_000);
  expect(operator.getState().connection.status).toBe('online');
  expect(events).toEqual([head + 1]);
  expect(resets).toEqual(['cursor_ahead']);
  operator.destroy();
});
