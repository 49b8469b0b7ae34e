// A site that keeps seq itself (level 1), in PHP: whole conversations without chat-service, and which guarantees it holds.
// Debian packages: php-amqplib
import { fileURLToPath } from 'node:url';
import { acksRequestSchema, catchupResponseSchema } from '@chat-realtime/protocol';
import {
  type AppProcess,
  freePort,
  type ManagedServer,
  type PostgresServer,
  startPostgres,
  startProcess,
  startRabbit,
  startRedis,
  until,
  WebSocketClient,
} from '@chat-realtime/testkit';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { durable } from '../support/chat.ts';
import { MeasuredGuarantees } from '../support/guarantees.ts';
import { KEEPS_SEQ, type PhpSite, SiteVisitor, startPhpSite } from '../support/php-site.ts';

const SECRET = '0123456789abcdef0123456789abcdef';
const main = (app: string): string => fileURLToPath(new URL(`../../apps/${app}/dist/main.js`, import.meta.url));
const measured = new MeasuredGuarantees('channel-only, level 1 (the site keeps seq, answers CATCHUP_URL and ACKS_URL)');

/** The site, RabbitMQ, Redis, dispatcher and gateway: no chat-service and no ledger. */
describe('a site that keeps seq itself', () => {
  let postgres: PostgresServer;
  let rabbit: ManagedServer;
  let redis: ManagedServer;
  let site: PhpSite;
  let dispatcher: AppProcess;
  let gateway: AppProcess;
  let gatewayUrl: string;
  let database: pg.Client;
  let databaseUrl: string;
  const open: WebSocketClient[] = [];

  beforeAll(async () => {
    [postgres, rabbit, redis] = await Promise.all([startPostgres(), startRabbit(), startRedis()]);
    const url = await postgres.createDatabase();
    const at = new URL(url);
    site = await startPhpSite({
      SITE_DSN: `pgsql:host=${at.hostname};port=${at.port};dbname=${at.pathname.slice(1)}`,
      SITE_DB_USER: decodeURIComponent(at.username),
      SITE_DB_PASSWORD: decodeURIComponent(at.password),
      CHAT_TOKEN_SECRET: `k1:${SECRET}`,
      CHAT_EVENTS: 'sequence',
      INTERNAL_API_KEY: SECRET,
      RABBITMQ_URL: rabbit.url,
    });
    databaseUrl = url;
    database = new pg.Client({ connectionString: url });
    await database.connect();
    await site.forward(KEEPS_SEQ);
    await site.php('bin/add-events.php');
    const [dispatcherPort, gatewayPort] = [await freePort(), await freePort()];
    gatewayUrl = `http://127.0.0.1:${gatewayPort}`;
    const shared = { HOST: '127.0.0.1', REDIS_URL: redis.url, LOG_LEVEL: 'warn' };
    dispatcher = await startProcess({
      name: 'dispatcher',
      args: [main('channel-dispatcher')],
      env: { ...shared, PORT: String(dispatcherPort), RABBITMQ_URL: rabbit.url },
      ready: `http://127.0.0.1:${dispatcherPort}/readyz`,
      readyTimeoutMs: 90_000,
    });
    gateway = await startProcess({
      name: 'gateway',
      args: [main('channel-gateway')],
      env: {
        ...shared,
        PORT: String(gatewayPort),
        CHAT_TOKEN_SECRETS: `k1:${SECRET}`,
        AUTH_JWT_SECRET: SECRET,
        INTERNAL_API_KEY: SECRET,
        CATCHUP_URL: `${site.baseUrl}/channel-api/catchup`,
        ACKS_URL: `${site.baseUrl}/channel-api/acks`,
        CHANNEL_TICKS: 'off',
        RATE_CONNECT_PER_10S: '0',
      },
      ready: `${gatewayUrl}/readyz`,
      readyTimeoutMs: 90_000,
    });
    site.worker('bin/publish-events.php');
  }, 180_000);
  afterEach(() => {
    for (const client of open.splice(0)) client.terminate();
  });
  afterAll(async () => {
    process.stdout.write(`${String(measured)}\n`);
    await gateway?.stop();
    await dispatcher?.stop();
    await site?.stop();
    await database?.end();
    await Promise.all([postgres?.stop(), redis?.stop(), rabbit?.kill()]);
  }, 60_000);

  const begin = async (text = 'Здравствуйте') => {
    const guest = new SiteVisitor(site.baseUrl);
    const opened = await guest.call('POST', '/chat/session', { name: 'Пётр', initial_message: text });
    const { id } = (await opened.json()) as { id: number };
    const { token } = (await (await guest.call('GET', `/chat/${id}/channel-token`)).json()) as { token: string };
    return { guest, id, token };
  };
  const connect = async (id: number, token: string, lastSeq = 0): Promise<WebSocketClient> => {
    const client = await WebSocketClient.open(gatewayUrl, {
      protocols: ['chat.v1', `bearer.${token}`],
      query: { session: id, last_seq: lastSeq },
    });
    open.push(client);
    await client.ready();
    return client;
  };
  const seqs = (client: WebSocketClient): number[] => durable(client.frames).map(({ seq }) => seq ?? 0);
  const texts = (client: WebSocketClient): unknown[] =>
    durable(client.frames).flatMap(({ type, data }) => (type === 'chat.message' ? [data['body']] : []));
  const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1);
  const reaches = (client: WebSocketClient, seq: number, timeoutMs = 20_000) =>
    client.waitFor((frame) => frame.seq === seq, { label: `seq ${seq}`, timeoutMs });
  const headOf = async (id: number): Promise<number> =>
    Number((await database.query('SELECT last_seq FROM chat_head WHERE chat_id = $1', [id])).rows[0]?.last_seq);

  it('[BES21] [BES22] [BES23] [BES24] carries a whole conversation: written, assigned, answered, read, closed, written again', async () => {
    const { guest, id, token } = await begin();
    const page = await connect(id, token);
    const olga = new SiteVisitor(site.baseUrl);
    await olga.signIn('olga');
    await reaches(page, 2);
    await olga.call('POST', `/chat/${id}/reply`, { body: 'Добрый день' });
    const answered = performance.now();
    await reaches(page, 5);
    expect(performance.now() - answered).toBeLessThan(5_000);
    page.send({ type: 'ack', last_id: 2 });
    await olga.call('POST', `/chat/${id}/close`);
    await guest.call('POST', `/chat/${id}/message`, { body: 'ещё вопрос' });
    await until(async () => page.frames.some(({ data }) => data['body'] === 'ещё вопрос'), { timeoutMs: 20_000 });
    const told = durable(page.frames).map(({ type, data }) => [
      type,
      data['body'] ?? data['status'] ?? data['assigned_user_id'] ?? null,
    ]);
    expect(told).toEqual([
      ['chat.session.created', null],
      ['chat.message', 'Здравствуйте'],
      ['chat.session.assigned', '1'],
      ['chat.session.status', 'active'],
      ['chat.message', 'Добрый день'],
      ['chat.session.status', 'closed'],
      ['chat.session.assigned', null],
      ['chat.session.status', 'new'],
      ['chat.message', 'ещё вопрос'],
    ]);
    expect(durable(page.frames)[4]?.data).toMatchObject({ sender_type: 'operator', sender_name: expect.any(String) });
    expect(page.frames.map(({ type }) => type)).not.toContain('channel.degraded');
    const seen = async () =>
      (await database.query('SELECT participant, last_id::int FROM chat_seen WHERE chat_id = $1', [id])).rows;
    await until(async () => (await seen()).length === 1, { timeoutMs: 20_000, what: 'the ack at the site' });
    expect(await seen()).toEqual([{ participant: 'client', last_id: expect.any(Number) }]);
    expect(
      await measured.measure('G3', 'a conversation of nine events, every seq once and in order', async () =>
        seqs(page).every((seq, index) => seq === index + 1),
      ),
    ).toBe(true);
  });

  it('[BES21] resumes from any place, and delivers what was written while RabbitMQ was down', async () => {
    const { guest, id, token } = await begin('m1');
    const page = await connect(id, token);
    await reaches(page, 2);
    await rabbit.kill();
    for (let number = 2; number <= 6; number += 1)
      expect((await guest.call('POST', `/chat/${id}/message`, { body: `m${number}` })).status).toBe(201);
    const complete = await measured.measure(
      'G4',
      'five messages while RabbitMQ was killed, by the head check',
      async () => {
        await reaches(page, 7, 20_000);
        return texts(page).length === 6;
      },
    );
    expect(complete).toBe(true);
    await rabbit.start();
    await until(async () => (await database.query('SELECT 1 FROM chat_event WHERE published = 0')).rows.length === 0, {
      timeoutMs: 90_000,
      what: 'everything published',
    });
    // What comes again by the broker is shown by nobody a second time.
    await guest.call('POST', `/chat/${id}/message`, { body: 'm7' });
    await reaches(page, 8, 30_000);
    expect(texts(page)).toEqual(upTo(7).map((number) => `m${number}`));
    const resumable = await measured.measure('G5', 'resumed from each of its places, the oldest too', async () => {
      const head = await headOf(id);
      for (let from = 0; from < head; from += 1) {
        const again = await connect(id, token, from);
        await reaches(again, head);
        // Five tabs are all that a chat may have.
        again.terminate();
        if (seqs(again).join() !== upTo(head).slice(from).join()) return false;
      }
      return true;
    });
    expect(resumable).toBe(true);
  }, 180_000);

  it('[BES21] numbers concurrent writes without a gap, and reuses the number of a rollback', async () => {
    const { id, token } = await begin('m1');
    const page = await connect(id, token);
    const managers = await Promise.all(
      ['olga', 'ivan'].map(async (login) => {
        const manager = new SiteVisitor(site.baseUrl);
        await manager.signIn(login);
        return manager;
      }),
    );
    await Promise.all(
      upTo(30).map(async (number) => managers[number % 2]?.call('POST', `/chat/${id}/reply`, { body: `r${number}` })),
    );
    // A write that fails after its event was noted.
    await site.php(
      '-r',
      `require 'src/bootstrap.php'; db()->beginTransaction(); Channel::note('chat.message', ${id}, ['id' => 1]); db()->rollBack();`,
    );
    const head = await headOf(id);
    await reaches(page, head, 30_000);
    expect(
      await measured.measure('G3', 'thirty written at once and one rolled back', async () =>
        seqs(page).every((seq, index) => seq === index + 1),
      ),
    ).toBe(true);
    expect(texts(page)).toHaveLength(31);
  }, 120_000);

  it('[BES21] [INT3] the site’s part of G1, G2, G6, G7 and G8 is measured at the site', async () => {
    const { guest, id, token } = await begin('m1');
    const page = await connect(id, token);
    const since = async (): Promise<string[]> => {
      const answer = (await (await guest.call('GET', `/chat/${id}?since_id=0`)).json()) as {
        messages: { body: string }[];
      };
      return answer.messages.map(({ body }) => body);
    };
    await measured.measure('G6', 'the site answers what was written to the next read', async () => {
      await guest.call('POST', `/chat/${id}/message`, { body: 'm2' });
      return (await since()).includes('m2');
    });
    await measured.measure('G1', 'what was answered 201 is read after a restart of PostgreSQL', async () => {
      const written = (await guest.call('POST', `/chat/${id}/message`, { body: 'm3' })).status === 201;
      await database.end();
      await postgres.restart();
      database = new pg.Client({ connectionString: databaseUrl });
      await database.connect();
      return written && (await since()).includes('m3');
    });
    await measured.measure(
      'G2',
      'the same text under the same client_message_id, posted twice to the site',
      async () => {
        const body = { body: 'twice', client_message_id: '6f1c1f5e-6c3c-4a53-9a58-4d2f0a3f1c11' };
        await guest.call('POST', `/chat/${id}/message`, body);
        await guest.call('POST', `/chat/${id}/message`, body);
        return (await since()).filter((text) => text === 'twice').length === 1;
      },
    );
    await measured.measure('G7', 'an older ack after a newer one moves nothing back', async () => {
      const ack = (last_id: number) =>
        fetch(`${site.baseUrl}/channel-api/acks`, {
          method: 'POST',
          headers: { Authorization: `Bearer ${SECRET}`, 'Content-Type': 'application/json' },
          body: JSON.stringify(
            acksRequestSchema.parse({
              acks: [{ session_id: id, participant: 'client', last_id, at: new Date().toISOString() }],
            }),
          ),
        });
      const answers = [await ack(90_000), await ack(5)].map(({ status }) => status);
      const { rows } = await database.query('SELECT last_id::int FROM chat_seen WHERE chat_id = $1', [id]);
      return answers.join() === '204,204' && rows[0]?.last_id === 90_000;
    });
    await measured.measure('G8', 'a token of another chat, and of none, opens nothing', async () => {
      const other = await begin('another');
      const foreign = await WebSocketClient.open(gatewayUrl, { query: { session: id, token: other.token } });
      open.push(foreign);
      const nobody = (await new SiteVisitor(site.baseUrl).call('GET', `/chat/${id}/channel-token`)).status;
      return (await foreign.closed()).code === 4501 && nobody === 403 && !texts(page).includes('another');
    });
    expect(measured.verdicts).toEqual({
      G1: 'holds',
      // The example keeps no client_message_id: a repeated post is a second message. Its own page sends none again.
      G2: 'does not hold',
      G3: 'holds',
      G4: 'holds',
      G5: 'holds',
      G6: 'holds',
      G7: 'holds',
      G8: 'holds',
    });
  }, 120_000);

  it('[INT2] [INT3] answers the catch-up according to the schema, bounded, and only to the gateway', async () => {
    const { id } = await begin('m1');
    const ask = (body: object, key = SECRET) =>
      fetch(`${site.baseUrl}/channel-api/catchup`, {
        method: 'POST',
        headers: { Authorization: `Bearer ${key}`, 'Content-Type': 'application/json' },
        body: JSON.stringify(body),
      });
    for (const key of ['', 'wrong']) expect((await ask({ sessions: [], limit: 1 }, key)).status).toBe(401);
    const asked = { sessions: [{ id, after_seq: 0 }, { id: 999_999_999, after_seq: 0 }, { id }], limit: 1 };
    const answer = catchupResponseSchema.parse(await (await ask(asked)).json());
    expect(answer.sessions.map(({ last_seq, events, has_more }) => [last_seq, events.length, has_more])).toEqual([
      [2, 1, true],
      [2, 0, false],
    ]);
    // Ten times as much as one answer may hold of a chat.
    const long = 'я'.repeat(5_000);
    await site.php(
      '-r',
      `require 'src/bootstrap.php'; for ($i = 0; $i < 300; $i += 1) Chat::write(${id}, 'client', null, str_repeat('я', ${long.length}));`,
    );
    let after = 0;
    let calls = 0;
    for (let more = true; more; calls += 1) {
      const text = await (await ask({ sessions: [{ id, after_seq: after }], limit: 500 })).text();
      expect(Buffer.byteLength(text)).toBeLessThan(300_000);
      const [page] = catchupResponseSchema.parse(JSON.parse(text)).sessions;
      expect(page?.events.map(({ seq }) => seq)).toEqual(upTo(302).slice(after, after + (page?.events.length ?? 0)));
      after = page?.events.at(-1)?.seq ?? after;
      more = page?.has_more ?? false;
    }
    expect([after, calls > 5]).toEqual([302, true]);
  }, 120_000);

  it('[BES25] corrupts nothing while the site fails, and recovers automatically', async () => {
    const { guest, id, token } = await begin('m1');
    const page = await connect(id, token);
    await reaches(page, 2);
    await site.back(KEEPS_SEQ);
    // The site is as it was before the step: its chat works, and the gateway's calls are 404.
    expect((await guest.call('POST', `/chat/${id}/message`, { body: 'untold' })).status).toBe(201);
    await page.waitFor(({ type }) => type === 'channel.degraded', { label: 'degraded', timeoutMs: 40_000 });
    await site.forward(KEEPS_SEQ);
    await page.waitFor(({ type }) => type === 'channel.restored', { label: 'restored', timeoutMs: 40_000 });
    await guest.call('POST', `/chat/${id}/message`, { body: 'm2' });
    await reaches(page, 3, 30_000);
    const late = await connect(id, token);
    await reaches(late, 3, 30_000);
    expect([seqs(page), seqs(late)]).toEqual([upTo(3), upTo(3)]);
    expect(texts(late)).toEqual(['m1', 'm2']);
  }, 120_000);
});
