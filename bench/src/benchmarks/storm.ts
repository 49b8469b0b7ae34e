import { setTimeout as sleep } from 'node:timers/promises';
import { HttpClient } from '@chat-realtime/testkit';
import { type Figure, percentile, type Report } from '../report.ts';
import { counter, createCustomers, inParallel, operatorOf, portOf, withStack } from '../stack/bench-stack.ts';
import { cpuTimes } from '../stack/cpu-times.ts';
import { Observer } from '../stack/observer.ts';

const STREAM_PARALLEL = 60;
/** SPEC, for client authors, where the server answers: random(0, min(30 s, 0.5 s × 2^n)), at least 100 ms. */
const BACKOFF_MS = 500;
const BACKOFF_MAX_MS = 30_000;
const BACKOFF_MIN_MS = 100;
const BACK_TIMEOUT_MS = 60_000;
const MESSAGES_MEANWHILE = 200;

async function comeBack(observer: Observer, port: number, since: number): Promise<void> {
  for (let failures = 0; performance.now() - since < BACK_TIMEOUT_MS; failures += 1) {
    const ceiling = Math.min(BACKOFF_MAX_MS, BACKOFF_MS * 2 ** failures);
    await sleep(Math.max(BACKOFF_MIN_MS, Math.random() * ceiling));
    try {
      if (await observer.resume(port)) return;
    } catch (error) {
      // Refused, or cut off before it was let in: that is what the next attempt is for.
      if (!(error instanceof Error)) throw error;
    }
  }
}

/** All clients on one of two gateways; it is killed -9, messages go on, and they come back to the other one. */
export function storm(count: number): Promise<Report> {
  return withStack(async (stack) => {
    const [first, second] = stack.addresses.gateways;
    const killed = stack.gateways[0];
    if (first === undefined || second === undefined || killed === undefined) throw new Error('two gateways are needed');
    const http = new HttpClient(stack.url);
    const operator = await operatorOf(stack, http);
    const customers = await createCustomers(http, count);
    const observers = customers.map(({ sessionId, token }) => new Observer(sessionId, token));
    await inParallel(
      count,
      (index) => observers[index]?.connect(portOf(first)) ?? Promise.resolve(null),
      STREAM_PARALLEL,
    );
    const deadline = performance.now() + BACK_TIMEOUT_MS;
    while (observers.some((observer) => observer.readyAt === 0) && performance.now() < deadline) await sleep(50);
    // Everybody has an event, and with it a cursor.
    await inParallel(count, (index) => customers[index]?.post('before') ?? Promise.resolve(null));
    while (observers.some((observer) => observer.messages === 0) && performance.now() < deadline + BACK_TIMEOUT_MS)
      await sleep(50);

    const processes = [...stack.parts().filter((part) => part.running), { name: 'generator', pid: process.pid }];
    const cpuBefore = cpuTimes(processes);
    const queriesBefore = await counter(second, 'chat_catchup_requests_total');
    const since = performance.now();
    const gone = observers.map(
      (observer) =>
        new Promise<void>((resolve) => {
          if (observer.client?.ended === false) observer.client.socket.once('close', () => resolve());
          else resolve();
        }),
    );
    await killed.kill();
    const back = observers.map((observer, index) =>
      (gone[index] ?? Promise.resolve()).then(() => comeBack(observer, portOf(second), since)),
    );
    const written = new Set<number>();
    const meanwhile = inParallel(MESSAGES_MEANWHILE, async (index) => {
      const place = Math.floor((index * count) / MESSAGES_MEANWHILE);
      const session = customers[place];
      if (session === undefined) return;
      await operator.post(session.sessionId, 'meanwhile');
      written.add(place);
    });
    await Promise.all([meanwhile, ...back]);
    const cpu = [...cpuTimes(processes)]
      .map(([name, ms]) => ({ name, seconds: (ms - (cpuBefore.get(name) ?? 0)) / 1_000 }))
      .filter(({ seconds }) => seconds >= 0.1)
      .sort((a, b) => b.seconds - a.seconds);
    const queries = (await counter(second, 'chat_catchup_requests_total')) - queriesBefore;
    const lostBy = Date.now() + 15_000;
    const missing = (): number => [...written].filter((place) => (observers[place]?.messages ?? 0) < 2).length;
    while (missing() > 0 && Date.now() < lostBy) await sleep(50);

    const times = observers.filter((observer) => observer.readyAt >= since).map((observer) => observer.readyAt - since);
    const faults = observers.reduce((sum, observer) => sum + observer.faults, 0);
    for (const observer of observers) observer.client?.socket.destroy();
    http.close();
    const p95 = percentile(times, 0.95) / 1_000;
    const figures: Figure[] = [
      {
        what: `${count} clients whose gateway is killed -9, p95 until ready again`,
        measured: `${p95.toFixed(2)} s`,
        beside: `p50 ${(percentile(times, 0.5) / 1_000).toFixed(2)} s, last ${(Math.max(...times) / 1_000).toFixed(2)} s; processor: ${cpu.map(({ name, seconds }) => `${name} ${seconds.toFixed(1)} s`).join(', ')}`,
        goal: '≤ 3 s',
        met: p95 <= 3,
      },
      { what: 'never back', measured: `${count - times.length}`, goal: '0', met: times.length === count },
      {
        what: `of ${MESSAGES_MEANWHILE} messages written meanwhile: lost; repeated or out of order`,
        measured: `${missing()}; ${faults}`,
        goal: '0; 0',
        met: missing() + faults === 0,
      },
      { what: 'catch-up queries in all', measured: `${queries}`, goal: '≤ 60', met: queries <= 60 },
    ];
    return { name: 'storm', title: 'Reconnect storm', figures, raw: { times, queries, faults, cpu } };
  });
}
