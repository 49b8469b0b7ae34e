import { setTimeout as sleep } from 'node:timers/promises';
import { HttpClient, type Stack } from '@chat-realtime/testkit';
import type { Figure, Report } from '../report.ts';
import { counter, createCustomers, inParallel, portOf, withStack } from '../stack/bench-stack.ts';
import { Observer } from '../stack/observer.ts';

const CROWDS = [0, 200, 1_000];
const SETTLE_MS = 12_000;
const WINDOW_SECONDS = 60;
const GOAL_PER_GATEWAY = 7;

/** What clients or gateways ask; health checks and scrapes are an administrator's. */
const isChat = (labels: string): boolean => /route="\/(?:chat|internal|channel|auth)/.test(labels);

function requests(stack: Stack): Promise<number> {
  return counter(stack.addresses.chat, 'chat_http_requests_total', isChat);
}

/** Requests to chat-service while nobody writes, by the number of connected clients. */
export function idle(): Promise<Report> {
  return withStack(async (stack) => {
    const http = new HttpClient(stack.url);
    const customers = await createCustomers(http, Math.max(...CROWDS));
    const observers = customers.map(({ sessionId, token }) => new Observer(sessionId, token));
    const perMinute: number[] = [];
    let connected = 0;
    for (const crowd of CROWDS) {
      await inParallel(
        crowd - connected,
        (index) => observers[connected + index]?.connect(portOf(stack.url)) ?? Promise.resolve(null),
      );
      connected = crowd;
      await sleep(SETTLE_MS);
      const before = await requests(stack);
      await sleep(WINDOW_SECONDS * 1_000);
      perMinute.push(((await requests(stack)) - before) * (60 / WINDOW_SECONDS));
    }
    for (const observer of observers) observer.client?.socket.destroy();
    http.close();
    stack.assertAlive();
    const limit = GOAL_PER_GATEWAY * stack.gateways.length;
    const figures = CROWDS.map((crowd, index): Figure => {
      const asked = perMinute[index] ?? Number.NaN;
      const what = `requests to chat-service a minute, ${crowd} idle clients on ${stack.gateways.length} gateways`;
      const beside = crowd === 0 ? '' : `${crowd * 12} by polling every 5 s`;
      return { what, measured: asked.toFixed(0), beside, goal: `≤ ${limit}`, met: asked <= limit };
    });
    return {
      name: 'idle',
      title: 'Idle cost: what connected clients cause while nobody writes',
      figures,
      raw: { CROWDS, perMinute },
    };
  });
}
