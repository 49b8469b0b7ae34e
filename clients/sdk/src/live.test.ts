import { until } from '@chat-realtime/testkit';
import { describe, expect, it, vi } from 'vitest';
import { blockable } from '../test/blockable.ts';
import { bodies, dense, identityToken, idOf, online, PASSWORD, shows, useLiveServer } from '../test/live-server.ts';
import { createBadge } from './badge.ts';
import { type ChatClient, memoryStorage, type TransportName } from './index.ts';
import { createStaffAuth } from './staff.ts';
import { createFakeBrowser } from './testing/index.ts';

// They mostly wait for the server.
vi.setConfig({ maxConcurrency: 12 });
const { server, keep, signIn, customer, say } = useLiveServer();

describe.concurrent('against the real server', () => {
  it.each([['websocket'], ['sse'], ['poll'], ['rest']] as const)('holds a conversation over %s', async (transport) => {
    const { client, seqs } = customer({ transports: [transport] });
    await client.send('question').stored;
    await online(client, transport);
    await say(idOf(client), 'answer');
    await shows(client, 2);
    expect(bodies(client)).toEqual(['question', 'answer']);
    expect(client.getState().unread).toBe(1);
    client.markRead();
    await until(async () => ((await server().staff.api.session(idOf(client))).client_read_id > 0 ? true : undefined), {
      what: 'the read mark',
    });
    expect(client.getState().unread).toBe(0);
    expect(dense(seqs)).toBe(true);
  });

  it('[RES1] [RES2] resumes over every change of transport with one cursor', async () => {
    const network = blockable();
    const { client, seqs } = customer({ environment: network.environment });
    await client.send('0').stored;
    const id = idOf(client);
    let said = 0;
    const stages: [TransportName[], TransportName][] = [
      [[], 'websocket'],
      [['websocket'], 'sse'],
      [['websocket', 'sse'], 'poll'],
      [['websocket', 'sse', 'poll'], 'rest'],
      [['websocket', 'sse'], 'poll'],
      [['websocket'], 'sse'],
      [[], 'websocket'],
    ];
    for (const [blocked, expected] of stages) {
      network.block(blocked);
      for (let i = 0; i < 5; i += 1) await say(id, `${(said += 1)}`);
      if (client.getState().connection.status === 'online') network.networkChanged();
      await until(
        () => {
          const { connection } = client.getState();
          if (connection.status === 'online' && connection.transport !== expected) network.networkChanged();
          return connection.status === 'online' && connection.transport === expected ? true : undefined;
        },
        { timeoutMs: 40_000, everyMs: 200, what: expected },
      );
      for (let i = 0; i < 5; i += 1) await say(id, `${(said += 1)}`);
      // Plain REST polls every five seconds; the next transport must bring what it has not.
      if (expected !== 'rest') await shows(client, said + 1);
    }
    expect(bodies(client)).toEqual(Array.from({ length: said + 1 }, (_, index) => String(index)));
    expect(dense(seqs)).toBe(true);
  }, 120_000);

  it('[IDN2] [IDN6] shows a customer their chat on two devices; after a logout on one the other continues', async () => {
    const getToken = (): Promise<string> => Promise.resolve(identityToken('customer-7'));
    const laptop = customer();
    await laptop.client.send('begun before signing in').stored;
    const id = idOf(laptop.client);
    expect((await laptop.client.identify(getToken))?.id).toBe(id);

    const phone = customer();
    expect((await phone.client.identify(getToken))?.id).toBe(id);
    await online(phone.client);
    await phone.client.send('from the phone').stored;
    await say(id, 'answer');
    for (const { client } of [laptop, phone]) await shows(client, 3);
    expect(bodies(phone.client)).toEqual(['begun before signing in', 'from the phone', 'answer']);
    expect(bodies(laptop.client)).toEqual(bodies(phone.client));
    for (const { seqs } of [laptop, phone]) expect(dense(seqs)).toBe(true);

    await laptop.client.logout();
    expect(laptop.client.getState()).toMatchObject({
      session: null,
      messages: [],
      identified: false,
      connection: { status: 'idle' },
    });
    // The phone is still signed in: it gets a new token automatically and misses nothing.
    await say(id, 'after the logout');
    await shows(phone.client, 4);
    phone.client.send('still here');
    await shows(phone.client, 5);
    expect(bodies(phone.client).slice(-2)).toEqual(['after the logout', 'still here']);
    expect(dense(phone.seqs)).toBe(true);

    // The next person on the signed-out device sees nothing of it.
    expect(await laptop.client.identify(() => Promise.resolve(identityToken('customer-8')))).toBeNull();
    expect(bodies(laptop.client)).toEqual([]);
  }, 90_000);

  it('[LIM1] shares one connection among six tabs, and hands it over when its tab is closed', async () => {
    const browser = createFakeBrowser((run) => void setTimeout(run));
    const tab = (index: number): { client: ChatClient; seqs: number[] } =>
      customer({
        environment: {
          storage: browser.storage,
          locks: browser.locks(`tab${index}`),
          openTabChannel: browser.channels(`tab${index}`),
        },
      });
    const first = tab(0);
    await first.client.send('question').stored;
    await online(first.client);
    const tabs = [first, ...Array.from({ length: 5 }, (_, index) => tab(index + 1))];
    await Promise.all(tabs.map(({ client }) => online(client)));
    const id = idOf(first.client);
    const carrying = (): number =>
      tabs.filter(({ client }) => {
        const { connection } = client.getState();
        return connection.status === 'online' && !connection.shared;
      }).length;
    await Promise.all(tabs.map(({ client }) => shows(client, 1)));
    expect(carrying()).toBe(1);
    await say(id, 'answer');
    await Promise.all(tabs.map(({ client }) => shows(client, 2)));

    // The simulation covers crashes; here the network is real.
    first.client.destroy();
    browser.crash('tab0');
    tabs.shift();
    tabs[4]?.client.send('from the last tab');
    await say(id, 'another answer');
    await Promise.all(tabs.map(({ client }) => shows(client, 4)));
    expect(carrying()).toBe(1);
    for (const { client, seqs } of tabs) {
      expect(bodies(client).toSorted()).toEqual(['another answer', 'answer', 'from the last tab', 'question']);
      expect(dense(seqs)).toBe(true);
    }
  }, 60_000);

  it('[MSG10] stops a reply if a colleague has written meanwhile, and shows what was missed', async () => {
    const anna = await signIn('anna');
    const boris = await signIn('boris');
    const { client } = customer();
    await client.send('question').stored;
    const id = idOf(client);
    for (const one of [anna, boris]) one.connect((await one.api.sessions({ limit: 1 })).feed_cursor);
    const conversation = anna.conversation(id);
    await until(() => (conversation.getState().history.loaded ? true : undefined));
    const before = conversation.getState().seq;
    await boris.api.send(id, { body: 'mine', client_message_id: crypto.randomUUID() });
    const sent = conversation.send('too late', { expectedSeq: before });
    await expect(sent.stored).rejects.toMatchObject({ code: 'stale' });
    expect(conversation.getState().messages.at(-1)).toMatchObject({
      body: 'too late',
      delivery: 'failed',
      error: 'stale',
    });
    await until(() => (conversation.getState().seq > before ? true : undefined));
    conversation.retry(sent.clientMessageId);
    await shows(client, 3);
    expect(bodies(client)).toEqual(['question', 'mine', 'too late']);
  });

  it('[ATT1] sends attachments', async () => {
    const { client } = customer();
    await client.start({ name: 'Ada' });
    const png = Uint8Array.from(
      atob('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='),
      (c) => c.charCodeAt(0),
    );
    const attachment = await client.upload({ name: 'точка.png', bytes: png });
    const message = await client.send('', [attachment]).stored;
    expect(message.attachments).toMatchObject([{ name: 'точка.png', mime: 'image/png' }]);
  });

  it('stores, opens and requests nothing before the visitor acts', async () => {
    const asked: string[] = [];
    const storage = memoryStorage();
    const { client } = customer({
      environment: {
        storage,
        fetch: (input) => {
          asked.push(String(input));
          return Promise.reject(new TypeError('nothing may be asked'));
        },
        webSocket: (url) => {
          asked.push(url);
          throw new Error('nothing may be opened');
        },
      },
    });
    await client.ready;
    client.connect();
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(asked).toEqual([]);
    expect(storage.keys()).toEqual([]);
  });
});

describe('one after another', () => {
  it('[ALR3] gives the badge by stream and by polling alike', async () => {
    const storage = memoryStorage();
    const auth = createStaffAuth({ baseUrl: server().baseUrl, environment: { storage } });
    await auth.login('boris', PASSWORD);
    const live = keep(createBadge({ baseUrl: server().baseUrl, getToken: auth.getToken, environment: { storage } }));
    const polling = keep(
      createBadge({
        baseUrl: server().baseUrl,
        getToken: auth.getToken,
        environment: { storage },
        transports: ['rest'],
        pollMs: 300,
      }),
    );
    await until(() => (live.getState().counters && polling.getState().counters ? true : undefined));
    const before = live.getState().counters?.unassigned ?? 0;
    const { client } = customer();
    await client.send('anybody there?').stored;
    for (const badge of [live, polling]) {
      await until(() => (badge.getState().counters?.unassigned === before + 1 ? true : undefined), {
        what: 'one more',
      });
    }
  });
});
