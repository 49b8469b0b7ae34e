import { type ManagedServer, sleep, startRabbit, until } from '@chat-realtime/testkit';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { SiteSource } from '../ports/site-source.ts';
import { depth, give, withChannel } from '../testing/rabbit-admin.ts';
import { testLogger } from '../testing/samples.ts';
import { removeSiteQueues, siteLeftovers } from './site-removal.ts';
import { connectSiteSource, SITE_DEAD_LETTERS, SITE_QUEUE } from './site-source.ts';
import { SITE_SPARE } from './site-spare.ts';

const LIMITS = { unreadMs: 12_000, bytes: 20_000 };
const PATIENT = { timeoutMs: 60_000, everyMs: 100 };

let server: ManagedServer;
let sources: SiteSource[] = [];
beforeAll(async () => {
  server = await startRabbit();
  await withChannel(server, (channel) => channel.assertExchange('site', 'topic', { durable: true }));
}, 120_000);
afterAll(() => server.stop());
afterEach(async () => {
  await Promise.all(sources.map((source) => source.close()));
  sources = [];
  await removeSiteQueues(server.url, { drop: true });
});

async function read(limits = LIMITS): Promise<{ source: SiteSource; seen: string[]; warned: string[] }> {
  const seen: string[] = [];
  const warned: string[] = [];
  const source = connectSiteSource({
    url: server.url,
    address: { kind: 'exchange', exchange: 'site', key: '#' },
    logger: { ...testLogger, warn: (_facts: object, message?: string) => void warned.push(message ?? '') },
    limits,
    handler: (batch) =>
      Promise.resolve(
        batch.map(({ content }) => {
          seen.push(content.toString().trim());
          return { kind: 'taken' };
        }),
      ),
  });
  sources.push(source);
  await until(() => source.state.kind === 'reading', { ...PATIENT, what: 'the source reads' });
  return { source, seen, warned };
}

describe('our queues in the broker of a site', () => {
  it('[BES30] hold a limited number of the newest messages while nobody reads, and refuse the site nothing', async () => {
    const { source } = await read({ ...LIMITS, unreadMs: 600_000 });
    await source.close();
    // `give` throws if a publish is refused: each is confirmed.
    for (let n = 1; n <= 40; n += 1) await give(server, 'site', 'chat.message', `${n}`.padEnd(1_000));
    expect(await depth(server, SITE_QUEUE)).toBeLessThanOrEqual(20);
    const { seen } = await read({ ...LIMITS, unreadMs: 600_000 });
    await until(() => seen.includes('40'), { ...PATIENT, what: 'the newest' });
    expect(seen).toEqual(Array.from({ length: seen.length }, (_, i) => `${41 - seen.length + i}`));
  });

  it('[BES30] expire when nobody has read them for a time; the site publishes as before', async () => {
    const { source } = await read();
    await source.close();
    const left = async () => (await siteLeftovers(server.url)).map(({ queue }) => queue);
    expect(await left()).toEqual([SITE_QUEUE, SITE_SPARE, SITE_DEAD_LETTERS]);
    // Only checks that renew no lease.
    await sleep(2 * LIMITS.unreadMs);
    expect(await left()).toEqual([SITE_DEAD_LETTERS]);
    await give(server, 'site', 'chat.message', 'nobody is there');
    const { seen } = await read();
    await give(server, 'site', 'chat.message', 'again');
    await until(() => seen.includes('again'), { ...PATIENT, what: 'what comes later' });
  }, 180_000);

  it('[BES30] do not expire while they are read, however quiet the site is', async () => {
    const { source, seen, warned } = await read();
    const states = new Set<string>();
    const watch = setInterval(() => states.add(source.state.kind), 20);
    await sleep(3 * LIMITS.unreadMs);
    clearInterval(watch);
    expect([...states]).toEqual(['reading']);
    expect(warned).toEqual([]);
    expect((await siteLeftovers(server.url)).map(({ queue }) => queue)).toContain(SITE_SPARE);
    await give(server, 'site', 'chat.message', 'after the quiet');
    await until(() => seen.includes('after the quiet'), { ...PATIENT, what: 'what comes later' });
  }, 180_000);

  it('[BES30] that were created before there were limits are still read in full, and the log says so', async () => {
    await withChannel(server, async (channel) => {
      await channel.assertQueue(SITE_SPARE, { durable: true, arguments: { 'x-queue-type': 'classic' } });
      await channel.assertQueue(SITE_QUEUE, {
        durable: true,
        arguments: { 'x-queue-type': 'quorum', 'x-single-active-consumer': true, 'x-delivery-limit': 1_000_000 },
      });
    });
    await give(server, '', SITE_QUEUE, 'from before');
    const { seen, warned } = await read();
    await until(() => seen.includes('from before'), { ...PATIENT, what: 'what lay in the queue' });
    expect(warned.filter((text) => text.includes('no limit'))).toHaveLength(1);
  });
});

describe('removeSiteQueues', () => {
  it('removes nothing while a chat reads, or before everything was read; then only our queues', async () => {
    const { source } = await read({ ...LIMITS, unreadMs: 600_000 });
    await expect(removeSiteQueues(server.url, { drop: true })).rejects.toMatchObject({ code: 'site_queues_in_use' });
    await source.close();
    await give(server, 'site', 'chat.message', 'unread');
    await expect(removeSiteQueues(server.url, { drop: false })).rejects.toThrow('still have unread messages');
    expect(await depth(server, SITE_QUEUE)).toBe(1);
    const removed = await removeSiteQueues(server.url, { drop: true });
    expect(removed.map(({ queue }) => queue)).toEqual([SITE_QUEUE, SITE_SPARE, SITE_DEAD_LETTERS]);
    expect(await siteLeftovers(server.url)).toEqual([]);
    await give(server, 'site', 'chat.message', 'the exchange of the site is there');
  });
});
