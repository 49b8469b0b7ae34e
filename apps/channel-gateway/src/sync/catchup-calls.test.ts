import { expect, it } from 'vitest';
import { range } from '../testing/socket-client.ts';
import { VirtualGateway } from '../testing/virtual-gateway.ts';

const idle = { config: { headCheckSeconds: 600 } };

function reports({ ledger }: VirtualGateway): string[][] {
  return ledger.requests.flatMap(({ presence }) =>
    presence === undefined ? [] : [presence.operators.map(({ id }) => id)],
  );
}

it('[INT10] report which staff are connected when that changes, not with every call', async () => {
  const gateway = new VirtualGateway(idle);
  gateway.staff('anna');
  await gateway.advance(1_000);
  expect(reports(gateway).at(-1)).toEqual(['anna']);
  const before = reports(gateway).length;
  const calls = gateway.ledger.requests.length;
  for (const id of range(1, 12)) {
    gateway.ledger.createSession(id);
    gateway.customer(id);
    await gateway.advance(500);
  }
  expect(gateway.ledger.requests.length).toBeGreaterThan(calls + 8);
  expect(reports(gateway).length).toBe(before);
  gateway.staff('boris');
  await gateway.advance(1_000);
  expect(reports(gateway).at(-1)).toEqual(['anna', 'boris']);
});

it('[INT10] repeat it with the head check, and every 15 s if head checks are rare', async () => {
  const often = new VirtualGateway({ config: { headCheckSeconds: 5 } });
  const rare = new VirtualGateway(idle);
  for (const gateway of [often, rare]) {
    gateway.staff('anna');
    await gateway.advance(61_000);
  }
  expect(reports(often).length).toBeGreaterThanOrEqual(11);
  expect(reports(rare).length).toBeGreaterThanOrEqual(4);
  expect(reports(rare).length).toBeLessThanOrEqual(6);
});

it('[INT9] request half after a failed call, and all again once calls succeed', async () => {
  const gateway = new VirtualGateway({ config: { headCheckSeconds: 1 } });
  const { ledger } = gateway;
  for (const id of range(1, 40)) ledger.createSession(id);
  gateway.customer(1);
  await gateway.advance(1_000);
  const full = ledger.requests.at(-1);
  ledger.latencyMs = -1;
  const clients = range(2, 40).map((id) => gateway.customer(id, 0));
  await gateway.advance(2_500);
  const small = ledger.requests.at(-1);
  expect(small?.limit).toBeLessThanOrEqual(25);
  expect(small?.max_bytes).toBeLessThanOrEqual(1_048_576);
  ledger.latencyMs = 0;
  await gateway.advance(8_000);
  expect(ledger.requests.at(-1)?.max_bytes).toBeUndefined();
  expect(ledger.requests.at(-1)?.limit).toBe(full?.limit);
  expect(clients.filter((client) => client.of('channel.ready').length !== 1)).toEqual([]);
});

it('[INT9] back off from a failing chat-service, up to three seconds', async () => {
  const gateway = new VirtualGateway();
  gateway.ledger.createSession(1);
  gateway.ledger.latencyMs = -1;
  gateway.customer(1);
  await gateway.advance(12_000);
  expect(gateway.ledger.requests.length).toBeLessThanOrEqual(12);
  expect(gateway.ledger.requests.length).toBeGreaterThanOrEqual(5);
});
