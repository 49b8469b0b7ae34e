import { describe, expect, it } from 'vitest';
import { begun, bodies, run, type Running } from '../test/running.ts';
import { createWorld, type FakeWorld } from './testing/index.ts';

const said = ({ server }: FakeWorld): string[][] =>
  [...server.sessions.values()].map(({ messages }) => messages.map(({ body }) => body));
const asked = ({ server }: FakeWorld, end: string): number =>
  server.requests.filter(({ path }) => path.endsWith(end)).length;

async function signIn(device: Running, getToken: () => Promise<string>): Promise<void> {
  await device.world.advance(50);
  await Promise.all([device.client.identify(getToken), device.world.advance(500)]);
}

describe('a chat whose key has expired', () => {
  it('[TOK23] is left, and unsent texts start the next chat under a new key', async () => {
    const { world, client } = await begun();
    world.server.hooks.onRequest = ({ path, method }) =>
      path.endsWith('/messages') && method === 'POST' ? { status: 503, body: null } : undefined;
    client.send('not sent yet');
    await world.advance(200);
    world.server.revoke(1);
    delete world.server.hooks.onRequest;
    await world.advance(40_000);
    expect(said(world)).toEqual([['question'], ['not sent yet']]);
    expect(bodies(client)).toEqual(['not sent yet']);
    expect(client.getState().connection.status).toBe('online');
    const [old, next] = [...world.server.sessions.values()];
    expect(next?.resumeKey).not.toBe(old?.resumeKey);
  });

  it('[TOK23] leaves nothing on the device, and is not requested again', async () => {
    const { world, client, tab } = await begun();
    world.server.revoke(1);
    await world.advance(600_000);
    expect(client.getState()).toMatchObject({ session: null, messages: [], connection: { status: 'idle' } });
    expect(asked(world, 'channel-token')).toBe(1);
    const keys = await tab.environment.storage.keys();
    expect(keys.filter((key) => key.endsWith(':session'))).toEqual([]);
    client.send('hello again');
    await world.advance(500);
    expect(bodies(client)).toEqual(['hello again']);
  });

  it('[TOK23] is also left by a page that returns later: its stored text is not lost', async () => {
    const { world, client } = await begun();
    world.network.offline = true;
    client.send('written in the tunnel');
    await world.advance(100);
    client.destroy();
    world.server.revoke(1);
    world.network.offline = false;
    const again = run({}, world);
    await world.advance(40_000);
    expect(said(world)).toEqual([['question'], ['written in the tunnel']]);
    expect(bodies(again.client)).toEqual(['written in the tunnel']);
  });

  it('[TOK23] is replaced under a new key if only the key was kept', async () => {
    const world = createWorld();
    world.network.offline = true;
    const first = run({}, world);
    first.client.send('question');
    await world.advance(200);
    // The response to the start was lost, and meanwhile the session ended.
    world.network.offline = false;
    world.network.loseAnswer = 1;
    await world.advance(3_000);
    expect(world.server.sessions.size).toBe(1);
    world.server.revoke(1);
    world.network.loseAnswer = 0;
    await world.advance(60_000);
    expect(said(world).at(-1)).toEqual(['question']);
    expect(world.server.sessions.size).toBe(2);
    expect(bodies(first.client)).toEqual(['question']);
  });
});

describe('a signed-in customer on several devices', () => {
  async function twoDevices(phonesToken: () => Promise<string>): Promise<{ laptop: Running; phone: Running }> {
    const laptop = await begun();
    const { world } = laptop;
    await signIn(laptop, () => Promise.resolve('customer'));
    const phone = run({ namespace: 'phone' }, world, 'phone');
    await signIn(phone, phonesToken);
    expect(bodies(phone.client)).toEqual(['question']);
    return { laptop, phone };
  }
  async function logout({ client, world }: Running): Promise<void> {
    await Promise.all([client.logout(), world.advance(500)]);
  }

  it('[IDN6] is logged out on one, and the others identify again automatically', async () => {
    const { laptop, phone } = await twoDevices(() => Promise.resolve('customer'));
    const { world } = laptop;
    phone.client.send('before');
    await world.advance(200);
    await logout(laptop);
    await world.advance(1_000);
    expect(laptop.client.getState()).toMatchObject({ session: null, messages: [], identified: false });
    expect(phone.client.getState().connection.status).toBe('online');
    phone.client.send('after');
    world.server.answer(1, 'answer');
    await world.advance(500);
    expect(bodies(phone.client).toSorted()).toEqual(['after', 'answer', 'before', 'question']);
    expect(world.server.sessions.size).toBe(1);
  });

  it('[IDN6] sends, on the others, a text that was being sent during the logout', async () => {
    const { laptop, phone } = await twoDevices(() => Promise.resolve('customer'));
    const { world } = laptop;
    phone.client.disconnect();
    await logout(laptop);
    phone.client.send('sent with a token that has ended');
    await world.advance(5_000);
    expect(said(world)).toEqual([['question', 'sent with a token that has ended']]);
  });

  it('[IDN6] requests no new token on the device that logs out', async () => {
    const { laptop, phone } = await twoDevices(() => Promise.resolve('customer'));
    phone.client.destroy();
    const before = asked(laptop.world, 'channel-token');
    await logout(laptop);
    await laptop.world.advance(60_000);
    expect(asked(laptop.world, 'channel-token')).toBe(before);
    expect(laptop.client.getState().connection.status).toBe('idle');
  });

  it('[IDN6] leaves the chat if the site names no customer any more, and loses no text', async () => {
    let token = 'customer';
    const { laptop, phone } = await twoDevices(() => Promise.resolve(token));
    const { world } = laptop;
    token = '';
    await logout(laptop);
    await world.advance(1_000);
    expect(phone.client.getState()).toMatchObject({ session: null, messages: [] });
    phone.client.send('am I signed out?');
    await world.advance(5_000);
    expect(said(world)).toEqual([['question'], ['am I signed out?']]);
  });

  it('waits for a site that cannot currently say who the customer is', async () => {
    let fails = false;
    const { laptop, phone } = await twoDevices(() =>
      fails ? Promise.reject(new TypeError('the site is away')) : Promise.resolve('customer'),
    );
    fails = true;
    await logout(laptop);
    await laptop.world.advance(2_000);
    expect(phone.client.getState().connection.status).not.toBe('stopped');
    fails = false;
    await laptop.world.advance(60_000);
    expect(phone.client.getState().connection.status).toBe('online');
    expect(bodies(phone.client)).toEqual(['question']);
  });

  it('uses the guest’s own key while the chat is not theirs yet', async () => {
    const device = await begun();
    const { world } = device;
    // The site vouches for them, but our server does not take the chat over, for example because it is unavailable.
    world.server.hooks.onRequest = ({ path }) => (path === '/chat/identity' ? { status: 503, body: null } : undefined);
    const identified = device.client.identify(() => Promise.resolve('customer')).catch(() => undefined);
    await Promise.all([identified, world.advance(100)]);
    for (const connection of world.gateway.connections) connection.close(4401);
    await world.advance(5_000);
    expect(device.client.getState().connection.status).toBe('online');
    expect(bodies(device.client)).toEqual(['question']);
  });
});
