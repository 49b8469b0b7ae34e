import { describe, expect, it } from 'vitest';
import type { WebSocketLike } from '../api/environment.ts';
import { createChatClient } from '../index.ts';
import { createWorld } from '../testing/index.ts';
import { siteBackend } from './site-backend.ts';

/** A gateway that knows the chats in the ledger, and closes with 4504 for every other. */
class Channel implements WebSocketLike {
  readyState = 0;
  onopen: WebSocketLike['onopen'] = null;
  onmessage: WebSocketLike['onmessage'] = null;
  onclose: WebSocketLike['onclose'] = null;
  onerror: WebSocketLike['onerror'] = null;
  readonly #knows: () => boolean;
  constructor(knows: () => boolean, isMute: boolean) {
    this.#knows = knows;
    if (isMute) return;
    queueMicrotask(() => {
      this.readyState = 1;
      this.onopen?.({});
    });
  }
  send(text: string): void {
    const { type } = JSON.parse(text) as { type: string };
    if (type === 'ping') return this.frame({ type: 'channel.pong' });
    if (type !== 'auth') return;
    if (this.#knows()) this.frame({ type: 'channel.ready', data: { from_seq: 0, last_seq: 0, epoch: 'e' } });
    else this.end(4504);
  }
  close(): void {
    this.readyState = 3;
  }
  frame(frame: object): void {
    queueMicrotask(() => this.onmessage?.({ data: JSON.stringify(frame) }));
  }
  end(code: number): void {
    if (this.readyState === 3) return;
    this.readyState = 3;
    queueMicrotask(() => this.onclose?.({ code, reason: '' }));
  }
}

interface Row {
  readonly id: number;
  readonly sender: string;
  readonly body: string;
  readonly created_at: string;
}

/** A site and a channel; the test starts and stops the channel's source. */
function besideSite() {
  const world = createWorld();
  const chats = new Map<number, Row[]>();
  const site = {
    known: false,
    sockets: [] as Channel[],
    connects: 0,
    asked: 0,
    rows: 0,
    token: 200,
    begun: 0,
    mute: false,
  };
  const tab = world.tab();
  const write = (chat: number, sender: string, body: string): void => {
    chats.get(chat)?.push({ id: (site.rows += 1), sender, body, created_at: '2026-01-01 00:00:00' });
  };
  const respond = (method: string, url: URL, body: Record<string, string>): Response => {
    const [, kind, name = '', what = ''] = url.pathname.split('/');
    const error = (code: string) => Response.json({ error: { code } }, { status: 404 });
    if (kind === 'channel') return site.known ? Response.json({ events: [], last_seq: 0 }) : error('session_not_found');
    if (name === 'session' && method === 'POST') {
      const id = (site.begun += 1) + 6;
      chats.set(id, []);
      write(id, 'client', body['initial_message'] ?? '');
      return Response.json({ id });
    }
    const rows = chats.get(Number(name));
    if (what === 'channel-token' && site.token === 200) return Response.json({ token: 'k1.1762587011.x' });
    if (!rows || what === 'channel-token') return new Response('<h1>no</h1>', { status: 404 });
    if (what === 'message') {
      write(Number(name), 'client', body['body'] ?? '');
      return Response.json(rows.at(-1));
    }
    site.asked += 1;
    return Response.json({ messages: rows.filter(({ id }) => id > Number(url.searchParams.get('since_id'))) });
  };
  const environment: typeof tab.environment = {
    ...tab.environment,
    webSocket: () => {
      site.connects += 1;
      const socket = new Channel(() => site.known, site.mute);
      site.sockets.push(socket);
      return socket;
    },
    fetch: (input, init) => {
      const body = typeof init?.body === 'string' ? (JSON.parse(init.body) as Record<string, string>) : {};
      const url = new URL(String(input));
      if (site.mute && url.pathname.startsWith('/channel/')) return new Promise(() => undefined);
      return Promise.resolve(respond(init?.method ?? 'GET', url, body));
    },
  };
  const backend = siteBackend({ baseUrl: 'http://site', site: { baseUrl: 'http://site' }, environment });
  const client = createChatClient({ baseUrl: 'http://site', tabs: false, environment, backend });
  const shown = () => client.getState().messages.map(({ body }) => body);
  return Object.assign(site, { world, tab, chats, write, client, shown });
}

describe('[BES32] a chat of a site that the channel does not know yet', () => {
  it('is kept, polled from the site, and connected when the channel knows it', async () => {
    const site = besideSite();
    const { world, client } = site;
    client.send('первое');
    await world.advance(2_000);
    expect(site.shown()).toEqual(['первое']);
    expect(client.getState()).toMatchObject({ session: { id: 7 }, connection: { transport: 'rest', limited: true } });
    client.send('второе');
    site.write(7, 'manager', 'ответ');
    await world.advance(6_000);
    expect([...site.shown()].toSorted()).toEqual(['второе', 'ответ', 'первое']);
    expect(site.begun).toBe(1);
    site.known = true;
    await world.advance(80_000);
    expect(client.getState().connection).toMatchObject({ status: 'online', transport: 'websocket', limited: false });
    expect(site.begun).toBe(1);
  });

  it('is requested from the channel once a minute', async () => {
    const site = besideSite();
    site.client.send('первое');
    await site.world.advance(5_000);
    const before = site.connects;
    await site.world.advance(600_000);
    expect(site.connects - before).toBeGreaterThanOrEqual(7);
    expect(site.connects - before).toBeLessThanOrEqual(14);
  });

  it('is kept if the channel forgets it, and if other paths of the site answer 404', async () => {
    const site = besideSite();
    const { world, client } = site;
    site.known = true;
    client.send('первое');
    await world.advance(2_000);
    expect(client.getState().connection).toMatchObject({ transport: 'websocket' });
    site.known = false;
    site.token = 404;
    for (const socket of site.sockets) socket.end(4504);
    await world.advance(30_000);
    expect(client.getState()).toMatchObject({ session: { id: 7 }, connection: { transport: 'rest' } });
    expect(site.shown()).toEqual(['первое']);
  });

  it('ends with the site’s own 404, and the next text starts another one', async () => {
    const site = besideSite();
    const { world, client } = site;
    client.send('первое');
    await world.advance(10_000);
    site.chats.delete(7);
    await world.advance(10_000);
    expect(client.getState()).toMatchObject({ session: null, messages: [], connection: { status: 'idle' } });
    client.send('снова');
    await world.advance(5_000);
    expect(site.shown()).toEqual(['снова']);
  });
});

describe('[BES34] an open channel that brings nothing', () => {
  async function online() {
    const site = besideSite();
    site.known = true;
    site.client.send('первое');
    await site.world.advance(2_000);
    expect(site.client.getState().connection).toMatchObject({ status: 'online', transport: 'websocket' });
    site.asked = 0;
    return site;
  }
  const tell = (site: Awaited<ReturnType<typeof online>>, type: string): void => {
    for (const socket of site.sockets) socket.frame({ type, data: { reason: 'site_source_lost' } });
  };

  it('is supplemented by polling while degraded, and rarely while it works', async () => {
    const site = await online();
    const { world } = site;
    tell(site, 'channel.degraded');
    site.write(7, 'manager', 'ответ');
    await world.advance(7_000);
    expect(site.shown()).toEqual(['первое', 'ответ']);
    await world.advance(60_000);
    expect(site.asked).toBeGreaterThanOrEqual(9);
    tell(site, 'channel.restored');
    await world.advance(1_000);
    site.asked = 0;
    await world.advance(600_000);
    expect(site.asked).toBeGreaterThanOrEqual(7);
    expect(site.asked).toBeLessThanOrEqual(14);
    site.write(7, 'manager', 'тихий ответ');
    await world.advance(76_000);
    expect(site.shown()).toEqual(['первое', 'ответ', 'тихий ответ']);
    site.client.destroy();
    site.asked = 0;
    await world.advance(120_000);
    expect(site.asked).toBe(0);
  });

  it('is supplemented while its host accepts connections and does not respond', async () => {
    const site = await online();
    const { world, client } = site;
    site.mute = true;
    for (const socket of site.sockets) socket.end(1006);
    await world.advance(2_000);
    for (let n = 1; n <= 6; n += 1) {
      site.write(7, 'manager', `ответ ${n}`);
      await world.advance(12_000);
      expect(site.shown(), `after ${12 * n} s, ${client.getState().connection.status}`).toContain(`ответ ${n}`);
    }
  });

  it('is not supplemented while it opens as fast as usual', async () => {
    const site = besideSite();
    site.known = true;
    site.client.send('первое');
    await site.world.advance(2_000);
    site.asked = 0;
    await site.world.advance(40_000);
    expect(site.asked).toBe(0);
  });

  it('is supplemented when the page becomes visible again', async () => {
    const site = await online();
    await site.world.advance(10_000);
    site.write(7, 'manager', 'ответ');
    site.tab.lifecycle('visible');
    await site.world.advance(500);
    expect(site.shown()).toEqual(['первое', 'ответ']);
  });
});
