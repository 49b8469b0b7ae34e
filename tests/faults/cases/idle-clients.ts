import { Customer, HttpClient, type Stack, sleep, WebSocketClient } from '@chat-realtime/testkit';
import { MetricsPage } from '../recorder/metrics.ts';

const CLIENTS = 200;
/** As many as the limit of tabs allows. */
const TABS = 5;
const SETTLE_MS = 2_000;
const MEASURE_MS = 20_000;
/** What a supervisor or Prometheus asks, no client. */
const OPERATING = /route="\/(?:metrics|healthz|readyz)"/;

export interface IdleRequests {
  readonly clients: number;
  readonly seconds: number;
  readonly gateways: number;
  /** Requests to chat-service by labels, those of operation left out. */
  readonly byRoute: ReadonlyMap<string, number>;
}

async function requests(stack: Stack): Promise<ReadonlyMap<string, number>> {
  return (await MetricsPage.read(stack.addresses.chat)).series('chat_http_requests_total');
}

/** What chat-service is asked while clients are connected and nothing happens. */
export async function requestsOfIdleClients(stack: Stack): Promise<IdleRequests> {
  const http = new HttpClient(stack.url);
  const customers = await Promise.all(Array.from({ length: CLIENTS / TABS }, () => Customer.create(http)));
  const tabs = await Promise.all(
    customers.flatMap((customer) =>
      Array.from({ length: TABS }, () =>
        WebSocketClient.ready(stack.url, {
          query: { session: customer.sessionId, last_seq: 0 },
          protocols: ['chat.v1', `bearer.${customer.token}`],
        }),
      ),
    ),
  );
  await sleep(SETTLE_MS);
  const before = await requests(stack);
  const from = Date.now();
  await sleep(MEASURE_MS);
  const after = await requests(stack);
  const seconds = (Date.now() - from) / 1_000;
  const byRoute = new Map<string, number>();
  for (const [labels, value] of after) {
    const more = value - (before.get(labels) ?? 0);
    if (more > 0 && !OPERATING.test(labels)) byRoute.set(labels, more);
  }
  const clients = tabs.filter((tab) => tab.closeEvent === undefined).length;
  await Promise.all(tabs.map((tab) => tab.close()));
  http.close();
  return { clients, seconds, gateways: stack.gateways.length, byRoute };
}
