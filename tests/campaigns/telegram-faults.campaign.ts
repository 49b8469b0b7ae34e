// The Telegram bot is killed, Redis wiped, and Telegram answers 429, 5xx or nothing for a minute, under traffic of seven chats; then an idle bot asks for the head of the feed alone. About seven minutes.
import { createServer, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  type ApiFault,
  type AppProcess,
  FakeBotApi,
  HttpClient,
  redisCommand,
  type Stack,
  sleep,
  Staff,
  startStack,
  until,
} from '@chat-realtime/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runSeed, SeededRandom } from '../support/seeded-random.ts';
import { TelegramCrowd } from '../support/telegram-crowd.ts';
import { TelegramDesk } from '../support/telegram-desk.ts';

/** Ten minutes by TELEGRAM_IDLE_SECONDS=600. */
const IDLE_SECONDS = Number(process.env['TELEGRAM_IDLE_SECONDS'] ?? 120);
const HEAD_CHECK_SECONDS = 60;
const BAD_MINUTE_MS = 60_000;
/** A call that hangs is given up after 30 s, and the next try of the same text waits at most 60 s. */
const SETTLED_MS = 240_000;
const AMBIGUOUS = 'a text is sent again: nobody knows whether Telegram took it';

const seed = runSeed('FAULTS_SEED');
const random = new SeededRandom(seed);
let api: FakeBotApi;
let asked: CountedWay;
let stack: Stack;
let bot: AppProcess;
let http: HttpClient;
let crowd: TelegramCrowd;

/** The bot's way to chat-service: passes everything on, and keeps what was asked. */
class CountedWay {
  readonly paths: string[] = [];
  target = '';
  readonly #server: Server;

  constructor() {
    this.#server = createServer((incoming, outgoing) => {
      // The bot starts before anybody knows where the chat is.
      if (this.target === '') {
        outgoing.writeHead(503).end();
        return;
      }
      this.paths.push(new URL(incoming.url ?? '/', 'http://bot.invalid').pathname);
      const onward = request(
        new URL(incoming.url ?? '/', this.target),
        { method: incoming.method ?? 'GET', headers: incoming.headers },
        (answer) => {
          outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
          answer.pipe(outgoing);
        },
      );
      onward.on('error', () => outgoing.destroy());
      incoming.pipe(onward);
    });
  }

  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }
}

beforeAll(async () => {
  console.log(`FAULTS_SEED=${seed}`);
  api = await FakeBotApi.start();
  asked = new CountedWay();
  const chatUrl = await asked.start();
  stack = await startStack({
    gateways: 1,
    onProgress: (line) => console.log(line),
    env: {
      TELEGRAM_BOT_TOKEN: api.token,
      TELEGRAM_API_ROOT: api.url,
      RATE_SESSIONS_PER_MINUTE: '0',
      RATE_MESSAGES_PER_MINUTE: '0',
      // After five minutes the chats of an operator who is nowhere would go back, and the bot would tell of them.
      RETURN_TO_QUEUE: 'never',
    },
    serviceEnv: { 'telegram-bot': { CHAT_SERVICE_URL: chatUrl } },
  });
  asked.target = stack.addresses.chat;
  if (stack.telegram === null) throw new Error('the stack has no Telegram bot');
  bot = stack.telegram;
  http = new HttpClient(stack.url);
  const [anna, boris] = await Promise.all(['anna', 'boris'].map((login) => Staff.login(http, login, stack.password)));
  if (anna === undefined || boris === undefined) throw new Error('two operators are needed');
  const desk = new TelegramDesk(http, api);
  await desk.ready(anna);
  crowd = new TelegramCrowd(desk, anna, boris, random.fork());
  await crowd.gather();
  console.log('all are there');
}, 600_000);
afterAll(async () => {
  http?.close();
  await stack?.stop();
  await asked?.stop();
  await api?.stop();
});

/** As whoever supervises it does: on a busy machine its database may not answer in time, and it ends. */
async function startBot(): Promise<void> {
  for (let left = 3; ; left -= 1) {
    try {
      await bot.start();
      return;
    } catch (error) {
      if (left === 0) throw error;
      console.log(`the bot did not start: ${String(error).slice(0, 200)}`);
    }
  }
}

async function killBot(): Promise<void> {
  await bot.kill();
  await sleep(random.integer(0, 1_500));
  await startBot();
}

