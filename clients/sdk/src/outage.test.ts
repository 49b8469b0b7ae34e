import { describe, expect, it } from 'vitest';
import { run } from '../test/running.ts';
import { awayMs, backoffMs, countedByServer } from './core/backoff.ts';
import { createRandom, createWorld } from './testing/index.ts';

const CLIENTS = 120;

interface Return {
  /** From the server's return until the client was online again. */
  readonly backMs: number;
  /** When it tried, counted from the server's return. */
  readonly triedAt: readonly number[];
}

/** Many clients whose server is unavailable for a while: nothing tells them that it is back. */
async function outage(outageMs: number): Promise<Return[]> {
  const world = createWorld();
  const returns = Array.from({ length: CLIENTS }, () => ({
    backMs: Number.POSITIVE_INFINITY,
    triedAt: [] as number[],
  }));
  const clients = returns.map((one, index) => {
    const { client } = run({ namespace: `device${index}` }, world, `device${index}`);
    client.send('question');
    return { one, client };
  });
  await world.advance(500);
  const began = world.clock.now();
  for (const { one, client } of clients) {
    client.on('status', (state) => {
      const at = world.clock.now() - began - outageMs;
      if (state.status === 'connecting') one.triedAt.push(at);
      if (state.status === 'online' && at >= 0) one.backMs = Math.min(one.backMs, at);
    });
  }
  world.network.offline = true;
  world.cutAll();
  await world.advance(outageMs);
  world.network.offline = false;
  await world.advance(15_000);
  for (const { client } of clients) client.destroy();
  return returns;
}

describe('an outage of the server', () => {
  it.each([1, 5, 20, 60])('[CLS8] 95 of 100 clients are back within 5 s of the server after %i s', async (outageS) => {
    const returns = await outage(outageS * 1_000);
    const times = returns.map(({ backMs }) => backMs).toSorted((a, b) => a - b);
    expect(times[Math.ceil(CLIENTS * 0.95) - 1]).toBeLessThanOrEqual(5_000);
    expect(times.at(-1)).toBeLessThan(10_000);
  });

  it('[CLS8] an unavailable server is asked at most once in three seconds, after a while', async () => {
    const returns = await outage(60_000);
    const late = returns.flatMap(({ triedAt }) => triedAt.filter((at) => at > -40_000 && at <= 0));
    expect(late.length / CLIENTS / 40).toBeLessThanOrEqual(1 / 3);
  });
});

/** 5,000 clients of one server that takes 1,500 connections a second and answers 1013 to the others. */
function storm(outageMs: number): { readonly p95Ms: number; readonly peakPerSecond: number } {
  const clients = 5_000;
  const acceptsPerSecond = 1_500;
  const random = createRandom(outageMs);
  const failures = Array.from({ length: clients }, () => 1);
  /** Attempts by the millisecond they fall due in. */
  const due: number[][] = [];
  const plan = (client: number, at: number): void => void (due[Math.ceil(at)] ??= []).push(client);
  const back: number[] = [];
  const attempts: number[] = [];
  for (let client = 0; client < clients; client += 1) plan(client, awayMs(0, random(), 0));
  let places = 0;
  for (let now = 0; back.length < clients; now += 1) {
    places = Math.min(acceptsPerSecond / 5, places + acceptsPerSecond / 1_000);
    for (const client of due[now] ?? []) {
      const sinceReturn = now - outageMs;
      const count = failures[client] ?? 0;
      if (sinceReturn < 0) {
        failures[client] = count + 1;
        plan(client, now + awayMs(count, random(), now));
        continue;
      }
      const second = Math.floor(sinceReturn / 1_000);
      attempts[second] = (attempts[second] ?? 0) + 1;
      if (places >= 1) {
        places -= 1;
        back.push(sinceReturn);
        continue;
      }
      const counted = countedByServer(count);
      failures[client] = counted + 1;
      plan(client, now + backoffMs(counted, random()));
    }
  }
  return { p95Ms: back[Math.ceil(clients * 0.95) - 1] ?? Number.NaN, peakPerSecond: Math.max(...attempts) };
}

describe('5,000 clients of one server', () => {
  it.each([3, 5, 10, 20, 60])('[CLS8] return within 5 s after %i s, never faster than it accepts them', (outageS) => {
    const { p95Ms, peakPerSecond } = storm(outageS * 1_000);
    expect(p95Ms).toBeLessThanOrEqual(5_000);
    expect(peakPerSecond).toBeLessThanOrEqual(1_500);
  });
});
