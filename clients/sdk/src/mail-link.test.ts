import { describe, expect, it } from 'vitest';
// Imported in advance: reading a file takes real time, while the world has a virtual clock.
import './customer/mail-link.ts';
import { begun, bodies, run } from '../test/running.ts';
import type { ChatClient } from './index.ts';
import type { FakeWorld } from './testing/index.ts';

/** A server with a chat, and one link to it. */
async function linkedWorld(): Promise<{ world: FakeWorld; code: string; id: number; asked: () => number }> {
  const { client, tab, world } = await begun();
  const id = client.getState().session?.id ?? 0;
  client.destroy();
  await world.advance(100);
  const { storage } = tab.environment;
  for (const key of await storage.keys()) await storage.remove(key);
  let isUsed = false;
  let asked = 0;
  world.server.hooks.onRequest = ({ path, body }) => {
    if (path !== '/chat/mail/return') return undefined;
    asked += 1;
    const found = world.server.sessions.get(id);
    if (isUsed || body['code'] !== 'one-time' || !found)
      return { status: 401, body: { error: { code: 'bad_credentials', message: 'used', request_id: 'fake' } } };
    isUsed = true;
    return { status: 200, body: { session: found.session, ...world.server.token(id) } };
  };
  return { world, code: 'one-time', id, asked: () => asked };
}
async function outcome(world: FakeWorld, client: ChatClient, code: string): Promise<unknown> {
  const opening = client.openMailLink(code).then(
    ({ id }) => id,
    ({ code: refusal }: { code: string }) => refusal,
  );
  await world.advance(500);
  return opening;
}

describe('the link of a mail', () => {
  it('opens its chat once on a device that never saw it', async () => {
    const { world, code, id } = await linkedWorld();
    const { client } = run({}, world);
    expect(await outcome(world, client, code)).toBe(id);
    expect(bodies(client)).toEqual(['question']);
    expect(client.getState().connection.status).toBe('online');
    world.server.answer(id, 'an answer');
    await world.advance(200);
    expect(bodies(client)).toEqual(['question', 'an answer']);
    expect(await outcome(world, client, code)).toBe('bad_credentials');
    expect(bodies(client)).toEqual(['question', 'an answer']);
    client.destroy();
    const again = run({}, world);
    await world.advance(500);
    expect(bodies(again.client)).toEqual(['question', 'an answer']);
  });

  it('replaces the chat that a guest had started there', async () => {
    const { world, code, id } = await linkedWorld();
    const { client } = run({}, world);
    client.send('another matter');
    await world.advance(500);
    expect(client.getState().session?.id).not.toBe(id);
    expect(await outcome(world, client, code)).toBe(id);
    expect(bodies(client)).toEqual(['question']);
  });

  it('leaves a chat that is already shown as it is, with the key that keeps it', async () => {
    const { client, world } = await begun();
    const id = client.getState().session?.id ?? 0;
    world.server.hooks.onRequest = ({ path }) =>
      path === '/chat/mail/return'
        ? { status: 200, body: { session: world.server.sessions.get(id)?.session, ...world.server.token(id) } }
        : undefined;
    expect(await outcome(world, client, 'one-time')).toBe(id);
    // Longer than the lifetime of a token.
    await world.advance(4_000_000);
    client.send('still here');
    await world.advance(1_000);
    expect(bodies(client)).toEqual(['question', 'still here']);
    expect(world.server.sessions.size).toBe(1);
  });

  it('is not used up if a customer is signed in, and their chat stays', async () => {
    const { world, code, asked } = await linkedWorld();
    const said = run({ signedIn: true }, world);
    expect(await outcome(world, said.client, code)).toBe('signed_in');

    const shown = run({}, world);
    await Promise.all([shown.client.identify(() => Promise.resolve('olga')), world.advance(200)]);
    shown.client.send('my order?');
    await world.advance(500);
    expect(await outcome(world, shown.client, code)).toBe('signed_in');
    expect(bodies(shown.client)).toEqual(['my order?']);
    shown.client.destroy();
    // Hidden until the page identifies the customer, but still stored.
    const hidden = run({}, world);
    expect(await outcome(world, hidden.client, code)).toBe('signed_in');
    expect(asked()).toBe(0);
  });

  it('whose token has expired leads to a new chat for the next text', async () => {
    const { world, code, id } = await linkedWorld();
    const { client } = run({}, world);
    expect(await outcome(world, client, code)).toBe(id);
    world.network.offline = true;
    await world.advance(4_000_000);
    world.network.offline = false;
    client.send('are you there?');
    await world.advance(60_000);
    expect(bodies(client)).toEqual(['are you there?']);
    expect(client.getState().session?.id).not.toBe(id);
  });
});