/** What a call meets with on a bad day; about half of them go well. */
function weather(): ApiFault | undefined {
  switch (random.integer(1, 16)) {
    case 1:
    case 2:
      return { kind: 'error', code: 429, parameters: { retry_after: random.integer(1, 3) } };
    case 3:
    case 4:
      return { kind: 'error', code: random.pick([500, 502, 503, 504]) };
    case 5:
    case 6:
      return { kind: 'lost' };
    case 7:
      return { kind: 'dropped' };
    case 8:
      return { kind: 'silent', done: random.next() < 0.5 };
    default:
      return undefined;
  }
}

/** How often the bot has said of a chat that one of its texts may stand twice. */
function admitted(): Map<number, number> {
  const counts = new Map<number, number>();
  for (const { message, session_id: sessionId } of bot.logs)
    if (message === AMBIGUOUS && typeof sessionId === 'number') counts.set(sessionId, (counts.get(sessionId) ?? 0) + 1);
  return counts;
}

async function figure(name: string): Promise<number> {
  const text = await (await fetch(new URL('/metrics', stack.addresses.telegram ?? ''))).text();
  return [...text.matchAll(new RegExp(`^${name}(?:\\{[^}]*\\})? (\\S+)$`, 'gm'))].reduce(
    (sum, [, value]) => sum + Number(value),
    0,
  );
}

test('[TG12] [TG13] kills, a wiped Redis and a minute of Telegram faults: nothing is lost or reordered, and repeats are counted', async () => {
  crowd.start();
  for (let kill = 1; kill <= 6; kill += 1) {
    await sleep(random.integer(1_500, 6_000));
    await killBot();
  }
  await redisCommand(stack.redis.url, 'FLUSHALL');
  await sleep(random.integer(1_000, 3_000));
  await stack.redis.wipe();
  await Promise.all([sleep(3_000), redisCommand(stack.redis.url, 'FLUSHALL'), killBot()]);
  const from = performance.now();
  api.faults.always(weather);
  await sleep(BAD_MINUTE_MS / 2);
  await bot.kill();
  const lastLife = bot.logs.length;
  await startBot();
  await sleep(Math.max(0, from + BAD_MINUTE_MS - performance.now()));
  await crowd.stop();
  api.faults.always(() => undefined);
  const settling = performance.now();
  const missing = await until(
    async () => {
      const left = await crowd.missing();
      return left.length === 0 && (await figure('chat_telegram_sends_pending')) === 0 ? left : undefined;
    },
    { timeoutMs: SETTLED_MS, everyMs: 1_000, what: 'everything everywhere' },
  ).catch(() => crowd.missing());
  expect(missing).toEqual([]);
  expect(await crowd.broken()).toEqual([]);

  const said = admitted();
  const repeats = crowd.repeats();
  const doubled = new Map<number, number>();
  for (const { sessionId, times } of repeats) doubled.set(sessionId, (doubled.get(sessionId) ?? 0) + times - 1);
  for (const [sessionId, times] of doubled)
    expect(said.get(sessionId) ?? 0, `chat ${sessionId}: ${JSON.stringify(repeats)}`).toBeGreaterThanOrEqual(times);
  const saidInLastLife = bot.logs.slice(lastLife).filter(({ message }) => message === AMBIGUOUS).length;
  expect(await figure('chat_telegram_ambiguous_sends_total')).toBe(saidInLastLife);
  const total = [...doubled.values()].reduce((sum, times) => sum + times, 0);
  const windows = [...said.values()].reduce((sum, times) => sum + times, 0);
  console.log(
    `${crowd.written} messages, ${windows} ambiguous sends said, ${total} texts doubled, all there ${Math.round((performance.now() - settling) / 1_000)} s after the bad minute`,
  );
  // A run that met no fault has shown nothing.
  expect([crowd.written > 300, windows > 0, total > 0]).toEqual([true, true, true]);
});

test('[TG15] an idle bot requests only the head of the feed from chat-service', async () => {
  // Delivery marks of the last texts are told a moment later.
  await sleep(5_000);
  const before = asked.paths.length;
  await sleep(IDLE_SECONDS * 1_000);
  const paths = asked.paths.slice(before);
  const checks = IDLE_SECONDS / HEAD_CHECK_SECONDS;
  console.log(`${paths.length} requests in ${IDLE_SECONDS} s: ${paths.join(' ')}`);
  expect(new Set(paths)).toEqual(new Set(['/internal/catchup']));
  expect(paths.length).toBeGreaterThanOrEqual(Math.floor(checks) - 1);
  expect(paths.length).toBeLessThanOrEqual(Math.ceil(checks) + 1);
});
