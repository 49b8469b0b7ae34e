import { execFile } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import {
  findBinary,
  freePort,
  openSite,
  type PostgresServer,
  type SiteKind,
  startMariaDb,
  startPostgres,
  startProcess,
  tempFolder,
} from '@chat-realtime/testkit';
import { loadConfig } from '@chat-realtime/service-kit';
import { parseTableSource, printSql, siteConnection } from '@chat-realtime/table-source';
import { jwtVerify } from 'jose';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { parseEvent } from '../../apps/chat-service/src/intake/parse-event.ts';
import { dispatcherEnvironment } from '../../apps/channel-dispatcher/src/config.ts';
import { gatewayEnvironment } from '../../apps/channel-gateway/src/config.ts';
import { standaloneSchema } from '../../apps/standalone/src/config.ts';
import { sampleSite } from '../../libs/table-source/src/testing/sample-site.ts';

const run = promisify(execFile);
const ROOT = new URL('../../', import.meta.url).pathname;
const GUIDES = ['docs/guides/existing-site.md', 'docs/guides/existing-site.ru.md'] as const;
const SECRET = '0123456789abcdef0123456789abcdef';
const php = findBinary('php', 'php-cli');
const ENV = {
  PATH: process.env['PATH'] ?? '',
  CHAT_TOKEN_SECRET: `k1:${SECRET}`,
  IDENTITY_SECRET: `shop:${SECRET}`,
  AUTH_JWT_SECRET: SECRET,
  AUTH_ISSUER: 'https://site.example',
  AUTH_AUDIENCE: 'chat',
  ALERT_WEBHOOK_SECRET: SECRET,
  CHAT_CHANNEL_URL: 'wss://site.example/channel/ws?a="b"',
};

const text = (guide: string): string => readFileSync(join(ROOT, guide), 'utf8');

/** The only block of a guide in this language that holds these words, as it stands. */
function block(guide: string, language: string, words: string): string {
  const all = [...text(guide).matchAll(new RegExp(`\`\`\`${language}\\n(.*?)\`\`\``, 'gs'))].map(
    ([, body = '']) => body,
  );
  const [found, ...others] = all.filter((body) => body.includes(words));
  if (found === undefined || others.length > 0)
    throw new Error(`${guide}: ${words} stands in ${others.length + 1} blocks`);
  return found;
}

/** The snippet between what the guide takes for given, and what shows its result. */
async function runPhp(before: string, snippet: string, after: string): Promise<string> {
  const file = join(tempFolder('snippet'), 'snippet.php');
  await writeFile(file, `<?php\n${before}\n${snippet}\n${after}\n`);
  return (await run(php, ['-d', 'error_reporting=-1', '-d', 'display_errors=stderr', file], { env: ENV })).stdout;
}

