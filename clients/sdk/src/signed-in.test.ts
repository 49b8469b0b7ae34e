import { describe, expect, it } from 'vitest';
import { bodies, run } from '../test/running.ts';
import { createWorld, type FakeWorld } from './testing/index.ts';

/** Site and server agree: there is one customer, who owns the first chat. */
function signedInWorld(): FakeWorld {
  const world = createWorld();
  world.server.hooks.onRequest = ({ path }) => {
    if (path !== '/chat/identity') return undefined;
    const [own] = world.server.sessions.values();
    const body = own
      ? { sessions: [own.session], session: own.session, ...world.server.token(own.id) }
      : { sessions: [] };
    return { status: 200, body };
  };
  return world;
}
const getToken = (): Promise<string> => Promise.resolve('identity-token');

async function afterCustomersVisit(): Promise<FakeWorld> {
  const world = signedInWorld();
  const { client } = run({}, world);
  await client.ready;
  await Promise.all([client.identify(getToken), world.advance(100)]);
  client.send('what about my order?');
  await world.advance(500);
  expect(bodies(client)).toEqual(['what about my order?']);
  client.destroy();
  return world;
}

describe('the chat of a customer whom the site has signed out', () => {
  it('is not shown, read or connected on a page that does not identify them', async () => {
    const world = await afterCustomersVisit();
    const asked = world.server.requests.length;
    const { client } = run({}, world);
    await world.advance(5_000);
    const { session, messages, unread, connection } = client.getState();
    expect({ session, messages, unread, status: connection.status }).toEqual({
      session: null,
      messages: [],
      unread: 0,
      status: 'idle',
    });
    expect(world.server.requests).toHaveLength(asked);
  });

  it('returns as it was when the page identifies them', async () => {
    const world = await afterCustomersVisit();
    const { client } = run({}, world);
    await world.advance(100);
    await Promise.all([client.identify(getToken), world.advance(1_000)]);
    expect(bodies(client)).toEqual(['what about my order?']);
    expect(client.getState().connection.status).toBe('online');
    expect(world.server.sessions.size).toBe(1);
  });

  it('is not used by the next person, who gets a chat of their own and keeps it', async () => {
    const world = await afterCustomersVisit();
    const guest = run({}, world);
    await world.advance(100);
    guest.client.send('hello, I am new here');
    await world.advance(500);
    expect(bodies(guest.client)).toEqual(['hello, I am new here']);
    expect([...world.server.sessions.values()].map(({ messages }) => messages.map(({ body }) => body))).toEqual([
      ['what about my order?'],
      ['hello, I am new here'],
    ]);
    guest.client.destroy();
    const again = run({}, world);
    await world.advance(500);
    expect(bodies(again.client)).toEqual(['hello, I am new here']);
  });

  it('hides unsent texts from others, and sends them when the customer is back', async () => {
    const world = await afterCustomersVisit();
    const customer = run({}, world);
    await world.advance(100);
    await Promise.all([customer.client.identify(getToken), world.advance(1_000)]);
    world.network.offline = true;
    customer.client.send('for your eyes only');
    await world.advance(1_000);
    customer.client.destroy();
    world.network.offline = false;

    const guest = run({}, world);
    await world.advance(20_000);
    expect(bodies(guest.client)).toEqual([]);
    guest.client.destroy();

    const back = run({}, world);
    await world.advance(100);
    await Promise.all([back.client.identify(getToken), world.advance(20_000)]);
    expect(bodies(back.client)).toEqual(['what about my order?', 'for your eyes only']);
  });

  it("stays hidden in a guest's tab while another tab is still signed in", async () => {
    const world = await afterCustomersVisit();
    const customer = run({ tabs: true }, world, 'customer');
    const guest = run({ tabs: true }, world, 'guest');
    await world.advance(100);
    await Promise.all([customer.client.identify(getToken), world.advance(2_000)]);
    customer.client.send('second question');
    guest.tab.lifecycle('visible');
    await world.advance(5_000);
    expect(bodies(customer.client)).toContain('second question');
    expect(bodies(guest.client)).toEqual([]);
    expect(guest.client.getState().session).toBeNull();
  });
});
