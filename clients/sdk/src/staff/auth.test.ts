import { beforeEach, describe, expect, it } from 'vitest';
import { createWorld, type FakeWorld } from '../testing/index.ts';
import { createStaffAuth } from './auth.ts';

const USER = { id: 'anna', login: 'anna', name: 'Анна', role: 'operator' };

/** Two tabs of one browser, and a server that accepts every sign-in. */
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

describe('a sign-in with the cookie of a site', () => {
  const page = Object.defineProperty(
    new Response('<h1>Вход</h1>', { headers: { 'content-type': 'text/html' } }),
    'redirected',
    {
      value: true,
    },
  );
  it.each([
    ['401', Response.json({ error: 'signed out' }, { status: 401 })],
    ['the page to which it leads everybody who is not signed in', page],
  ])('does not exist if the site answers %s', async (_, answer) => {
    const { environment } = createWorld().tab('one');
    const fetch = () => Promise.resolve(answer);
    const auth = createStaffAuth({ tokenUrl: '/staff/channel-token', environment: { ...environment, fetch } });
    await expect(auth.getToken({ force: false })).rejects.toMatchObject({ code: 'missing_credentials' });
    expect(auth.getState().status).toBe('signed_out');
  });
});

/** A server that rotates refresh tokens as the real one does, and loses the responses that `lost` names. */
function rotating(world: FakeWorld, tab: string, lost: () => boolean, locks = true) {
  const { environment } = world.tab(tab);
  return createStaffAuth({
    baseUrl: 'http://fake',
    environment: {
      ...environment,
      ...(!locks && { locks: null }),
      fetch: (url: RequestInfo | URL, init?: RequestInit) => {
        const path = new URL(String(url)).pathname;
        const answer = (body: unknown, status = 200) => Promise.resolve(Response.json(body, { status }));
        const signedIn = (n: number) => ({
          access_token: `access.${n}`,
          refresh_token: `refresh-${n}`,
          expires_in: 900,
          user: USER,
        });
        if (path === '/auth/login') return answer(signedIn(0));
        const { refresh_token } = JSON.parse(String(init?.body)) as { refresh_token: string };
        const used = Number(refresh_token.split('-')[1]);
        const refused =
          used < server.newest - 1 || (used === server.newest - 1 && world.clock.now() > server.at + 30_000);
        if (refused) return answer({ error: { code: 'bad_credentials' } }, 401);
        if (used === server.newest) {
          server.newest += 1;
          server.at = world.clock.now();
        }
        if (lost()) return Promise.reject(new TypeError('the link dropped'));
        return answer(signedIn(used + 1));
      },
    },
  });
}
const server = { newest: 0, at: 0 };
/** The locks of the tabs use the world's clock. */
async function asked(world: FakeWorld, auth: ReturnType<typeof createStaffAuth>) {
  const token = auth.getToken({ force: false });
  await world.advance(50);
  return token;
}

describe('a refresh', () => {
  beforeEach(() => {
    server.newest = 0;
  });

  it('[AUTH4] whose response is lost is repeated at once, and the sign-in continues', async () => {
    const world = createWorld();
    const losses = [true, false, true, false];
    const auth = rotating(world, 'one', () => losses.shift() ?? false);
    await auth.login('anna', 'secret');
    for (const token of ['access.1', 'access.2', 'access.3']) {
      await world.advance(900_000);
      expect(await asked(world, auth)).toEqual({ token });
    }
    expect(auth.getState().status).toBe('signed_in');
  });

  it('[AUTH4] that fails twice keeps the sign-in, and the next one continues it', async () => {
    const world = createWorld();
    const losses = [true, true];
    const auth = rotating(world, 'one', () => losses.shift() ?? false);
    await auth.login('anna', 'secret');
    await world.advance(900_000);
    const refused = expect(auth.getToken({ force: false })).rejects.toMatchObject({ code: 'network' });
    await world.advance(50);
    await refused;
    expect(auth.getState().status).toBe('signed_in');
    await world.advance(10_000);
    expect(await asked(world, auth)).toEqual({ token: 'access.1' });
  });

  it('[AUTH4] of two tabs without locks gives both the same sign-in', async () => {
    const world = createWorld();
    const [one, two] = [rotating(world, 'one', () => false, false), rotating(world, 'two', () => false, false)];
    await one.login('anna', 'secret');
    await world.advance(900_000);
    const both = await Promise.all([one.getToken({ force: false }), two.getToken({ force: false })]);
    expect(both).toEqual([{ token: 'access.1' }, { token: 'access.1' }]);
    await world.advance(900_000);
    expect(await two.getToken({ force: false })).toEqual({ token: 'access.2' });
    expect(await one.getToken({ force: false })).toEqual({ token: 'access.2' });
    expect([one.getState().status, two.getState().status]).toEqual(['signed_in', 'signed_in']);
  });
});
