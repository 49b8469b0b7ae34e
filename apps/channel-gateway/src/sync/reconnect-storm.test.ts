import { expect, it } from 'vitest';
import { range } from '../testing/socket-client.ts';
import type { VirtualClient } from '../testing/virtual-client.ts';
import { VirtualGateway } from '../testing/virtual-gateway.ts';

it('[INT8] a reconnect storm is no query storm: 5,000 resumes within three seconds take at most 60 calls', async () => {
  const gateway = new VirtualGateway();
  const { ledger, clock } = gateway;
  ledger.latencyMs = 5;
  for (const id of range(1, 5_000)) {
    ledger.createSession(id);
    ledger.post(id, 'missed');
  }
  const clients: VirtualClient[] = [];
  for (const id of range(1, 5_000)) {
    clients.push(gateway.customer(id, 1));
    if (id % 100 === 0) await clock.advance(60);
  }
  const since = clock.now();
  await clock.until(() => (clients.every(({ connection }) => connection.isLive) ? true : undefined), 'all to be live');
  expect(clock.now() - since).toBeLessThan(3_000);
  expect(clients.filter(({ closed }) => closed !== null)).toEqual([]);
  expect(ledger.requests.length).toBeLessThanOrEqual(60);
  const pages = ledger.requests.map(({ sessions }) => sessions.filter((one) => one.after_seq !== undefined).length);
  expect(Math.max(...pages)).toBeLessThanOrEqual(512);
});
