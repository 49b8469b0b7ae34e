import { describe, expect, it } from 'vitest';
import { begun, bodies, run } from '../test/running.ts';
import { createWorld } from './testing/index.ts';

describe('a bad network', () => {
  it('pings after 25 s of silence and gives up 5 s later', async () => {
    const { world, client } = await begun();
    world.network.silent = true;
    await world.advance(24_000);
    expect(client.getState().connection.status).toBe('online');
    await world.advance(7_000);
    expect(client.getState().connection.status).not.toBe('online');
    world.network.silent = false;
    await world.advance(60_000);
    expect(client.getState().connection.status).toBe('online');
  });

  it('reconnects at once when the network is back', async () => {
    const { world, tab, client } = await begun();
    world.network.offline = true;
    world.cutAll();
    await world.advance(600_000);
    world.network.offline = false;
    tab.lifecycle('online');
    await world.advance(200);
    expect(client.getState().connection).toMatchObject({ status: 'online', transport: 'websocket' });
  });

  it('resets the back-off when the network comes back, however long it was away', async () => {
    const { world, tab, client, states } = await begun();
    world.network.offline = true;
    world.cutAll();
    await world.advance(600_000);
    const { length } = states;
    tab.lifecycle('online');
    await world.advance(500);
    world.network.offline = false;
    // The first attempt came a moment too early. The next one does not wait for the previous half minute.
    await world.advance(3_000);
    expect(states[length]).toMatchObject({ status: 'connecting', attempt: 0 });
    expect(client.getState().connection.status).toBe('online');
  });

  it('reconnects at once when a request succeeded, whether or not the browser reported the network as back', async () => {
    const { world, client } = await begun();
    world.network.offline = true;
    world.cutAll();
    await world.advance(600_000);
    world.network.offline = false;
    expect(client.getState().connection.status).not.toBe('online');
    const { stored } = client.send('can anybody hear me');
    await world.advance(50);
    await stored;
    await world.advance(200);
    expect(client.getState().connection).toMatchObject({ status: 'online' });
  });

  it.each(Array.from({ length: 20 }, (_, seed) => seed))(
    'has tried every way within seconds, and waits longer from round to round (seed %i)',
    async (seed) => {
      const { world, client, states } = run({}, createWorld({ seed }));
      client.send('question');
      await world.advance(200);
      Object.assign(world.network.blocked, { websocket: true, sse: true });
      world.cutAll();
      await world.advance(2_700);
      expect(client.getState().connection).toMatchObject({ status: 'online', transport: 'poll' });
      const { length } = states;
      world.network.offline = true;
      world.cutAll();
      await world.advance(600_000);
      const tried = states.slice(length).filter(({ status }) => status === 'connecting').length;
      expect(tried).toBeGreaterThan(10);
      expect(tried).toBeLessThan(90);
    },
  );

  it('falls back if a transport is blocked, remembers it, and returns to the better one', async () => {
    const { world, client } = await begun();
    Object.assign(world.network.blocked, { websocket: true });
    world.cutAll();
    await world.advance(30_000);
    expect(client.getState().connection).toMatchObject({ status: 'online', transport: 'sse' });
    client.destroy();

    const again = run({}, world);
    await world.advance(500);
    expect(again.states.map((state) => ('transport' in state ? state.transport : state.status))).not.toContain(
      'websocket',
    );
    Object.assign(world.network.blocked, { websocket: false });
    await world.advance(360_000);
    expect(again.client.getState().connection).toMatchObject({ status: 'online', transport: 'websocket' });
  });

  it('tries every better transport at once when the network changed, the best first', async () => {
    const { world, tab, client } = await begun();
    Object.assign(world.network.blocked, { websocket: true, sse: true, poll: true });
    world.cutAll();
    await world.advance(20_000);
    expect(client.getState().connection).toMatchObject({ status: 'online', transport: 'rest' });
    Object.assign(world.network.blocked, { poll: false });
    tab.lifecycle('online');
    await world.advance(500);
    expect(client.getState().connection).toMatchObject({ status: 'online', transport: 'poll' });
    // WebSocket has failed as a probe meanwhile, which says nothing about another network.
    Object.assign(world.network.blocked, { websocket: false, sse: false });
    tab.lifecycle('online');
    await world.advance(500);
    expect(client.getState().connection).toMatchObject({ status: 'online', transport: 'websocket' });
  });

  it('abandons a fallback that is being opened when the network changed', async () => {
    const { world, tab, client } = await begun();
    Object.assign(world.network.blocked, { websocket: true, sse: true });
    world.cutAll();
    await world.advance(20_000);
    expect(client.getState().connection).toMatchObject({ status: 'online', transport: 'poll' });
    for (let i = 0; i < 20; i += 1) {
      // The poll breaks, and is being opened again when the network changes.
      world.cutAll();
      await world.advance(i * 40);
      Object.assign(world.network.blocked, { websocket: false });
      tab.lifecycle('online');
      await world.advance(300);
      expect(client.getState().connection).toMatchObject({ status: 'online', transport: 'websocket' });
      Object.assign(world.network.blocked, { websocket: true });
      world.cutAll();
      await world.advance(20_000);
    }
  });

  it('returns within seconds to what worked before', async () => {
    const { world, client } = await begun();
    Object.assign(world.network.blocked, { websocket: true });
    world.cutAll();
    await world.advance(3_000);
    expect(client.getState().connection).toMatchObject({ status: 'online', transport: 'sse' });
    Object.assign(world.network.blocked, { websocket: false });
    await world.advance(6_000);
    expect(client.getState().connection).toMatchObject({ status: 'online', transport: 'websocket' });
  });

  it('stays with the better transport when the server of the old one closes', async () => {
    const { world, client } = await begun();
    Object.assign(world.network.blocked, { websocket: true });
    world.cutAll();
    await world.advance(3_000);
    expect(client.getState().connection).toMatchObject({ status: 'online', transport: 'sse' });
    Object.assign(world.network.blocked, { websocket: false });
    for (const one of world.gateway.connections)
      one.send({ type: 'channel.goodbye', data: { reconnect_in_ms: 8_000 } });
    await world.advance(6_000);
    const { connection } = client.getState();
    expect(connection).toMatchObject({ status: 'online', transport: 'websocket' });
    await world.advance(10_000);
    expect(client.getState().connection).toBe(connection);
  });

  it('[RES1] fetches what is missing between two frames, and drops what it has', async () => {
    const world = createWorld({ autoFlush: false });
    const { client } = run({}, world);
    const settleAll = async (): Promise<void> => {
      for (let i = 0; i < 4; i += 1) {
        await world.advance(20);
        for (const pair of world.sockets) {
          pair.flushUp();
          pair.flushDown();
        }
      }
    };
    client.send('question');
    await settleAll();
    const events: number[] = [];
    client.on('event', ({ seq }) => events.push(seq));
    for (const body of ['a', 'b', 'c', 'd']) world.server.answer(1, body);
    await world.advance(20);
    const [pair] = world.sockets;
    const at = (body: string): number => pair?.down.findIndex((text) => text.includes(`"body":"${body}"`)) ?? -1;
    // The second message never arrives; the first arrives twice.
    expect(pair?.dropDown(at('b'))).toBe(true);
    expect(pair?.repeatDown(at('a'))).toBe(true);
    pair?.flushDown();
    expect(events).toEqual([3]);
    await world.advance(600);
    expect(events).toEqual([3, 4, 5, 6]);
    expect(bodies(client)).toEqual(['question', 'a', 'b', 'c', 'd']);
  });

  it('[RES7] reads everything again when another database answers', async () => {
    const { world, client } = await begun();
    world.server.answer(1, 'lost by the restore');
    await world.advance(100);
    const resets: string[] = [];
    client.on('reset', ({ reason }) => resets.push(reason));
    world.server.restore(1, 2);
    world.server.answer(1, 'after it');
    await world.advance(5_000);
    expect(resets).toEqual(['epoch_changed']);
    expect(bodies(client)).toEqual(['question', 'after it']);
  });

  it('[RES7] uses the marks of a new database, and sends it its own ids', async () => {
    const { world, client } = await begun();
    for (let i = 0; i < 20; i += 1) world.server.answer(1, `lost ${i}`);
    await world.advance(2_000);
    client.markRead();
    await world.advance(2_000);
    expect(client.getState().readMarks.client.read_id).toBeGreaterThan(20);
    world.server.restore(1, 2);
    await world.advance(5_000);
    const newest = client.getState().messages.at(-1)?.id ?? 0;
    const marks = world.server.sessions.get(1)?.marks;
    expect(marks?.client).toEqual({ delivered_id: newest, read_id: 0 });
    expect(client.getState().readMarks.client.read_id).toBe(0);
    world.server.answer(1, 'after it');
    await world.advance(2_000);
    client.markRead();
    await world.advance(2_000);
    const last = client.getState().messages.at(-1)?.id;
    expect(world.server.sessions.get(1)?.marks.client).toEqual({ delivered_id: last, read_id: last });
  });
});

describe('a tab in the background', () => {
  it('shows the chat that another one started meanwhile', async () => {
    const world = createWorld();
    const away = run({ tabs: true }, world, 'away');
    await world.advance(100);
    away.tab.lifecycle('frozen');
    world.browser.freeze('away', true);
    const other = run({ tabs: true }, world);
    other.client.send('question');
    await world.advance(500);
    world.browser.freeze('away', false);
    away.tab.lifecycle('thawed');
    await world.advance(500);
    expect(away.client.getState()).toMatchObject({ session: { id: 1 }, connection: { status: 'online' } });
    expect(bodies(away.client)).toEqual(['question']);
  });
});
