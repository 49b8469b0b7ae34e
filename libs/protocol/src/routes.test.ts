import { describe, expect, it } from 'vitest';
import { ERROR_CODES } from './errors.ts';
import { ALL_ROUTES, PUBLIC_ROUTES, routeErrors, routePath } from './routes.ts';

describe('route table', () => {
  it('[ERR14] names every route once', () => {
    const ids = ALL_ROUTES.map((route) => route.id);
    const calls = ALL_ROUTES.map((route) => `${route.method} ${route.path}`);
    expect(new Set(ids).size).toBe(ids.length);
    expect(new Set(calls).size).toBe(calls.length);
  });

  it('[ERR14] keeps internal calls out of the public list', () => {
    expect(PUBLIC_ROUTES.some((route) => route.path.startsWith('/internal') || route.access === 'internal')).toBe(
      false,
    );
    expect(ALL_ROUTES.filter((route) => route.access === 'internal').map((route) => route.path)).toEqual([
      '/internal/catchup',
      '/internal/acks',
      '/internal/hops',
      '/internal/drain',
      '/internal/drain',
      '/internal/telegram/bot',
      '/internal/telegram/redeem',
      '/internal/telegram/act',
      '/internal/telegram/write',
      '/internal/telegram/upload',
      '/internal/telegram/blocked',
    ]);
  });

  it('[ERR14] contains every call of the contract with its access', () => {
    const access = Object.fromEntries(ALL_ROUTES.map((route) => [`${route.method} ${route.path}`, route.access]));
    expect(access).toMatchObject({
      'POST /auth/login': 'public',
      'GET /.well-known/jwks.json': 'public',
      'GET /chat/config': 'public',
      'POST /chat/session': 'public',
      'GET /chat/session/{id}': 'customer_or_staff',
      'GET /chat/session/{id}/channel-token': 'session_proof',
      'POST /chat/session/{id}/stream-link': 'customer',
      'POST /chat/session/{id}/messages': 'customer_or_staff',
      'GET /chat/sessions': 'staff',
      'POST /chat/operators/me/telegram-code': 'staff',
      'GET /chat/operators/me/telegram': 'staff',
      'DELETE /chat/operators/me/telegram': 'staff',
      'POST /chat/session/{id}/telegram-link': 'customer',
      'GET /chat/feed': 'staff',
      'POST /chat/session/{id}/revoke': 'staff',
      'POST /chat/callback': 'optional_customer',
      'GET /chat/{id}/stream': 'signature',
      'GET /channel/ws': 'channel',
    });
  });

  it('[ORI5] checks the Origin of every call that changes something, and of the channel', () => {
    for (const route of PUBLIC_ROUTES) {
      const expected = route.method !== 'GET' || route.service === 'channel-gateway';
      expect(route.originChecked, route.id).toBe(expected);
      expect(routeErrors(route).includes('origin_not_allowed'), route.id).toBe(expected);
    }
  });

  it('[ERR2] contains only error codes of the table, and 401 for every guarded route', () => {
    for (const route of ALL_ROUTES) {
      const codes = routeErrors(route);
      for (const code of codes) expect(ERROR_CODES, route.id).toHaveProperty(code);
      if (!['public', 'optional_customer'].includes(route.access))
        expect(codes, route.id).toContain('missing_credentials');
    }
  });

  it('fills in path parameters, encoded', () => {
    const route = ALL_ROUTES.find(({ id }) => id === 'getSession');
    if (route === undefined) throw new Error('getSession is not in the table');
    expect(routePath(route, { id: 5 })).toBe('/chat/session/5');
    expect(routePath(route, { id: '../x' })).toBe('/chat/session/..%2Fx');
    expect(() => routePath(route)).toThrow('getSession needs the parameter id');
  });
});
