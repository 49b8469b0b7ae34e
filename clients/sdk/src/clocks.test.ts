import { describe, expect, it } from 'vitest';
import { begun, bodies, run } from '../test/running.ts';
import { createIntervalClock } from './core/interval-clock.ts';
import { createRisingMark } from './core/rising-mark.ts';
import { createWorld } from './testing/index.ts';
import { createTypingSender } from './sync/typing.ts';

const SET_BY = [-300_000, 300_000] as const;

describe('the clock of intervals', () => {
  const clocks = () => {
    const at = { steady: 0, wall: 1_700_000_000_000 };
    const now = createIntervalClock({ steady: () => at.steady, wall: () => at.wall });
    const pass = (ms: number): void => {
      at.steady += ms;
      at.wall += ms;
    };
    return { at, now, pass };
  };

  it('does not notice that the wall clock was set back, and continues at once', () => {
    const { at, now, pass } = clocks();
    pass(1_000);
    at.wall -= 300_000;
    expect(now()).toBe(1_000);
    pass(2_000);
    expect(now()).toBe(3_000);
  });

  it('counts the sleep of a device whose other clock stood still', () => {
    const { at, now, pass } = clocks();
    at.wall += 60_000;
    expect(now()).toBe(60_000);
    pass(1_000);
    expect(now()).toBe(61_000);
  });

  it('never goes back, and gains nothing from a wall clock that only counts whole milliseconds', () => {
    const { at, now } = clocks();
    const began = at.wall;
    let last = now();
    for (let step = 1; step <= 10_000; step += 1) {
      at.steady = step * 0.3;
      at.wall = began + Math.floor(at.steady) - (step > 5_000 ? 90_000 : 0);
      expect(now()).toBeGreaterThanOrEqual(last);
      last = now();
    }
    expect(last).toBeCloseTo(3_000);
  });
});

describe.each(SET_BY)('a device whose clock is set by %i ms', (ms) => {
  it('detects a dead connection in the same time', async () => {
    const { world, client } = await begun();
    world.network.silent = true;
    world.wall.aheadMs = ms;
    await world.advance(24_000);
    expect(client.getState().connection.status).toBe('online');
    await world.advance(7_000);
    expect(client.getState().connection.status).not.toBe('online');
  });

  it('detects a dead event stream in the same time', async () => {
    const { world, client } = await begun({ transports: ['sse'] });
    world.network.silent = true;
    world.wall.aheadMs = ms;
    await world.advance(37_000);
    expect(client.getState().connection.status).not.toBe('online');
  });

  it('waits no longer for the next attempt', async () => {
    const { world, client } = await begun();
    world.network.offline = true;
    world.cutAll();
    await world.advance(30_000);
    world.wall.aheadMs = ms;
    await world.advance(5_000);
    const { connection } = client.getState();
    // The pause that grows with the length of an outage is at the value of the first two minutes.
    if (connection.status === 'waiting') expect(connection.retryAt - world.tab().environment.now()).toBeLessThan(5_001);
    world.network.offline = false;
    await world.advance(6_000);
    expect(client.getState().connection.status).toBe('online');
  });

  it('shows the same duration of an outage', async () => {
    const { world, client } = await begun();
    world.network.offline = true;
    world.cutAll();
    await world.advance(1_000);
    world.wall.aheadMs = ms;
    await world.advance(4_000);
    const { connection } = client.getState();
    const lostAt = 'lostAt' in connection ? connection.lostAt : null;
    expect(world.tab().environment.now() - (lostAt ?? Number.NaN)).toBe(5_000);
  });

  it('repeats that somebody is typing before the others forget it', async () => {
    const world = createWorld();
    const sent: boolean[] = [];
    const { set } = createTypingSender(world.tab().environment, (active) => void sent.push(active));
    set(true);
    world.wall.aheadMs = ms;
    for (let second = 1; second < 6; second += 1) {
      await world.advance(1_000);
      set(true);
    }
    expect(sent).toEqual([true, true]);
  });

  it('forgets after 6 s that the other side is typing', async () => {
    const { world, client } = await begun();
    for (const connection of world.gateway.connections)
      connection.send({ type: 'chat.typing', session_id: 1, data: { by: 'staff', user_id: 'u', active: true } });
    await world.advance(100);
    expect(client.getState().typing).toHaveLength(1);
    world.wall.aheadMs = ms;
    await world.advance(6_000);
    expect(client.getState().typing).toEqual([]);
  });

  it('acknowledges once a second', async () => {
    const world = createWorld();
    const reported: number[] = [];
    const acks = createRisingMark(world.tab().environment, (id) => Promise.resolve(void reported.push(id)));
    acks.raise(1);
    await world.advance(100);
    world.wall.aheadMs = ms;
    acks.raise(2);
    await world.advance(800);
    expect(reported).toEqual([1]);
    await world.advance(200);
    expect(reported).toEqual([1, 2]);
  });

  it('replaces a frozen leader tab in the same time', async () => {
    const world = createWorld();
    const leads = run({ tabs: true }, world, 'leads');
    leads.client.send('question');
    await world.advance(500);
    const follows = run({ tabs: true }, world, 'follows');
    await world.advance(2_000);
    expect(follows.client.getState().connection).toMatchObject({ status: 'online', shared: true });
    world.browser.freeze('leads', true);
    await world.advance(9_000);
    world.wall.aheadMs = ms;
    await world.advance(7_000);
    expect(follows.client.getState().connection).toMatchObject({ status: 'online', shared: false });
  });

  it('sends what another tab left, in the same time', async () => {
    const world = createWorld();
    const crashed = run({ tabs: true }, world, 'crashed');
    crashed.client.send('question');
    await world.advance(500);
    const other = run({ tabs: true }, world, 'other');
    await world.advance(500);
    world.server.hooks.onRequest = ({ method, path }) =>
      method === 'POST' && path.endsWith('/messages') ? { status: 503, body: {}, retryAfter: 1 } : undefined;
    crashed.client.send('left behind');
    await world.advance(200);
    crashed.tab.crash();
    delete world.server.hooks.onRequest;
    world.wall.aheadMs = ms;
    await world.advance(12_000);
    expect(bodies(other.client)).toEqual(['question', 'left behind']);
    expect(world.server.sessions.get(1)?.events.filter(({ type }) => type === 'chat.message')).toHaveLength(2);
  });
});

it("converts times for another tab to that tab's clock", async () => {
  const world = createWorld();
  const leads = run({ tabs: true }, world, 'leads');
  leads.client.send('question');
  await world.advance(90_000);
  const tab = world.tab('later');
  const opened = tab.environment.now();
  const later = run(
    { tabs: true, environment: { ...tab.environment, now: () => tab.environment.now() - opened } },
    world,
  );
  await world.advance(1_000);
  world.network.offline = true;
  world.cutAll();
  await world.advance(3_000);
  const { connection } = later.client.getState();
  expect('lostAt' in connection && connection.lostAt).toBeGreaterThanOrEqual(1_000);
  expect('lostAt' in connection && connection.lostAt).toBeLessThan(1_100);
});