describe.each(GUIDES)('the PHP of %s', (guide) => {
  it('makes the channel token of the check next to it', async () => {
    const snippet = block(guide, 'php', '$chatId\\n');
    // The guide's own figures: key, chat, moment and result.
    expect(text(guide)).toContain('1762587011');
    const out = await runPhp(
      'namespace guide; function time(): int { return 1762587011; } $chatId = 123;',
      snippet,
      'echo $token;',
    );
    expect(out).toBe('k1.1762587011.12CB2wIZQzgSncNVqukwL52L2rC_Kccv0cY5dNBq5ps');
  });

  it('makes a staff JWT that our verifier’s library accepts', async () => {
    const snippet = block(guide, 'php', 'full_name');
    const jwt = await runPhp("$manager = ['id' => 7, 'full_name' => \"Анна \\xff\"];", snippet, 'echo $jwt;');
    const { payload } = await jwtVerify(jwt, new TextEncoder().encode(SECRET), {
      issuer: 'https://site.example',
      audience: 'chat',
      algorithms: ['HS256'],
    });
    expect(payload).toMatchObject({ sub: '7', role: 'operator', scope: 'all', name: 'Анна \ufffd' });
    expect((payload.exp ?? 0) - (payload.iat ?? 0)).toBeLessThanOrEqual(86_400);
  });

  it('makes an identity token', async () => {
    const snippet = block(guide, 'php', "'sessions'");
    const jwt = await runPhp("$user = ['id' => 5, 'name' => 'Вера'];", snippet, 'echo $identity;');
    const { payload, protectedHeader } = await jwtVerify(jwt, new TextEncoder().encode(SECRET), { audience: 'chat' });
    expect(protectedHeader).toMatchObject({ alg: 'HS256', kid: 'shop' });
    expect(payload).toMatchObject({ sub: '5', name: 'Вера', sessions: [] });
    expect((payload.exp ?? 0) - (payload.iat ?? 0)).toBeLessThanOrEqual(600);
  });

  it('puts the address of the channel into the layout, escaped', async () => {
    const snippet = block(guide, 'php', 'channel.js');
    const out = await runPhp(`require '${ROOT}examples/php-site/src/bootstrap.php'; ?>`, snippet, '');
    expect(out).toContain('data-address="wss://site.example/channel/ws?a=&quot;b&quot;"');
  });

  it('accepts a webhook that the chat signed, and no other', async () => {
    const folder = tempFolder('snippet');
    await writeFile(
      join(folder, 'index.php'),
      `<?php if ($_SERVER['REQUEST_METHOD'] === 'GET') { exit; }\n${block(guide, 'php', 'X_CHAT_SIGNATURE')}\necho $alert['reason'];`,
    );
    const port = await freePort();
    const url = `http://127.0.0.1:${port}/`;
    const app = await startProcess({
      name: 'snippet',
      command: php,
      args: ['-S', `127.0.0.1:${port}`, join(folder, 'index.php')],
      env: ENV,
      ready: url,
    });
    try {
      const body = JSON.stringify({ reason: 'waiting', session_id: 5 });
      const signed = (at: number, secret = SECRET) =>
        `t=${at},v1=${createHmac('sha256', secret).update(`${at}.${body}`).digest('hex')}`;
      const ask = async (signature?: string) => {
        const headers = signature === undefined ? {} : { 'X-Chat-Signature': signature };
        const answer = await fetch(url, { method: 'POST', body, headers });
        return [answer.status, await answer.text()];
      };
      const now = Math.floor(Date.now() / 1_000);
      expect(await ask(signed(now))).toEqual([200, 'waiting']);
      for (const wrong of [undefined, '', signed(now, 'another secret'), signed(now - 301), `${signed(now)}0`])
        expect(await ask(wrong)).toEqual([401, '']);
    } finally {
      await app.stop('SIGTERM');
    }
  });
});

/** What a command of a guide sets, with a secret where the guide leaves one out. */
function variables(command: string): Record<string, string> {
  const assignments = [...command.matchAll(/\b([A-Z][A-Z_]+)=(\S+)/g)];
  return Object.fromEntries(assignments.map(([, name = '', value = '']) => [name, value.replace('…', SECRET)]));
}

