import { type MariaDbServer, openSite, startMariaDb } from '@chat-realtime/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { printSql } from '../print-sql.ts';
import { sampleSite } from '../testing/sample-site.ts';
import { orderSuite } from '../testing/order-suite.ts';
import { siteSuite } from '../testing/site-suite.ts';

let server: MariaDbServer;
beforeAll(async () => {
  server = await startMariaDb();
});
afterAll(() => server.stop());

siteSuite('mysql', () => server.createDatabase());
orderSuite('mysql', () => server.createDatabase());

describe('rights on MariaDB', () => {
  it('[TAB3] record changes of a user who may not see the outbox, and fail no write if their definer lost the right', async () => {
    const url = await server.createDatabase();
    const site = await sampleSite('mysql', url);
    const database = new URL(url).pathname.slice(1);
    const as = (user: string) => openSite('mysql', url.replace(/\/\/[^@]*@/, `//${user}:pw@`), 2);
    for (const user of ['maker', 'app']) await site.client.query(`CREATE USER ${user}@'127.0.0.1' IDENTIFIED BY 'pw'`);
    await site.client.query(`GRANT CREATE, DROP, TRIGGER, SELECT ON \`${database}\`.* TO maker@'127.0.0.1'`);
    const outbox = `\`${database}\`.chat_realtime_outbox`;
    for (const table of ['chat', 'chat_message'])
      await site.client.query(`GRANT SELECT, INSERT, UPDATE ON \`${database}\`.${table} TO app@'127.0.0.1'`);
    const [maker, app] = [as('maker'), as('app')];
    await maker.script(printSql(site.config));
    await site.client.query(`GRANT INSERT ON ${outbox} TO maker@'127.0.0.1'`);
    await app.query("INSERT INTO chat (guest_name) VALUES ('x')");
    expect(await site.client.query('SELECT kind FROM chat_realtime_outbox')).toEqual([{ kind: 'session' }]);
    await expect(app.query('SELECT * FROM chat_realtime_outbox')).rejects.toThrow('denied');

    await site.client.query(`REVOKE INSERT ON ${outbox} FROM maker@'127.0.0.1'`);
    await app.query("INSERT INTO chat (guest_name) VALUES ('y')");
    await app.query("UPDATE chat SET state = 2 WHERE guest_name = 'y'");
    expect(await site.client.query('SELECT state FROM chat ORDER BY id')).toEqual([{ state: 0 }, { state: 2 }]);
    for (const client of [maker, app, site.client]) await client.close();
  });
});
