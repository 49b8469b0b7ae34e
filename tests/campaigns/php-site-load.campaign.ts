// The example site in PHP, 200 idle and 20 writing clients, polled every 5 s and with the channel: requests to PHP, time from post to shown, CPU of PHP.
import { readFileSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import { processTree, sleep, until, WebSocketClient } from '@chat-realtime/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type BesidePhpSite, startBesidePhpSite } from '../support/beside-php-site.ts';
import { SiteVisitor } from '../support/php-site.ts';

const IDLE = 200;
const WRITING = 20;
const SECONDS = Number(process.env['PHP_SITE_LOAD_SECONDS'] ?? 120);
/** As the page does it: how often it asks, with and without an open channel, and how often somebody writes. */
const POLL_MS = 5_000;
const POLL_WITH_CHANNEL_MS = 60_000;
const WRITE_MS = 4_000;
const TICKS_PER_SECOND = 100;

interface Figures {
  readonly perMinute: number;
  readonly p50: number;
  readonly p99: number;
  readonly cpuPercent: number;
  readonly posted: number;
  readonly shown: number;
  readonly twice: number;
}

/** Processor time of PHP's server and its workers, in seconds. */
function phpSeconds(root: number): number {
  let ticks = 0;
  for (const pid of [root, ...processTree(root).filter((one) => one !== root)]) {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /, '')
      .split(' ');
    ticks += Number(fields[11]) + Number(fields[12]);
  }
  return ticks / TICKS_PER_SECOND;
}

/** A customer with the chat open in a page: `chat.js` of the site, with `channel.js` or without. */
class Customer {
  readonly visitor: SiteVisitor;
  readonly shownAt = new Map<number, number>();
  id = 0;
  twice = 0;
  #since = 0;
  #asking = false;
  #again = false;
  #askedAt = 0;
  #socket: WebSocketClient | null = null;

  constructor(site: string) {
    this.visitor = new SiteVisitor(site);
  }

  async begin(): Promise<void> {
    const answer = await this.visitor.call('POST', '/chat/session', { name: 'Гость', initial_message: 'Здравствуйте' });
    this.id = ((await answer.json()) as { id: number }).id;
    await this.poll();
  }

  /** What rings while an answer is on its way is asked for after it. */
  async poll(): Promise<void> {
    this.#again = this.#asking;
    if (this.#asking) return;
    this.#asking = true;
    try {
      do {
        this.#again = false;
        this.#askedAt = performance.now();
        const answer = await this.visitor.call('GET', `/chat/${this.id}?since_id=${this.#since}`);
        const { messages } = (await answer.json()) as { messages: { id: number | string }[] };
        for (const { id } of messages) {
          if (this.shownAt.has(Number(id))) this.twice += 1;
          this.shownAt.set(Number(id), performance.now());
          this.#since = Number(id);
        }
      } while (this.#again);
    } finally {
      this.#asking = false;
    }
  }

  async listen(chatUrl: string): Promise<void> {
    const answer = await this.visitor.call('GET', `/chat/${this.id}/channel-token`);
    const { token } = (await answer.json()) as { token: string };
    this.#socket = await WebSocketClient.open(chatUrl);
    this.#socket.socket.on('message', (data) => {
      if (String(data).startsWith('{"type":"chat.')) void this.poll();
    });
    this.#socket.send({ type: 'auth', session_id: this.id, token });
    await this.#socket.ready();
  }

  /** Called every 5 s, as the page's timer is. */
  tick(): Promise<void> | undefined {
    const open = this.#socket?.socket.readyState === 1;
    return open && performance.now() - this.#askedAt < POLL_WITH_CHANNEL_MS ? undefined : this.poll();
  }

  end(): void {
    this.#socket?.socket.close();
  }
}

const percentile = (values: readonly number[], share: number): number => {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
};

