import { type SiteKind, startMariaDb, startPostgres, TcpProxy, until } from '@chat-realtime/testkit';
import { describe, expect, it } from 'vitest';
import { parseTableSource } from './config.ts';
import { followTables } from './testing/following.ts';
import { MemoryLedger } from './testing/memory-ledger.ts';
import { sampleSite, sampleYaml } from './testing/sample-site.ts';

/** The time limit of a query, and of closing after it; the rest is for a busy machine. */
const STOPPED_MS = 15_000 + 2_000 + 8_000;

describe.each<[SiteKind, () => Promise<{ createDatabase(): Promise<string>; stop(): Promise<void> }>]>([
  ['postgresql', startPostgres],
  ['mysql', startMariaDb],
])('a site database that does not answer, as behind a dead NAT entry: %s', (kind, start) => {
  it('[TAB9] is asked over another connection, and does not delay the end of the process', async () => {
    const server = await start();
    const url = await server.createDatabase();
    const site = await sampleSite(kind, url);
    await site.install();
    const proxy = await TcpProxy.start({ target: url });
    const config = parseTableSource(sampleYaml(kind, proxy.urlFor(url), 'reconcile_seconds: 0'), { env: {} });
    const ledger = new MemoryLedger();
    const following = followTables({ ...site, config }, ledger);
    try {
      const chat = await site.openChat();
      await site.write(chat, 'before');
      await until(() => ledger.bodies(chat).length === 1, { what: 'the first' });

      const known = proxy.accepted;
      proxy.halfOpen();
      await until(() => proxy.accepted > known, { timeoutMs: 40_000, what: 'another connection is tried' });
      await until(() => following.connected === false, { timeoutMs: 40_000, what: 'it is told to be away' });
      await proxy.heal();
      await site.write(chat, 'after');
      await until(() => ledger.bodies(chat).length === 2, { timeoutMs: 40_000, what: 'what was written then' });
      await until(() => following.connected === true, { timeoutMs: 20_000, what: 'it is told to be read' });

      proxy.halfOpen();
      const began = performance.now();
      await following.source.stop();
      expect(performance.now() - began).toBeLessThan(STOPPED_MS);
    } finally {
      await proxy.close();
      await following.source.stop();
      await site.client.close();
      await server.stop();
    }
  }, 240_000);
});
