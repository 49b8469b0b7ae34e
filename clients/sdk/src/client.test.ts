import { describe, expect, it } from 'vitest';
import type { SessionEvent } from './api/protocol.ts';
import type { ChatClient, ChatClientOptions, ConnectionState } from './index.ts';
import { ChatClientError, createChatClient, storedSessionKey } from './index.ts';
import { createWorld, type FakeWorld, type Tab } from './testing/index.ts';

interface Running {
  readonly world: FakeWorld;
  readonly tab: Tab;
  readonly client: ChatClient;
  readonly states: ConnectionState[];
}

function run(options: ChatClientOptions = {}, world = createWorld(), name?: string): Running {
  const tab = world.tab(name);
  const client = createChatClient({ baseUrl: 'http://fake', tabs: false, environment: tab.environment, ...options });
  const states: ConnectionState[] = [];
  client.on('status', (state) => states.push(state));
  return { world, tab, client, states };
}
async function begun(options?: ChatClientOptions): Promise<Running> {
  const one = run(options);
  one.client.send('question');
  await one.world.advance(200);
  return one;
}
const bodies = (client: ChatClient): string[] => client.getState().messages.map(({ body }) => body);
const closeAll = ({ server }: FakeWorld, code: number): void => {
  for (const connection of [...server.connections]) connection.close(code);
};

describe('frames', () => {
  it('[FRM7] lets a frame of an unknown type move the cursor, shows nothing of it and asks for nothing', async () => {
    const { world, client } = await begun();
    const [found] = [...world.server.sessions.values()];
    if (found === undefined) throw new Error('the session was not made');
    const shown = bodies(client);
    let asked = 0;
    world.server.hooks.onRequest = ({ path }) => {
      if (path.endsWith('/events')) asked += 1;
      return undefined;
    };
    const future: unknown = { type: 'chat.future', session_id: found.id, seq: found.events.length + 1, data: {} };
    found.events.push(future as SessionEvent);
    for (const connection of [...world.server.connections]) connection.send(future);
    await world.advance(1_000);
    expect(bodies(client)).toEqual(shown);
    world.server.answer(found.id, 'after it');
    await world.advance(1_000);
    expect(bodies(client)).toEqual([...shown, 'after it']);
    expect(asked).toBe(0);
  });
});

