import { setTimeout as sleep } from 'node:timers/promises';
import { HttpClient, type Stack } from '@chat-realtime/testkit';
import { type Figure, ms, percentile, type Report } from '../report.ts';
import { createCustomers, inParallel, operatorOf, portOf, withStack } from '../stack/bench-stack.ts';
import { cpuTimes } from '../stack/cpu-times.ts';
import { flushTime } from '../stack/flush-time.ts';
import { Observer } from '../stack/observer.ts';

const SESSIONS = 200;
const PER_SECOND = 100;
const WARM_UP_SECONDS = 4;
const SECONDS = 25;
const THROUGHPUT_SECONDS = 15;
const POSTERS = 48;
const ARRIVAL_TIMEOUT_MS = 30_000;
const BODY = 'x'.repeat(72);

interface Flight {
  answeredAt: number;
  arrivedAt: number;
}

/** Messages on their way: posted through nginx, awaited at the customer's socket. */
class Flights {
  readonly #flights = new Map<number, Flight>();
  arrived = 0;

  answered(messageId: number, at: number): void {
    this.#flight(messageId).answeredAt = at;
  }

  arrivedAt(messageId: number, at: number): void {
    const flight = this.#flight(messageId);
    if (flight.arrivedAt === 0) this.arrived += 1;
    flight.arrivedAt = at;
  }

