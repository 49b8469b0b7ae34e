// A site's own tables, on PostgreSQL and MariaDB: overlapping transactions, restarts, 100,000 chats' messages, latency, and what the triggers cost.
import { performance } from 'node:perf_hooks';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  type AppProcess,
  freePort,
  type ManagedServer,
  type SiteKind,
  sleep,
  startMariaDb,
  startPostgres,
  startProcess,
  tempFolder,
  until,
  WebSocketClient,
} from '@chat-realtime/testkit';
import { KeyRing, signChannelToken } from '@chat-realtime/protocol/tokens';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type SampleSite, sampleSite, sampleYaml } from '../../libs/table-source/src/testing/sample-site.ts';

const STANDALONE = fileURLToPath(new URL('../../apps/standalone/dist/main.js', import.meta.url));
const ADMIN = fileURLToPath(new URL('../../apps/standalone/dist/admin/main.js', import.meta.url));
const SECRET = '0123456789abcdef0123456789abcdef';
const TRANSACTIONS = 200;
const LATENCY_MESSAGES = 400;
const BACKFILL_MESSAGES = 100_000;
const BACKFILL_CHATS = 2_000;

function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

for (const kind of ['postgresql', 'mysql'] as const satisfies readonly SiteKind[]) {
  describe(`beside a site on ${kind}`, () => {
    let server: ManagedServer & { createDatabase(): Promise<string> };
    let ledger: Awaited<ReturnType<typeof startPostgres>>;
    let site: SampleSite;
    let app: AppProcess;
    let base: string;
    let env: Record<string, string>;
    let stored: pg.Pool;

    beforeAll(async () => {
      server =
        kind === 'mysql'
          ? await startMariaDb({ durable: true })
          : await startPostgres({ durable: true, settings: { max_connections: String(TRANSACTIONS + 50) } });
      ledger = await startPostgres();
      site = await sampleSite(kind, await server.createDatabase(), undefined, TRANSACTIONS + 1);
      await site.install();
      const file = join(tempFolder('table-source'), 'tables.yaml');
      writeFileSync(file, sampleYaml(kind, '${SITE_DATABASE_URL}', 'reconcile_seconds: 5'));
      const port = await freePort();
      base = `http://127.0.0.1:${port}`;
      env = {
        HOST: '127.0.0.1',
        PORT: String(port),
        DATA_DIR: tempFolder('ledger'),
        DATABASE_URL: ledger.url,
        CHAT_ROLE: 'ledger',
        CHAT_TOKEN_SECRETS: `k1:${SECRET}`,
        TABLE_SOURCE: file,
        SITE_DATABASE_URL: site.client.url,
      };
      app = await startProcess({
        name: 'ledger',
        args: [STANDALONE],
        env,
        ready: `${base}/readyz`,
        readyTimeoutMs: 90_000,
        stopTimeoutMs: 25_000,
      });
      stored = new pg.Pool({ connectionString: ledger.url, max: 2 });
      stored.on('error', () => undefined);
    });
    afterAll(async () => {
      await app?.stop();
      await stored?.end();
      await site?.client.close();
      await server?.stop();
      await ledger?.stop();
    });

    const bodies = async (like: string): Promise<string[]> =>
      (
        await stored.query<{ body: string }>(
          "SELECT body FROM chat_event WHERE type = 'chat.message' AND body LIKE $1",
          [like],
        )
      ).rows.map(({ body }) => body);
    const count = async (like: string): Promise<number> =>
      Number(
        (
          await stored.query<{ n: string }>(
            "SELECT count(*) AS n FROM chat_event WHERE type = 'chat.message' AND body LIKE $1",
            [like],
          )
        ).rows[0]?.n,
      );

    it(`shows ${TRANSACTIONS} transactions that are open at once and commit out of order once each, and none that rolled back`, async () => {
      const chats = await Promise.all(Array.from({ length: 8 }, () => site.openChat()));
      const committed: string[] = [];
      let written = 0;
      let allWritten: () => void = () => undefined;
      const everyone = new Promise<void>((resolve) => {
        allWritten = resolve;
      });
      await Promise.all(
        Array.from({ length: TRANSACTIONS }, async (_, number) => {
          const session = await site.client.session();
          try {
            await session.query('BEGIN');
            for (let part = 0; part < 3; part += 1)
              await session.query('INSERT INTO chat_message (chat_id, sender, text) VALUES (?, ?, ?)', [
                chats[number % chats.length] ?? '1',
                'guest',
                `order ${number} ${part}`,
              ]);
            // Nobody commits before all have written: so many transactions are open at this moment.
            if (++written === TRANSACTIONS) allWritten();
            await everyone;
            await sleep(Math.random() * 300);
            const rollback = number % 7 === 0;
            await session.query(rollback ? 'ROLLBACK' : 'COMMIT');
            if (!rollback) for (let part = 0; part < 3; part += 1) committed.push(`order ${number} ${part}`);
          } finally {
            session.release();
          }
        }),
      );
      await until(async () => (await count('order %')) >= committed.length, { timeoutMs: 60_000, what: 'all of them' });
      await sleep(1_000);
      expect((await bodies('order %')).toSorted()).toEqual(committed.toSorted());
    });

    it('survives restarts of the site’s database, with and without rows in the outbox', async () => {
      const chat = await site.openChat();
      await site.write(chat, 'restart 1');
      await until(async () => (await count('restart %')) === 1, { timeoutMs: 30_000, what: 'the first' });
      for (const step of [2, 3]) {
        await server.restart();
        await until(
          () =>
            site.write(chat, `restart ${step}`).then(
              () => true,
              () => false,
            ),
          {
            timeoutMs: 30_000,
            what: 'the site writes again',
          },
        );
        await until(async () => (await count('restart %')) === step, { timeoutMs: 60_000, what: `number ${step}` });
      }
    });

    it('measures the time from COMMIT to the frame at the customer', async () => {
      const chat = await site.openChat();
      await until(async () => (await stored.query('SELECT 1 FROM chat_session WHERE id = $1', [chat])).rowCount === 1, {
        timeoutMs: 30_000,
        what: 'the chat',
      });
      const token = signChannelToken(KeyRing.parse(`k1:${SECRET}`), Number(chat), Math.floor(Date.now() / 1_000));
      const client = await WebSocketClient.open(base);
      client.send({ type: 'auth', session_id: Number(chat), token });
      await client.ready();
      const times: number[] = [];
      for (let number = 0; number < LATENCY_MESSAGES; number += 1) {
        const frame = client.waitFor(({ data }) => (data as { body?: string })?.body === `timed ${number}`, {
          timeoutMs: 20_000,
        });
        await site.write(chat, `timed ${number}`);
        const committed = performance.now();
        await frame;
        times.push(performance.now() - committed);
        await sleep(20 + Math.random() * 30);
      }
      client.socket.close();
      const [p50, p99] = [percentile(times, 0.5), percentile(times, 0.99)];
      console.log(`${kind}: COMMIT → frame p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms over ${times.length}`);
      expect(p99).toBeLessThanOrEqual(kind === 'mysql' ? 500 : 300);
      if (kind === 'postgresql') expect(p50).toBeLessThanOrEqual(50);
    });

    it('measures what the triggers add to a write of the site', async () => {
      // Tables that nobody follows: what is measured is the site's own connection, not who shares its processor.
      const quiet = await sampleSite(kind, await server.createDatabase());
      const chat = await quiet.openChat();
      const session = await quiet.client.session();
      const times: Record<'noted' | 'plain', number[]> = { noted: [], plain: [] };
      for (let round = 0; round < 12; round += 1) {
        const now = round % 2 === 0 ? 'noted' : 'plain';
        await (now === 'noted' ? quiet.install() : quiet.remove());
        for (let number = 0; number < 200; number += 1) {
          const began = performance.now();
          await session.query("INSERT INTO chat_message (chat_id, sender, text) VALUES (?, 'guest', 'Здравствуйте')", [
            chat,
          ]);
          times[now].push(performance.now() - began);
        }
      }
      session.release();
      await quiet.client.close();
      const [plain, noted] = [percentile(times.plain, 0.5), percentile(times.noted, 0.5)];
      const ratio = noted / plain;
      console.log(
        `${kind}: a write takes ${plain.toFixed(3)} ms, with triggers ${noted.toFixed(3)} ms: × ${ratio.toFixed(2)}`,
      );
      expect(ratio).toBeLessThanOrEqual(1.3);
    });

    it(`imports ${BACKFILL_MESSAGES} older messages while the site writes`, async () => {
      await site.remove();
      const chats = await Promise.all(Array.from({ length: BACKFILL_CHATS }, () => site.openChat()));
      for (let start = 0; start < BACKFILL_MESSAGES; start += 500) {
        const values = Array.from(
          { length: 500 },
          (_, index) => `(${chats[(start + index) % chats.length]}, 'guest', 'old ${start + index}')`,
        );
        await site.client.query(`INSERT INTO chat_message (chat_id, sender, text) VALUES ${values.join(', ')}`);
      }
      await site.install();
      let writing = true;
      let written = 0;
      const traffic = (async () => {
        while (writing) {
          await site.write(chats[written % chats.length] ?? '1', `live ${written}`);
          written += 1;
          await sleep(25);
        }
      })();
      const began = performance.now();
      const admin = await startProcess({ name: 'backfill', args: [ADMIN, 'table-source', 'backfill', '--json'], env });
      await until(() => !admin.running, { timeoutMs: 1_500_000, everyMs: 200, what: 'the end of the backfill' });
      const seconds = (performance.now() - began) / 1_000;
      writing = false;
      await traffic;
      console.log(`${kind}: backfill in ${seconds.toFixed(1)} s, ${written} written meanwhile: ${admin.output()}`);
      await until(async () => (await count('live %')) === written, { timeoutMs: 120_000, what: 'all live messages' });
      expect(await count('old %')).toBe(BACKFILL_MESSAGES);
      expect(new Set(await bodies('old %')).size).toBe(BACKFILL_MESSAGES);
      const { rows } = await stored.query(
        `SELECT e.session_id FROM chat_event e WHERE e.type = 'chat.message' AND e.body LIKE 'old %'
         GROUP BY e.session_id HAVING array_agg(e.message_id ORDER BY e.seq) <> array_agg(e.message_id ORDER BY e.message_id)`,
      );
      expect(rows).toEqual([]);
    });
  });
}
