import { afterAll, beforeAll, expect, it } from 'vitest';
import { customerToken, type GatewayUnderTest, INTERNAL_KEY, startGateway } from './testing/gateway-under-test.ts';
import { eventually, range, SocketClient } from './testing/socket-client.ts';

let under: GatewayUnderTest;
beforeAll(async () => {
  under = await startGateway({ env: { DRAIN_SECONDS: '1' } });
  under.ledger.createSession(1);
});
afterAll(() => under.close());

async function drain(method: string, key?: string): Promise<[number, unknown]> {
  const headers = key === undefined ? {} : { authorization: `Bearer ${key}` };
  const response = await fetch(`${under.httpUrl}/internal/drain`, { method, headers });
  return [response.status, await response.json()];
}

it("[DRN3] drains on its owner's command and keeps running, so that it can be inspected before it is stopped", async () => {
  const clients = range(1, 3).map(() => new SocketClient(`${under.wsUrl}?session=1&token=${customerToken(1)}`));
  await Promise.all(clients.map((client) => client.ready()));
  expect((await drain('POST'))[0]).toBe(401);
  expect((await drain('POST', 'some other key'))[0]).toBe(401);
  expect(await drain('GET', INTERNAL_KEY)).toEqual([200, { draining: false, connections: 3, drain_seconds: 1 }]);
  expect(await drain('POST', INTERNAL_KEY)).toMatchObject([202, { draining: true }]);
  for (const client of clients) expect((await client.closed).code).toBe(1012);
  await eventually(() => (under.gateway.core.registry.size === 0 ? true : undefined), 'nobody left');
  expect(await drain('POST', INTERNAL_KEY)).toMatchObject([202, { draining: true, connections: 0 }]);
  expect((await fetch(`${under.httpUrl}/readyz`)).status).toBe(503);
  expect((await fetch(`${under.httpUrl}/healthz`)).status).toBe(200);
});