describe('close codes', () => {
  it.each([1001, 1006, 1011, 1013, 4408, 4413, 4429, 4450])('[CLS2] comes back by itself after %i', async (code) => {
    const { world, client, states } = await begun();
    if (code === 1006) world.cutAll();
    else closeAll(world, code);
    await world.advance(100);
    expect(states.map(({ status }) => status)).toContain('waiting');
    await world.advance(40_000);
    expect(client.getState().connection.status).toBe('online');
  });

  it.each([
    [1002, 'protocol_error'],
    [1003, 'protocol_error'],
    [1009, 'protocol_error'],
    [4500, 'protocol_error'],
    [4503, 'forbidden'],
    [4505, 'revoked'],
    [4777, 'protocol_error'],
  ])('[CLS1] stops after %i, and only a person begins again', async (code, reason) => {
    const { world, client } = await begun();
    closeAll(world, code);
    await world.advance(3_600_000);
    expect(client.getState().connection).toEqual({ status: 'stopped', reason, code });
    client.connect();
    await world.advance(100);
    expect(client.getState().connection.status).toBe('online');
  });

  it('asks for one new token after 4501, and stops at the second', async () => {
    const { world, client, states } = await begun();
    world.server.hooks.onConnect = () => 4501;
    closeAll(world, 4501);
    await world.advance(1_000);
    expect(states.at(-1)).toEqual({ status: 'stopped', reason: 'bad_token', code: 4501 });
    expect(world.server.requests.filter(({ path }) => path.endsWith('channel-token'))).toHaveLength(1);
    expect(bodies(client)).toEqual(['question']);
  });

  it('gets a token first after 4401, then comes back at once', async () => {
    const { world, client, states } = await begun();
    await world.advance(10);
    closeAll(world, 4401);
    await world.advance(200);
    expect(states.map(({ status }) => status).slice(-2)).toEqual(['connecting', 'online']);
    expect(world.server.requests.at(-1)?.path).toMatch(/channel-token$/);
    expect(client.getState().connection.status).toBe('online');
  });

  it('begins a new session with what the person writes after 4504', async () => {
    const { world, client } = await begun();
    world.server.sessions.delete(1);
    closeAll(world, 4504);
    await world.advance(1_000);
    expect(client.getState()).toMatchObject({ session: null, messages: [], connection: { status: 'idle' } });
    client.send('again');
    await world.advance(1_000);
    expect(client.getState()).toMatchObject({ session: { id: 2 }, connection: { status: 'online' } });
    expect(bodies(client)).toEqual(['again']);
  });

  it('[LIM1] polls plain REST after 4529 and asks for a slot once a minute', async () => {
    const { world, client } = await begun();
    let tries = 0;
    world.server.hooks.onConnect = () => {
      tries += 1;
      return 4529;
    };
    closeAll(world, 4529);
    await world.advance(5_000);
    expect(client.getState().connection).toMatchObject({ status: 'online', transport: 'rest', limited: true });
    world.server.answer(1, 'heard by polling');
    await world.advance(6_000);
    expect(bodies(client)).toEqual(['question', 'heard by polling']);
    await world.advance(300_000);
    expect(tries).toBeLessThanOrEqual(6);
    expect(tries).toBeGreaterThanOrEqual(4);
    delete world.server.hooks.onConnect;
    await world.advance(61_000);
    expect(client.getState().connection).toMatchObject({ status: 'online', transport: 'websocket', limited: false });
  });

  it('[DRN1] opens the next connection at the moment the server named', async () => {
    const { world, client } = await begun();
    const [before] = world.server.connections;
    before?.send({ type: 'channel.goodbye', data: { reconnect_in_ms: 5_000 } });
    await world.advance(4_900);
    expect([...world.server.connections]).toEqual([before]);
    await world.advance(300);
    expect([...world.server.connections].map(({ id }) => id)).not.toContain(before?.id);
    expect(client.getState().connection.status).toBe('online');
  });
});

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

  it('waits no longer when the network is back', async () => {
    const { world, tab, client } = await begun();
    world.network.offline = true;
    world.cutAll();
    await world.advance(600_000);
    world.network.offline = false;
    tab.lifecycle('online');
    await world.advance(200);
    expect(client.getState().connection).toMatchObject({ status: 'online', transport: 'websocket' });
  });

  it('begins its waiting anew when the network is back, however long it was away', async () => {
    const { world, tab, client, states } = await begun();
    world.network.offline = true;
    world.cutAll();
    await world.advance(600_000);
    const { length } = states;
    tab.lifecycle('online');
    await world.advance(500);
    world.network.offline = false;
    // The first attempt came a moment too early. The next one does not wait out the half minute of before.
    await world.advance(3_000);
    expect(states[length]).toMatchObject({ status: 'connecting', attempt: 0 });
    expect(client.getState().connection.status).toBe('online');
  });

  it('waits no longer when a request got through, whether the browser said that the network is back or not', async () => {
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

  it('goes down the ladder where a rung is blocked, remembers it, and comes up again', async () => {
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
    const [pair] = world.sockets;
    // The second message (its frame and the read mark stand alternately) never arrives, the first arrives twice.
    expect(pair?.dropDown(2)).toBe(true);
    expect(pair?.repeatDown(0)).toBe(true);
    pair?.flushDown();
    expect(events).toEqual([3]);
    await world.advance(600);
    expect(events).toEqual([3, 4, 5, 6]);
    expect(bodies(client)).toEqual(['question', 'a', 'b', 'c', 'd']);
  });

  it('[RES7] reads everything anew when another database answers', async () => {
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

  it('[RES7] takes the marks of another database, and tells it of its own ids', async () => {
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

describe('a tab that was put away', () => {
  it('shows the chat that another one began meanwhile', async () => {
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

describe('the outbox', () => {
  it('[MSG3] keeps a text across a reload until it is stored, under the same id', async () => {
    const { world, client, tab } = await begun();
    world.network.offline = true;
    world.cutAll();
    const { clientMessageId } = client.send('kept');
    await world.advance(5_000);
    expect(client.getState().messages.at(-1)).toMatchObject({ body: 'kept', delivery: 'sending', id: null });
    tab.crash();
    world.network.offline = false;

    const { client: reloaded } = run({}, world);
    await world.advance(5_000);
    expect(reloaded.getState().messages.filter(({ body }) => body === 'kept')).toMatchObject([
      { delivery: 'sent', key: clientMessageId },
    ]);
    expect([...world.browser.values.keys()].filter((key) => key.includes(':out:'))).toEqual([]);
  });

  it('shows what failed for good, and sends it again when asked', async () => {
    const { world, client } = await begun();
    world.server.hooks.onRequest = ({ method, path }) =>
      method === 'POST' && path.endsWith('/messages')
        ? { status: 413, body: { error: { code: 'payload_too_large' } } }
        : undefined;
    const { stored, clientMessageId } = client.send('too long');
    await world.advance(100);
    await expect(stored).rejects.toBeInstanceOf(ChatClientError);
    expect(client.getState().messages.at(-1)).toMatchObject({ delivery: 'failed', error: 'payload_too_large' });
    delete world.server.hooks.onRequest;
    client.retry(clientMessageId);
    await world.advance(100);
    expect(client.getState().messages.at(-1)).toMatchObject({ body: 'too long', delivery: 'sent' });
  });

  it('waits as long as the server asks', async () => {
    const { world, client } = await begun();
    let refused = 0;
    world.server.hooks.onRequest = ({ method, path }) => {
      if (method !== 'POST' || !path.endsWith('/messages') || refused > 0) return undefined;
      refused += 1;
      return { status: 429, body: { error: { code: 'rate_limited' } }, retryAfter: 20 };
    };
    client.send('later');
    await world.advance(19_000);
    expect(client.getState().messages.at(-1)?.delivery).toBe('sending');
    await world.advance(2_000);
    expect(client.getState().messages.at(-1)?.delivery).toBe('sent');
  });

  it('refuses what is no message', async () => {
    const { client } = await begun();
    expect(() => client.send('  ')).toThrow(ChatClientError);
    expect(() => client.send('x'.repeat(10_001))).toThrow(ChatClientError);
    client.send('🙂'.repeat(10_000));
  });
});

describe('marks', () => {
  it('[ACK1] acks at most once a second, with the newest message', async () => {
    const { world, client } = await begun();
    await world.advance(2_000);
    const frames: string[] = [];
    for (const pair of world.sockets) {
      const { onMessage } = pair.server;
      pair.server.onMessage = (text) => {
        frames.push(text);
        onMessage?.(text);
      };
    }
    for (let i = 0; i < 30; i += 1) {
      world.server.answer(1, `${i}`);
      await world.advance(100);
    }
    await world.advance(2_000);
    const acks = frames.filter((text) => text.includes('"ack"'));
    expect(acks.length).toBeGreaterThan(1);
    expect(acks.length).toBeLessThanOrEqual(5);
    expect(JSON.parse(acks.at(-1) ?? '{}')).toEqual({ type: 'ack', last_id: client.getState().messages.at(-1)?.id });
  });

  it('[RD1] counts unread messages until they are read', async () => {
    const { world, client } = await begun();
    world.server.answer(1, 'one');
    world.server.answer(1, 'two');
    await world.advance(100);
    expect(client.getState().unread).toBe(2);
    client.markRead();
    expect(client.getState().unread).toBe(0);
    await world.advance(2_000);
    expect(world.server.sessions.get(1)?.marks.client.read_id).toBe(client.getState().messages.at(-1)?.id);
    expect(client.getState().messages[0]?.delivery).toBe('read');
  });
});

describe('storage', () => {
  it('is untouched before the visitor acts, and empty after logout', async () => {
    const { world, client } = run();
    await world.advance(60_000);
    expect([...world.browser.values.keys()]).toEqual([]);
    expect(world.server.requests).toEqual([]);
    expect(world.sockets.size).toBe(0);
    client.send('question');
    await world.advance(500);
    expect(world.browser.values.has(storedSessionKey())).toBe(true);
    await client.logout();
    await world.advance(500);
    expect([...world.browser.values.keys()]).toEqual([]);
    expect(client.getState()).toMatchObject({ session: null, messages: [], connection: { status: 'idle' } });
  });

  it('never puts a token into an address', async () => {
    const { world } = await begun();
    for (const blocked of ['websocket', 'sse', 'poll'] as const) {
      world.network.blocked[blocked] = true;
      world.cutAll();
      await world.advance(60_000);
    }
    for (const { query } of world.server.requests) expect([...query.values()].join()).not.toContain('k1.');
    for (const { url, protocols } of world.sockets) expect(url + protocols.join()).not.toContain('k1.');
  });
});
