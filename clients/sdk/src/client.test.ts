import { describe, expect, it } from 'vitest';
import { begun, bodies, closeAll, run } from '../test/running.ts';
import { ChatClientError, storedSessionKey } from './index.ts';

describe('frames', () => {
  it('[FRM7] a frame of an unknown type moves the cursor and does nothing else', async () => {
    const { world, client } = await begun();
    const [found] = [...world.server.sessions.values()];
    if (found === undefined) throw new Error('the session was not made');
    const shown = bodies(client);
    let asked = 0;
    world.server.hooks.onRequest = ({ path }) => {
      if (path.endsWith('/events')) asked += 1;
      return undefined;
    };
    world.server.append(found.id, 'chat.future', {});
    await world.advance(1_000);
    expect(bodies(client)).toEqual(shown);
    world.server.answer(found.id, 'after it');
    await world.advance(1_000);
    expect(bodies(client)).toEqual([...shown, 'after it']);
    expect(asked).toBe(0);
  });
});

describe('close codes', () => {
  it.each([1001, 1006, 1011, 1013, 4408, 4413, 4429, 4450])('[CLS2] %i leads to a reconnect', async (code) => {
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
    [4777, 'protocol_error'],
  ])('[CLS1] %i stops the connection until a person starts it again', async (code, reason) => {
    const { world, client } = await begun();
    closeAll(world, code);
    await world.advance(3_600_000);
    expect(client.getState().connection).toEqual({ status: 'stopped', reason, code });
    client.connect();
    await world.advance(100);
    expect(client.getState().connection.status).toBe('online');
  });

  it('4501 requests one new token, and the second one stops', async () => {
    const { world, client, states } = await begun();
    world.server.hooks.onConnect = () => 4501;
    closeAll(world, 4501);
    await world.advance(1_000);
    expect(states.at(-1)).toEqual({ status: 'stopped', reason: 'bad_token', code: 4501 });
    expect(world.server.requests.filter(({ path }) => path.endsWith('channel-token'))).toHaveLength(1);
    expect(bodies(client)).toEqual(['question']);
  });

  it('4401 requests a token first, then reconnects at once', async () => {
    const { world, client, states } = await begun();
    await world.advance(10);
    closeAll(world, 4401);
    await world.advance(200);
    expect(states.map(({ status }) => status).slice(-2)).toEqual(['connecting', 'online']);
    expect(world.server.requests.at(-1)?.path).toMatch(/channel-token$/);
    expect(client.getState().connection.status).toBe('online');
  });

  it('4504 starts a new session with the next text of the person', async () => {
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

  it.each([4529, 4530])(
    '[LIM1] [BES26] %i leads to plain REST and another attempt after a jittered minute',
    async (code) => {
      const { world, client } = await begun();
      let tries = 0;
      world.server.hooks.onConnect = () => {
        tries += 1;
        return code;
      };
      closeAll(world, code);
      await world.advance(5_000);
      expect(client.getState().connection).toMatchObject({ status: 'online', transport: 'rest', limited: true });
      world.server.answer(1, 'heard by polling');
      await world.advance(6_000);
      expect(bodies(client)).toEqual(['question', 'heard by polling']);
      await world.advance(300_000);
      expect(tries).toBeLessThanOrEqual(7);
      expect(tries).toBeGreaterThanOrEqual(4);
      delete world.server.hooks.onConnect;
      await world.advance(76_000);
      expect(client.getState().connection).toMatchObject({ status: 'online', transport: 'websocket', limited: false });
    },
  );

  /** Online by plain REST, because nothing else works. */
  async function cutDown() {
    const one = await begun();
    const { network } = one.world;
    Object.assign(network.blocked, { websocket: true, sse: true, poll: true });
    one.world.cutAll();
    await one.world.advance(30_000);
    expect(one.client.getState().connection).toMatchObject({ transport: 'rest', limited: false });
    return one;
  }

  it.each([4529, 4530])(
    '[LIM1] [BES26] %i leads to an attempt once a minute even if plain REST was already used',
    async (code) => {
      const { world, client } = await cutDown();
      let tries = 0;
      world.server.hooks.onConnect = () => {
        tries += 1;
        return code;
      };
      Object.assign(world.network.blocked, { websocket: false, sse: false, poll: false });
      await world.advance(400_000);
      expect(tries).toBeLessThanOrEqual(9);
      expect(tries).toBeGreaterThanOrEqual(4);
      delete world.server.hooks.onConnect;
      await world.advance(76_000);
      expect(client.getState().connection).toMatchObject({ status: 'online', transport: 'websocket', limited: false });
    },
  );

  it('[DRN1] the next connection is opened at the time the server named', async () => {
    const { world, client } = await begun();
    const [before] = world.gateway.connections;
    before?.send({ type: 'channel.goodbye', data: { reconnect_in_ms: 5_000 } });
    await world.advance(4_900);
    expect(world.gateway.connections).toEqual([before]);
    await world.advance(300);
    expect(world.gateway.connections.map(({ id }) => id)).not.toContain(before?.id);
    expect(client.getState().connection.status).toBe('online');
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

  it('shows what failed permanently, and sends it again on request', async () => {
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
    let posts = 0;
    world.server.hooks.onRequest = ({ method, path }) => {
      if (method !== 'POST' || !path.endsWith('/messages')) return undefined;
      posts += 1;
      return posts > 1 ? undefined : { status: 429, body: { error: { code: 'rate_limited' } }, retryAfter: 20 };
    };
    client.send('later');
    await world.advance(5_000);
    // Neither another message nor a restored connection is a reason to ask sooner.
    client.send('after it');
    world.cutAll();
    await world.advance(14_000);
    expect([posts, client.getState().messages.at(-1)?.delivery]).toEqual([1, 'sending']);
    await world.advance(2_000);
    expect(client.getState().messages.slice(-2)).toMatchObject([
      { body: 'later', delivery: 'sent' },
      { body: 'after it', delivery: 'sent' },
    ]);
  });

  it('refuses an invalid message', async () => {
    const { client } = await begun();
    expect(() => client.send('  ')).toThrow(ChatClientError);
    expect(() => client.send('x'.repeat(10_001))).toThrow(ChatClientError);
    client.send('🙂'.repeat(10_000));
  });
});

describe('marks', () => {
  it('[ACK1] are acknowledged at most once a second, with the newest message', async () => {
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

  it('[RD1] count unread messages until they are read', async () => {
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

  it('shows nothing of a chat whose response arrives after the logout', async () => {
    const { world, client } = await begun();
    client.destroy();
    world.network.latencyMs = 2_000;
    const { client: again } = run({}, world);
    // The session is being read.
    for (let i = 0; i < 200 && world.server.requests.at(-1)?.path !== '/chat/session/1'; i += 1)
      await world.advance(20);
    expect(world.server.requests.at(-1)?.path).toBe('/chat/session/1');
    expect(again.getState().session).toBeNull();
    await again.logout();
    await world.advance(10_000);
    expect(again.getState()).toMatchObject({ session: null, messages: [], connection: { status: 'idle' } });
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
