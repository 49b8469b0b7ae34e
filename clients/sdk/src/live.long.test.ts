import { until } from '@chat-realtime/testkit';
import { describe, expect, it } from 'vitest';
import { blockable } from '../test/blockable.ts';
import { bodies, dense, idOf, online, shows, TOKEN_SECONDS, useLiveServer } from '../test/live-server.ts';

const { server, customer, say } = useLiveServer();

describe('against the real server, over the lifetime of a token and a restart', () => {
  it('[WS9] renews its token in place, before it expires', async () => {
    const frames: unknown[] = [];
    const { client } = customer({ tabs: false });
    client.on('frame', (frame) => frames.push(frame));
    await client.send('hello').stored;
    const begun = Date.now();
    await online(client);
    const { connection } = client.getState();
    await until(
      () => (frames.some((frame) => (frame as { type: string }).type === 'channel.refreshed') ? true : undefined),
      { timeoutMs: TOKEN_SECONDS * 1_000, what: 'a renewed token' },
    );
    await until(() => (Date.now() - begun > (TOKEN_SECONDS + 1) * 1_000 ? true : undefined), {
      timeoutMs: 60_000,
      what: 'the end of the first token',
    });
    await client.send('later than the first token lived').stored;
    expect(client.getState().connection).toEqual(connection);
  }, 90_000);

  it('[MSG3] [DRN2] keeps what is written while the server is killed or restarts, stores it once, and misses nothing', async () => {
    const network = blockable();
    const { client, seqs } = customer({ environment: network.environment });
    const wanted = Array.from({ length: 16 }, (_, index) => String(index));
    const [first, ...rest] = wanted.map((body) => () => client.send(body).stored);
    await first?.();
    const id = idOf(client);
    await online(client);
    const sent = rest.slice(0, 3).map((send) => send());
    await server().app.kill();
    sent.push(...rest.slice(3, 5).map((send) => send()));
    await server().app.start();
    network.networkChanged();
    await Promise.all(sent);
    await online(client);
    await say(id, 'answer');
    await shows(client, 7);

    const restarting = server().app.restart();
    sent.push(...rest.slice(5).map((send) => send()));
    await restarting;
    network.networkChanged();
    await Promise.all(sent);
    await online(client);
    await say(id, 'another answer');
    await shows(client, 18);
    expect(bodies(client)).toEqual([...wanted.slice(0, 6), 'answer', ...wanted.slice(6), 'another answer']);
    const { messages } = await server().staff.api.messages(id);
    expect(messages.map(({ body }) => body)).toEqual(bodies(client));
    expect(dense(seqs)).toBe(true);
  }, 120_000);
});
