import { listRoutes } from '@chat-realtime/service-kit';
import { ALL_ROUTES, type Route } from '@chat-realtime/protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Call, ChatUnderTest, type HttpMethod, INTERNAL_KEY } from '../../test/chat-under-test.ts';

let chat: ChatUnderTest;
let sessionId: number;
let token: string;

beforeAll(async () => {
  chat = await ChatUnderTest.start();
  const { session, token: own } = JSON.parse((await chat.call('POST', '/chat/session', { body: {} })).text);
  sessionId = session.id;
  token = own;
});
afterAll(() => chat.stop());

// The intake exists only in the ledger role, whose own tests check its access.
const contract = ALL_ROUTES.filter((route) => route.service === 'chat-service' && route.access !== 'events');
const asPattern = (route: Route) => `${route.method} ${route.path.replaceAll(/\{(\w+)\}/g, ':$1')}`;
const asPath = (pattern: string) => pattern.replaceAll(':id', String(sessionId));

/** Every registered route except the operational ones; a separate test covers HEAD. */
function ownRoutes() {
  return listRoutes(chat.app).filter(({ method, url }) => method !== 'HEAD' && /^\/(?:chat|internal)\//.test(url));
}

describe('every route', () => {
  it('[ERR14] is in the contract, and every route of the contract exists', () => {
    const registered = ownRoutes().map(({ method, url }) => `${method} ${url}`);
    expect(registered.toSorted()).toEqual(contract.map(asPattern).toSorted());
  });

  it('[ERR14] has the access that the contract gives it', () => {
    const own = new Map(ownRoutes().map(({ method, url, access }) => [`${method} ${url}`, access.kind]));
    for (const route of contract) {
      const expected = ['optional_customer', 'session_proof', 'signature', 'signed_body'].includes(route.access)
        ? 'public'
        : route.access;
      expect([asPattern(route), own.get(asPattern(route))]).toEqual([asPattern(route), expected]);
    }
  });

  it('[ERR13] [ERR14] [ASG9] refuses requests without credentials, however they are spelled and whatever their body', async () => {
    const guarded = contract.filter(({ access }) => access !== 'public' && access !== 'optional_customer');
    expect(guarded.length).toBeGreaterThanOrEqual(24);
    for (const route of guarded) {
      const path = asPath(asPattern(route).split(' ')[1] ?? '');
      const spellings = [
        path,
        `${path}/`,
        `/${path}`,
        path.replace('/chat/', '/chat//').replace('/internal/', '//internal/'),
        path.replace(/[a-z](?=[a-z]*$)/, (char) => `%${char.charCodeAt(0).toString(16)}`),
        path.toUpperCase(),
        `/x/..${path}`,
        `${path};x=1`,
        `${path}%2f`,
        `${path}?access_token=x&token=x`,
      ];
      for (const url of spellings) {
        const methods: HttpMethod[] =
          route.method === 'GET' ? ['GET', 'HEAD', 'POST', 'OPTIONS'] : [route.method, 'GET', 'HEAD', 'PUT', 'DELETE'];
        for (const method of methods) {
          const calls: Call[] = [
            {},
            { raw: '{"broken', headers: { 'content-type': 'application/json' } },
            { headers: { 'x-http-method-override': 'GET' } },
          ];
          for (const call of calls) {
            const answer = await chat.call(method, url, method === 'GET' || method === 'HEAD' ? {} : call);
            expect([method, url, answer.status >= 400 && answer.status < 500]).toEqual([method, url, true]);
          }
        }
      }
      expect([route.id, (await chat.call(route.method, path)).status]).toEqual([route.id, 401]);
    }
  }, 120_000);

  it('[ASG9] [TOK21] refuses the wrong kind of token', async () => {
    const staffToken = await chat.staff('anna');
    for (const route of contract) {
      const path = asPath(asPattern(route).split(' ')[1] ?? '');
      const body = route.method === 'GET' ? undefined : {};
      const wrong =
        route.access === 'staff' || route.access === 'admin' || route.access === 'internal'
          ? [token]
          : route.access === 'customer'
            ? [staffToken]
            : [];
      if (route.access === 'internal') wrong.push(staffToken);
      if (route.access === 'staff' || route.access === 'admin') wrong.push(INTERNAL_KEY);
      for (const bad of wrong)
        expect([route.id, (await chat.call(route.method, path, { token: bad, body })).status]).toEqual([route.id, 401]);
    }
  });

  it('[TOK20] answers 403 to a staff token without a known role', async () => {
    const guest = await chat.staff('guest', { role: 'guest' });
    expect((await chat.call('GET', '/chat/sessions', { token: guest })).code).toBe('forbidden');
  });

  it('[ORI9] does not accept a cookie as a credential', async () => {
    const cookie = `token=${token}; access_token=${await chat.staff('anna')}`;
    expect((await chat.call('GET', '/chat/sessions', { headers: { cookie } })).status).toBe(401);
    expect((await chat.call('GET', `/chat/session/${sessionId}`, { headers: { cookie } })).status).toBe(401);
  });
});