  get lost(): number {
    return [...this.#flights.values()].filter((flight) => flight.answeredAt > 0 && flight.arrivedAt === 0).length;
  }

  get lastArrival(): number {
    return [...this.#flights.values()].reduce((latest, flight) => Math.max(latest, flight.arrivedAt), 0);
  }

  /** Milliseconds from the answer to the frame; below zero where the frame was faster than the answer. */
  delaysOf(ids: ReadonlySet<number>): number[] {
    return [...this.#flights]
      .filter(([id, flight]) => ids.has(id) && flight.arrivedAt > 0)
      .map(([, flight]) => flight.arrivedAt - flight.answeredAt);
  }

  sinceSending(id: number, sentAt: number): number {
    return this.#flight(id).arrivedAt - sentAt;
  }

  #flight(messageId: number): Flight {
    let flight = this.#flights.get(messageId);
    if (flight === undefined) {
      flight = { answeredAt: 0, arrivedAt: 0 };
      this.#flights.set(messageId, flight);
    }
    return flight;
  }
}

async function arrivals(flights: Flights): Promise<void> {
  const deadline = performance.now() + ARRIVAL_TIMEOUT_MS;
  while (flights.lost > 0 && performance.now() < deadline) await sleep(20);
}

export function pipeline(): Promise<Report> {
  return withStack(async (stack) => {
    const http = new HttpClient(stack.url);
    const customers = await createCustomers(http, SESSIONS);
    const flights = new Flights();
    const observers = customers.map(
      ({ sessionId, token }) => new Observer(sessionId, token, (id, at) => flights.arrivedAt(id, at)),
    );
    await inParallel(SESSIONS, (index) => observers[index]?.connect(portOf(stack.url)) ?? Promise.resolve(null));
    await sleep(2_000);
    const latency = await atSteadyRate(
      stack,
      http,
      customers.map((customer) => customer.sessionId),
      flights,
    );
    const throughput = await asFastAsItGoes(stack, customers, flights);
    const flushMs = flushTime();
    const faults = observers.reduce((sum, observer) => sum + observer.faults, 0);
    for (const observer of observers) observer.client?.socket.destroy();
    http.close();
    stack.assertAlive();
    const p50 = percentile(latency.delays, 0.5);
    const p99 = percentile(latency.delays, 0.99);
    const figures: Figure[] = [
      {
        what: `POST answered → frame at the customer, ${PER_SECOND} messages/s, p50`,
        measured: ms(p50),
        beside: `POST sent → frame ${ms(percentile(latency.whole, 0.5))}; one flush of the disk ${ms(flushMs)}`,
        goal: '≤ 8 ms',
        met: p50 <= 8,
      },
      {
        what: 'the same, p99',
        measured: ms(p99),
        beside: `POST sent → frame ${ms(percentile(latency.whole, 0.99))}`,
        goal: '≤ 40 ms',
        met: p99 <= 40,
      },
      {
        what: `committed and delivered as fast as it goes, ${THROUGHPUT_SECONDS} s`,
        measured: `${throughput.perSecond.toFixed(0)}/s`,
        beside: `CPU for each, ms: ${throughput.cpu.map(({ name, ms: time }) => `${name} ${time.toFixed(2)}`).join(', ')}`,
        goal: '≥ 1000/s',
        met: throughput.perSecond >= 1_000,
      },
      {
        what: 'lost, repeated or out of order',
        measured: `${flights.lost} lost, ${faults} faults of ${flights.arrived}`,
        goal: '0',
        met: flights.lost + faults === 0,
      },
    ];
    return {
      name: 'pipeline',
      title: 'Pipeline: nginx, chat-service, PostgreSQL, RabbitMQ, dispatcher, Redis, gateway',
      figures,
      raw: { latency, throughput, flushMs },
    };
  });
}

interface Latency {
  readonly delays: number[];
  /** From sending the POST. */
  readonly whole: number[];
}

/** An open loop: a slow answer does not slow down what follows. */
async function atSteadyRate(
  stack: Stack,
  http: HttpClient,
  sessions: readonly number[],
  flights: Flights,
): Promise<Latency> {
  const operator = await operatorOf(stack, http);
  const sentAt = new Map<number, number>();
  const posts: Promise<void>[] = [];
  const begin = performance.now();
  const total = (WARM_UP_SECONDS + SECONDS) * PER_SECOND;
  for (let index = 0; index < total; index += 1) {
    const due = begin + (index * 1_000) / PER_SECOND;
    if (due > performance.now()) await sleep(due - performance.now());
    const session = sessions[index % sessions.length] ?? 0;
    const sent = performance.now();
    posts.push(
      operator.post(session, BODY).then(({ id }) => {
        flights.answered(id, performance.now());
        if (index >= WARM_UP_SECONDS * PER_SECOND) sentAt.set(id, sent);
      }),
    );
  }
  await Promise.all(posts);
  await arrivals(flights);
  const delays = flights.delaysOf(new Set(sentAt.keys()));
  const whole = [...sentAt].map(([id, sent]) => flights.sinceSending(id, sent));
  return { delays, whole };
}

interface Throughput {
  readonly committed: number;
  readonly seconds: number;
  readonly perSecond: number;
  /** Milliseconds of processor time for each message, by process, the generator (this one) too. */
  readonly cpu: readonly { name: string; ms: number }[];
}

/** Customers post by turns; counted until the last of their frames has come back. */
async function asFastAsItGoes(
  stack: Stack,
  customers: readonly { post(body: string): Promise<{ id: number }> }[],
  flights: Flights,
): Promise<Throughput> {
  const processes = [...stack.parts().filter((part) => part.running), { name: 'generator', pid: process.pid }];
  const before = flights.arrived;
  const cpuBefore = cpuTimes(processes);
  const begin = performance.now();
  let turn = 0;
  const poster = async (): Promise<void> => {
    while (performance.now() - begin < THROUGHPUT_SECONDS * 1_000) {
      const customer = customers[turn++ % customers.length];
      if (customer === undefined) return;
      const { id } = await customer.post(BODY);
      flights.answered(id, performance.now());
    }
  };
  await Promise.all(Array.from({ length: POSTERS }, poster));
  await arrivals(flights);
  const committed = flights.arrived - before;
  const seconds = (flights.lastArrival - begin) / 1_000;
  const cpu = [...cpuTimes(processes)].map(([name, spent]) => ({
    name,
    ms: (spent - (cpuBefore.get(name) ?? 0)) / committed,
  }));
  return { committed, seconds, perSecond: committed / seconds, cpu };
}
