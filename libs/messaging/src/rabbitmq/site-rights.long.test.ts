import { readFileSync } from 'node:fs';
import { type ManagedServer, startRabbit, until } from '@chat-realtime/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { SiteSource } from '../ports/site-source.ts';
import { depth, evaluate, give, withChannel } from '../testing/rabbit-admin.ts';
import { testLogger } from '../testing/samples.ts';
import { connectSiteSource, SITE_DEAD_LETTERS, SITE_QUEUE } from './site-source.ts';

/** Configure, write and read, as the guides print them. */
const RIGHTS = ['existing-site.md', 'existing-site.ru.md'].map((name) => {
  const guide = readFileSync(new URL(`../../../../docs/guides/${name}`, import.meta.url), 'utf8');
  return /set_permissions -p \/ chat_ledger '([^']*)' '([^']*)' '([^']*)'/.exec(guide)?.slice(1) ?? [];
});
const PATIENT = { timeoutMs: 60_000, everyMs: 100 };

let server: ManagedServer;
let ledger: ManagedServer;
let source: SiteSource | undefined;
const seen: string[] = [];

beforeAll(async () => {
  server = await startRabbit();
  ledger = { ...server, url: `amqp://chat_ledger:of-this-test@127.0.0.1:${server.port}` };
  const [user, vhost, ...rights] = ['chat_ledger', '/', ...(RIGHTS[0] ?? [])].map(
    (text) => `<<${JSON.stringify(text)}>>`,
  );
  await evaluate(server, `rabbit_auth_backend_internal:add_user(${user}, <<"of-this-test">>, <<"test">>).`);
  await evaluate(
    server,
    `rabbit_auth_backend_internal:set_permissions(${user}, ${vhost}, ${rights.join(', ')}, <<"test">>).`,
  );
  await withChannel(server, (channel) => channel.assertExchange('shop', 'topic', { durable: true }));
}, 240_000);
afterAll(async () => {
  await source?.close();
  await server.stop();
});

describe('the rights of our user in the broker of a site', () => {
  it('are the same in both guides', () => {
    expect(RIGHTS[0]).toHaveLength(3);
    expect(RIGHTS[1]).toEqual(RIGHTS[0]);
  });

  it('[BES17] are sufficient to read, and [BES19] to put aside what is refused', async () => {
    source = connectSiteSource({
      url: ledger.url,
      address: { kind: 'exchange', exchange: 'shop', key: '#' },
      logger: testLogger,
      handler: (batch) =>
        Promise.resolve(
          batch.map(({ content }) => {
            seen.push(content.toString());
            return content.toString() === 'bad' ? { kind: 'refused', reason: 'of this test' } : { kind: 'taken' };
          }),
        ),
    });
    await until(() => source?.state.kind === 'reading', { ...PATIENT, what: 'the source reads' });
    for (const text of ['first', 'bad', 'second']) await give(server, 'shop', 'chat.message', text);
    await until(() => seen.length === 3, { ...PATIENT, what: 'all three' });
    await until(async () => (await depth(server, SITE_DEAD_LETTERS)) === 1, { ...PATIENT, what: 'the dead letter' });
  });

  it('[BES20] are sufficient to create the queue again', async () => {
    await withChannel(server, (channel) => channel.deleteQueue(SITE_QUEUE));
    await give(server, 'shop', 'chat.message', 'meanwhile');
    await until(() => seen.includes('meanwhile'), { ...PATIENT, what: 'what came without the queue' });
  });

  it('do not allow publishing into the site’s own exchange', async () => {
    const forged = withChannel(ledger, async (channel) => {
      channel.publish('shop', 'chat.message', Buffer.from('forged'));
      await channel.checkQueue(SITE_QUEUE);
    });
    await expect(forged).rejects.toThrow(/403|closed/i);
    expect(seen).not.toContain('forged');
  });
});
