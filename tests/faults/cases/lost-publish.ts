import {
  Customer,
  HttpClient,
  type Stack,
  sleep,
  Staff,
  until,
  WebSocketClient,
  withBody,
} from '@chat-realtime/testkit';
import { expect } from 'vitest';
import { MetricsPage } from '../recorder/metrics.ts';

const SESSIONS = 4;
const BURST = 5;
const QUIET_MS = 1_500;
/** G4 while the live path loses something; the client's own patience is longer, so that a miss is measured and not cut off. */
const BOUND_MS = 15_000;

async function headChecksBehind(stack: Stack): Promise<number> {
  const pages = await Promise.all(stack.addresses.gateways.map((address) => MetricsPage.read(address)));
  return pages.reduce((sum, page) => sum + page.sum('chat_headcheck_behind_total'), 0);
}

async function openTab(url: string, http: HttpClient): Promise<{ customer: Customer; tab: WebSocketClient }> {
  const customer = await Customer.create(http);
  const tab = await WebSocketClient.ready(url, {
    query: { session: customer.sessionId, last_seq: 0 },
    protocols: ['chat.v1', `bearer.${customer.token}`],
  });
  return { customer, tab };
}

/**
 * The hard case: of a burst the last PUBLISH is lost, to the customer and to the operators, and nothing follows that
 * could show the hole. Answers how long each of both waited.
 */
export async function lostLastPublish(stack: Stack): Promise<{ customerMs: number[]; staffMs: number[] }> {
  const { proxies } = stack;
  if (proxies === null) throw new Error('this case needs the proxies of the stack');
  const http = new HttpClient(stack.url);
  const anna = await Staff.login(http, 'anna', stack.password);
  const operator = await WebSocketClient.ready(stack.url, {
    query: { type: 'staff', cursor: await anna.feedHead() },
    protocols: ['chat.v1', `bearer.${anna.token}`],
  });
  const behind = await headChecksBehind(stack);

  const tabs = await Promise.all(Array.from({ length: SESSIONS }, () => openTab(stack.url, http)));
  await Promise.all(
    tabs.map(async ({ customer }) => {
      for (let index = 1; index < BURST; index += 1) await customer.post(`${index} of ${customer.sessionId}`);
    }),
  );
  // Until nothing on its way could show the hole any more, not even what another session sends to the operators.
  await sleep(QUIET_MS);
  const waits = await Promise.all(
    tabs.map(async ({ customer, tab }) => {
      const id = customer.sessionId;
      const last = `the last of ${id}`;
      const payload = new RegExp(`"body":"${last}"`);
      const drops = [`chat:${id}`, 'chat:staff'].map((channel) =>
        proxies.dispatcherRedis.dropPublish({ channel, payload }),
      );
      await customer.post(last);
      const answeredAt = Date.now();
      const [shown, shownToStaff] = await Promise.all([
        tab.waitFor(withBody(last), { timeoutMs: 2 * BOUND_MS, label: last }),
        operator.waitFor(withBody(last), { timeoutMs: 2 * BOUND_MS, label: `${last} at the operator` }),
      ]);
      expect(drops.map((drop) => drop.dropped)).toEqual([1, 1]);
      for (const drop of drops) drop.end();
      const seqs = tab.log.durable().map((frame) => frame.seq);
      expect(seqs).toEqual(Array.from({ length: BURST + 1 }, (_, index) => index + 1));
      await tab.close();
      return { customerMs: shown.receivedAt - answeredAt, staffMs: shownToStaff.receivedAt - answeredAt };
    }),
  );
  await until(async () => (await headChecksBehind(stack)) >= behind + SESSIONS, { what: 'the metric of lost events' });
  await sleep(50);
  const staffSeqs = operator.log.durable().map((frame) => `${frame.session_id}:${frame.seq}`);
  expect(new Set(staffSeqs).size).toBe(staffSeqs.length);
  await operator.close();
  http.close();
  return { customerMs: waits.map(({ customerMs }) => customerMs), staffMs: waits.map(({ staffMs }) => staffMs) };
}

export { BOUND_MS as LOST_PUBLISH_BOUND_MS };
