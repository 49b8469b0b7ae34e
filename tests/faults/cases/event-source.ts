import { binaries, Customer, HttpClient, type Stack, sleep, until } from '@chat-realtime/testkit';
import { chromium, type Page } from 'playwright-core';
import { MetricsPage } from '../recorder/metrics.ts';

export interface EventSourceRun {
  /** Seqs in the order in which the page's own handler got them. */
  readonly seqs: readonly number[];
  readonly head: number;
  /** How often the browser got `channel.ready`. */
  readonly connections: number;
  /** From the kill to the next `channel.ready`. */
  readonly backAfterMs: number;
}

const OPEN = `(url) => {
  const state = { seqs: [], readyAt: [] };
  window.state = state;
  const source = new EventSource(url);
  source.onmessage = (event) => {
    const frame = JSON.parse(event.data);
    if (frame.type === 'channel.ready') state.readyAt.push(Date.now());
    if (typeof frame.seq === 'number') state.seqs.push(frame.seq);
  };
}`;

async function state(page: Page): Promise<{ seqs: number[]; readyAt: number[] }> {
  return page.evaluate('window.state');
}

/** A browser follows the signed link with nothing but `new EventSource(url)`, and its gateway is killed under traffic. */
export async function eventSourceThroughKill(stack: Stack): Promise<EventSourceRun> {
  const http = new HttpClient(stack.url);
  const customer = await Customer.create(http);
  const link = new URL((await customer.streamLink()).url, stack.url);
  link.searchParams.set('last_seq', '0');
  const browser = await chromium.launch({
    executablePath: binaries.chromium(),
    args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'],
  });
  try {
    const page = await browser.newPage();
    // Any document of the origin: the page must not open a channel of its own.
    await page.goto(`${stack.url}/chat/config`);
    await page.evaluate(`(${OPEN})(${JSON.stringify(link.pathname + link.search)})`);
    await until(async () => (await state(page)).readyAt.length > 0, { what: 'channel.ready in the browser' });

    const stop = new AbortController();
    const writing = (async () => {
      for (let index = 0; !stop.signal.aborted; index += 1) {
        await customer.post(`${index}`);
        await sleep(50);
      }
    })();
    await sleep(1_000);
    const held = await gatewayOfStream(stack);
    const killedAt = Date.now();
    await held.kill();
    const before = (await state(page)).readyAt.length;
    await until(async () => (await state(page)).readyAt.length > before, {
      timeoutMs: 30_000,
      what: 'the EventSource being back',
    });
    await held.start();
    await sleep(500);
    stop.abort();
    await writing;
    const head = (await customer.session()).last_seq;
    await until(async () => (await state(page)).seqs.includes(head), { timeoutMs: 15_000, what: `seq ${head}` });
    await sleep(200);
    const { seqs, readyAt } = await state(page);
    return { seqs, head, connections: readyAt.length, backAfterMs: (readyAt[before] ?? Infinity) - killedAt };
  } finally {
    await browser.close();
    http.close();
  }
}

async function gatewayOfStream(stack: Stack) {
  for (const [index, address] of stack.addresses.gateways.entries()) {
    const page = await MetricsPage.read(address);
    const gateway = stack.gateways[index];
    if (gateway !== undefined && page.sum('chat_active_connections', 'transport="sse"') > 0) return gateway;
  }
  throw new Error('no gateway holds the stream');
}