describe.each(GUIDES)('the commands and events of %s', (guide) => {
  it('start a chat in one process that has metrics and trusts its proxy', async () => {
    const TABLE_SOURCE = join(tempFolder('guide'), 'table-source.yaml');
    await writeFile(TABLE_SOURCE, block(guide, 'yaml', 'grant_to'));
    const set: Record<string, string> = { ...variables(block(guide, 'sh', 'CHAT_ROLE=ledger')), TABLE_SOURCE };
    // The file names it, and reads it from the process.
    vi.stubEnv('SITE_DATABASE_URL', set['SITE_DATABASE_URL']);
    const config = loadConfig(standaloneSchema, set);
    vi.unstubAllEnvs();
    expect(config).toMatchObject({ CHAT_ROLE: 'ledger', METRICS_PORT: 9464 });
    expect(set).toMatchObject({ TRUSTED_PROXIES: '127.0.0.1', AUTH_ISSUER: 'https://site.example' });
  });

  it('start dispatcher and gateway beside a site that keeps the sequence', () => {
    const [common = '', ...services] = block(guide, 'sh', 'CATCHUP_URL').split(/^(?=RABBITMQ_URL|CATCHUP_URL)/m);
    expect(services).toHaveLength(2);
    const of = (command = '') => ({ ...variables(common), ...variables(command) });
    expect(() => loadConfig(dispatcherEnvironment, of(services[0]))).not.toThrow();
    const gateway = loadConfig(gatewayEnvironment, of(services[1]));
    expect(gateway).toMatchObject({ PORT: 8103, CHANNEL_TICKS: 'off' });
  });

  it('give events that the intake accepts, and refuse a time without an offset', () => {
    const { events } = JSON.parse(block(guide, 'json', '"events"')) as { events: Record<string, unknown>[] };
    expect(events.map((event) => parseEvent(event)).filter(({ ok }) => !ok)).toEqual([]);
    expect(new Set(events.map(({ type }) => type)).size).toBe(4);
    const refused = { ...events[1], data: { ...(events[1]?.['data'] as object), created_at: '2026-01-10 12:00:00' } };
    expect(parseEvent(refused)).toMatchObject({ ok: false, problems: [{ path: 'data.created_at' }] });
  });
});

describe('the SQL and the file of the guide', () => {
  let postgres: PostgresServer;
  let mariadb: Awaited<ReturnType<typeof startMariaDb>>;
  beforeAll(async () => {
    [postgres, mariadb] = await Promise.all([startPostgres(), startMariaDb()]);
  }, 120_000);
  afterAll(async () => {
    await Promise.all([postgres?.stop(), mariadb?.stop()]);
  });

  const followed = (kind: SiteKind, url: string): string => {
    const yaml = block(GUIDES[0], 'yaml', 'grant_to')
      .replace(/^database: \S+/m, `database: ${kind}`)
      .replace(/^url: \S+/m, `url: ${url}`);
    return kind === 'mysql' ? yaml.replace(/^grant_to: \S+/m, 'grant_to: chat_follower@127.0.0.1') : yaml;
  };

  it.each([
    ['postgresql', /`(CREATE ROLE chat_follower [^`]+)`/],
    ['mysql', /`(CREATE USER chat_follower@[^`]+)`/],
  ] as const)('make a follower on %s who may read what it reads, and nothing else', async (kind, statement) => {
    const url = kind === 'mysql' ? await mariadb.createDatabase() : await postgres.createDatabase();
    const site = await sampleSite(kind, url);
    for (const guide of GUIDES) expect(statement.exec(text(guide))?.[1]).toBe(statement.exec(text(GUIDES[0]))?.[1]);
    const sql = statement.exec(text(GUIDES[0]))?.[1] ?? '';
    await site.client.query(sql);
    const password = /'([^']*)'/.exec(sql)?.[1] ?? '';
    const own = Object.assign(new URL(url), { username: 'chat_follower', password });
    own.hostname = '127.0.0.1';
    const config = parseTableSource(followed(kind, String(own)), { env: {} });
    await site.client.script(printSql(config));
    const chat = await site.openChat();
    await site.write(chat, 'здравствуйте');
    const connection = await siteConnection(config).connect(() => undefined);
    const rows = await connection.readOutbox(10);
    expect(rows.map(({ kind: what }) => what)).toEqual(['session', 'message']);
    expect(await connection.messages([rows[1]?.rowId ?? ''])).toMatchObject([{ body: 'здравствуйте' }]);
    await connection.deleteOutbox(rows);
    await connection.close();
    expect(text(GUIDES[0])).toContain('`SELECT count(*) FROM chat_realtime_outbox`');
    const [left] = await site.client.query('SELECT count(*) AS n FROM chat_realtime_outbox');
    expect(Number(left?.['n'])).toBe(0);
    const follower = openSite(kind, String(own), 1);
    await expect(follower.query("UPDATE chat SET guest_name = 'x'")).rejects.toThrow(/denied/);
    await follower.close();
    await site.client.script(printSql(config, { remove: true }));
    await site.client.close();
  });
});
