import { type PostgresServer, sleep, startPostgres } from '@chat-realtime/testkit';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type PhpSite, SiteVisitor, startPhpSite } from '../support/php-site.ts';

/** The transaction of the message «медленно» stays open this long after its row has its number. */
const SLOW_MS = 1_500;

describe('two who write into one chat of the example site', () => {
  let postgres: PostgresServer;
  let site: PhpSite;
  beforeAll(async () => {
    postgres = await startPostgres();
    const url = await postgres.createDatabase();
    const at = new URL(url);
    site = await startPhpSite({
      SITE_DSN: `pgsql:host=${at.hostname};port=${at.port};dbname=${at.pathname.slice(1)}`,
      SITE_DB_USER: decodeURIComponent(at.username),
      SITE_DB_PASSWORD: decodeURIComponent(at.password),
    });
    const owner = new pg.Client({ connectionString: url });
    await owner.connect();
    await owner.query(`CREATE FUNCTION linger() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN PERFORM pg_sleep(${SLOW_MS / 1_000}); RETURN NULL; END $$;
      CREATE TRIGGER linger AFTER INSERT ON chat_message FOR EACH ROW WHEN (NEW.body = 'медленно') EXECUTE FUNCTION linger()`);
    await owner.end();
  }, 120_000);
  afterAll(async () => {
    await site?.stop();
    await postgres?.stop();
  });

  it('both appear on a page that polls after its newest row, whichever commits first', async () => {
    const [guest, olga] = [new SiteVisitor(site.baseUrl), new SiteVisitor(site.baseUrl)];
    await olga.signIn('olga');
    const opened = await guest.call('POST', '/chat/session', { name: 'Пётр', initial_message: 'начало' });
    const { id } = (await opened.json()) as { id: number };
    const seen: string[] = [];
    let since = 0;
    const poll = async (): Promise<void> => {
      const answer = await guest.call('GET', `/chat/${id}?since_id=${since}`);
      const { messages } = (await answer.json()) as { messages: { id: number; body: string }[] };
      for (const message of messages) {
        seen.push(message.body);
        since = message.id;
      }
    };
    const slow = olga.call('POST', `/chat/${id}/reply`, { body: 'медленно' });
    // The row has its number long before this.
    await sleep(SLOW_MS / 3);
    const quick = guest.call('POST', `/chat/${id}/message`, { body: 'быстро' });
    let isDone = false;
    const both = Promise.all([slow, quick]).finally(() => (isDone = true));
    while (!isDone) {
      await poll();
      await sleep(50);
    }
    expect((await both).map(({ status }) => status)).toEqual([201, 201]);
    await poll();
    expect(seen).toEqual(['начало', 'медленно', 'быстро']);
  });
});
