import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type AppProcess, freePort, startPostgres, startProcess, tempFolder } from '@chat-realtime/testkit';
import pg from 'pg';
import { type PhpSite, type PhpSiteOptions, startPhpSite } from './php-site.ts';

const run = promisify(execFile);
const path = (file: string): string => fileURLToPath(new URL(`../../${file}`, import.meta.url));
const STANDALONE = path('apps/standalone/dist/main.js');
const ADMIN = path('apps/standalone/dist/admin/main.js');
const TABLES = path('examples/php-site/steps/1-infrastructure/table-source.yaml');
const SECRET = '0123456789abcdef0123456789abcdef';

export interface BesidePhpSite {
  readonly site: PhpSite;
  readonly chatUrl: string;
  readonly chat: AppProcess;
  readonly metricsUrl: string;
  /** `npm run admin -- …` with the chat's settings; answers what it prints. */
  admin(...args: string[]): Promise<string>;
  /** Puts the triggers into the site's tables, or takes them out again, as their owner. */
  triggers(change: 'in' | 'out'): Promise<void>;
  /** Of the site, as its owner. */
  readonly siteDatabase: string;
  /** Nobody follows the site's tables: the user that does may not sign in. */
  stopFollower(): Promise<void>;
  startFollower(): Promise<void>;
  stop(): Promise<void>;
}

/** The example site on PostgreSQL, and the chat that follows its tables. `env` is the chat's. */
export async function startBesidePhpSite(
  env: Readonly<Record<string, string>> = {},
  options: PhpSiteOptions = {},
): Promise<BesidePhpSite> {
  const [postgres, port, metricsPort] = await Promise.all([startPostgres(), freePort(), freePort()]);
  const chatUrl = `http://127.0.0.1:${port}`;
  const [siteDatabase, chatDatabase] = [await postgres.createDatabase(), await postgres.createDatabase()];
  const at = new URL(siteDatabase);
  const staff = { AUTH_JWT_SECRET: SECRET, AUTH_ISSUER: 'https://site.example', AUTH_AUDIENCE: 'chat' };
  const site = await startPhpSite(
    {
      SITE_DSN: `pgsql:host=${at.hostname};port=${at.port};dbname=${at.pathname.slice(1)}`,
      SITE_DB_USER: decodeURIComponent(at.username),
      SITE_DB_PASSWORD: decodeURIComponent(at.password),
      CHAT_TOKEN_SECRET: `k1:${SECRET}`,
      CHAT_CHANNEL_URL: `${chatUrl.replace('http', 'ws')}/channel/ws`,
      CHAT_WIDGET_URL: chatUrl,
      ...staff,
    },
    options,
  );
  // As the guide says: a user of its own, who may do what the printed SQL grants, and no more.
  const follower = Object.assign(new URL(siteDatabase), { username: 'chat_follower', password: SECRET });
  const asOwner = async (...statements: string[]): Promise<void> => {
    const owner = new pg.Client({ connectionString: siteDatabase });
    await owner.connect();
    try {
      for (const statement of statements) await owner.query(statement);
    } finally {
      await owner.end();
    }
  };
  await asOwner(`CREATE ROLE chat_follower LOGIN PASSWORD '${SECRET}'`);
  const settings = {
    HOST: '127.0.0.1',
    PORT: String(port),
    METRICS_PORT: String(metricsPort),
    DATA_DIR: tempFolder('beside-php-site'),
    DATABASE_URL: chatDatabase,
    CHAT_ROLE: 'ledger',
    CHAT_TOKEN_SECRETS: `k1:${SECRET}`,
    ALLOWED_ORIGINS: site.baseUrl,
    TABLE_SOURCE: TABLES,
    SITE_DATABASE_URL: String(follower),
    ...staff,
    ...env,
  };
  const admin = async (...args: string[]): Promise<string> => {
    const options = { env: { PATH: process.env['PATH'] ?? '', ...settings } };
    return (await run(process.execPath, [ADMIN, ...args], options)).stdout;
  };
  const triggers = async (change: 'in' | 'out'): Promise<void> =>
    asOwner(await admin('table-source', 'print-sql', ...(change === 'out' ? ['--remove'] : [])));
  await triggers('in');
  const chat = await startProcess({
    name: 'chat beside the site',
    args: [STANDALONE],
    env: settings,
    ready: `${chatUrl}/readyz`,
    readyTimeoutMs: 120_000,
    stopTimeoutMs: 25_000,
  });
  return {
    site,
    chatUrl,
    chat,
    metricsUrl: `http://127.0.0.1:${metricsPort}/metrics`,
    admin,
    triggers,
    siteDatabase,
    stopFollower: () =>
      asOwner(
        'ALTER ROLE chat_follower NOLOGIN',
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'chat_follower'",
      ),
    startFollower: () => asOwner('ALTER ROLE chat_follower LOGIN'),
    stop: async () => {
      await chat.stop();
      await site.stop();
      await postgres.stop();
    },
  };
}
