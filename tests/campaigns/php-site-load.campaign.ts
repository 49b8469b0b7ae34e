// The example site in PHP, 200 idle and 20 writing customers and four managers who answer them, each with the site's own page open, polling every 5 s and with the channel: requests to PHP, time from post to shown, CPU of PHP. About eight minutes.
import { readFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { performance } from 'node:perf_hooks';
import { processTree, sleep } from '@chat-realtime/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type BesidePhpSite, startBesidePhpSite } from '../support/beside-php-site.ts';
import { PhpPage } from '../support/php-page.ts';
import { SiteVisitor } from '../support/php-site.ts';

const IDLE = 200;
const WRITING = 20;
const SECONDS = Number(process.env['PHP_SITE_LOAD_SECONDS'] ?? 120);
const MANAGERS = 4;
/** As the page polls. */
const POLL_MS = 5_000;
/** How often each of the writing customers writes, and how often each is answered. */
const WRITE_MS = 8_000;
const SETTLE_MS = 500;
/** A site that does not keep up is a result: what is not shown by then is counted, and the run goes on. */
const SHOWN_WITHIN_MS = 60_000;
const TICKS_PER_SECOND = 100;
const POLLS_PER_MINUTE = ((IDLE + WRITING) * 60_000) / POLL_MS;

interface Figures {
  readonly perMinute: number;
  readonly p50: number;
  readonly p99: number;
  readonly cpuPercent: number;
  readonly posted: number;
  readonly unseen: number;
  readonly open: number;
  readonly twice: number;
  readonly errors: readonly string[];
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

/** A customer, and the page of the site that they have open. */
interface Customer {
  readonly visitor: SiteVisitor;
  readonly chat: number;
  readonly page: PhpPage;
}

/** A manager with the page of the first of their chats open. */
interface Desk {
  readonly visitor: SiteVisitor;
  readonly theirs: readonly Customer[];
  readonly page: PhpPage;
}

interface Posted {
  readonly id: number;
  /** When the manager pressed the button. */
  readonly at: number;
  readonly page: PhpPage;
}

const percentile = (values: readonly number[], share: number): number => {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
};

/** One line of the table for each way. */
function table(ways: ReadonlyMap<string, Figures>): string {
  const notes = [...ways].map(
    ([name, { posted, unseen, errors }]) =>
      `${name}: ${posted} answers, ${unseen} of them not shown within ${SHOWN_WITHIN_MS / 1_000} s, ${errors.length} requests that failed`,
  );
  return [
    `${IDLE} idle and ${WRITING} writing customers, ${MANAGERS} managers, ${SECONDS} s each way, ${cpus().length} × ${cpus()[0]?.model}`,
    ...notes,
    '| | requests to PHP a minute | posted → shown p50 | p99 | CPU of PHP |',
    '|---|---|---|---|---|',
    ...[...ways].map(
      ([name, one]) =>
        `| ${name} | ${one.perMinute.toFixed(0)} | ${one.p50.toFixed(0)} ms | ${one.p99.toFixed(0)} ms | ${one.cpuPercent.toFixed(1)} % |`,
    ),
  ].join('\n');
}

describe('the example site under load', () => {
  let beside: BesidePhpSite;
  beforeAll(async () => {
    beside = await startBesidePhpSite({ RATE_CONNECT_PER_10S: '0', MAX_TABS_PER_SESSION: '5' }, { warm: true });
    await beside.site.forward('2-token-and-events');
  });
  afterAll(() => beside?.stop());

  async function customer(): Promise<Customer> {
    const visitor = new SiteVisitor(beside.site.baseUrl);
    const answer = await visitor.call('POST', '/chat/session', { name: 'Гость', initial_message: 'Здравствуйте' });
    const { id: chat } = (await answer.json()) as { id: number };
    return { visitor, chat, page: await PhpPage.open(beside.site.baseUrl, visitor, '/', chat) };
  }

  /** Each manager signs in for themselves, answers their customers in turn, and has the page of one of them open. */
  async function desk(n: number, theirs: readonly Customer[]): Promise<Desk> {
    const visitor = new SiteVisitor(beside.site.baseUrl);
    await visitor.signIn(n % 2 === 0 ? 'olga' : 'ivan');
    return {
      visitor,
      theirs,
      page: await PhpPage.open(beside.site.baseUrl, visitor, `/staff/chat/${theirs[0]?.chat}`),
    };
  }

  async function answer({ visitor }: Desk, { chat, page }: Customer): Promise<Posted> {
    const at = performance.now();
    const reply = await visitor.call('POST', `/chat/${chat}/reply`, { body: 'Да, есть' });
    const { id } = (await reply.json()) as { id: number };
    return { id: Number(id), at, page };
  }

  /** Everybody writes until `isOver`; what was posted, and what failed, is noted. */
  function people(writing: readonly Customer[], desks: readonly Desk[], isOver: () => boolean) {
    const posted: Posted[] = [];
    const errors: string[] = [];
    /** Again and again, with so much time between the beginnings. */
    const every = async (ms: number, what: () => Promise<unknown>): Promise<void> => {
      await sleep(Math.random() * ms);
      for (let next = performance.now(); !isOver(); await sleep(Math.max(0, next - performance.now()))) {
        next = Math.max(next, performance.now() - ms) + ms;
        await what().catch((error: unknown) => errors.push(String(error)));
      }
    };
    const ends = [
      ...writing.map(({ page }) => every(WRITE_MS, () => page.send({ body: 'А доставка есть?' }))),
      ...desks.map((one) => {
        let turn = 0;
        return every(WRITE_MS / one.theirs.length, async () => {
          const to = one.theirs[turn++ % one.theirs.length];
          if (to !== undefined) posted.push(await answer(one, to));
        });
      }),
    ];
    return { posted, errors, ended: Promise.all(ends) };
  }

  async function measure(): Promise<Figures> {
    const customers: Customer[] = [];
    for (let n = 0; n < IDLE + WRITING; n += 1) customers.push(await customer());
    const writing = customers.slice(IDLE);
    const desks: Desk[] = [];
    for (let n = 0; n < MANAGERS; n += 1)
      desks.push(
        await desk(
          n,
          writing.filter((_, index) => index % MANAGERS === n),
        ),
      );
    let isOver = false;
    const { posted, errors, ended } = people(writing, desks, () => isOver);
    await sleep(POLL_MS);
    const [requests, cpu, began] = [beside.site.requests(), phpSeconds(beside.site.pid), performance.now()];
    await sleep(SECONDS * 1_000);
    const seconds = (performance.now() - began) / 1_000;
    const perMinute = ((beside.site.requests() - requests) * 60) / seconds;
    const cpuPercent = ((phpSeconds(beside.site.pid) - cpu) * 100) / seconds;
    isOver = true;
    const isShown = ({ id, page }: Posted): boolean => page.shownAt.has(id);
    let hasEnded = false;
    void ended.then(() => {
      hasEnded = true;
    });
    const deadline = performance.now() + SHOWN_WITHIN_MS;
    while (performance.now() < deadline && !(hasEnded && posted.every(isShown))) await sleep(SETTLE_MS);
    const pages = [...customers, ...desks].map(({ page }) => page);
    const open = pages.filter((page) => page.isOpen).length;
    for (const page of pages) page.close();
    await sleep(SETTLE_MS);
    const times = posted.filter(isShown).map(({ id, at, page }) => (page.shownAt.get(id) ?? 0) - at);
    return {
      ...{ perMinute, cpuPercent, open },
      p50: percentile(times, 0.5),
      p99: percentile(times, 0.99),
      posted: posted.length,
      unseen: posted.length - times.length,
      twice: pages.filter((page) => page.hasTwice).length,
      errors: [...errors, ...pages.flatMap((page) => page.errors)],
    };
  }

  it('sends fewer requests to PHP, and shows messages at once', async () => {
    const ways = new Map<string, Figures>();
    try {
      ways.set('polling every 5 s', await measure());
      await beside.site.forward('3-widget');
      await beside.site.forward('4-staff-pages');
      ways.set('with the channel', await measure());
    } finally {
      console.log(table(ways));
    }
    const [before, after] = [...ways.values()];
    if (before === undefined || after === undefined) throw new Error('one way was not measured');
    expect([before.errors, after.errors]).toEqual([[], []]);
    expect([before.unseen, after.unseen]).toEqual([0, 0]);
    expect([before.twice, after.twice]).toEqual([0, 0]);
    expect([before.open, after.open]).toEqual([0, IDLE + WRITING + MANAGERS]);
    // What polling wants: where the site does not keep up it asks less.
    expect(after.perMinute).toBeLessThan(POLLS_PER_MINUTE / 2);
    expect(after.p50).toBeLessThan(before.p50 / 4);
  });
});
