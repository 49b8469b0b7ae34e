import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { json } from 'node:stream/consumers';
import { messagesResponseSchema } from '@chat-realtime/protocol';
import { freePort, HttpClient, type PostgresServer, startPostgres } from '@chat-realtime/testkit';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type PhpSite, SiteVisitor, startPhpSite } from '../support/php-site.ts';
import { SECRETS } from '../support/profiles.ts';
import { startStandalone, type StandaloneTarget } from '../support/standalone-target.ts';
import { channelToken } from '../support/tokens.ts';

interface Given {
  readonly events: { readonly n: number }[];
}
/** The status to answer with; null cuts the connection. */
type Answers = (given: Given, call: number) => number | Promise<number>;

/** The chat as the script sees it. After each answer it takes no connection but what `answers` leaves it time for. */
class Intake {
  readonly given: number[][] = [];
  readonly #port: number;
  #server: Server | null = null;

  constructor(port: number) {
    this.#port = port;
  }

  async open(answers: Answers): Promise<void> {
    this.#server = createServer((request, response) => {
      void (async () => {
        const body = (await json(request)) as Given;
        const call = this.given.push(body.events.map(({ n }) => n));
        response.writeHead(await answers(body, call), { Connection: 'close' }).end('{}');
      })();
    }).listen(this.#port, '127.0.0.1');
    await once(this.#server, 'listening');
  }

  /** From now on connections are refused; what is being answered still is. */
  close(): void {
    this.#server?.close();
  }
}

let postgres: PostgresServer;
beforeAll(async () => {
  postgres = await startPostgres();
});
afterAll(() => postgres?.stop());

async function onPostgres(): Promise<{ url: string; settings: Record<string, string> }> {
  const url = await postgres.createDatabase();
  const at = new URL(url);
  return {
    url,
    settings: {
      SITE_DSN: `pgsql:host=${at.hostname};port=${at.port};dbname=${at.pathname.slice(1)}`,
      SITE_DB_USER: decodeURIComponent(at.username),
      SITE_DB_PASSWORD: decodeURIComponent(at.password),
    },
  };
}

const inSite = (site: PhpSite, code: string): Promise<string> => site.php('-r', `require 'src/bootstrap.php'; ${code}`);
const waiting = async (site: PhpSite): Promise<number[]> =>
  JSON.parse(
    await inSite(site, `echo json_encode(array_column(rows('SELECT id FROM chat_outbox ORDER BY id'), 'id'));`),
  ) as number[];
const numbers = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, i) => from + i);
const send = (site: PhpSite): Promise<string> => site.php('bin/send-events.php', '--once');

describe('bin/send-events.php of the example site', () => {
  let site: PhpSite | undefined;
  let intake: Intake;
  afterEach(async () => {
    intake.close();
    await site?.stop();
  });

  async function start(settings: Readonly<Record<string, string>> = {}): Promise<PhpSite> {
    const port = await freePort();
    intake = new Intake(port);
    site = await startPhpSite({ ...settings, CHAT_URL: `http://127.0.0.1:${port}`, EVENTS_API_KEY: 'key' });
    await site.forward('2-token-and-events');
    await site.php('bin/add-outbox.php');
    return site;
  }

  const fill = (on: PhpSite, count: number): Promise<string> =>
    inSite(
      on,
      `db()->beginTransaction(); for ($n = 1; $n <= ${count}; $n++) db()->exec("INSERT INTO chat_outbox (event) VALUES ('{\\"n\\":$n}')"); db()->commit();`,
    );

  it('keeps waiting events when the chat becomes unavailable after a successful call', async () => {
    const on = await start();
    await fill(on, 150);
    await intake.open(() => {
      intake.close();
      return 200;
    });
    await expect(send(on)).rejects.toThrow('chat answered 0');
    expect(await waiting(on)).toEqual(numbers(101, 150));
    await intake.open(() => 200);
    await send(on);
    expect(intake.given).toEqual([numbers(1, 100), numbers(101, 150)]);
    expect(await waiting(on)).toEqual([]);
  });

  it.each([401, 404, 429, 500, 503])('keeps all events when the chat answers %i', async (status) => {
    const on = await start();
    await fill(on, 3);
    await intake.open(() => status);
    await expect(send(on)).rejects.toThrow(`chat answered ${status}`);
    expect(await waiting(on)).toEqual([1, 2, 3]);
    expect(await inSite(on, `echo count(rows('SELECT id FROM chat_outbox_refused'));`)).toBe('0');
  });

  it('halves a batch that is too large, in order, until the chat accepts it', async () => {
    const on = await start();
    await fill(on, 100);
    await intake.open(({ events }) => (events.length > 30 ? 413 : 200));
    await send(on);
    const taken = intake.given.filter(({ length }) => length <= 30);
    expect(taken.flat()).toEqual(numbers(1, 100));
    expect(await waiting(on)).toEqual([]);
  });

  it.each([400, 413, 422])('puts one event aside that is answered %i, and sends the others', async (status) => {
    const on = await start();
    await fill(on, 100);
    await intake.open(({ events }) => (events.some(({ n }) => n === 37) ? status : 200));
    await send(on);
    expect(await waiting(on)).toEqual([]);
    const aside = JSON.parse(
      await inSite(on, `echo json_encode(rows('SELECT * FROM chat_outbox_refused'));`),
    ) as unknown;
    expect(aside).toEqual([{ id: 37, event: '{"n":37}', reason: `${status} {}` }]);
  });

  it('on PostgreSQL: a row that is committed while the chat answers is not deleted unsent', async () => {
    const { url, settings } = await onPostgres();
    const on = await start(settings);
    const late = new pg.Client({ connectionString: url });
    await late.connect();
    await late.query('BEGIN');
    await late.query(`INSERT INTO chat_outbox (event) VALUES ('{"n":1}')`);
    await inSite(on, `db()->exec("INSERT INTO chat_outbox (event) VALUES ('{\\"n\\":2}')");`);
    await intake.open(async (_given, call) => {
      if (call === 1) await late.query('COMMIT');
      return 200;
    });
    await send(on);
    await late.end();
    expect(intake.given).toEqual([[2], [1]]);
    expect(await waiting(on)).toEqual([]);
  });
});

