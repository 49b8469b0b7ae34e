import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type GatewayUnderTest, startGateway } from '../testing/gateway-under-test.ts';
import { CustomerObserver, type Random, seeded, StaffObserver } from '../testing/observers.ts';
import { eventually, range } from '../testing/socket-client.ts';

const SESSIONS = 3;
const WRITES = 120;

async function write(under: GatewayUnderTest, random: Random, expected: Set<string>): Promise<void> {
  for (let index = 0; index < WRITES; index += 1) {
    const sessionId = 1 + Math.floor(random() * SESSIONS);
    const burst = random() < 0.2 ? 12 : 1;
    for (let copy = 0; copy < burst; copy += 1) {
      const event = under.ledger.post(sessionId, `m${index}.${copy}`, random() < 0.5 ? 'client' : 'operator');
      expected.add(`${sessionId}:${event.seq}`);
    }
    if (random() < 0.1) {
      const note = under.ledger.note(sessionId, 'n');
      if (note.seq === null) expected.add(`f:${note.feed_id}`);
    }
    if (random() < 0.05) under.ledger.latencyMs = random() < 0.4 ? -1 : Math.floor(random() * 30);
    await new Promise((resolve) => setTimeout(resolve, random() * 15));
  }
}

/** Three of four publications are lost, repeated or late. */
function unreliable(random: Random): () => { copies: number; delayMs: number } {
  return () => {
    const choice = random();
    if (choice < 0.25) return { copies: 0, delayMs: 0 };
    if (choice < 0.4) return { copies: 2, delayMs: 0 };
    if (choice < 0.7) return { copies: 1, delayMs: random() * 80 };
    return { copies: 1, delayMs: 0 };
  };
}

async function run(seed: number): Promise<void> {
  const random = seeded(seed);
  const under = await startGateway({
    env: { HEAD_CHECK_SECONDS: '1', MAX_TABS_PER_SESSION: '0', MAX_CONNECTIONS_PER_TOKEN: '0', MAX_OPERATORS: '0' },
  });
  const expected = new Set<string>();
  for (const id of range(1, SESSIONS)) {
    under.ledger.createSession(id);
    expected.add(`${id}:1`);
  }
  under.ledger.fault = unreliable(random);
  const customers = range(0, 5).map(
    (index) => new CustomerObserver(under, 1 + (index % SESSIONS), seeded(seed + index + 1)),
  );
  const staff = range(0, 2).map((index) => new StaffObserver(under, `user${index}`, seeded(seed + 100 + index)));
  const all = [...customers, ...staff];
  const running = all.map((observer) => observer.run());
  try {
    await write(under, random, expected);
    under.ledger.latencyMs = 0;
    for (const observer of all) observer.calm = true;
    const level = (): true | undefined => {
      const customersDone = customers.every(
        (observer, index) => observer.cursor === under.ledger.head(1 + (index % SESSIONS)),
      );
      const staffDone = staff.every((observer) => observer.seen.size === expected.size);
      return (customersDone && staffDone) || Date.now() > deadline ? true : undefined;
    };
    const deadline = Date.now() + 4_000;
    await eventually(level, 'everybody to be level', 10_000);
  } finally {
    for (const observer of all) observer.stop();
    await Promise.all(running);
    await under.close();
  }
  for (const [index, observer] of customers.entries()) {
    expect(observer.faults).toEqual([]);
    expect(observer.seen).toEqual(range(1, under.ledger.head(1 + (index % SESSIONS))));
  }
  for (const observer of staff) {
    expect(observer.faults).toEqual([]);
    expect([...expected].filter((key) => !observer.seen.has(key))).toEqual([]);
    expect(observer.seen.size).toBe(expected.size);
  }
}

describe('delivery over an unreliable live path', () => {
  it('[RES2] [RES5] [RES6] [STF3] [STF5] shows every observer exactly what follows his cursor, through cuts and changes of transport', async () => {
    await fc.assert(fc.asyncProperty(fc.integer({ min: 1, max: 1_000_000 }), run), {
      numRuns: Number(process.env['PROPERTY_RUNS'] ?? '5'),
      endOnFailure: true,
    });
  }, 120_000);
});
