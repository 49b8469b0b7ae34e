import { createHmac, randomUUID } from 'node:crypto';
import { mailReturnResponseSchema } from '@chat-realtime/protocol';
import {
  Customer,
  FakeBotApi,
  HttpClient,
  type SmtpDouble,
  type Staff,
  sleep,
  startSmtp,
  until,
} from '@chat-realtime/testkit';
import { simpleParser } from 'mailparser';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { SECRETS } from '../support/profiles.ts';
import { startStandalone, type StandaloneTarget } from '../support/standalone-target.ts';
import { TelegramDesk } from '../support/telegram-desk.ts';

const EMAIL = 'olga@mail.example';
const WAIT = { timeoutMs: 60_000 };

let api: FakeBotApi;
let smtp: SmtpDouble;
let target: StandaloneTarget;
let http: HttpClient;
let desk: TelegramDesk;
let anna: Staff;

beforeAll(async () => {
  [api, smtp] = await Promise.all([FakeBotApi.start(), startSmtp()]);
  target = await startStandalone(
    { profile: 'main', webhookUrl: '', siteOrigin: '' },
    {
      TELEGRAM_BOT_TOKEN: api.token,
      TELEGRAM_API_ROOT: api.url,
      SMTP_URL: smtp.url,
      PUBLIC_URL: 'https://chat.shop.example',
      DEMO: 'auto',
      REPLY_UNSEEN_SECONDS: '2',
    },
  );
  http = new HttpClient(target.baseUrl);
  desk = new TelegramDesk(http, api);
  anna = await desk.staff('anna');
  await desk.ready(anna);
}, 300_000);
afterAll(async () => {
  http?.close();
  await target?.stop();
  await Promise.all([api?.stop(), smtp?.stop()]);
});

/** The operator writes all the time, wherever the customer is. */
class Burst {
  readonly texts: string[] = [];
  readonly #sessionId: number;
  #stopped = false;
  readonly #running: Promise<void>;

  constructor(sessionId: number) {
    this.#sessionId = sessionId;
    this.#running = this.#write();
  }

  async #write(): Promise<void> {
    while (!this.#stopped) {
      const text = `answer-${this.texts.length + 1}.`;
      await anna.post(this.#sessionId, text);
      this.texts.push(text);
      await sleep(150);
    }
  }

  /** Waits until so many more were written. */
  async more(count: number): Promise<void> {
    const wanted = this.texts.length + count;
    await until(() => this.texts.length >= wanted || undefined, { ...WAIT, what: `${count} more answers` });
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
  }
}

const answersIn = (text: string): string[] => text.match(/answer-\d+\./g) ?? [];

async function bringMail(replyTo: string, text: string): Promise<void> {
  const raw = [
    `Message-ID: <${randomUUID()}@mail.example>`,
    `From: Olga <${EMAIL}>`,
    `To: ${replyTo}`,
    'Content-Type: text/plain; charset=utf-8',
    '',
    text,
  ].join('\r\n');
  const at = Math.floor(Date.now() / 1_000);
  const digest = createHmac('sha256', SECRETS.mail).update(`${at}.`).update(raw).digest('hex');
  for (let time = 0; time < 2; time += 1) {
    const answer = await http.request('POST', '/chat/mail/inbound', {
      raw: Buffer.from(raw),
      headers: { 'Content-Type': 'message/rfc822', 'X-Chat-Signature': `t=${at},v1=${digest}` },
    });
    expect(answer.json()).toMatchObject({ outcome: time === 0 ? 'message' : 'duplicate' });
  }
}

it('[TG6] [MAIL4] [MAIL6] web, Telegram, mail, web in the middle of a burst: one history, each text once for each person', async () => {
  const page = await Customer.create(http, { name: 'Ольга', email: EMAIL, locale: 'ru' });
  const { sessionId } = page;
  const written: string[] = [];
  const wrote = (text: string): string => {
    written.push(text);
    return text;
  };
  for (let n = 1; n <= 3; n += 1) await page.post(wrote(`page-${n}.`));
  const burst = new Burst(sessionId);
  await burst.more(4);
  const seenOnPage = await page.events({ after_seq: 0, limit: 500 });
  const seen = seenOnPage.events.flatMap((event) => (event.type === 'chat.message' ? [event.data.id] : []));
  await page.read(seen.at(-1) ?? 0);

  // To Telegram.
  const olga = desk.person('Ольга');
  olga.send(`/start ${await desk.link(page)}`);
  await desk.shows(olga, 'Чат с сайта продолжается здесь');
  for (let n = 1; n <= 3; n += 1) {
    olga.send(wrote(`telegram-${n}.`));
    await desk.inChat(anna, sessionId, `telegram-${n}.`);
  }
  await burst.more(4);
  const last = burst.texts.at(-1) ?? '';
  await desk.shows(olga, last);

  // To mail: they block the bot, so that nothing reaches them there.
  olga.block();
  await burst.more(4);
  const mail = await until(() => smtp.mails.find(({ to }) => to.includes(EMAIL)), { ...WAIT, what: 'a mail' });
  const letter = await simpleParser(mail.raw);
  const replyTo = letter.replyTo?.value[0]?.address ?? '';
  await bringMail(replyTo, wrote('mail-1.'));
  await burst.more(2);

  // And back to the page, on a device that knows nothing.
  const [, code] = /#chat-return=([\w-]+)/.exec(letter.text ?? '') ?? [];
  const returned = (await http.post('/chat/mail/return', { json: { code } })).as(mailReturnResponseSchema);
  expect(returned.session.id).toBe(sessionId);
  const back = new Customer(http, sessionId, returned.token, '');
  await back.post(wrote('back-1.'));
  await burst.more(3);
  await burst.stop();
  await back.post(wrote('back-2.'));

  const { messages } = await anna.messages(sessionId, { limit: 200 });
  const bodies = messages.map(({ body }) => body);
  expect(bodies.toSorted()).toEqual([...written, ...burst.texts].toSorted());
  expect(bodies.filter((body) => body.startsWith('answer-'))).toEqual(burst.texts);
  expect(bodies.filter((body) => !body.startsWith('answer-'))).toEqual(written);

  // The page that came back has it all, in the same order, without a hole.
  const { events } = await back.events({ after_seq: 0, limit: 500 });
  expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index + 1));
  const shown = events.flatMap((event) => (event.type === 'chat.message' ? [event.data.body] : []));
  expect(shown).toEqual(bodies);

  // In Telegram each answer stands once, in order, without a hole from the first to the last that came.
  const inTelegram = olga.shown.flatMap(({ text }) => answersIn(text));
  const first = burst.texts.indexOf(inTelegram[0] ?? '');
  expect(inTelegram).toEqual(burst.texts.slice(first, first + inTelegram.length));
  expect(inTelegram).toContain(last);
  expect(olga.shown.filter(({ text }) => /page-|telegram-/.test(text))).toEqual([]);

  // What was mailed was in no other mail, and had not reached them in Telegram.
  const mailed = await Promise.all(
    smtp.mails
      .filter(({ to }) => to.includes(EMAIL))
      .map(async ({ raw }) => answersIn((await simpleParser(raw)).text ?? '')),
  );
  expect(new Set(mailed.flat()).size).toBe(mailed.flat().length);
  expect(mailed.flat().filter((text) => inTelegram.includes(text))).toEqual([]);
  console.log(
    `${burst.texts.length} answers and ${written.length} texts; ${inTelegram.length} in Telegram, ${mailed.flat().length} in ${mailed.length} mails`,
  );
});