describe('bin/send-events.php before the chat itself', () => {
  let chat: StandaloneTarget;
  let http: HttpClient;
  beforeAll(async () => {
    chat = await startStandalone(
      { profile: 'channel-only', webhookUrl: '', siteOrigin: '' },
      { LEDGER_CUSTOMER_READS: 'true' },
    );
    http = new HttpClient(chat.baseUrl);
  });
  afterAll(async () => {
    http?.close();
    await chat?.stop();
  });

  async function kept(session: number): Promise<string[]> {
    const bodies: string[] = [];
    for (let after = 0; ; ) {
      const path = `/chat/session/${session}/messages?limit=100&after_id=${after}`;
      const page = (await http.get(path, { token: channelToken(session) })).as(messagesResponseSchema);
      bodies.push(...page.messages.map(({ body }) => body));
      if (!page.has_more) return bodies;
      after = page.messages.at(-1)?.id ?? Number.POSITIVE_INFINITY;
    }
  }

  it.each([
    ['SQLite', 1_000],
    ['PostgreSQL', 2_000],
  ] as const)(
    'on %s: all that the chat can hold is in it in order, and the rest lies aside',
    async (database, first) => {
      const { settings } = database === 'SQLite' ? { settings: {} } : await onPostgres();
      const site = await startPhpSite({
        ...settings,
        CHAT_URL: chat.baseUrl,
        EVENTS_API_KEY: SECRETS.eventsKey,
        CHAT_EVENTS: 'outbox',
        CHAT_TOKEN_SECRET: SECRETS.channel.split(',')[0] ?? '',
      });
      try {
        await site.forward('2-token-and-events');
        await site.php('bin/add-outbox.php');
        // Both sites fill one ledger: their numbers are kept apart.
        await inSite(
          site,
          database === 'SQLite'
            ? `db()->exec("INSERT INTO sqlite_sequence VALUES ('chat', ${first}), ('chat_message', ${first})");`
            : `db()->exec("ALTER SEQUENCE chat_id_seq RESTART ${first}"); db()->exec("ALTER SEQUENCE chat_message_id_seq RESTART ${first}");`,
        );
        const [guest, olga] = [new SiteVisitor(site.baseUrl), new SiteVisitor(site.baseUrl)];
        await olga.signIn('olga');
        const opened = await guest.call('POST', '/chat/session', { name: 'Пётр', initial_message: 'm0' });
        const { id } = (await opened.json()) as { id: number };
        const written = ['m0'];
        const say = async (body: string, isKept = true, who = guest, path = 'message'): Promise<void> => {
          expect([body.slice(0, 20), (await who.call('POST', `/chat/${id}/${path}`, { body })).status]).toEqual([
            body.slice(0, 20),
            201,
          ]);
          if (isKept) written.push(body);
        };
        // Together far over what one request may have, however it is written.
        for (let n = 1; n <= 60; n += 1) await say(`${n} ${'ж'.repeat(4_900)}`);
        // A space to the chat, a text to PHP's `trim`.
        await say('\u00a0', false);
        await say('ответ', true, olga, 'reply');
        if (database === 'SQLite') await say('a\u0000b', false);
        await say('last');
        await send(site);

        expect(await kept(id)).toEqual(written);
        expect(await waiting(site)).toEqual([]);
        const aside = await inSite(site, `echo json_encode(rows('SELECT reason FROM chat_outbox_refused'));`);
        expect((JSON.parse(aside) as unknown[]).length).toBe(database === 'SQLite' ? 2 : 1);
        expect(aside).toContain('events.0.data.body');
      } finally {
        await site.stop();
      }
    },
  );
});
