import { ChatError } from '@chat-realtime/protocol';
import { type PostgresServer, startPostgres, TcpProxy } from '@chat-realtime/testkit';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { admin, harnessAt, type Harness, newChat, text } from '../../test/harness.ts';

/** The errors that callers get while the database is unavailable. */
describe('outages of PostgreSQL', () => {
  let server: PostgresServer;
  let proxy: TcpProxy;
  let harness: Harness;
  beforeAll(async () => {
    server = await startPostgres();
    proxy = await TcpProxy.start({ target: server.url });
    harness = await harnessAt(proxy.urlFor(server.url));
  });
  afterAll(async () => {
    await harness.close();
    await proxy.close();
    await server.stop();
  });

  const codeOf = (error: unknown) => (error instanceof ChatError ? error.code : `other: ${String(error)}`);

  it('[ERR] connections lost during work are 503 with Retry-After, and what was confirmed is stored', async () => {
    const { chat } = harness;
    const one = await newChat(chat, 'hi');
    const answered: number[] = [];
    const codes = new Set<string>();
    let busy = true;
    const writers = Array.from({ length: 4 }, async (_, lane) => {
      while (busy) {
        const work = lane % 2 === 0 ? one.says('x') : chat.addNote(admin, one.id, 'n').then(() => 0);
        await work.then((id) => answered.push(id)).catch((error: unknown) => codes.add(codeOf(error)));
      }
    });
    for (let round = 0; round < 3; round += 1) {
      await new Promise((resolve) => setTimeout(resolve, 150));
      proxy.reset();
    }
    await server.kill();
    await new Promise((resolve) => setTimeout(resolve, 300));
    await server.restart();
    await expect
      .poll(
        () =>
          chat.findSession(one.id).then(
            () => true,
            () => false,
          ),
        { timeout: 15_000 },
      )
      .toBe(true);
    busy = false;
    await Promise.all(writers);
    expect([...codes]).toEqual(['unavailable']);
    const { messages } = await chat.history(one.customer, one.id, { limit: 500 });
    const stored = new Set(messages.map((message) => message.id));
    expect(answered.filter((id) => id > 0 && !stored.has(id) && id >= (messages[0]?.id ?? 0))).toEqual([]);
  });

  it('[ERR] a connection that does not answer is given up', async () => {
    const { chat } = harness;
    const one = await newChat(chat);
    proxy.halfOpen();
    const started = Date.now();
    const error: unknown = await one.says('into the void').catch((reason: unknown) => reason);
    expect(codeOf(error)).toBe('unavailable');
    expect(Date.now() - started).toBeLessThan(12_000);
    await proxy.heal();
    await expect
      .poll(
        () =>
          one.says('again').then(
            () => true,
            () => false,
          ),
        { timeout: 15_000 },
      )
      .toBe(true);
  }, 40_000);

  it('[ERR] a session whose lock is held too long is 503, while others continue', async () => {
    const { chat, database } = harness;
    const held = await newChat(chat);
    const other = await newChat(chat);
    let release: () => void = () => undefined;
    const holder = database.kysely.transaction().execute(async (trx) => {
      await sql`SELECT chat_lock_session(${held.id})`.execute(trx);
      await new Promise<void>((resolve) => {
        release = resolve;
      });
    });
    await expect
      .poll(
        async () =>
          (
            await sql`SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND objid = ${held.id}`.execute(
              database.kysely,
            )
          ).rows.length,
      )
      .toBe(1);
    const blocked = held.says('blocked').then(() => 'stored', codeOf);
    await other.says('free');
    expect(await blocked).toBe('unavailable');
    release();
    await holder;
    expect(await chat.postMessage(held.customer, held.id, text('now')).then((posted) => posted.created)).toBe(true);
  });
});
