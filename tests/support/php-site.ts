import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { cp, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type AppProcess, findBinary, freePort, sleep, startProcess, tempFolder } from '@chat-realtime/testkit';

const run = promisify(execFile);
const SOURCE = fileURLToPath(new URL('../../examples/php-site', import.meta.url));

export const STEPS = ['2-token-and-events', '3-widget', '4-staff-pages', '5-alarms'] as const;
/** In place of steps 3 and 4: our widget and badge, over the site's own REST. */
export const OUR_WIDGET = '3-our-widget';
/** Between 2 and 3: compares what polling and the channel show. */
export const SHADOW = '2-shadow';
/** In place of step 2: the site keeps the sequence of its chats, and no ledger stands between. */
export const KEEPS_SEQ = 'level-1-site-keeps-seq';
export type SiteStep = (typeof STEPS)[number] | typeof OUR_WIDGET | typeof SHADOW | typeof KEEPS_SEQ;

export interface PhpSite {
  readonly baseUrl: string;
  /** Of PHP's own server, whose workers are its children. */
  readonly pid: number;
  /** Requests answered so far. */
  requests(): number;
  /** Puts a step into the running site, or takes it out again. */
  forward(step: SiteStep): Promise<void>;
  back(step: SiteStep): Promise<void>;
  /** `php <file>` with the settings of the site. */
  php(...args: string[]): Promise<string>;
  /** A script beside the site, started again when it ends, as a service is; it ends with the site. */
  worker(...args: string[]): void;
  stop(): Promise<void>;
}

async function filesOf(folder: string): Promise<Map<string, string>> {
  const files = new Map<string, string>();
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    const name = relative(folder, path);
    if (entry.isFile() && !name.startsWith('site.sqlite')) files.set(name, await readFile(path, 'utf8'));
  }
  return files;
}

const RESTART_MS = 500;
/** A request that is being answered may still need what goes. */
const ANSWERED_MS = 500;

/** File by file, each whole at any moment: what is new first, what goes last. */
async function deploy(from: string, to: string): Promise<void> {
  const wanted = await filesOf(from);
  const present = await filesOf(to);
  const isNew = (name: string) => (present.has(name) ? 1 : 0);
  for (const [name, text] of [...wanted].toSorted(([a], [b]) => isNew(a) - isNew(b))) {
    if (text === present.get(name)) continue;
    await mkdir(dirname(join(to, name)), { recursive: true });
    await writeFile(join(to, `${name}.new`), text);
    await rename(join(to, `${name}.new`), join(to, name));
  }
  const gone = [...present.keys()].filter((name) => !wanted.has(name));
  if (gone.length === 0) return;
  await sleep(ANSWERED_MS);
  for (const name of gone) await rm(join(to, name));
}

export interface PhpSiteOptions {
  /** As a host of production has it: PHP keeps what it compiled, and its connections. */
  readonly warm?: boolean;
}

/** The example site on PHP's own server and, unless `env` says otherwise, SQLite. */
export async function startPhpSite(
  env: Readonly<Record<string, string>> = {},
  { warm = false }: PhpSiteOptions = {},
): Promise<PhpSite> {
  const folder = tempFolder('php-site');
  const site = join(folder, 'site');
  const next = join(folder, 'next');
  await cp(SOURCE, site, { recursive: true });
  await cp(SOURCE, next, { recursive: true });
  const command = findBinary('php', 'php-cli');
  const settings = { ...env, SITE_PASSWORD: 'secret', ...(warm ? { SITE_DB_PERSISTENT: '1' } : {}) };
  const php = async (...args: string[]) => {
    const options = { cwd: site, env: { PATH: process.env['PATH'] ?? '', ...settings } };
    return (await run(command, args, options)).stdout;
  };
  await php('bin/install.php');
  const port = await freePort();
  let requests = 0;
  const app: AppProcess = await startProcess({
    name: 'PHP site',
    command,
    // A file that has changed counts at once: unless it is warm it keeps nothing, and then it looks at each file's time.
    args: [
      ...['-d', `opcache.enable=${warm ? 1 : 0}`, '-d', 'opcache.revalidate_freq=0'],
      ...['-S', `127.0.0.1:${port}`, '-t', join(site, 'public'), join(site, 'public/index.php')],
    ],
    env: { ...settings, PHP_CLI_SERVER_WORKERS: '6' },
    cwd: site,
    ready: `http://127.0.0.1:${port}/`,
    readyTimeoutMs: 30_000,
    // It closes after each answer, and says of a request that a script answered no more than `127.0.0.1:40312 Accepted`.
    onLine: (line) => {
      if (/ Accepted\s*$/.test(line)) requests += 1;
    },
  });
  const workers = new Map<string, ChildProcess>();
  const restarts: NodeJS.Timeout[] = [];
  let isStopped = false;
  const move = async (step: SiteStep, isBack: boolean): Promise<void> => {
    const patch = join(SOURCE, 'steps', `${step}.patch`);
    await run('git', ['apply', '-p1', ...(isBack ? ['-R'] : []), patch], { cwd: next });
    await deploy(next, site);
  };
  return {
    baseUrl: `http://127.0.0.1:${port}`,
    pid: app.pid,
    requests: () => requests,
    forward: (step) => move(step, false),
    back: (step) => move(step, true),
    php,
    worker: (...args) => {
      const begin = (): void => {
        const env = { PATH: process.env['PATH'] ?? '', ...settings };
        const child = spawn(command, args, { cwd: site, env, stdio: 'ignore' });
        workers.set(args.join(' '), child);
        child.once('exit', () => {
          if (!isStopped) restarts.push(setTimeout(begin, RESTART_MS));
        });
      };
      begin();
    },
    stop: async () => {
      isStopped = true;
      for (const restart of restarts) clearTimeout(restart);
      for (const worker of workers.values()) worker.kill('SIGTERM');
      await app.stop('SIGTERM');
    },
  };
}

/** A browser without a page: it keeps its cookie. */
export class SiteVisitor {
  readonly #baseUrl: string;
  #cookie: string;

  /** With a `cookie`, the same person as in a browser that has it. */
  constructor(baseUrl: string, cookie = '') {
    this.#baseUrl = baseUrl;
    this.#cookie = cookie;
  }

  async call(method: string, path: string, body?: object | URLSearchParams): Promise<Response> {
    const isForm = body instanceof URLSearchParams;
    const answer = await fetch(`${this.#baseUrl}${path}`, {
      method,
      redirect: 'manual',
      headers: {
        ...(this.#cookie === '' ? {} : { Cookie: this.#cookie }),
        ...(body === undefined || isForm ? {} : { 'Content-Type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: isForm ? body : JSON.stringify(body) }),
    });
    const cookie = /^[^;]+/.exec(answer.headers.getSetCookie().at(-1) ?? '')?.[0];
    if (cookie !== undefined) this.#cookie = cookie;
    return answer;
  }

  async signIn(login: string): Promise<void> {
    const answer = await this.call('POST', '/login', new URLSearchParams({ login, password: 'secret' }));
    if (answer.status !== 303) throw new Error(`signing in as ${login} answered ${answer.status}`);
  }
}
