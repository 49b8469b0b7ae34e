import { afterEach, expect, it } from 'vitest';
import { customerToken, type GatewayUnderTest, staffToken, startGateway } from '../testing/gateway-under-test.ts';
import { eventually, range, SocketClient } from '../testing/socket-client.ts';

let under: GatewayUnderTest | null = null;
const clients: SocketClient[] = [];
afterEach(async () => {
  for (const client of clients.splice(0)) client.end();
  await under?.close();
});

async function connect(query: string): Promise<SocketClient> {
  if (under === null) throw new Error('no gateway');
  const client = new SocketClient(`${under.wsUrl}?${query}`);
  clients.push(client);
  await client.ready();
  return client;
}

it('[INT10] tells who of the staff is here when that changed, not with every call', async () => {
  under = await startGateway({ env: { HEAD_CHECK_SECONDS: '600' } });
  const { ledger } = under;
  const told = (): string[][] =>
    ledger.requests.flatMap(({ presence }) => (presence === undefined ? [] : [presence.operators.map(({ id }) => id)]));
  await connect(`type=staff&access_token=${staffToken('anna')}`);
  await eventually(() => (told().some((ids) => ids.includes('anna')) ? true : undefined), 'anna to be told');
  const before = told().length;
  const calls = ledger.requests.length;
  for (const id of range(1, 12)) {
    ledger.createSession(id);
    await connect(`session=${id}&token=${customerToken(id)}`);
  }
  expect(ledger.requests.length).toBeGreaterThan(calls + 8);
  // A head check that the live path asked for may be among them.
  expect(told().length).toBeLessThanOrEqual(before + 2);
  await connect(`type=staff&access_token=${staffToken('boris')}`);
  await eventually(() => (told().at(-1)?.includes('boris') ? true : undefined), 'boris to be told');
});

it('[INT10] tells it again with the head check', async () => {
  under = await startGateway({ env: { HEAD_CHECK_SECONDS: '1' } });
  const { ledger } = under;
  await connect(`type=staff&access_token=${staffToken('anna')}`);
  const repeats = (): number => ledger.requests.filter(({ presence }) => presence?.operators.length === 1).length;
  await eventually(() => (repeats() >= 3 ? true : undefined), 'three reports', 6_000);
});

it('[INT9] asks for half after a call that failed, and for all again once calls are answered', async () => {
  under = await startGateway({ env: { HEAD_CHECK_SECONDS: '1' } });
  const { ledger } = under;
  for (const id of range(1, 40)) ledger.createSession(id);
  await connect(`session=1&token=${customerToken(1)}`);
  const full = ledger.requests.at(-1);
  ledger.latencyMs = -1;
  for (const id of range(2, 40))
    clients.push(new SocketClient(`${under.wsUrl}?session=${id}&token=${customerToken(id)}&last_seq=0`));
  await eventually(() => ((ledger.requests.at(-1)?.limit ?? 100) <= 25 ? true : undefined), 'a quarter', 8_000);
  const small = ledger.requests.at(-1);
  expect(small?.max_bytes).toBeLessThanOrEqual(1_048_576);
  expect(small?.sessions.filter(({ after_seq: after }) => after !== undefined).length).toBeLessThanOrEqual(128);
  ledger.latencyMs = 0;
  await eventually(() => (ledger.requests.at(-1)?.max_bytes === undefined ? true : undefined), 'a full call', 8_000);
  expect(ledger.requests.at(-1)?.limit).toBe(full?.limit);
  for (const client of clients) await client.ready();
}, 30_000);