describe('the example site under load', () => {
  let beside: BesidePhpSite;
  let olga: SiteVisitor;
  beforeAll(async () => {
    beside = await startBesidePhpSite({ RATE_CONNECT_PER_10S: '0', MAX_TABS_PER_SESSION: '5' });
    await beside.site.forward('2-token-and-events');
    olga = new SiteVisitor(beside.site.baseUrl);
    await olga.signIn('olga');
  });
  afterAll(() => beside?.stop());

  async function measure(withChannel: boolean): Promise<Figures> {
    const customers = Array.from({ length: IDLE + WRITING }, () => new Customer(beside.site.baseUrl));
    for (const customer of customers) {
      await customer.begin();
      if (withChannel) await customer.listen(beside.chatUrl);
    }
    let running = true;
    const postedAt = new Map<number, { at: number; customer: Customer }>();
    const pages = customers.map(async (customer) => {
      await sleep(Math.random() * POLL_MS);
      while (running) {
        await customer.tick();
        await sleep(POLL_MS);
      }
    });
    const writers = customers.slice(IDLE).map(async (customer) => {
      await sleep(Math.random() * WRITE_MS);
      while (running) {
        const answer = await olga.call('POST', `/chat/${customer.id}/reply`, { body: 'Да, есть' });
        const { id } = (await answer.json()) as { id: number | string };
        postedAt.set(Number(id), { at: performance.now(), customer });
        await sleep(WRITE_MS);
      }
    });
    await sleep(POLL_MS);
    const [requests, cpu, began] = [beside.site.requests(), phpSeconds(beside.site.pid), performance.now()];
    await sleep(SECONDS * 1_000);
    const seconds = (performance.now() - began) / 1_000;
    const figures = {
      perMinute: ((beside.site.requests() - requests) * 60) / seconds,
      cpuPercent: ((phpSeconds(beside.site.pid) - cpu) * 100) / seconds,
    };
    running = false;
    await Promise.all(writers);
    const isShown = ([id, { customer }]: [number, { customer: Customer }]): boolean => customer.shownAt.has(id);
    await Promise.all(pages);
    if (!withChannel) await Promise.all(customers.map((customer) => customer.poll()));
    await until(() => Promise.resolve([...postedAt].every(isShown)), {
      timeoutMs: 90_000,
      what: 'everything is shown',
    });
    for (const customer of customers) customer.end();
    // The channel may ring before the answer to the post is here.
    const times = [...postedAt].map(([id, { at, customer }]) => Math.max(0, (customer.shownAt.get(id) ?? 0) - at));
    return {
      ...figures,
      p50: percentile(times, 0.5),
      p99: percentile(times, 0.99),
      posted: postedAt.size,
      shown: times.length,
      twice: customers.reduce((sum, { twice }) => sum + twice, 0),
    };
  }

  it('asks PHP less, and shows at once', async () => {
    const before = await measure(false);
    await beside.site.forward('3-widget');
    const after = await measure(true);
    const line = (name: string, one: Figures): string =>
      `| ${name} | ${one.perMinute.toFixed(0)} | ${one.p50.toFixed(0)} ms | ${one.p99.toFixed(0)} ms | ${one.cpuPercent.toFixed(1)} % |`;
    console.log(
      [
        `${IDLE} idle and ${WRITING} writing clients, ${SECONDS} s each; ${before.posted} and ${after.posted} messages`,
        '| | requests to PHP a minute | posted → shown p50 | p99 | CPU of PHP |',
        '|---|---|---|---|---|',
        line('polling every 5 s', before),
        line('with the channel', after),
      ].join('\n'),
    );
    expect([before.twice, after.twice]).toEqual([0, 0]);
    // What polling wants: where the site does not keep up it asks less.
    expect(after.perMinute).toBeLessThan(((IDLE + WRITING) * 60_000) / POLL_MS / 2);
    expect(after.p50).toBeLessThan(before.p50 / 4);
  });
});
