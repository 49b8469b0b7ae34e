import { describe, expect, it } from 'vitest';
import { createWorld, type FakeWorld } from '../testing/index.ts';
import { createStaffAuth } from './auth.ts';

const USER = { id: 'anna', login: 'anna', name: 'Анна', role: 'operator' };

/** Two tabs of one browser, and a server that signs everybody in. */
function signIn(world: FakeWorld, tab: string, refreshed = 200) {
  const environment = {
    ...world.tab(tab).environment,
    fetch: (url: RequestInfo | URL) => {
      const body = { access_token: 'a.b.c', refresh_token: 'r', expires_in: 900, user: USER };
      const status = String(url).endsWith('/auth/refresh') ? refreshed : 200;
      return Promise.resolve(Response.json(status === 200 ? body : { error: { code: 'bad_credentials' } }, { status }));
    },
  };
  return createStaffAuth({ baseUrl: 'http://fake', environment });
}

describe('a sign-in of several tabs', () => {
  it('begins and ends in all of them at once', async () => {
    const world = createWorld();
    const [one, two] = [signIn(world, 'one'), signIn(world, 'two')];
    await world.advance(50);
    expect([one.getState().status, two.getState().status]).toEqual(['signed_out', 'signed_out']);
    await one.login('anna', 'secret');
    await world.advance(50);
    expect(two.getState()).toMatchObject({ status: 'signed_in', user: { id: 'anna' } });
    await two.logout();
    await world.advance(50);
    expect(one.getState().status).toBe('signed_out');
    await expect(one.getToken({ force: false })).rejects.toMatchObject({ code: 'missing_credentials' });
  });

  it('ends in all of them when the server ended it', async () => {
    const world = createWorld();
    const [one, two] = [signIn(world, 'one', 401), signIn(world, 'two')];
    await two.login('anna', 'secret');
    await world.advance(50);
    expect(one.getState().status).toBe('signed_in');
    await one.getToken({ force: false });
    const refused = expect(one.getToken({ force: true })).rejects.toMatchObject({ code: 'missing_credentials' });
    await world.advance(50);
    await refused;
    expect(two.getState().status).toBe('signed_out');
  });
});
